"""What is left of a change once the pace of the machine at that moment is divided out.

A figure need not follow the pace in proportion: what waits for memory suffers more from a neighbour
that takes the caches than the fixed piece of work does, and what works on little data less.  How
much it follows is learned from the rounds within both runs, in which the program is the same and
only the pace is not.  Where the pace stood still there is nothing to learn from; the figure is then
taken to follow in proportion, and the interval grows with what is divided out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.benchmark.noise import RESOLUTION, change_of_median, log_medians, round_counts

__all__ = ["Paced", "PacedChange", "change_at_pace"]

#: How far from proportion a figure may be before anything is learned, as a standard deviation.
_PRIOR = 0.2

#: By how much paces of rounds differ at least that are the same.
_SAME = 0.01

Logs = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paced:
    """A figure that was measured again and again, and the pace meanwhile.

    Parameters
    ----------
    values, pace_ms : sequence of float [at least one each]
        In the order in which they were measured, evenly over the same time; there need not be as
        many of one as of the other.
    """

    values: Sequence[float]
    pace_ms: Sequence[float]

    def rounds(self) -> tuple[Logs, Logs]:
        """Logarithms of the medians of rounds, of the values and of the pace."""
        n_rounds = self._n_rounds()
        return log_medians(self.values, n_rounds), log_medians(self.pace_ms, n_rounds)

    def pace_noise(self) -> float:
        """Variance of the logarithm of a round's pace that is no change of the pace."""
        parts = np.array_split(np.asarray(self.pace_ms, np.float64), self._n_rounds())
        noises = [_of_median(np.log(np.maximum(part, RESOLUTION))) for part in parts]
        return max(float(np.mean(noises)), _SAME**2)

    def at(self, log_pace: float, follows: float) -> list[float]:
        """Give the values as they would be at a pace, if they follow it so."""
        n_rounds = self._n_rounds()
        slower = log_medians(self.pace_ms, n_rounds) - log_pace
        parts = np.array_split(np.asarray(self.values, np.float64), n_rounds)
        factors = np.exp(-follows * slower)
        at_pace = [by * part for part, by in zip(parts, factors, strict=True)]
        return [float(value) for value in np.concatenate(at_pace)]

    def _n_rounds(self) -> int:
        return min(round_counts(len(self.values))[-1], len(self.pace_ms))


@dataclass(frozen=True, slots=True)
class PacedChange:
    """A change at equal pace.

    Attributes
    ----------
    share, low, high : float
        As of :class:`~edge.benchmark.noise.Change`.
    follows : float
        Power of the pace that was divided out: 1 is in proportion, 0 nothing at all.
    """

    share: float
    low: float
    high: float
    follows: float


def change_at_pace(old: Paced, new: Paced, n_compared: int = 1) -> PacedChange:
    """Compare two runs of the same stage with the machine's pace divided out.

    Parameters
    ----------
    old, new : Paced
    n_compared : int
        As for :func:`~edge.benchmark.noise.change_of_median`.
    """
    follows, uncertainty = _learned(old, new)
    middles = [log_medians(each.pace_ms, 1)[0] for each in (old, new)]
    # The middle of both, so that what is divided out is as little as can be.
    reference = float(np.mean(middles))
    was, now = (each.at(reference, follows) for each in (old, new))
    divided_out = abs(middles[1] - middles[0])
    found = change_of_median(
        was, now, n_compared, another_moment=True, besides=uncertainty * divided_out
    )
    return PacedChange(found.share, found.low, found.high, follows)


def _learned(old: Paced, new: Paced) -> tuple[float, float]:
    """How much a figure follows the pace, and the standard error of that.

    Least squares over the rounds of both runs, each from its own middle, with what is supposed
    beforehand as one more observation.  What the pace of a round is not known by itself does not
    count as a change of it: the figure would seem to follow less than it does.
    """
    centred = [
        (figure - figure.mean(), pace - pace.mean())
        for figure, pace in (each.rounds() for each in (old, new))
    ]
    figures, paces = (np.concatenate(column) for column in zip(*centred, strict=True))
    noise = paces.size * float(np.mean([each.pace_noise() for each in (old, new)]))
    known = float(paces @ paces) - noise
    freedom = paces.size - 3
    if known <= 0 or freedom < 1:
        return 1.0, _PRIOR
    both, follows, error = float(figures @ paces), 1.0, _PRIOR
    # What is left over depends on how much it follows, a little.
    for _ in range(3):
        left = max(float(np.sum((figures - follows * paces) ** 2)) / freedom, RESOLUTION**2)
        error = (known / left + _PRIOR**-2) ** -0.5
        follows = (both / left + _PRIOR**-2) * error**2
    return follows, error


def _of_median(logs: Logs) -> float:
    """Variance of a median, by how far the values lie from it."""
    deviation = 1.4826 * float(np.median(np.abs(logs - np.median(logs))))
    return np.pi / 2 * deviation**2 / logs.size
