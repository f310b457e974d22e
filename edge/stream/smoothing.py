"""A label that holds steady.

A moving average of posteriors takes out the jitter of overlapping windows, and
hysteresis keeps the label from flickering between two classes that are level.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import ParameterError

__all__ = ["Smoother", "SmootherSettings"]


@dataclasses.dataclass(frozen=True)
class SmootherSettings:
    """Settings of :class:`Smoother`.

    Parameters
    ----------
    time_constant_s : float
        Time after which a past posterior weighs ``1/e`` of what it did.  In
        seconds and not in decisions, so that a shorter hop does not make the
        label jumpier.  0 switches the average off.  Segments overlap by three
        quarters at the default window and hop; 0.7 s averages about the
        segments that share most of their audio and adds less delay than the
        window itself.
    lead : float
        A new label takes over at once when its averaged probability leads the
        held one's by this much.  Posteriors of overlapping segments differ by
        less from chance alone.
    persist : int
        A new label that leads by less takes over after leading this many
        decisions in a row, so that a small but lasting change is not held back
        for ever.
    """

    time_constant_s: float = 0.7
    lead: float = 0.1
    persist: int = 3

    def __post_init__(self) -> None:
        if not (math.isfinite(self.time_constant_s) and self.time_constant_s >= 0):
            raise ParameterError(
                f"time_constant_s is {self.time_constant_s}, a finite number >= 0 s is wanted"
            )
        if not 0 <= self.lead <= 1:
            raise ParameterError(f"lead is {self.lead}, a probability in [0, 1] is wanted")
        if isinstance(self.persist, bool) or self.persist < 1:
            raise ParameterError(
                f"persist is {self.persist!r}, a whole number of at least 1 decision is wanted"
            )


class Smoother:
    """Moving average of posteriors with a label that holds steady.

    Parameters
    ----------
    labels : sequence of str
        Name of every column of a posterior.
    hop_s : float
        Seconds from one posterior to the next.
    settings : SmootherSettings, optional
        How much to average and when to change the label.

    Raises
    ------
    ParameterError
        If there is no label or ``hop_s`` is not above 0.
    """

    def __init__(
        self, labels: Sequence[str], hop_s: float, settings: SmootherSettings | None = None
    ) -> None:
        if not labels:
            raise ParameterError("labels are empty, at least one is wanted")
        if not (math.isfinite(hop_s) and hop_s > 0):
            raise ParameterError(f"hop_s is {hop_s}, a finite number above 0 s is wanted")
        self.labels = tuple(labels)
        self.settings = settings or SmootherSettings()
        tau_s = self.settings.time_constant_s
        self._gain = 1.0 if tau_s == 0 else -math.expm1(-hop_s / tau_s)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard; the same as a fresh object."""
        self._mean: NDArray[np.float64] | None = None
        self._held = 0
        self._candidate = 0
        self._n_leading = 0

    def update(self, posterior: ArrayLike, speech: bool = True) -> tuple[str, NDArray[np.float64]]:
        """Take in the posterior of the next segment.

        Parameters
        ----------
        posterior : float [shape=(n_labels,)]
            Unsmoothed posterior.
        speech : bool
            False for a segment too quiet to be judged: it moves nothing.
            Before the first speech there is nothing to hold, and the
            segment's own posterior is handed back.

        Returns
        -------
        label : str
        posterior : float64 [shape=(n_labels,)]
            The averaged one.

        Raises
        ------
        ParameterError
            If the posterior has another length than the labels.
        """
        row = np.asarray(posterior, dtype=np.float64)
        if row.shape != (len(self.labels),):
            raise ParameterError(
                f"posterior has shape {row.shape}, ({len(self.labels)},) is wanted"
            )
        if not speech:
            if self._mean is None:
                return self.labels[int(row.argmax())], row.copy()
            return self.labels[self._held], self._mean.copy()
        if self._mean is None:
            self._mean = row.copy()
            self._held = int(row.argmax())
        else:
            self._mean += self._gain * (row - self._mean)
            self._choose(self._mean)
        return self.labels[self._held], self._mean.copy()

    def _choose(self, mean: NDArray[np.float64]) -> None:
        leader = int(mean.argmax())
        if leader == self._held:
            self._n_leading = 0
            return
        self._n_leading = self._n_leading + 1 if leader == self._candidate else 1
        self._candidate = leader
        leads = mean[leader] - mean[self._held] >= self.settings.lead
        if leads or self._n_leading >= self.settings.persist:
            self._held = leader
