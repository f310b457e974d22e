"""What changed between two reports, beyond noise."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from edge.benchmark.at_pace import Paced, PacedChange, change_at_pace
from edge.benchmark.noise import change_of_median
from edge.benchmark.remarks import PaceOfBoth, pace_of_both, remarks_on
from edge.benchmark.stored import (
    artifacts_of,
    is_number,
    name_of,
    part_of,
    positives_in,
    timings_in,
    title,
)
from edge.errors import ParameterError

__all__ = ["Comparison", "Difference", "compare"]

#: Blocks that are not compared: runs that are slow by their nature, a curve that is as long as it
#: was told to be, and what the others are held against.
_APART = ("warm_up", "sustained", "pace")

#: What is timed for a moment in a single process: no other moment and no other process is in it
#: that could tell how much is noise.  The same work is in ``hop``.
_OF_A_MOMENT = "processing_ms"

#: With fewer values nothing can be said of noise.
_LEAST_VALUES = 4

#: Single figures of memory differ by this from run to run, whichever is more.
_MEMORY_NOISE_SHARE, _MEMORY_NOISE_MB = 0.02, 1.0


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure in two reports.

    Attributes
    ----------
    artifact : str
        Name and backend.
    what : str
    unit : str
    old, new : float
        Medians where there are raw values.
    share : float
        Change as a share of the old figure, as measured.
    low, high : float or None
        Interval of the share; None where it is not known, as for a single run.
    at_pace : PacedChange or None
        What is left at equal pace of the machine; None where nothing is divided out.
    judged : str
        ``"at pace"``, ``"as measured"``, or ``"not"`` where too little is known.
    beyond_noise : bool
        Whether the interval that it is judged by leaves no change out.
    regression : bool
        Whether all of that lies above the tolerance.
    """

    artifact: str
    what: str
    unit: str
    old: float
    new: float
    share: float
    low: float | None
    high: float | None
    at_pace: PacedChange | None
    judged: str
    beyond_noise: bool
    regression: bool

    @property
    def interval(self) -> tuple[float, float] | tuple[None, None]:
        """What it is judged by: of the share at equal pace, or as measured."""
        if self.at_pace is not None:
            return self.at_pace.low, self.at_pace.high
        return (None, None) if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports next to each other.

    Attributes
    ----------
    old, new : str
        Version and start of each.
    tolerance : float
        Share by which a figure may grow.
    pace : PaceOfBoth
        Of the machine, and whether it is divided out.
    remarks : tuple of str
        Sentences on what makes the reports hard to compare.
    differences : tuple of Difference
        Of all figures that both have.
    """

    old: str
    new: str
    tolerance: float
    pace: PaceOfBoth
    remarks: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def regressed(self) -> bool:
        """Whether any figure grew by more than the tolerance, and not by noise."""
        return any(difference.regression for difference in self.differences)

    @property
    def half_width(self) -> float | None:
        """Half of the interval of a time, of all that are judged the one in the middle."""
        judged = [d for d in self.differences if d.judged != "not" and d.unit == "ms"]
        widths = [
            (high - low) / 2
            for low, high in (d.interval for d in judged)
            if low is not None and high is not None
        ]
        return statistics.median(widths) if widths else None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {
            "type": "benchmark_comparison",
            "version": 2,
            "old": self.old,
            "new": self.new,
            "tolerance": self.tolerance,
            "regressed": self.regressed,
            "n_compared": len(self.differences),
            "n_beyond_noise": sum(d.beyond_noise for d in self.differences),
            "pace": asdict(self.pace),
            "remarks": list(self.remarks),
            "differences": [asdict(difference) for difference in self.differences],
        }


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure that was measured again and again, where it is and in what unit."""

    path: tuple[str, ...]
    unit: str
    values: list[float]
    pace_ms: list[float]


def compare(old: Mapping[str, Any], new: Mapping[str, Any], tolerance: float = 0.05) -> Comparison:
    """Compare two reports, artifact by artifact and stage by stage.

    Parameters
    ----------
    old, new : mapping
        Reports, from :func:`edge.benchmark.stored.read_report` or just measured.
    tolerance : float
        Share by which a figure may grow.

    Raises
    ------
    ParameterError
        If no artifact is in both.
    """
    olds, news = ({name_of(part): part for part in artifacts_of(r)} for r in (old, new))
    both = [name for name in news if name in olds]
    if not both:
        raise ParameterError(
            f"the old report has {', '.join(olds)} and the new one {', '.join(news)}: an artifact "
            "that is in both is wanted"
        )
    pairs = [
        (name, was, now)
        for name in both
        for was, now in _figures_of_both(olds[name], news[name])
    ]  # fmt: skip
    pace = pace_of_both(old, new)
    n_judged = sum(_can_judge(was, now) for _, was, now in pairs)
    differences = [
        _difference(name, was, now, pace.why_not is None, max(1, n_judged), tolerance)
        for name, was, now in pairs
    ]
    for name in both:
        differences += _single(name, olds[name], news[name], tolerance)
    return Comparison(
        _identity(old), _identity(new), tolerance, pace,
        tuple(remarks_on(old, new)), tuple(differences),
    )  # fmt: skip


