"""The bar: the smallest that does, on the stricter weighting, chosen by other speakers alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from edge.errors import ParameterError
from quantize.data.corpora import DOMAINS, LABELS
from quantize.measure.abstention import Judged, choose_bar
from quantize.measure.answers import Answers
from quantize.measure.crossfit import Facts, cross_fit
from quantize.measure.scoring import Segments
from quantize.measure.windows import live_windows, picked

FACTS = Facts("claf-ser-alone", "speaker-5fold", "edge-ser-quantize calibrate", "abc")


def answers(*parts: tuple[int, float, int, float]) -> Judged:
    """Windows of (corpus, probability, how many, share that is right)."""
    corpora, probability, right = [], [], []
    for corpus, of_best, n, share in parts:
        corpora += [corpus] * n
        probability += [of_best] * n
        right += [at < round(share * n) for at in range(n)]
    at = np.array(corpora)
    speakers = np.array([f"{c}/{i % 4}" for i, c in enumerate(corpora)])
    said = np.array(probability), np.array(right)
    return Judged(at, speakers, *said, np.zeros(len(at)), DOMAINS)


def windows(n: int, *, seed: int, factor: float = 1.0, corpus: int = 0, speaker: str = "a"):
    """Windows whose true posterior's logits were multiplied by a factor."""
    rng = np.random.default_rng(seed)
    logits = 2.0 * rng.standard_normal((n, 8))

    def posterior(values):
        scores = np.exp(values - values.max(axis=1, keepdims=True))
        return scores / scores.sum(axis=1, keepdims=True)

    truth = np.array([rng.choice(8, p=row) for row in posterior(logits)])
    owners = np.array([f"{corpus}/{speaker}{i % 3}" for i in range(n)])
    posteriors = posterior(factor * logits)
    return Answers(posteriors, truth, np.full(n, corpus), owners, DOMAINS, LABELS)


def test_the_smallest_bar_that_does_is_chosen():
    # Right as often as it says: of what is answered from 0.62 on, 0.8 are right.
    given = answers((0, 0.305, 100, 0.3), (0, 0.615, 100, 0.6), (0, 0.705, 100, 0.8))
    assert choose_bar(given, 0.75) == pytest.approx(0.62)
    assert choose_bar(given, 0.70) == pytest.approx(0.31)
    assert choose_bar(given, 0.55) == 0.0


def test_a_bar_is_reached_by_what_equals_it():
    assert choose_bar(answers((0, 0.5, 100, 0.1), (0, 0.51, 100, 1.0)), 0.75) == pytest.approx(0.51)


def test_no_bar_does_where_the_surest_are_wrong():
    assert choose_bar(answers((0, 0.3, 100, 0.9), (0, 0.9, 100, 0.5)), 0.75) is None
    with pytest.raises(ParameterError, match="0 windows"):
        choose_bar(answers(), 0.75)


def test_a_bar_that_does_by_chance_below_one_that_does_not_is_passed_over():
    given = answers((0, 0.4, 1000, 0.95), (0, 0.605, 500, 0.6), (0, 0.8, 500, 0.85))
    assert choose_bar(given, 0.75) == pytest.approx(0.61)


def test_a_few_sure_answers_that_are_wrong_do_not_forbid_every_bar():
    given = answers((0, 0.3, 500, 0.2), (0, 0.6, 485, 0.9), (0, 0.95, 15, 0.2))
    assert choose_bar(given, 0.75) == pytest.approx(0.31)


def test_a_large_easy_corpus_does_not_carry_the_bar():
    # Of all windows together 0.88 are right, on average over the corpora 0.7.
    given = answers((3, 0.505, 2000, 0.9), (1, 0.505, 100, 0.5), (1, 0.705, 100, 0.8))
    assert choose_bar(given, 0.78) == pytest.approx(0.51)
    # Nor do small ones that are easy.
    given = answers((3, 0.505, 2000, 0.6), (1, 0.505, 100, 1.0), (3, 0.705, 500, 0.9))
    assert choose_bar(given, 0.75) == pytest.approx(0.51)


def test_figures_weigh_speakers_and_corpora_and_say_what_is_left_unsaid():
    given = answers((0, 0.5, 40, 0.5), (0, 0.9, 40, 1.0), (1, 0.9, 10, 0.2)).at(0.6)
    found = given.figures()
    assert found["by_corpus"]["ravdess"] | {"coverage_ci95": 0, "accuracy_ci95": 0} == {
        "n_speakers": 4, "n": 80, "n_answered": 40, "coverage": 0.5, "accuracy": 1.0,
        "coverage_ci95": 0, "accuracy_ci95": 0,
    }  # fmt: skip
    assert found["pooled"]["accuracy"] == pytest.approx(42 / 50)
    assert found["mean"]["accuracy"] == pytest.approx(0.6)
    assert found["mean"]["coverage"] == pytest.approx(0.75)
    low, high = found["by_corpus"]["savee"]["accuracy_ci95"]
    assert low < 0.2 < high
    assert found == given.figures()
    silent = given.at(1.0).figures()
    assert silent["mean"]["n_answered"] == 0
    assert silent["mean"]["accuracy"] is None
    assert silent["pooled"]["accuracy_ci95"] is None


def test_a_higher_bar_answers_less():
    given = Judged.of(windows(3000, seed=1), 1.0)
    rows = [given.at(bar).figures()["pooled"] for bar in (0.2, 0.4, 0.6, 0.8)]
    coverage = [row["coverage"] for row in rows]
    assert coverage == sorted(coverage, reverse=True)
    right = [row["accuracy"] for row in rows]
    assert right == sorted(right)


