"""Whether a board keeps its speed: hop after hop for minutes, with clock, heat and energy."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.machine.meters import Meter, find_meter
from edge.machine.processor import (
    ask_firmware,
    clock_speeds,
    cooling_states,
    firmware_mhz,
    thermometers,
)
from edge.machine.system import System

__all__ = ["Drift", "drift", "measure_sustained"]

#: Of a bucket, whose median is one point of the curve.
_BUCKET_S = 10.0
#: Fewer points say nothing of a slope: the buckets of a short run are shorter.
_N_LEAST = 6
#: A change over the whole run that anybody would notice.
_DRIFTS = 0.02
_N_DRAWS = 400
#: What an idle board takes, by which the work's own part is known.
_IDLE_S = 5.0


@dataclasses.dataclass(frozen=True, slots=True)
class Drift:
    """How a figure changes with time, in percent of its median a minute.

    Parameters
    ----------
    percent_per_min, low, high : float
        The median of the slopes of all pairs of points, and the middle 95 % of what other draws
        of the points come to.
    percent : float
        Over the whole run.
    """

    percent_per_min: float
    low: float
    high: float
    percent: float

    @property
    def is_there(self) -> bool:
        """Whether it can be told from nothing, and is large enough to matter."""
        return not self.low <= 0 <= self.high and abs(self.percent) >= 100 * _DRIFTS


def drift(times_s: Sequence[float], values: Sequence[float]) -> Drift | None:
    """Find the slope of a curve; None of fewer than six points, or of no length.

    Parameters
    ----------
    times_s, values : sequence of float
    """
    if len(values) < _N_LEAST or not np.ptp(times_s):
        return None
    minutes, points = np.asarray(times_s) / 60, 100 * np.asarray(values) / np.median(values)
    pairs = np.triu_indices(len(points), 1)
    slope = _slope(minutes, points, pairs)
    draws = np.random.default_rng(0).integers(0, len(points), (_N_DRAWS, len(points)))
    # A draw of one moment alone has no slope.
    slopes = [_slope(minutes[draw], points[draw], pairs) for draw in draws if np.ptp(minutes[draw])]
    low, high = np.percentile(slopes, (2.5, 97.5))
    whole = slope * (minutes[-1] - minutes[0])
    return Drift(*(round(float(value), 4) for value in (slope, low, high, whole)))


def _slope(
    minutes: NDArray[np.float64],
    points: NDArray[np.float64],
    pairs: tuple[NDArray[np.intp], NDArray[np.intp]],
) -> float:
    """Theil's and Sen's: one bucket that was disturbed does not move it."""
    i, j = pairs
    run = minutes[j] - minutes[i]
    return float(np.median((points[j] - points[i])[run != 0] / run[run != 0]))


def measure_sustained(
    hops: Callable[[float], Sequence[float]],
    system: System,
    duration_s: float,
    *,
    meter: Meter | str | None = None,
    cpus: frozenset[int] | None = None,
    progress: Callable[[str], object] = lambda _: None,
    idle_s: float = _IDLE_S,
) -> dict[str, Any]:
    """Do hop after hop and look at the board between.

    Parameters
    ----------
    hops : callable
        Does as many hops as fit into so many seconds, and gives the milliseconds of each.
    system : System
    duration_s : float
    meter : Meter or str, optional
        Or why there is none.  None: what :func:`~edge.machine.meters.find_meter` finds.
    cpus : frozenset of int, optional
        Whose clock is read; None: of all.
    progress : callable
        Is told a sentence a bucket.
    idle_s : float
        For which the meter is read before anything is done.

    Returns
    -------
    dict
        Plain JSON types, the block ``sustained`` of docs/benchmark.md.
    """
    n_buckets = max(_N_LEAST, round(duration_s / _BUCKET_S))
    bucket_s = duration_s / n_buckets
    energy = _Energy(find_meter(system) if meter is None else meter)
    energy.rest(idle_s)
    buckets: list[dict[str, Any]] = []
    started_s = time.perf_counter()
    with energy:
        for i in range(n_buckets):
            progress(f"sustained, {i * bucket_s:.0f} of {duration_s:.0f} s")
            at_s = time.perf_counter() - started_s
            times_ms = hops(bucket_s)
            buckets.append(_bucket(system, cpus, at_s, times_ms, energy.watts()))
        took_s = time.perf_counter() - started_s
        spent = energy.report(sum(bucket["n"] for bucket in buckets), took_s)
    found = drift([b["at_s"] for b in buckets], [b["p50_ms"] for b in buckets])
    curve = [b["degrees_celsius"] for b in buckets if b["degrees_celsius"] is not None]
    clocks = [b["clock_mhz"] for b in buckets if b["clock_mhz"] is not None]
    return {
        "duration_s": round(took_s, 1),
        "bucket_s": round(bucket_s, 3),
        "hops": sum(bucket["n"] for bucket in buckets),
        "drift": None if found is None else dataclasses.asdict(found),
        "drifts": None if found is None else found.is_there,
        "degrees_celsius": _ends(curve),
        "clock_mhz": _ends(clocks),
        "throttled": sorted({words for bucket in buckets for words in bucket["throttled"]}),
        "energy": spent,
        "buckets": buckets,
    }


def _bucket(
    system: System,
    cpus: frozenset[int] | None,
    at_s: float,
    times_ms: Sequence[float],
    watts: float | None,
) -> dict[str, Any]:
    # At once, before an idle processor is clocked down again.
    clock_mhz = firmware_mhz(system.run)
    speeds = clock_speeds(system, cpus)
    p50, p95 = np.percentile(times_ms, (50, 95))
    degrees = thermometers(system)
    throttled = [*ask_firmware(system, system.run).now, *cooling_states(system)]
    return {
        "at_s": round(at_s, 3),
        "n": len(times_ms),
        "p50_ms": round(float(p50), 4),
        "p95_ms": round(float(p95), 4),
        "clock_mhz": clock_mhz or (speeds.now_mhz if speeds else None),
        "degrees_celsius": max(degrees.values(), default=None),
        "throttled": throttled,
        "watts": None if watts is None else round(watts, 3),
    }


def _ends(curve: Sequence[float]) -> dict[str, float] | None:
    if not curve:
        return None
    return {"first": curve[0], "last": curve[-1], "least": min(curve), "most": max(curve)}


class _Energy:
    """What the meter says, or why there is none."""

    def __init__(self, meter: Meter | str) -> None:
        self._meter = meter
        self._idle_watts: float | None = None
        self._joules = 0.0
        self._at_s = 0.0

    def rest(self, idle_s: float) -> None:
        """Measure what the board takes when nothing is asked of it."""
        if isinstance(self._meter, str) or idle_s <= 0:
            return
        with self._meter as meter:
            started_s = time.perf_counter()
            time.sleep(idle_s)
            self._idle_watts = meter.joules() / (time.perf_counter() - started_s)

    def __enter__(self) -> _Energy:
        if not isinstance(self._meter, str):
            self._meter.__enter__()
        self._at_s = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        if not isinstance(self._meter, str):
            self._meter.__exit__()

    def watts(self) -> float | None:
        """Mean power since this was asked before."""
        if isinstance(self._meter, str):
            return None
        joules, now_s = self._meter.joules(), time.perf_counter()
        watts = (joules - self._joules) / max(now_s - self._at_s, 1e-9)
        self._joules, self._at_s = joules, now_s
        return watts

    def report(self, n_hops: int, took_s: float) -> dict[str, Any]:
        """Give the whole, and a hop's part of it: all of it, and what is above rest."""
        if isinstance(self._meter, str):
            return {"meter": None, "reason": f"not measured: {self._meter}"}
        joules, idle_watts = self._meter.joules(), self._idle_watts
        above = None if idle_watts is None else joules - idle_watts * took_s
        return {
            "meter": self._meter.name,
            "reason": None,
            "joules": round(joules, 3),
            "watts": round(joules / took_s, 3),
            "idle_watts": None if idle_watts is None else round(idle_watts, 3),
            "joules_per_decision": round(joules / n_hops, 6),
            "joules_per_decision_above_idle": None if above is None else round(above / n_hops, 6),
        }
