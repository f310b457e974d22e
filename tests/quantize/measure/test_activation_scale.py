"""The activation's scale: slope and offset are found, each corpus and side counting alike."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.artifact import ActivationScale
from edge.errors import ParameterError
from quantize.data.corpora import DOMAINS, LABELS
from quantize.measure.activation import Activations, fit_activation, log_odds
from quantize.measure.answers import Answers


def drawn(n: int, slope: float, offset: float, *, corpus: int = 0, seed: int = 0) -> Activations:
    """As many aroused as calm windows, whose true log odds are slope * odds + offset."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-offset / slope, 3.0, 4 * n)
    aroused = rng.random(4 * n) < 1 / (1 + np.exp(-slope * odds - offset))
    kept = np.concatenate([np.flatnonzero(side)[: n // 2] for side in (aroused, ~aroused)])
    speakers = np.array([f"{corpus}/{i % 5}" for i in range(len(kept))])
    return Activations(np.full(len(kept), corpus), speakers, aroused[kept], odds[kept], DOMAINS)


def only(given: Activations, kept: NDArray[np.bool_]) -> Activations:
    names = ("corpora", "speakers", "aroused", "odds")
    return dataclasses.replace(given, **{name: getattr(given, name)[kept] for name in names})


@pytest.mark.parametrize(("slope", "offset"), [(1.0, 0.0), (0.5, 0.4), (1.6, -0.8)])
def test_slope_and_offset_are_found(slope, offset):
    found = fit_activation(drawn(20_000, slope, offset))
    assert found.slope == pytest.approx(slope, rel=0.06)
    assert found.offset == pytest.approx(offset, abs=0.06)


def test_a_corpus_with_many_clips_counts_like_one_with_few():
    many, few = drawn(8000, 1.0, 1.0, seed=1), drawn(800, 1.0, -1.0, corpus=1, seed=2)
    assert abs(fit_activation(Activations.pooled([many, few])).offset) < 0.2


def test_more_aroused_clips_do_not_move_the_middle():
    given = drawn(8000, 1.0, 0.0)
    kept = given.aroused | (np.arange(len(given.odds)) % 4 == 0)
    fewer = only(given, kept)
    assert abs(fit_activation(fewer).offset) < 0.1


def test_what_is_told_apart_without_a_fault_has_a_slope_that_ends():
    odds = np.concatenate([np.full(50, 2.0), np.full(50, -2.0)])
    names = np.array([f"0/{i % 5}" for i in range(100)])
    found = fit_activation(Activations(np.zeros(100, int), names, odds > 0, odds, DOMAINS))
    assert 1.0 < found.slope < 20.0


def test_the_wrong_way_round_says_nothing():
    given = drawn(1000, 1.0, 0.0)
    turned = dataclasses.replace(given, odds=-given.odds)
    assert fit_activation(turned) == ActivationScale(0.01, 0.0)
    with pytest.raises(ParameterError, match="some of both sides"):
        fit_activation(dataclasses.replace(given, aroused=np.ones_like(given.aroused)))


def test_sides_of_the_posterior_and_disgust_left_out():
    posterior = np.full((3, 8), 0.0)
    for row, (label, share) in enumerate([("angry", 0.8), ("sad", 0.9), ("disgust", 1.0)]):
        posterior[row, LABELS.index(label)] = share
    posterior[0, LABELS.index("neutral")] = 0.2
    posterior[1, LABELS.index("happy")] = 0.1
    assert log_odds(posterior[:2], LABELS) == pytest.approx([np.log(4), -np.log(9)])
    truth = np.array([LABELS.index(n) for n in ("angry", "sad", "disgust")])
    given = Answers(posterior, truth, np.zeros(3, int), np.array(["a", "b", "b"]), DOMAINS, LABELS)
    found = Activations.of(given, 1.0, ActivationScale(2.0, 1.0))
    assert found.aroused.tolist() == [True, False]
    assert found.odds == pytest.approx([1 + 2 * np.log(4), 1 - 2 * np.log(9)])


def test_figures_of_a_set_that_is_known():
    odds = np.array([2.0, 1.0, -1.0, -2.0, -2.0, 1.0])
    aroused = np.array([True, True, True, False, False, False])
    names = np.array(["a", "b", "c", "a", "b", "c"])
    sided = Activations(np.zeros(6, int), names, aroused, odds, DOMAINS)
    found = sided.figures()["by_corpus"]["ravdess"]
    assert found["uar"] == pytest.approx(2 / 3)
    assert found["accuracy"] == pytest.approx(2 / 3)
    # Of nine pairs, two that tie count half, one is the wrong way round.
    assert found["auc"] == pytest.approx((9 - 1 - 0.5) / 9)
    low, high = found["uar_ci95"]
    assert low <= 2 / 3 <= high
    assert found["n_speakers"] == 3


def test_right_as_often_as_it_says_has_no_error():
    assert drawn(20_000, 1.0, 0.0).figures()["mean"]["ece"] < 0.02
    off = drawn(20_000, 0.4, 0.0).figures()["mean"]["ece"]
    assert off > 0.05


def test_a_corpus_with_one_side_has_its_recall():
    given = drawn(100, 1.0, 0.0)
    hot = only(given, given.aroused)
    found = hot.figures()
    assert found["by_corpus"]["ravdess"]["auc"] is None
    assert found["mean"]["auc"] is None
    assert found["mean"]["uar"] == pytest.approx((hot.odds >= 0).mean())
