"""How much of a change between two runs is noise.

Neighbouring runs of a loop are alike: the clock of the processor, what else runs and where memory
lies change more slowly than a decision takes. So what is drawn anew is not single values but
rounds, stretches of consecutive ones, each with its own median.

That says how well a run knows its own middle.  Another run, at another moment, has another one:
what moves a machine moves it for longer than a run takes.  An interval that is to hold for another
run takes the run for a single one of its rounds.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

__all__ = ["RESOLUTION", "Change", "change_of_median", "log_medians", "round_counts"]

#: Rounds that a run is cut into. The widest interval of these counts: with few, long rounds it
#: knows slow drift, with many it does not hang on where a round ends.
_N_ROUNDS = (8, 16, 32)

_N_DRAWS = 1000

#: Chance that noise alone passes for a change, of all that is compared at once.
_CHANCE = 0.05

#: Raw values have four digits behind the point.
RESOLUTION = 1e-4

#: Logarithm of a number that is large enough and still a number.
_MOST = 700.0


@dataclass(frozen=True, slots=True)
class Change:
    """Of a median, from an old run to a new one.

    Attributes
    ----------
    old, new : float
        The medians, in the unit of the values.
    share : float
        Change as a share of the old one; 0.1 is a tenth more.
    low, high : float
        Interval of the share; infinite where a run has a single value.
    """

    old: float
    new: float
    share: float
    low: float
    high: float

    @property
    def beyond_noise(self) -> bool:
        """Whether the interval leaves no change out."""
        return self.low > 0 or self.high < 0


def change_of_median(
    old: Sequence[float],
    new: Sequence[float],
    n_compared: int = 1,
    *,
    another_moment: bool = False,
    besides: float = 0.0,
) -> Change:
    """Compare two runs of the same stage.

    Parameters
    ----------
    old, new : sequence of float [at least one each]
        Raw values in the order in which they were measured.
    n_compared : int
        How many stages are looked at: the interval is wide enough that noise alone moves one of
        all of them with a chance of 1 in 20.
    another_moment : bool
        Whether the runs are of different moments, which is more than their values differ by.
    besides : float
        Standard error of the logarithm of the change that the values do not know of.

    Returns
    -------
    Change
    """
    olds, news = np.asarray(old, np.float64), np.asarray(new, np.float64)
    old_median, new_median = float(np.median(olds)), float(np.median(news))
    # What a clock reads as 0 takes some time all the same.
    log_ratio = math.log(max(new_median, RESOLUTION) / max(old_median, RESOLUTION))
    share = math.expm1(log_ratio)
    if min(olds.size, news.size) < 2:
        return Change(old_median, new_median, share, -math.inf, math.inf)
    (old_spread, old_rounds), (new_spread, new_rounds) = (
        _of_moments(each) if another_moment else _spread(each) for each in (olds, news)
    )
    spread = math.hypot(old_spread, new_spread, besides)
    # Welch's degrees of freedom.
    freedom = spread**4 / (
        old_spread**4 / (old_rounds - 1) + new_spread**4 / (new_rounds - 1)
    )  # fmt: skip
    half = _t_quantile(1 - _CHANCE / (2 * max(1, n_compared)), freedom) * spread
    low, high = (math.expm1(min(log_ratio + by, _MOST)) for by in (-half, half))
    return Change(old_median, new_median, share, low, high)


def _spread(values: NDArray[np.float64]) -> tuple[float, int]:
    """Standard error of the logarithm of a median, and of how many rounds it was drawn."""
    counts = round_counts(values.size)
    # What cannot be told apart is not known any better than that.
    least = RESOLUTION / math.sqrt(12) / max(float(np.median(values)), RESOLUTION)
    return max((max(_drawn(values, n), least), n) for n in counts)


def _of_moments(values: NDArray[np.float64]) -> tuple[float, int]:
    """As :func:`_spread`, with what the middle of another moment differs by."""
    n_rounds = round_counts(values.size)[0]
    between = float(log_medians(values, n_rounds).std(ddof=1))
    return math.hypot(_spread(values)[0], between), n_rounds


def log_medians(
    values: Sequence[float] | NDArray[np.float64], n_rounds: int
) -> NDArray[np.float64]:
    """Cut values into rounds, as even as can be, and give the logarithm of each one's median."""
    parts = np.array_split(np.asarray(values, np.float64), n_rounds)
    return np.log(np.maximum([np.median(part) for part in parts], RESOLUTION))


def round_counts(n_values: int) -> list[int]:
    """Give how many rounds so many values can be cut into; few values are a round each."""
    return [n for n in _N_ROUNDS if n_values >= 2 * n] or [n_values]


def _drawn(values: NDArray[np.float64], n_rounds: int) -> float:
    n_whole = values.size // n_rounds * n_rounds
    medians = np.median(values[:n_whole].reshape(n_rounds, -1), axis=1)
    logs = np.log(np.maximum(np.sort(medians), RESOLUTION))
    below, above = _middles(n_rounds)
    drawn = (logs[below] + logs[above]) / 2
    # Draws from n values are narrower than what the values were drawn from, by this.
    return float(drawn.std() * math.sqrt(n_rounds / (n_rounds - 1)))


@functools.lru_cache(maxsize=64)
def _middles(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw n out of n sorted values, again and again: the places of the two in the middle."""
    draws = np.sort(np.random.default_rng(0).integers(n, size=(_N_DRAWS, n)), axis=1)
    return draws[:, (n - 1) // 2], draws[:, n // 2]


def _t_quantile(p: float, freedom: float) -> float:
    """Quantile of Student's distribution: four terms of the series in 1 / freedom."""
    z = NormalDist().inv_cdf(p)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / freedom ** (k + 1) for k, term in enumerate(terms))