def _difference(
    name: str, was: _Figure, now: _Figure, divide: bool, n_judged: int, tolerance: float
) -> Difference:
    # Seconds of the stream are the same at any moment.
    is_work = was.unit != "s"
    change = change_of_median(was.values, now.values, n_judged, another_moment=is_work)
    can_judge, at_pace = _can_judge(was, now), None
    if can_judge and divide and was.pace_ms and now.pace_ms:
        at_pace = change_at_pace(
            Paced(was.values, was.pace_ms), Paced(now.values, now.pace_ms), n_judged
        )
    found = Difference(
        name, title(*was.path), was.unit, change.old, change.new, change.share,
        _finite(change.low), _finite(change.high), at_pace,
        "as measured" if at_pace is None else "at pace", False, False,
    )  # fmt: skip
    if not can_judge:
        return replace(found, judged="not")
    low, high = (change.low, change.high) if at_pace is None else (at_pace.low, at_pace.high)
    return replace(found, beyond_noise=low > 0 or high < 0, regression=low > tolerance)


def _can_judge(was: _Figure, now: _Figure) -> bool:
    n_values = min(len(was.values), len(now.values))
    return n_values >= _LEAST_VALUES and was.path[-1] != _OF_A_MOMENT


def _figures_of_both(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[tuple[_Figure, _Figure]]:
    nows = {(figure.path, figure.unit): figure for figure in _figures(new)}
    for was in _figures(old):
        now = nows.get((was.path, was.unit))
        if now is not None and _heard_alike(old.get(was.path[0]), new.get(was.path[0])):
            yield was, now


def _figures(measured: Mapping[str, Any]) -> Iterator[_Figure]:
    """Give all figures that were measured again and again."""
    slices = part_of(measured, "live", "slices")
    paces = {
        "stages": part_of(measured, "pace", "work_ms").get("raw"),
        "cold_start": part_of(measured, "cold_start").get("pace_ms"),
        "live": slices.get("pace_ms"),
    }
    paces["segment"] = paces["hop"] = paces["stages"]
    for path, timing in timings_in(measured):
        if path[0] not in _APART:
            unit = str(timing.get("unit", "ms"))
            # Seconds are those of the stream, on any machine.
            pace_ms = positives_in(paces.get(path[0])) if unit == "ms" else []
            yield _Figure(path, unit, timing["raw"], pace_ms)
    for key, unit, scale in (("core_share", "%", 100.0), ("wakeups_per_s", "/s", 1.0)):
        values = slices.get(key)
        if isinstance(values, list) and values and all(is_number(x) and x >= 0 for x in values):
            pace_ms = positives_in(paces["live"]) if unit == "%" else []
            yield _Figure(("live", key), unit, [scale * x for x in values], pace_ms)


def _heard_alike(old: object, new: object) -> bool:
    """Whether two blocks, where they name what was listened to, name the same."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return True
    return all(old.get(key) == new.get(key) for key in ("source", "clips"))


def _finite(share: float) -> float | None:
    return share if math.isfinite(share) else None


#: Figures without raw values: where they are, what to call them, whether they have noise.
_SINGLE = (
    (("artifact", "model_bytes"), "model file", "B"),
    (("artifact", "folder_bytes"), "artifact's folder", "B"),
    # With its runtime; what others of the same report need is not its own.
    (("installed_bytes",), "installed", "B"),
    (("memory", "peak_rss_mb"), "memory: peak", "MB"),
    (("memory", "steady_rss_mb"), "memory: steady", "MB"),
    (("cold_start", "peak_rss_mb"), "cold start: memory", "MB"),
)


def _single(
    name: str, old: Mapping[str, Any], new: Mapping[str, Any], tolerance: float
) -> Iterator[Difference]:
    for path, what, unit in _SINGLE:
        was, now = _figure(old, path), _figure(new, path)
        if was and now:
            share = now / was - 1
            noise = max(_MEMORY_NOISE_SHARE, _MEMORY_NOISE_MB / was) if unit == "MB" else 0.0
            yield Difference(
                name, what, unit, was, now, share, share - noise, share + noise, None,
                "as measured", abs(share) > noise, share - noise > tolerance,
            )  # fmt: skip


def _figure(part: Mapping[str, Any], path: tuple[str, ...]) -> float | None:
    value: Any = part
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return float(value) if is_number(value) else None


def _identity(report: Mapping[str, Any]) -> str:
    return f"edge-ser {report.get('edge_ser')} of {report.get('started')}"
