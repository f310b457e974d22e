"""One kind of answers, one bootstrap, one UAR and one calibration error for all figures."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from split_fakes import make_clips

from edge.errors import ParameterError
from quantize.data.corpora import LABELS
from quantize.measure.answers import Answers
from quantize.measure.bootstrap import accuracy, calibration_error, draw, drawn_speakers, uar
from quantize.measure.evaluate import Evaluation
from quantize.measure.protocols.trials import Trials


def posteriors(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(8, 0.5), n)


@pytest.fixture(scope="module")
def clips():
    return make_clips(["ravdess/01", "ravdess/02", "savee/DC"])


def test_evaluation_and_trials_of_whole_clips_say_the_same(clips):
    said = posteriors(len(clips))
    part = Evaluation(tuple(clips), said, LABELS, LABELS)
    trials = Trials(tuple(clips), np.arange(len(clips)), said, LABELS).figures()
    figures = part.figures()
    assert list(figures["by_corpus"]) == list(trials["by_corpus"]) == ["ravdess", "savee"]
    for one, other in ((figures, trials), *zip(
        figures["by_corpus"].values(), trials["by_corpus"].values(), strict=True
    )):  # fmt: skip
        for name in ("n", "accuracy", "uar", "ece"):
            assert one[name] == pytest.approx(other[name], abs=1e-12)


def test_answers_know_what_is_right_and_whose_they_are(clips):
    said = Answers.of_clips(posteriors(len(clips)), clips, LABELS)
    assert said.domains == ("ravdess", "savee")
    by_hand = [LABELS[p.argmax()] == c.label for p, c in zip(said.posteriors, clips, strict=True)]
    assert said.right.tolist() == by_hand
    parts = dict(said.by_corpus())
    assert {name: len(part) for name, part in parts.items()} == {
        name: sum(c.corpus == name for c in clips) for name in said.domains
    }
    assert set(parts["savee"].speakers) == {"savee/DC"}
    assert parts["savee"].metrics()["n"] == len(parts["savee"])


def test_a_clip_of_nobody_known_stands_for_itself(clips):
    nobodys = [dataclasses.replace(c, speaker_known=False) for c in clips]
    said = Answers.of_clips(posteriors(len(clips)), nobodys, LABELS)
    assert len(set(said.speakers)) == len(clips)
    _, n_speakers, _ = drawn_speakers(np.ones((len(clips), 1)), said.corpora, said.speakers)
    assert sum(n_speakers) == len(clips)


def test_answers_of_other_labels_are_not_pooled(clips):
    one = Answers.of_clips(posteriors(len(clips)), clips, LABELS)
    other = dataclasses.replace(one, labels=LABELS[::-1])
    with pytest.raises(ParameterError, match="the same of both are wanted"):
        Answers.pooled([one, other])
    assert len(Answers.pooled([one, one])) == 2 * len(clips)


def test_a_temperature_leaves_what_cannot_be_answered_alone(clips):
    said = posteriors(len(clips))
    said[:, 2] = 0.0
    said /= said.sum(axis=1, keepdims=True)
    flat = Answers.of_clips(said, clips, LABELS).tempered(3.0).posteriors
    assert (flat[:, 2] == 0.0).all()
    np.testing.assert_allclose(flat.sum(axis=1), 1.0)
    assert (flat.max(axis=1) < said.max(axis=1)).all()
    assert (flat.argmax(axis=1) == said.argmax(axis=1)).all()


def test_rates_are_those_of_a_hand():
    n, n_right = np.array([4, 0, 10]), np.array([1, 0, 5])
    assert float(uar(n, n_right)) == (1 / 4 + 5 / 10) / 2
    assert float(accuracy(n, n_right)) == 6 / 14
    assert float(uar(0 * n, 0 * n)) == float(accuracy(0 * n, 0 * n)) == 0.0
    both = uar(np.stack([n, n[::-1]]), np.stack([n_right, n_right[::-1]]))
    assert both.tolist() == [0.375, 0.375]


def test_draws_are_as_many_as_there_are_and_always_the_same():
    alike = np.array([3, 0, 7, 90])
    drawn = draw(alike)
    assert (drawn.sum(axis=1) == 100).all()
    assert (drawn[:, 1] == 0).all()
    np.testing.assert_allclose(drawn.mean(axis=0), alike, atol=0.3)
    # Of a binomial's own width.
    np.testing.assert_allclose(drawn[:, 2].std(), np.sqrt(7 * 0.93), rtol=0.05)
    assert np.array_equal(drawn, draw(alike))
    assert not np.array_equal(drawn, draw(alike, np.random.default_rng(1)))


def test_speakers_are_drawn_whole_and_within_their_corpus():
    corpora = np.array([0] * 6 + [1] * 6)
    speakers = np.array(["a"] * 4 + ["b"] * 2 + ["c"] * 6)
    right = np.array([1.0] * 4 + [0.0] * 2 + [1.0, 0.0] * 3)
    present, n_speakers, table = drawn_speakers(
        np.stack([np.ones(12), right], axis=1), corpora, speakers
    )
    assert (present, n_speakers) == ([0, 1], [2, 1])
    assert table[0].tolist() == [[6.0, 4.0], [6.0, 3.0]]
    # a twice, both, or b twice; c alone is always itself.
    assert {tuple(row) for row in table[1:, 0]} == {(8.0, 8.0), (6.0, 4.0), (4.0, 0.0)}
    assert {tuple(row) for row in table[1:, 1]} == {(6.0, 3.0)}


def test_the_calibration_error_weighs_bins_by_what_is_in_them():
    said = np.array([0.9, 0.9, 0.9, 0.9, 0.2])
    happened = np.array([True, True, False, False, False])
    assert calibration_error(said, happened) == pytest.approx((4 * 0.4 + 0.2) / 5)
    weights = np.array([0.125] * 4 + [0.5])
    assert calibration_error(said, happened, weights) == pytest.approx(0.5 * 0.4 + 0.5 * 0.2)
    # A bin ends with its upper bound.
    edges = np.array([0.5, 0.5001])
    assert calibration_error(edges, np.array([True, False]), n_bins=2) == pytest.approx(0.50005)
