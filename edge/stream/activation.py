"""How aroused a voice is: 0 calm to 1 aroused, from a posterior.

Eight names do not hold across speakers and languages; whether somebody is worked up does.
Anger, joy, fear and surprise are lively, calm, sadness and a neutral voice are not (Russell,
"A circumplex model of affect", 1980).  Disgust is acted either way and left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.artifact.abstention import ActivationScale
from edge.errors import ParameterError

__all__ = ["AROUSED", "CALM", "ActivationMeter", "activation"]

#: Labels of a lively voice, and of a quiet one.
AROUSED = ("angry", "happy", "fearful", "surprised")
CALM = ("calm", "sad", "neutral")

#: Probability below which one side of the posterior is no evidence: its logarithm stays a
#: number, and a posterior that is all disgust tells neither.
_LEAST = 1e-9


class ActivationMeter:
    """Activation of the posteriors of one model.

    Parameters
    ----------
    labels : sequence of str
        Name of every column of a posterior.
    scale : ActivationScale, optional
        Calibration; None: none.
    """

    def __init__(self, labels: Sequence[str], scale: ActivationScale | None = None) -> None:
        scale = scale or ActivationScale()
        self._slope, self._offset = scale.slope, scale.offset
        self._aroused = [i for i, label in enumerate(labels) if label in AROUSED]
        self._calm = [i for i, label in enumerate(labels) if label in CALM]
        #: Whether the labels tell: one of each side at least.
        self.can_tell = bool(self._aroused and self._calm)

    def of(self, posteriors: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Activation of every posterior.

        Parameters
        ----------
        posteriors : float64 [shape=(..., n_labels)]

        Returns
        -------
        float64 [shape=(...)] or None
            0 calm to 1 aroused; None where the labels do not tell.
        """
        if not self.can_tell:
            return None
        sides = [posteriors[..., side].sum(axis=-1) for side in (self._aroused, self._calm)]
        aroused, calm = np.log(np.maximum(sides, _LEAST))
        odds = self._slope * (aroused - calm) + self._offset
        # The logistic function, which an exponential would overflow.
        shares: NDArray[np.float64] = 0.5 + 0.5 * np.tanh(0.5 * odds)
        return shares

    def one(self, posterior: Sequence[float]) -> float | None:
        """Activation of one posterior, a number a label, in a small part of the time."""
        if not self.can_tell:
            return None
        aroused = calm = 0.0
        for i in self._aroused:
            aroused += posterior[i]
        for i in self._calm:
            calm += posterior[i]
        log_ratio = math.log(max(aroused, _LEAST) / max(calm, _LEAST))
        return 0.5 + 0.5 * math.tanh(0.5 * (self._slope * log_ratio + self._offset))


def activation(
    posteriors: ArrayLike, labels: Sequence[str], scale: ActivationScale | None = None
) -> NDArray[np.float64] | None:
    """Share of the aroused labels in what a posterior gives to aroused and calm ones, calibrated.

    Parameters
    ----------
    posteriors : float [shape=(..., n_labels)]
        Over all labels of the model.
    labels : sequence of str
        Name of every column.
    scale : ActivationScale, optional
        The artifact's, see :attr:`edge.artifact.Abstention.activation`; None: no calibration.

    Returns
    -------
    float64 [shape=(...)] or None
        0 calm to 1 aroused; None where the labels hold none of :data:`AROUSED`, or none of
        :data:`CALM`.

    Raises
    ------
    ParameterError
        If the posteriors have another width than there are labels.

    Notes
    -----
    The device and the evaluation on the workstation both call this.
    """
    rows = np.asarray(posteriors, dtype=np.float64)
    if rows.ndim == 0 or rows.shape[-1] != len(labels):
        raise ParameterError(
            f"posteriors have shape {rows.shape}, (..., {len(labels)}) is wanted: one column "
            "for every label"
        )
    return ActivationMeter(labels, scale).of(rows)
