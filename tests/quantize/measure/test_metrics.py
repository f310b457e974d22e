"""Figures against values worked out by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import ParameterError
from quantize.measure.metrics import (
    confusion_matrix,
    expected_calibration_error,
    format_metrics,
    metrics,
)

LABELS = ("happy", "sad", "angry", "calm")
# happy: 3 of 4 right, one called sad; sad: 1 of 2, one called happy; angry: never hit, called
# happy; nobody is calm.
TRUTH = [0, 0, 0, 0, 1, 1, 2]
PREDICTED = [0, 0, 0, 1, 1, 0, 0]


def test_every_figure_by_hand() -> None:
    result = metrics(TRUTH, PREDICTED, LABELS)
    assert result["confusion"] == [[3, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert result["n"] == 7
    assert result["accuracy"] == pytest.approx(4 / 7)
    assert result["uar"] == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert result["macro_f1"] == pytest.approx((2 * 3 / (4 + 5) + 2 * 1 / (2 + 2) + 0) / 3)
    assert result["ece"] is None
    assert result["per_class"] == {
        "happy": {"precision": 3 / 5, "recall": 3 / 4, "f1": 6 / 9, "support": 4},
        "sad": {"precision": 1 / 2, "recall": 1 / 2, "f1": 1 / 2, "support": 2},
        "angry": {"precision": None, "recall": 0.0, "f1": 0.0, "support": 1},
        "calm": {"precision": None, "recall": None, "f1": None, "support": 0},
    }
    assert json.loads(json.dumps(result)) == result


def test_a_class_only_ever_predicted_has_precision_but_no_recall() -> None:
    row = metrics([0, 0], [0, 3], LABELS)["per_class"]["calm"]
    assert row == {"precision": 0.0, "recall": None, "f1": None, "support": 0}


def test_posteriors_count_by_their_largest_and_give_a_calibration_error() -> None:
    posterior = [[0.7, 0.1, 0.1, 0.1], [0.2, 0.6, 0.1, 0.1], [0.3, 0.3, 0.4, 0.0]]
    result = metrics([0, 0, 2], posterior, LABELS)
    assert result["accuracy"] == pytest.approx(2 / 3)
    assert result["ece"] == expected_calibration_error([0, 0, 2], posterior)


def test_calibration_error_by_hand() -> None:
    # Bins of a half: confidences 0.9 and 0.7 share (0.5, 1], 0.5 lies alone in (0, 0.5].
    posterior = [[0.9, 0.1], [0.3, 0.7], [0.5, 0.5]]
    truth = [0, 0, 0]
    upper = abs(1 / 2 - (0.9 + 0.7) / 2) * 2 / 3
    lower = abs(1 - 0.5) * 1 / 3
    assert expected_calibration_error(truth, posterior, n_bins=2) == pytest.approx(upper + lower)


def test_calibration_error_has_fifteen_bins() -> None:
    # 0.59 and 0.61 are parted by 9/15 = 0.6: right-but-modest and wrong do not cancel out.
    posterior = [[0.59, 0.41], [0.61, 0.39]]
    assert expected_calibration_error([0, 1], posterior) == pytest.approx((0.41 + 0.61) / 2)
    assert expected_calibration_error([0, 1], posterior, 1) == pytest.approx(0.1)


@pytest.mark.parametrize(("right", "error"), [(True, 0.0), (False, 1.0)])
def test_calibration_error_of_the_certain(right: bool, error: float) -> None:
    truth = [0, 1] if right else [1, 0]
    assert expected_calibration_error(truth, np.eye(2)) == pytest.approx(error)


def test_perfect_predictions() -> None:
    result = metrics([0, 1, 2, 3], [0, 1, 2, 3], LABELS)
    assert result["accuracy"] == result["uar"] == result["macro_f1"] == 1.0
    assert result["accuracy_ci95"] == result["uar_ci95"] == [1.0, 1.0]


def test_intervals_agree_with_the_binomial_and_follow_the_seed() -> None:
    truth = np.zeros(400, dtype=int)
    predicted = np.repeat([0, 1], [320, 80])
    result = metrics(truth, predicted, ("a", "b"))
    # 0.8 +- 1.96 sqrt(0.8 * 0.2 / 400)
    assert result["accuracy_ci95"] == pytest.approx([0.7608, 0.8392], abs=0.005)
    # With one class that occurs, UAR is the accuracy.
    assert result["uar_ci95"] == result["accuracy_ci95"]
    assert metrics(truth, predicted, ("a", "b")) == result
    assert metrics(truth, predicted, ("a", "b"), seed=1) != result


def test_interval_of_uar_agrees_with_resampling_clip_by_clip() -> None:
    rng = np.random.default_rng(5)
    truth = rng.choice(3, size=200, p=[0.7, 0.25, 0.05])
    predicted = np.where(rng.random(200) < 0.7, truth, rng.integers(0, 3, 200))
    plain = []
    for _ in range(2000):
        chosen = rng.integers(0, 200, 200)
        t, p = truth[chosen], predicted[chosen]
        plain.append(np.mean([np.mean(p[t == label] == label) for label in np.unique(t)]))
    low, high = np.percentile(plain, [2.5, 97.5])
    assert metrics(truth, predicted, "abc")["uar_ci95"] == pytest.approx([low, high], abs=0.02)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_figures_stay_within_bounds(pairs: list[tuple[int, int]]) -> None:
    truth, predicted = zip(*pairs, strict=True)
    result = metrics(truth, predicted, LABELS, n_bootstrap=50)
    assert np.sum(result["confusion"]) == len(pairs)
    for key in ("accuracy", "uar", "macro_f1"):
        assert 0 <= result[key] <= 1
    for key in ("accuracy_ci95", "uar_ci95"):
        assert 0 <= result[key][0] <= result[key][1] <= 1
    assert sum(row["support"] for row in result["per_class"].values()) == len(pairs)


def test_confusion_has_the_truth_in_rows() -> None:
    assert confusion_matrix([0, 0, 1], [1, 1, 0], 2).tolist() == [[0, 2], [1, 0]]


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [
        ([0, 1], [0], "equally long, got 2 and 1"),
        ([], [], "non-empty"),
        ([0, 4], [0, 1], "y_true must hold label numbers from 0 to 3, got 0 to 4"),
        ([0, 1], [0, -1], "y_pred must hold label numbers from 0 to 3, got -1 to 0"),
        ([0.0, 1.0], [0, 1], "whole label numbers, got shape .* of float64"),
        ([0, 1], [[0.5, 0.5], [1, 0]], r"shape \(n, 4\), got \(2, 2\)"),
        ([0], [[2.0, -1.0, 0, 0]], "apply the softmax"),
        ([0], [[0.2, 0.2, 0.2, 0.2]], "sum to 1"),
        ([0], [[np.nan, 1, 0, 0]], "non-negative"),
        ([0, 1], [[1, 0, 0, 0]], "equally long, got 2 and 1"),
    ],
)
def test_what_does_not_fit_is_refused(truth: object, predicted: object, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        metrics(truth, predicted, LABELS)  # type: ignore[arg-type]


def test_table_shows_each_class_and_the_totals() -> None:
    posterior = np.eye(4)[PREDICTED]
    header, *rows, totals = format_metrics(metrics(TRUTH, posterior, LABELS)).splitlines()
    assert header.split() == ["label", "precision", "recall", "F1", "clips"]
    assert [row.split() for row in rows] == [
        ["happy", "60.0", "75.0", "66.7", "4"],
        ["sad", "50.0", "50.0", "50.0", "2"],
        ["angry", "-", "0.0", "0.0", "1"],
        ["calm", "-", "-", "-", "0"],
    ]
    assert {len(row) for row in rows} == {len(header)}
    assert totals.startswith("accuracy 57.1 [")
    assert "UAR 41.7 [" in totals
    assert "ECE 0.429" in totals
