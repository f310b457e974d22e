"""How good the predictions are: figures with intervals, as plain JSON-ready numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import ParameterError
from quantize.measure.bootstrap import accuracy, calibration_error, draw, interval, uar

__all__ = ["confusion_matrix", "expected_calibration_error", "format_metrics", "metrics"]

_N_BOOTSTRAP = 2000
_SUM_TOLERANCE = 1e-3


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, n_labels: int) -> NDArray[np.int64]:
    """Count truth against prediction.

    Parameters
    ----------
    y_true, y_pred : int [shape=(n,)]
        Label numbers in ``[0, n_labels)``.
    n_labels : int
        Number of classes.

    Returns
    -------
    int64 [shape=(n_labels, n_labels)]
        Rows are the truth, columns the prediction.

    Raises
    ------
    ParameterError
        If the lengths differ, there is nothing to count, or a number is out of range.
    """
    truth, predicted = (
        _label_numbers("y_true", y_true, n_labels),
        _label_numbers("y_pred", y_pred, n_labels),
    )
    if truth.size != predicted.size:
        raise ParameterError(
            f"y_true and the predictions must be equally long, got {truth.size} and "
            f"{predicted.size}."
        )
    flat = np.bincount(truth * n_labels + predicted, minlength=n_labels**2)
    return flat.reshape(n_labels, n_labels).astype(np.int64)


def expected_calibration_error(y_true: ArrayLike, posterior: ArrayLike, n_bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over equally wide bins of confidence.

    Parameters
    ----------
    y_true : int [shape=(n,)]
        Label numbers.
    posterior : float [shape=(n, n_labels)]
        Rows sum to 1.
    n_bins : int
        Bins of the largest posterior; ``(0, 1/n_bins]`` is the first.

    Returns
    -------
    float
        0 when each bin is right as often as it says; bins weigh by their clips.

    Raises
    ------
    ParameterError
        If the shapes do not fit or `posterior` is no posterior.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger (2017), On Calibration of Modern Neural Networks, ICML.
    """
    scores = _posterior(posterior)
    truth = _label_numbers("y_true", y_true, scores.shape[1])
    if truth.size != len(scores):
        raise ParameterError(
            f"y_true and posterior must be equally long, got {truth.size} and {len(scores)}."
        )
    return calibration_error(scores.max(axis=1), scores.argmax(axis=1) == truth, n_bins=n_bins)


def metrics(
    y_true: ArrayLike,
    predicted: ArrayLike,
    labels: Sequence[str],
    *,
    n_bootstrap: int = _N_BOOTSTRAP,
    seed: int = 0,
) -> dict[str, Any]:
    """Every figure of one evaluation.

    Parameters
    ----------
    y_true : int [shape=(n,)]
        Numbers of the true labels.
    predicted : float [shape=(n, n_labels)] or int [shape=(n,)]
        Posteriors, or the numbers of the predicted labels.
    labels : sequence of str
        Names of the classes.
    n_bootstrap : int
        Resamples of the clips behind the intervals.
    seed : int
        Seed of the resampling.

    Returns
    -------
    dict
        ``n``, ``accuracy``, ``accuracy_ci95``, ``uar``, ``uar_ci95``, ``macro_f1``, ``ece``
        (None without posteriors), ``labels``, ``per_class`` (label to precision, recall,
        f1, support) and ``confusion`` (rows are the truth). All are shares, not percent.

    Raises
    ------
    ParameterError
        If lengths, shapes or label numbers do not fit, or rows are no posteriors.

    Notes
    -----
    UAR (unweighted average recall) and macro F1 average over the classes that occur in
    `y_true`; a class that does not has None for recall and F1. A class that is never
    predicted has precision None, which counts as an F1 of 0 when it occurs. The
    intervals are percentiles of a bootstrap over clips; they treat clips as independent
    and so are too narrow for "another speaker".
    """
    scores = np.asarray(predicted)
    ece = None
    if scores.ndim == 2:
        scores = _posterior(scores, len(labels))
        ece = expected_calibration_error(y_true, scores)
        scores = scores.argmax(axis=1)
    matrix = confusion_matrix(y_true, scores, len(labels))
    support, n_predicted, hits = matrix.sum(axis=1), matrix.sum(axis=0), matrix.diagonal()
    per_class = {
        label: {
            "precision": _ratio(hits[i], n_predicted[i]),
            "recall": _ratio(hits[i], support[i]),
            "f1": _ratio(2 * hits[i], support[i] + n_predicted[i]) if support[i] else None,
            "support": int(support[i]),
        }
        for i, label in enumerate(labels)
    }
    # Of clips that are told alike, a cell of the matrix; the draws go by all its cells.
    drawn = draw(matrix.ravel(), np.random.default_rng(seed), n_bootstrap)
    drawn = drawn.reshape(-1, *matrix.shape)
    counts = drawn.sum(axis=2), drawn.diagonal(axis1=1, axis2=2)
    present = support > 0
    f1s = [row["f1"] for row in per_class.values() if row["f1"] is not None]
    return {
        "n": int(matrix.sum()),
        "accuracy": float(accuracy(support, hits)),
        "accuracy_ci95": interval(accuracy(*counts)),
        "uar": float(uar(support[present], hits[present])),
        "uar_ci95": interval(uar(*counts)),
        "macro_f1": float(np.mean(f1s)),
        "ece": ece,
        "labels": list(labels),
        "per_class": per_class,
        "confusion": matrix.tolist(),
    }


