"""A comparison of two reports for a person: what changed beyond noise, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from edge.benchmark.compare import Comparison, Difference
from edge.errors import how_many

__all__ = ["format_comparison"]


def format_comparison(comparison: Comparison) -> str:
    """Lay out what changed beyond noise, in at most 100 columns."""
    return "\n".join(_lines(comparison))


def _lines(comparison: Comparison) -> Iterator[str]:
    judged = [d for d in comparison.differences if d.judged != "not"]
    changed = [d for d in judged if d.beyond_noise]
    yield f"against {comparison.old}:"
    for remark in comparison.remarks:
        yield f"  note: {remark}"
    # Of several artifacts the same figures are left out.
    left_out = dict.fromkeys(d.what for d in comparison.differences if d.judged == "not")
    if left_out:
        yield f"  not judged, too few or of a moment: {', '.join(left_out)}"
    if comparison.half_width is not None:
        yield f"  half of the times are known to ±{100 * comparison.half_width:.1f} % or better"
    yield f"  {len(changed) or 'none'} of {how_many(len(judged), 'figure')} changed beyond noise"
    if not changed:
        return
    yield ""
    yield f"  {'':<30} {'before':>11} {'now':>11} {'change':>9} {'at equal':>9}  interval, %"
    yield f"  {'':<30} {'':>11} {'':>11} {'':>9} {'pace':>9}"
    group = None
    for d in changed:
        if d.artifact != group:
            group = d.artifact
            yield group
        yield _line(d)
    n_worse = sum(d.regression for d in changed)
    if n_worse:
        yield ""
        yield (
            f"{n_worse} of them {'is' if n_worse == 1 else 'are'} worse by more than the tolerance "
            f"of {100 * comparison.tolerance:g} %"
        )


def _line(d: Difference) -> str:
    at_pace = "" if d.at_pace is None else f"{_percent(d.at_pace.share)} %"
    low, high = d.interval
    interval = "" if low is None else f"{_percent(low)} to {_percent(high)}"
    return (
        f"  {d.what:<30} {_amount(d.old, d.unit):>11} {_amount(d.new, d.unit):>11} "
        f"{_percent(d.share) + ' %':>9} {at_pace:>9}  "
        + (f"{interval:<16} worse" if d.regression else interval)
    ).rstrip()


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:+.1f}"


def _amount(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value / 1000:.1f} kB" if value < 1e6 else f"{value / 1e6:.2f} MB"
    return f"{value:.3f} {unit}" if value < 100 else f"{value:.1f} {unit}"
