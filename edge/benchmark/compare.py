"""What changed between two reports, beyond noise."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edge.benchmark.noise import change_of_median
from edge.benchmark.stored import artifacts_of, is_number, name_of, timings_in, title
from edge.errors import ParameterError, how_many

__all__ = ["Comparison", "Difference", "compare", "format_comparison"]

#: By how much the machine itself may be slower or faster before it is said.
_PACE = 0.05

#: Blocks that are not compared: runs that are slow by their nature, and a curve that is as long
#: as it was told to be.
_APART = ("warm_up", "sustained")

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
        Change as a share of the old figure.
    low, high : float or None
        Interval of the share; None where it is not known, as for a single run.
    beyond_noise : bool
    regression : bool
        Whether all of the interval lies above the tolerance.
    """

    artifact: str
    what: str
    unit: str
    old: float
    new: float
    share: float
    low: float | None
    high: float | None
    beyond_noise: bool
    regression: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports next to each other.

    Attributes
    ----------
    old, new : str
        Version and start of each.
    tolerance : float
        Share by which a figure may grow.
    remarks : tuple of str
        Sentences on what makes the reports hard to compare.
    differences : tuple of Difference
        Of all figures that both have.
    """

    old: str
    new: str
    tolerance: float
    remarks: tuple[str, ...]
    differences: tuple[Difference, ...]

    @property
    def regressed(self) -> bool:
        """Whether any figure grew by more than the tolerance, and not by noise."""
        return any(difference.regression for difference in self.differences)

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return {
            "type": "benchmark_comparison",
            "version": 1,
            "old": self.old,
            "new": self.new,
            "tolerance": self.tolerance,
            "regressed": self.regressed,
            "n_compared": len(self.differences),
            "n_beyond_noise": sum(d.beyond_noise for d in self.differences),
            "remarks": list(self.remarks),
            "differences": [asdict(difference) for difference in self.differences],
        }


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
    now_of = {name: dict(_raw_values(news[name])) for name in both}
    pairs = [
        (name, path, unit, was, now_of[name][path, unit])
        for name in both
        for (path, unit), was in _raw_values(olds[name])
        if (path, unit) in now_of[name]
        if _heard_alike(olds[name].get(path[0]), news[name].get(path[0]))
    ]
    differences = []
    for name, path, unit, was, now in pairs:
        change = change_of_median(was, now, len(pairs))
        differences.append(
            Difference(
                name, title(*path), unit, change.old, change.new, change.share,
                _finite(change.low), _finite(change.high), change.beyond_noise,
                change.low > tolerance,
            )
        )  # fmt: skip
    for name in both:
        differences += _single(name, olds[name], news[name], tolerance)
    return Comparison(
        _identity(old), _identity(new), tolerance, tuple(_remarks(old, new)), tuple(differences)
    )


def _raw_values(
    measured: Mapping[str, Any],
) -> Iterator[tuple[tuple[tuple[str, ...], str], list[float]]]:
    """Give all figures that were measured again and again: where they are, the unit, the values."""
    for path, timing in timings_in(measured):
        if path[0] not in _APART:
            yield (path, str(timing.get("unit", "ms"))), timing["raw"]
    slices = _of(_of(measured, "live"), "slices")
    for key, unit, scale in (("core_share", "%", 100.0), ("wakeups_per_s", "/s", 1.0)):
        values = slices.get(key)
        if isinstance(values, list) and values and all(is_number(x) and x >= 0 for x in values):
            yield (("live", key), unit), [scale * x for x in values]


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
                name, what, unit, was, now, share, share - noise, share + noise,
                abs(share) > noise, share - noise > tolerance,
            )  # fmt: skip


def _figure(part: Mapping[str, Any], path: tuple[str, ...]) -> float | None:
    value: Any = part
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return float(value) if is_number(value) else None


def _identity(report: Mapping[str, Any]) -> str:
    return f"edge-ser {report.get('edge_ser')} of {report.get('started')}"


def _remarks(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Say what makes a difference of two reports something else than a change of the program."""
    machines = [_machine(report) for report in (old, new)]
    if machines[0] != machines[1]:
        yield f"the old report is of another machine, {machines[0]}, and this is {machines[1]}"
    for key, what in (("threads", "threads"), ("clip", "clip"), ("block_samples", "block size")):
        was, now = (_of(report, "method").get(key) for report in (old, new))
        if was != now:
            yield f"the old report is of another {what}, {was} and now {now}"
    paces = [_figure(report, ("state", "before", "pace_ms")) for report in (old, new)]
    if paces[0] and paces[1] and abs(paces[1] / paces[0] - 1) > _PACE:
        yield (
            f"a fixed piece of work took {paces[0]:.2f} ms then and {paces[1]:.2f} ms now: the "
            "machine itself is not as fast as it was, or faster"
        )
    for word, report in (("old", old), ("new", new)):
        if _of(report, "state").get("valid") is False:
            reasons = "; ".join(map(str, _of(report, "state").get("reasons") or ["not said why"]))
            yield f"the {word} report is not valid ({reasons}): measure it again"
    olds, news = ({name_of(part): part for part in artifacts_of(r)} for r in (old, new))
    for name in olds:
        if name not in news:
            yield f"{name} was not measured this time"
        elif (was := olds[name]["artifact"].get("model_sha256")) != (
            now := news[name]["artifact"].get("model_sha256")
        ):
            yield f"{name} is another model: SHA-256 {str(was)[:12]} and now {str(now)[:12]}"
    for name in news:
        if name not in olds:
            yield f"{name} is not in the old report"


def _of(report: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = report.get(key)
    return part if isinstance(part, dict) else {}


def _machine(report: Mapping[str, Any]) -> str:
    machine = _of(report, "machine")
    names = [machine.get("board"), machine.get("cpu"), machine.get("architecture")]
    return ", ".join(str(name) for name in names if name) or "not named"


def format_comparison(comparison: Comparison) -> str:
    """Lay out what changed beyond noise, in at most 100 columns."""
    changed = [d for d in comparison.differences if d.beyond_noise]
    n = len(comparison.differences)
    lines = [
        f"against {comparison.old}:",
        *(f"  note: {remark}" for remark in comparison.remarks),
    ]
    if not changed:
        return "\n".join([*lines, f"  none of {how_many(n, 'figure')} changed beyond noise"])
    lines += [
        f"  {len(changed)} of {how_many(n, 'figure')} changed beyond noise",
        "",
        f"  {'':<34} {'before':>12} {'now':>12} {'change':>10}   {'interval, %':<18}",
    ]
    group = None
    for d in changed:
        if d.artifact != group:
            group = d.artifact
            lines.append(group)
        interval = "" if d.low is None else f"{_percent(d.low)} to {_percent(d.high)}"
        lines.append(
            f"  {d.what:<34} {_amount(d.old, d.unit):>12} {_amount(d.new, d.unit):>12} "
            f"{_percent(d.share) + ' %':>10}   "
            + (f"{interval:<18} worse" if d.regression else interval).rstrip()
        )
    n_worse = sum(d.regression for d in changed)
    if n_worse:
        are = "is" if n_worse == 1 else "are"
        lines += [
            "",
            f"{n_worse} of them {are} worse by more than the tolerance of "
            f"{100 * comparison.tolerance:g} %",
        ]
    return "\n".join(lines)


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:+.1f}"


def _amount(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value / 1000:.1f} kB" if value < 1e6 else f"{value / 1e6:.2f} MB"
    return f"{value:.3f} {unit}" if value < 100 else f"{value:.1f} {unit}"