def format_metrics(result: dict[str, Any]) -> str:
    """Aligned text of what `metrics` gave: the paper's tables 2-6, and one line of totals."""
    width = max(len("label"), *map(len, result["labels"]))
    lines = [f"{'label':<{width}}  precision  recall      F1  clips"]
    for label, row in result["per_class"].items():
        cells = [
            "-" if row[key] is None else f"{100 * row[key]:.1f}"
            for key in ("precision", "recall", "f1")
        ]
        lines.append(
            f"{label:<{width}}  {cells[0]:>9}  {cells[1]:>6}  {cells[2]:>6}  {row['support']:>5}"
        )

    def with_interval(key: str) -> str:
        low, high = result[f"{key}_ci95"]
        return f"{100 * result[key]:.1f} [{100 * low:.1f}, {100 * high:.1f}]"

    ece = "" if result["ece"] is None else f"  ECE {result['ece']:.3f}"
    lines.append(
        f"accuracy {with_interval('accuracy')}  UAR {with_interval('uar')}  "
        f"macro F1 {100 * result['macro_f1']:.1f}{ece}  n {result['n']}  (percent, 95 % intervals)"
    )
    return "\n".join(lines)


def _ratio(part: np.int64, whole: np.int64) -> float | None:
    return float(part / whole) if whole else None


def _label_numbers(name: str, values: ArrayLike, n_labels: int) -> NDArray[np.int64]:
    numbers = np.asarray(values)
    if numbers.ndim != 1 or numbers.size == 0 or not np.issubdtype(numbers.dtype, np.integer):
        raise ParameterError(
            f"{name} must be a non-empty row of whole label numbers, got shape {numbers.shape} "
            f"of {numbers.dtype}."
        )
    if numbers.min() < 0 or numbers.max() >= n_labels:
        raise ParameterError(
            f"{name} must hold label numbers from 0 to {n_labels - 1}, got {numbers.min()} to "
            f"{numbers.max()}."
        )
    return numbers.astype(np.int64)


def _posterior(values: ArrayLike, n_labels: int | None = None) -> NDArray[np.float64]:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 2 or scores.size == 0 or n_labels not in (None, scores.shape[1]):
        raise ParameterError(
            f"posterior must have the shape (n, {n_labels or 'n_labels'}), got {scores.shape}."
        )
    if not (scores >= 0).all() or np.abs(scores.sum(axis=1) - 1).max() > _SUM_TOLERANCE:
        raise ParameterError(
            "posterior must be non-negative with rows that sum to 1; apply the softmax to logits "
            "first."
        )
    return scores
