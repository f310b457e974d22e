"""Methods that take turns on one machine, and what one is to another: a ratio with its interval.

Only figures of one run are divided by each other. Every round times each method once, in an
order drawn anew, so that whatever else the machine does falls on all of them alike; the bootstrap
draws whole rounds for the same reason.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Bar",
    "Times",
    "bar_row",
    "barred",
    "in_turn",
    "installed",
    "ratio",
    "ratio_lines",
    "spread",
    "time_lines",
]

_N_BOOTSTRAP = 2000
_LEVEL = (2.5, 97.5)


@dataclass(slots=True)
class Times:
    """Milliseconds of one method by the number of the round."""

    title: str
    ms: dict[int, float] = field(default_factory=dict)
    #: Of the processor, all threads together: what a busy machine does not lengthen.
    cpu_ms: dict[int, float] = field(default_factory=dict)
    #: Straight after another method, whose numbers are in the processor's caches; empty for a
    #: method that is called once a round, whose ``ms`` these are.
    cold_ms: dict[int, float] = field(default_factory=dict)

    def of(self, rounds: Iterable[int]) -> dict[str, Any]:
        """Sum up some rounds, as a result keeps them."""
        counted = [at for at in rounds if at in self.ms]
        found = {"title": self.title, **spread([self.ms[at] for at in counted])}
        found["cpu_p50"] = round(float(np.median([self.cpu_ms[at] for at in counted])), 4)
        if self.cold_ms:
            found["cold_p50"] = round(float(np.median([self.cold_ms[at] for at in counted])), 4)
        return found


@dataclass(frozen=True, slots=True)
class Bar:
    """What is divided by what, and how it should come out."""

    what: str
    over: str
    under: str
    #: None: only said.
    bar: float | None = None
    at_least: bool = True


def in_turn(
    methods: Mapping[str, tuple[str, Callable[[int], Any]]],
    n_rounds: int,
    seed: int,
    *,
    seldom: Mapping[str, int] | None = None,
    n_warm_up: int = 3,
) -> dict[str, Times]:
    """Time every method in every round.

    Parameters
    ----------
    methods : mapping
        Name to title and callable, which is given the number of the round.
    n_rounds : int
        How many count.
    seed : int
        Of the order within a round.
    seldom : mapping, optional
        Methods too slow to be called twice a round, and how many rounds one of theirs is: of the
        others the second call of a round is taken, which finds its own numbers in the caches, and
        the first is kept beside it.
    n_warm_up : int
        Rounds ahead of those that count.

    Returns
    -------
    dict of str to Times
    """
    rng = np.random.default_rng(seed)
    names, every = list(methods), seldom or {}
    times = {name: Times(methods[name][0]) for name in names}
    gc.collect()
    gc.disable()
    try:
        for at in range(-n_warm_up, n_rounds):
            for name in (names[i] for i in rng.permutation(len(names))):
                if at % every.get(name, 1) == 0:
                    _time(times[name], methods[name][1], at, twice=name not in every)
            gc.collect()
            if sys.stderr.isatty():
                print(f"\rround {at + 1} of {n_rounds} ", end="", file=sys.stderr, flush=True)
    finally:
        gc.enable()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return times


def _time(times: Times, call: Callable[[int], Any], at: int, *, twice: bool) -> None:
    for kept in (times.cold_ms, times.ms) if twice else (times.ms,):
        started_s, cpu_s = time.perf_counter(), time.process_time()
        call(at)
        cpu_s, elapsed_s = time.process_time() - cpu_s, time.perf_counter() - started_s
        # Rounds below 0 warm up.
        if at >= 0:
            kept[at], times.cpu_ms[at] = 1000 * elapsed_s, 1000 * cpu_s


def spread(times_ms: Sequence[float]) -> dict[str, float | int]:
    """How many, and the quantiles of a distribution in ms."""
    names = ("p10", "p25", "p50", "p75", "p90", "p99")
    values = np.percentile(times_ms, (10, 25, 50, 75, 90, 99)).round(4).tolist()
    return {"n": len(times_ms), **dict(zip(names, values, strict=True))}


def ratio(
    over: Sequence[float], under: Sequence[float], *, paired: bool = True, seed: int = 0
) -> tuple[float, float, float]:
    """Divide two medians, and give the 95 % interval of what comes out.

    Parameters
    ----------
    over, under : sequence of float
        Of the same rounds in the same order where they are paired.
    paired : bool
        Whether the bootstrap draws rounds or each side for itself.
    seed : int
        Of the bootstrap, 2000 draws.

    Returns
    -------
    tuple of float
        The ratio and the two ends.
    """
    above, below = np.asarray(over, float), np.asarray(under, float)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, above.size, (_N_BOOTSTRAP, above.size))
    other = drawn if paired else rng.integers(0, below.size, (_N_BOOTSTRAP, below.size))
    ratios: NDArray[np.float64] = np.median(above[drawn], axis=1) / np.median(below[other], axis=1)
    low, high = np.percentile(ratios, _LEVEL)
    return float(np.median(above) / np.median(below)), float(low), float(high)


def barred(
    bars: Sequence[Bar], times: Mapping[str, Times], rounds: Sequence[int]
) -> list[dict[str, Any]]:
    """Rows of a result: ratios, their intervals, and whether the bars are met.

    Bars whose methods were not both timed are left out.  Rounds are drawn that both took part in.
    """
    rows = []
    for bar in bars:
        if bar.over not in times or bar.under not in times:
            continue
        over, under = times[bar.over], times[bar.under]
        common = [at for at in rounds if at in over.ms and at in under.ms]
        if not common:
            continue
        row = bar_row(bar, [over.ms[at] for at in common], [under.ms[at] for at in common])
        parts = [np.median([each.cpu_ms[at] for at in common]) for each in (over, under)]
        rows.append({**row, "ratio_of_cpu": round(float(parts[0] / parts[1]), 3)})
    return rows


def bar_row(bar: Bar, over: Sequence[float], under: Sequence[float], **how: Any) -> dict[str, Any]:
    """One row: a ratio, its interval, and whether the bar is met; ``how`` as for :func:`ratio`."""
    found, low, high = ratio(over, under, **how)
    met = None
    if bar.bar is not None:
        met = bool(found >= bar.bar if bar.at_least else found <= bar.bar)
    return {
        "what": bar.what,
        "over": bar.over,
        "under": bar.under,
        "ratio": round(found, 3),
        "interval": [round(low, 3), round(high, 3)],
        "bar": bar.bar,
        "at_least": bar.at_least,
        "met": met,
    }


def ratio_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lay rows of :func:`barred` out for people."""
    say = {True: "met", False: "NOT MET", None: ""}
    lines = [f"{'ratio of medians':<58} {'':>8} {'95 % interval':>17} {'of CPU':>8} {'bar':>8}"]
    for row in rows:
        sign = ">=" if row["at_least"] else "<="
        bar = "" if row["bar"] is None else f"{sign} {row['bar']:g}"
        low, high = row["interval"]
        cpu = f"{row['ratio_of_cpu']:.2f}" if "ratio_of_cpu" in row else ""
        lines.append(
            f"{row['what']:<58} {row['ratio']:>8.2f} {low:>8.2f}-{high:<8.2f} {cpu:>8} {bar:>8}  "
            f"{say[row['met']]}".rstrip()
        )
    return lines


def time_lines(times: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Lay what :meth:`Times.of` gives out for people, the slowest first."""
    lines = [f"{'milliseconds':<58} {'p50':>8} {'p25':>8} {'p75':>8} {'p99':>8} {'CPU p50':>8}"]
    for row in sorted(times.values(), key=lambda row: -float(row["p50"])):
        cells = (f"{row[name]:>8.3f}" for name in ("p50", "p25", "p75", "p99", "cpu_p50"))
        lines.append(f"{row['title']:<58} {' '.join(cells)}")
    return lines


def installed(packages: Iterable[str]) -> dict[str, str | None]:
    """Versions of packages, None for those that are not here."""
    found: dict[str, str | None] = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found
