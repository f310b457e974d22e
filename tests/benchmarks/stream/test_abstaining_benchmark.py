from __future__ import annotations

import numpy as np

from benchmarks.stream import abstaining

NAN = float("nan")


def heard(*probability: float) -> np.ndarray:
    rows = np.array([[p, p > 0.65, p] for p in probability])
    rows[np.isnan(rows[:, 0])] = NAN
    return rows


def test_a_margin_is_for_what_was_not_said_before() -> None:
    probability = np.array([0.6, 0.5, 0.62, 0.66, 0.61, NAN, 0.61])
    assert abstaining.said(probability, 0.6, 0.0).tolist() == [1, 0, 1, 1, 1, 0, 1]
    assert abstaining.said(probability, 0.6, 0.05).tolist() == [1, 0, 0, 1, 1, 0, 1]


def test_flicker_is_counted_for_a_minute() -> None:
    found = abstaining.flicker([heard(0.7, 0.5, 0.7, 0.7, 0.5, 0.5)], 0.6, 0.0, hop_s=1.0)
    assert found["answered"] == 0.5
    assert (found["changes_a_minute"], found["single_decisions_a_minute"]) == (30.0, 10.0)


def test_coverage_is_of_decisions_with_speech() -> None:
    table = abstaining.coverage([heard(0.7, 0.62, NAN), heard(0.2, 0.4)])
    at = {row["bar"]: row for row in table}
    assert (at[0.0]["coverage"], at[0.0]["n"]) == (1.0, 4)
    assert (at[0.6]["coverage"], at[0.6]["accuracy"]) == (0.5, 0.5)
    assert (at[0.8]["coverage"], at[0.8]["accuracy"]) == (0.0, None)


def test_activation_is_held_against_the_side_of_the_turn() -> None:
    turns = [heard(0.9, 0.4, NAN), heard(0.1), heard(0.9)]
    found = abstaining.activation_recalls(["angry", "sad", "disgust"], turns)
    assert found == {"aroused": 0.5, "calm": 1.0, "uar": 0.75, "n": 3}