def test_what_folds_choose_is_worth_as_much_on_others():
    parts = [windows(4000, seed=n, corpus=n % 2, speaker=str(n)) for n in range(4)]
    found = cross_fit(parts, [1.0] * 4)
    assert 0.75 <= found.figures["answered"]["mean"]["accuracy"] < 0.82
    assert found.together.abstention(FACTS).min_probability == found.figures["min_probability"]
    assert all(abs(c.bar - found.together.bar) < 0.05 for c in found.folds)


def test_a_fold_is_judged_by_what_it_had_no_part_in():
    parts = [windows(1000, seed=n, corpus=n % 2, speaker=str(n)) for n in range(4)]
    before = cross_fit(parts, [1.0] * 4)
    # The first fold's truth is turned upside down: what the others chose for it must not move.
    spoiled = dataclasses.replace(parts[0], truth=(parts[0].truth + 3) % 8)
    after = cross_fit([spoiled, *parts[1:]], [1.0] * 4)
    assert after.folds[0].bar == before.folds[0].bar
    assert after.folds[0].scale == before.folds[0].scale
    assert after.folds[1].bar != before.folds[1].bar
    # Nor must a temperature that another fold got from its speakers.
    cooled = cross_fit(parts, [1.0, 2.0, 2.0, 2.0])
    assert cooled.folds[0].bar == before.folds[0].bar


def test_folds_without_a_bar_answer_nothing_and_say_so():
    parts = [windows(500, seed=n, speaker=str(n)) for n in range(3)]
    wrong = [dataclasses.replace(p, truth=p.posteriors.argmin(axis=1)) for p in parts]
    found = cross_fit(wrong, [1.0] * 3)
    assert found.figures["min_probability"] is None
    assert found.together.abstention(FACTS).min_probability == 0.0
    assert found.figures["answered"]["pooled"]["n_answered"] == 0


def test_a_table_of_a_manifest_says_the_worse_of_both_ways_to_weigh():
    parts = [windows(1000, seed=n, corpus=n % 2, speaker=str(n)) for n in range(4)]
    found = cross_fit(parts, [1.0] * 4)
    rows = found.together.abstention(FACTS).coverage
    assert [row.bar for row in rows] == [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    for row, told in zip(rows, found.figures["coverage"], strict=True):
        worse = min(told["mean"]["accuracy"], told["pooled"]["accuracy"])
        assert row.accuracy == pytest.approx(worse, abs=1e-4)
        assert row.n == told["pooled"]["n_answered"]


def test_a_model_of_another_recipe_says_whose_folds_it_has():
    found = cross_fit([windows(500, seed=n, speaker=str(n)) for n in range(3)], [1.0] * 3)
    own, other = (found.together.abstention(FACTS, r) for r in (None, "claf-ser-tiny"))
    assert own.split.startswith("speaker-5fold of claf-ser-alone; coverage is")
    assert "of claf-ser-alone, whose folds stand for those of claf-ser-tiny until" in other.split
    assert dataclasses.replace(other, split=own.split) == own


def clip(corpus: str = "ravdess", label: str = "sad", speaker: str = "ravdess/01"):
    from quantize.data.corpora import Clip

    values = dict.fromkeys((f.name for f in dataclasses.fields(Clip)), "x")
    values |= {"corpus": corpus, "label": label, "speaker": speaker}
    return Clip(**values)


def segments(n_rows: int, hop: int, speech: list[bool] | None = None) -> Segments:
    ends = list(range(61, n_rows + 1, hop))
    if not ends or ends[-1] != n_rows:
        ends.append(n_rows)
    posteriors = np.tile(np.arange(len(ends), dtype=float)[:, None], (1, 8))
    bounds = [(max(0, end - 61), end) for end in ends]
    return Segments(bounds, posteriors, [-30.0] * len(ends), speech or [True] * len(ends))


def test_a_stream_s_windows_are_picked_from_those_of_a_file():
    fine = segments(61 + 40, 8)
    live = picked(fine, 61, 16)
    assert [end for _, end in live.bounds] == [61, 77, 93, 101]
    assert live.posteriors[:, 0].tolist() == [0, 2, 4, 5]
    assert picked(segments(30, 8), 61, 16).bounds == [(0, 30)]
    with pytest.raises(ParameterError, match="every 16 frames"):
        picked(segments(61 + 40, 24), 61, 16)


def test_windows_that_the_gate_holds_back_are_not_answered():
    heard = [True, False, True, True, False, True]
    found = live_windows(
        [clip()], [segments(61 + 40, 8, heard)], 61, 16, domains=DOMAINS, labels=LABELS
    )
    assert found.posteriors[:, 0].tolist() == [0, 2, 5]
    assert set(found.speakers) == {"ravdess/01"}
    with pytest.raises(ParameterError, match="loud enough"):
        live_windows([clip()], [segments(61, 8, [False])], 61, 16, domains=DOMAINS, labels=LABELS)


def test_a_handful_of_answers_of_one_corpus_does_not_forbid_every_bar():
    # Of the second corpus next to nothing is answered up there, and that is wrong.
    sure = (0, 0.505, 500, 0.3), (0, 0.9, 500, 0.95)
    given = answers(*sure, (1, 0.505, 990, 0.3), (1, 0.905, 10, 0.0))
    assert choose_bar(given, 0.75) == pytest.approx(0.51)
    # Where it is more than that, it counts.
    given = answers(*sure, (1, 0.505, 900, 0.3), (1, 0.905, 100, 0.0))
    assert choose_bar(given, 0.75) is None
