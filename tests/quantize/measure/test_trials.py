"""Figures of trials: counted right, with intervals over utterances."""

from __future__ import annotations

import numpy as np
import pytest
from protocol_fakes import clip

from edge.errors import ParameterError
from quantize.data.corpora import LABELS
from quantize.measure.metrics import metrics
from quantize.measure.protocols.trials import Trials


def trials(truth: list[str], answers: list[list[str]], corpus: str = "ravdess") -> Trials:
    """One utterance a true label, with its windows' answers."""
    utterance = [i for i, of_one in enumerate(answers) for _ in of_one]
    flat = [LABELS.index(a) for of_one in answers for a in of_one]
    return Trials(
        tuple(clip(i, label, corpus) for i, label in enumerate(truth)),
        np.array(utterance),
        np.eye(len(LABELS))[flat],
        LABELS,
    )


def test_figures_of_one_answer_an_utterance_are_those_of_metrics():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 8, 200)
    scores = rng.dirichlet(np.ones(8), 200)
    scores[np.arange(200), truth] += 0.5
    scores /= scores.sum(axis=1, keepdims=True)
    clips = tuple(clip(i, LABELS[t]) for i, t in enumerate(truth))
    ours = Trials(clips, np.arange(200), scores, LABELS).figures()
    theirs = metrics(truth, scores, LABELS)
    assert ours["n"] == ours["n_utterances"] == theirs["n"]
    for key in ("accuracy", "uar", "ece"):
        assert ours[key] == pytest.approx(theirs[key])
    for key in ("accuracy_ci95", "uar_ci95"):
        assert ours[key] == pytest.approx(theirs[key], abs=0.01)
    assert ours["recall"]["sad"] == pytest.approx(theirs["per_class"]["sad"]["recall"])
    assert ours["by_corpus"]["ravdess"]["uar"] == ours["uar"]


def test_windows_of_one_utterance_do_not_narrow_the_interval():
    truth = ["sad", "happy"] * 40
    once = [["sad"] if i % 4 < 2 else ["angry"] for i in range(80)]
    few = trials(truth, once).figures()
    many = trials(truth, [answers * 25 for answers in once]).figures()
    assert many["n"] == 25 * few["n"]
    assert many["n_utterances"] == 80
    assert many["accuracy"] == few["accuracy"]
    assert many["accuracy_ci95"] == pytest.approx(few["accuracy_ci95"], abs=0.01)
    low, high = many["accuracy_ci95"]
    assert 0.1 < high - low < 0.3


def test_utterances_without_a_window_do_not_count():
    figures = trials(["sad", "happy", "calm"], [["sad", "sad"], ["calm"], []]).figures()
    assert (figures["n"], figures["n_utterances"]) == (3, 2)
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["uar"] == pytest.approx(0.5)
    assert figures["recall"]["calm"] is None


def test_a_drop_is_paired_by_utterance():
    truth = ["sad"] * 50 + ["happy"] * 50
    right = [[t] for t in truth]
    worse = right[:40] + [["calm"]] * 10 + right[50:90] + [["calm"]] * 10
    drop = trials(truth, worse).figures(trials(truth, right))
    assert drop["accuracy_drop"] == pytest.approx(0.2)
    assert drop["uar_drop"] == pytest.approx(0.2)
    none = trials(truth, worse).figures(trials(truth, worse))
    # The same mistakes on both sides: no drop, without a doubt.
    assert none["uar_drop_ci95"] == [0, 0]
    with pytest.raises(ParameterError, match="other utterances"):
        trials(truth[1:], right[1:]).figures(trials(truth, right))


def test_folds_are_pooled_utterance_by_utterance():
    first = trials(["sad", "happy"], [["sad", "calm"], ["happy"]])
    second = trials(["angry"], [["angry"]], "savee")
    pooled = Trials.pooled([first, second])
    assert pooled.utterance.tolist() == [0, 0, 1, 2]
    figures = pooled.figures()
    assert figures["accuracy"] == pytest.approx(3 / 4)
    assert figures["by_corpus"]["savee"]["accuracy"] == 1.0


def test_no_trial_at_all_is_refused():
    with pytest.raises(ParameterError, match="at least one"):
        Trials((clip(0, "sad"),), np.array([], int), np.empty((0, 8)), LABELS)
