"""What is drawn of a report, a panel each, with the words for who cannot see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.benchmark.stored import artifacts_of, is_number, is_timing, stage_title
from edge.errors import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["INK", "PANELS", "SOFT", "panels_of"]

Part = Mapping[str, Any]

#: Colours of what is written, and of lines that help to read.
INK, SOFT = "#1c1c1d", "#70707a"
#: Okabe & Ito (2008): told apart by colour-blind readers, and seen on white and on black.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
#: Of the stages of a decision, in the order in which sound goes through them.
_STAGES = ("capture_copy", "resample", "features_increment", "gate", "model", "decision")
_N_BINS = 60


def _names(measured: Sequence[Part]) -> list[str]:
    names = [f"{each['artifact']['name']}\non {each['artifact']['backend']}" for each in measured]
    return ["\n".join(map(printable, name.split("\n"))) for name in names]


def _draw_times(axes: Axes, measured: Sequence[Part]) -> None:
    """A histogram for each artifact, above each other, with three of its percentiles."""
    times = [np.maximum(each["hop"]["whole_ms"]["raw"], 1e-3) for each in measured]
    low, high = 0.95 * min(t.min() for t in times), 1.05 * max(t.max() for t in times)
    edges = np.geomspace(low, high, _N_BINS + 1)
    for place, (each, values) in enumerate(zip(measured, times, strict=True)):
        row = len(measured) - 1 - place
        counts = np.histogram(values, edges)[0]
        tops = row + 0.8 * counts / max(counts.max(), 1)
        colour = _COLOURS[place % len(_COLOURS)]
        axes.stairs(tops, edges, baseline=row, fill=True, color=colour, alpha=0.7)
        axes.plot([low, high], [row, row], color=SOFT, linewidth=0.6)
        free = low
        for key in ("p50", "p95", "p99"):
            at = max(each["hop"]["whole_ms"][key], 1e-3)
            axes.plot([at, at], [row, row + 0.86], color=INK, linewidth=1.2)
            if at >= free:
                axes.text(at, row - 0.04, key, ha="center", va="top", fontsize=7)
                free = at * (high / low) ** 0.06
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_ylim(-0.3, len(measured))
    axes.set_yticks([row + 0.4 for row in reversed(range(len(measured)))], _names(measured))
    _plain_numbers(axes, low, high)
    axes.set_xlabel("milliseconds of work for a decision")
    _tidy(axes)


def _plain_numbers(axes: Axes, low: float, high: float) -> None:
    """Write 1, 2 and 5 and their tens at an axis that is logarithmic, and no powers."""
    ticks = [m * 10.0**e for e in range(-4, 6) for m in (1, 2, 5)]
    if high / low < 8:
        ticks = [m * 10.0**e for e in range(-4, 6) for m in np.arange(1, 10, 0.5)]
    inside = [tick for tick in ticks if low <= tick <= high]
    axes.set_xticks(inside, [f"{tick:g}" for tick in inside])
    axes.set_xticks([], minor=True)


def _draw_stages(axes: Axes, measured: Sequence[Part]) -> None:
    left = np.zeros(len(measured))
    for place, key in enumerate(_STAGES):
        widths = np.array([_median(each, key) for each in measured])
        if widths.any():
            axes.barh(
                range(len(measured)), widths, 0.6, left=left, label=stage_title(key),
                color=_COLOURS[place % len(_COLOURS)],
            )  # fmt: skip
        left += widths
    for row, total in enumerate(left):
        axes.text(1.01 * total, row, f"{total:.2g}" if total < 1 else f"{total:.3g}", va="center")
    axes.set_yticks(range(len(measured)), _names(measured))
    axes.set_xlim(0, 1.12 * max(left.max(), 1e-3))
    axes.invert_yaxis()
    axes.set_xlabel("milliseconds, medians of each stage by itself")
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, frameon=False, fontsize=9,
        columnspacing=1.0, handlelength=1.2,
    )  # fmt: skip
    _tidy(axes)


def _median(each: Part, key: str) -> float:
    timing = (each.get("stages") or {}).get(key)
    return float(timing["p50"]) if is_timing(timing) else 0.0


def _uar(each: Part) -> float | None:
    uar = (each["artifact"].get("accuracy") or {}).get("mean_uar")
    return 100 * float(uar) if is_number(uar) else None


def _draw_choice(axes: Axes, measured: Sequence[Part]) -> None:
    """Accuracy against size, with the time as the size of a dot; the time where none is known."""
    slowest = max(each["hop"]["whole_ms"]["p50"] for each in measured)
    known = any(_uar(each) is not None for each in measured)
    for row, each in enumerate(measured):
        ms, uar = each["hop"]["whole_ms"]["p50"], _uar(each)
        if known and uar is None:
            continue
        at = (each["artifact"]["model_bytes"] / 1000, ms if uar is None else uar)
        axes.scatter(
            at[0], at[1], s=60 + 500 * ms / slowest, color=_COLOURS[row % len(_COLOURS)], alpha=0.6
        )
        axes.annotate(
            f"{printable(each['artifact']['name'])}\n{each['artifact']['backend']}, {ms:.2f} ms",
            at, xytext=(0, 13 if row % 2 == 0 else -13), textcoords="offset points", fontsize=8,
            ha="center", va="bottom" if row % 2 == 0 else "top",
        )  # fmt: skip
    axes.set_xscale("log")
    axes.margins(0.35, 0.45)
    low, high = axes.get_xlim()
    _plain_numbers(axes, low, high)
    axes.set_xlabel("kB of the model file")
    axes.set_ylabel("mean recall by its manifest, %" if known else "ms a decision")
    _tidy(axes)


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color=SOFT, linewidth=0.5, alpha=0.4)
    axes.set_axisbelow(True)


def _tell_times(measured: Sequence[Part]) -> str:
    return "; ".join(
        f"{each['artifact']['name']} on {each['artifact']['backend']} decides in "
        f"{each['hop']['whole_ms']['p50']:.2f} ms, 95 of 100 times within "
        f"{each['hop']['whole_ms']['p95']:.2f} ms"
        for each in measured
    )


def _tell_stages(measured: Sequence[Part]) -> str:
    return "; ".join(
        f"{each['artifact']['name']} on {each['artifact']['backend']}: "
        + ", ".join(
            f"{stage_title(key)} {_median(each, key):.3f} ms"
            for key in _STAGES
            if _median(each, key)
        )
        for each in measured
    )


def _tell_choice(measured: Sequence[Part]) -> str:
    words = []
    for each in measured:
        uar = _uar(each)
        words.append(
            f"{each['artifact']['name']} on {each['artifact']['backend']}: "
            f"{each['artifact']['model_bytes'] / 1000:.0f} kB, "
            f"{each['hop']['whole_ms']['p50']:.2f} ms"
            + ("" if uar is None else f", mean recall {uar:.1f} %")
        )
    return "; ".join(words)


def _buckets(each: Part) -> list[Part]:
    """Give the stretches of a sustained run that have a time; none where there was no such run."""
    buckets = (each.get("sustained") or {}).get("buckets")
    found = buckets if isinstance(buckets, list) else []
    return [b for b in found if isinstance(b, dict) and is_number(b.get("at_s"))
            and is_number(b.get("p50_ms"))]  # fmt: skip


def _draw_sustained(axes: Axes, measured: Sequence[Part]) -> None:
    """Median by median over the minutes, and below them how warm it was."""
    warmth = axes.twinx()
    for place, (each, name) in enumerate(zip(measured, _names(measured), strict=True)):
        buckets, colour = _buckets(each), _COLOURS[place % len(_COLOURS)]
        minutes = [b["at_s"] / 60 for b in buckets]
        if buckets:
            axes.plot(minutes, [b["p50_ms"] for b in buckets], color=colour,
                      marker="o", markersize=3, label=name.replace("\n", " "))  # fmt: skip
        warm = [(b["at_s"] / 60, b["degrees_celsius"]) for b in buckets
                if is_number(b.get("degrees_celsius"))]  # fmt: skip
        if warm:
            warmth.plot(*zip(*warm, strict=True), color=colour, linestyle=":", linewidth=1.2)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("minutes")
    axes.set_ylabel("ms a decision, median")
    warmth.spines[["top", "left"]].set_visible(False)
    if warmth.lines:
        warmth.set_ylabel("°C (dotted)")
    else:
        warmth.set_yticks([])
    axes.legend(loc="lower left", frameon=False, fontsize=8)
    _tidy(axes)


def _tell_sustained(measured: Sequence[Part]) -> str:
    words = []
    for each in measured:
        if buckets := _buckets(each):
            words.append(
                f"{each['artifact']['name']} on {each['artifact']['backend']}: "
                f"{buckets[0]['p50_ms']:.2f} ms at first, {buckets[-1]['p50_ms']:.2f} ms after "
                f"{buckets[-1]['at_s'] / 60:.1f} minutes"
            )
    return "; ".join(words)


_Panel = tuple[
    Callable[[Sequence[Part]], float],
    Callable[["Axes", Sequence[Part]], None],
    Callable[[Sequence[Part]], str],
]

#: By title: how high it is in inches, how it is drawn, and what it says in words.
PANELS: dict[str, _Panel] = {
    "How long a decision takes": (lambda m: 0.9 + 0.7 * len(m), _draw_times, _tell_times),
    "Where the time goes": (lambda m: 1.4 + 0.5 * len(m), _draw_stages, _tell_stages),
    "Size, accuracy and time": (lambda _: 3.6, _draw_choice, _tell_choice),
    "Minutes on end": (lambda _: 3.0, _draw_sustained, _tell_sustained),
}


def panels_of(report: Part) -> dict[str, _Panel]:
    """Give what can be drawn of a report, by title."""
    sustained = any(_buckets(each) for each in artifacts_of(report))
    return {key: panel for key, panel in PANELS.items()
            if sustained or panel[1] is not _draw_sustained}  # fmt: skip
