"""Temperature scaling: a posterior that is right as often as it says.

The temperature of a fold is chosen on the speakers that the other folds hold out, all of
which are training speakers of the fold itself; no speaker it is measured on takes part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.measure.scoring import Segments, counted
from quantize.runs.temperature import MAX_TEMPERATURE, MIN_TEMPERATURE

__all__ = ["fit_temperature", "tempered"]

_N_STEPS = 40


def tempered(utterances: Sequence[Segments], temperature: float) -> NDArray[np.float64]:
    """Posteriors of utterances at another temperature.

    Parameters
    ----------
    utterances : sequence of Segments
        Scored at temperature 1.
    temperature : float
        What the logits are divided by.

    Returns
    -------
    float64 [shape=(n_utterances, n_labels)]
        The mean over the segments with speech, as on a device.
    """
    return _Evidence(utterances).tempered(temperature)


class _Evidence:
    """The segments that count, of all utterances in one table: a fit asks for 25 temperatures."""

    def __init__(self, utterances: Sequence[Segments]) -> None:
        masks = [counted(each) for each in utterances]
        rows = np.concatenate([u.posteriors[m] for u, m in zip(utterances, masks, strict=True)])
        self._logits = np.log(np.maximum(rows, 1e-300))
        self._impossible = rows == 0.0
        self._n = np.array([int(mask.sum()) for mask in masks])
        self._first = np.cumsum(self._n) - self._n

    def tempered(self, temperature: float) -> NDArray[np.float64]:
        scores = self._logits / temperature
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        # A class that could not be answered still cannot.
        scores[self._impossible] = 0.0
        scores /= scores.sum(axis=1, keepdims=True)
        total = np.add.reduceat(scores, self._first, axis=0)
        mean: NDArray[np.float64] = total / self._n[:, None]
        return mean


def fit_temperature(
    utterances: Sequence[Segments], truth: Sequence[int], groups: Sequence[str]
) -> float:
    """Choose the temperature with the smallest negative log likelihood.

    Parameters
    ----------
    utterances : sequence of Segments
        Scored at temperature 1 by models that never heard their speakers.
    truth : sequence of int
        Label numbers.
    groups : sequence of str
        Corpus of each utterance. Every corpus counts alike: half of all clips are TESS,
        two speakers who say one sentence.

    Returns
    -------
    float
        Within ``[MIN_TEMPERATURE, MAX_TEMPERATURE]``, to a thousandth.

    Raises
    ------
    ParameterError
        If there is no utterance, or the lengths differ.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger (2017), On Calibration of Modern Neural Networks, ICML.
    """
    labels = np.asarray(truth)
    if not len(utterances) or not len(utterances) == len(labels) == len(groups):
        raise ParameterError(
            f"{len(utterances)} utterances, {len(labels)} labels and {len(groups)} groups: as many "
            "of each, and at least one, are wanted"
        )
    _, group, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    weights = 1.0 / sizes[group] / len(sizes)
    picked = np.arange(len(labels)), labels
    evidence = _Evidence(utterances)

    def loss(log_temperature: float) -> float:
        posterior = evidence.tempered(math.exp(log_temperature))[picked]
        return float(-(weights * np.log(np.maximum(posterior, 1e-12))).sum())

    # Golden section: the loss of a mixture need not be convex, but has one valley here.
    low, high = math.log(MIN_TEMPERATURE), math.log(MAX_TEMPERATURE)
    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    inner = [high - ratio * (high - low), low + ratio * (high - low)]
    losses = [loss(at) for at in inner]
    for _ in range(_N_STEPS):
        if high - low < 1e-4:
            break
        if losses[0] <= losses[1]:
            high, inner[1], losses[1] = inner[1], inner[0], losses[0]
            inner[0] = high - ratio * (high - low)
            losses[0] = loss(inner[0])
        else:
            low, inner[0], losses[0] = inner[0], inner[1], losses[1]
            inner[1] = low + ratio * (high - low)
            losses[1] = loss(inner[1])
    return round(math.exp((low + high) / 2.0), 3)
