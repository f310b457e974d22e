"""A label that holds steady.

A moving average of posteriors takes out the jitter of overlapping windows; each weighs as
much as it holds speech.  Hysteresis keeps the label from flickering between two classes that
are level.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Sequence

from edge.arrays import as_number
from edge.errors import ParameterError
from edge.stream.posterior import renormalised

__all__ = ["Smoother", "SmootherSettings"]

#: Far below the shortest hop.
_ROUNDING_S = 1e-6


@dataclasses.dataclass(frozen=True, slots=True)
class SmootherSettings:
    """Settings of :class:`Smoother`, all in seconds of audio.

    Seconds and not decisions, so that a shorter hop does not make the label jumpier.

    Parameters
    ----------
    time_constant_s : float
        Time after which a past posterior weighs ``1/e`` of what it did.  0 switches
        the average off.  Segments overlap by three quarters at the default segment
        and hop; 0.7 s averages about the segments that share most of their audio and
        adds less delay than the segment itself.
    lead : float
        A new label takes over at once when its averaged probability leads the
        held one's by this much.  Posteriors of overlapping segments differ by
        less from chance alone.
    persist_s : float
        A new label that leads by less takes over after leading for this long without
        a break, so that a small but lasting change is not held back for ever.  The
        default is three decisions at the default hop of 0.512 s.
    forget_s : float
        After so long without speech the held label is forgotten and the next segment
        stands alone.  The average alone would forget sooner (2 s weigh 6 %), but the
        label would be held against a change that leads by little.  5 s is longer than
        the pauses inside what somebody says.
    hold_s : float
        A label that has taken over is held for so long at least, whatever leads meanwhile;
        0: no longer than the rules above do.
    """

    time_constant_s: float = 0.7
    lead: float = 0.1
    persist_s: float = 1.536
    forget_s: float = 5.0
    hold_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("time_constant_s", "persist_s", "forget_s", "hold_s"):
            wanted = "a finite number >= 0 s is wanted"
            value = as_number(getattr(self, name), name, wanted, 0.0, sys.float_info.max)
            object.__setattr__(self, name, value)
        lead = as_number(self.lead, "lead", "a probability in [0, 1] is wanted", 0.0, 1.0)
        object.__setattr__(self, "lead", lead)


class Smoother:
    """Moving average of posteriors with a label that holds steady.

    Parameters
    ----------
    labels : sequence of str
        Name of every column of a posterior.
    settings : SmootherSettings, optional
        How much to average and when to change the label.
    among : sequence of int, optional
        Columns of the labels that may be held, see :func:`edge.stream.posterior.renormalised`;
        None: all.  The average is over all labels either way, so that a segment that leaves
        the chosen ones little says little about which of them it is.

    Raises
    ------
    ParameterError
        If there is no label.
    """

    def __init__(
        self,
        labels: Sequence[str],
        settings: SmootherSettings | None = None,
        among: Sequence[int] | None = None,
    ) -> None:
        if not labels:
            raise ParameterError("labels are empty, at least one is wanted")
        self.labels = tuple(labels)
        self.settings = settings or SmootherSettings()
        self._among = among
        self._names = self.labels if among is None else tuple(labels[i] for i in among)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard; the same as a fresh object."""
        self._mean: list[float] | None = None
        self._weight = 1.0
        self._held = 0
        self._candidate = 0
        self._leading_s = 0.0
        self._held_s = 0.0
        self._quiet_s = 0.0

    def rest(self, elapsed_s: float) -> None:
        """Let time pass in which nobody spoke.

        Parameters
        ----------
        elapsed_s : float
            Seconds since the call before, of this or of :meth:`update`.  They age
            what was heard and count for no label.

        Raises
        ------
        ParameterError
            If the time is not finite or runs backwards.
        """
        _check_time(elapsed_s)
        self._quiet_s += elapsed_s

    def update(
        self, posterior: Sequence[float], elapsed_s: float, speech_share: float = 1.0
    ) -> tuple[str, list[float]]:
        """Take in the posterior of the next segment with speech.

        Parameters
        ----------
        posterior : sequence of float
            Unsmoothed posterior, a number a label.
        elapsed_s : float
            Seconds from the end of the segment before, quiet ones too, to the end of
            this one.  Of no matter for the first.
        speech_share : float
            How much of the segment is speech, above 0 and up to 1: so much it weighs in the
            average beside the others.  Where all hold alike it is of no matter.

        Returns
        -------
        label : str
        posterior : list of float
            The averaged one, over all labels.

        Raises
        ------
        ParameterError
            If the posterior has another length than the labels, the time is not finite or
            runs backwards, or the share is none.
        """
        if len(posterior) != len(self.labels):
            raise ParameterError(
                f"posterior has shape ({len(posterior)},), ({len(self.labels)},) is wanted"
            )
        _check_time(elapsed_s)
        if not 0.0 < speech_share <= 1.0:
            raise ParameterError(
                f"speech_share is {speech_share}, a share above 0 and up to 1 is wanted"
            )
        quiet_s, self._quiet_s = self._quiet_s, 0.0
        if self._mean is None or quiet_s >= self.settings.forget_s:
            self._mean = list(posterior)
            self._weight = speech_share
            self._held = _leader(self._chosen(self._mean))
            self._leading_s = self._held_s = 0.0
        else:
            passed_s = elapsed_s + quiet_s
            gain = self._gain(passed_s)
            # Weights are averaged as posteriors are: an old half-empty segment gives way to a
            # full one sooner, and not the other way round.
            self._weight += gain * (speech_share - self._weight)
            step = gain * speech_share / self._weight
            self._mean = [
                mean + step * (new - mean) for mean, new in zip(self._mean, posterior, strict=True)
            ]
            self._held_s += passed_s
            self._choose(self._chosen(self._mean), elapsed_s)
        return self._names[self._held], self._mean.copy()

    def _chosen(self, posterior: list[float]) -> list[float]:
        return posterior if self._among is None else renormalised(posterior, self._among)

    def _gain(self, elapsed_s: float) -> float:
        tau_s = self.settings.time_constant_s
        return 1.0 if tau_s == 0 else -math.expm1(-elapsed_s / tau_s)

    def _choose(self, mean: list[float], elapsed_s: float) -> None:
        leader = _leader(mean)
        if leader == self._held:
            self._leading_s = 0.0
            return
        self._leading_s = elapsed_s + (self._leading_s if leader == self._candidate else 0.0)
        self._candidate = leader
        leads = mean[leader] - mean[self._held] >= self.settings.lead
        # A sum of hops may miss a round figure by its last bits.
        lasts = self._leading_s >= self.settings.persist_s - _ROUNDING_S
        if (leads or lasts) and self._held_s >= self.settings.hold_s - _ROUNDING_S:
            self._held = leader
            self._held_s = 0.0


def _leader(posterior: list[float]) -> int:
    return posterior.index(max(posterior))


def _check_time(elapsed_s: float) -> None:
    if not 0.0 <= elapsed_s < math.inf:
        raise ParameterError(f"elapsed_s is {elapsed_s}, a finite number >= 0 s is wanted")
