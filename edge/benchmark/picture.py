"""Pictures of a report: times, stages, and what size and accuracy a time buys.

Drawn with matplotlib's own canvas and not through pyplot: no display is needed, and what is global
is put back.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.benchmark.stored import artifacts_of, is_number, is_timing, stage_title
from edge.errors import MissingDependencyError, ParameterError, printable
from edge.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PANELS", "draw_report", "svg_of"]

Part = Mapping[str, Any]

#: Okabe & Ito (2008): told apart by colour-blind readers, and seen on white and on black.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
#: Of the stages of a decision, in the order in which sound goes through them.
_STAGES = ("capture_copy", "resample", "features_increment", "gate", "model", "decision")
# Colours of a PNG, each of which stands for one of the page's in an SVG.
_INK, _SOFT = "#1c1c1d", "#70707a"
_OF_PAGE = {_INK: "currentColor", _SOFT: "var(--soft)"}
_SETTINGS: Any = {
    "text.usetex": False,
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "edge-ser",
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), _INK
    ),
}
_WIDTH_IN, _DPI = 5.4, 150
_N_BINS = 60


def draw_report(report: Part, path: str | os.PathLike[str]) -> None:
    """Draw all panels below each other.

    Parameters
    ----------
    report : mapping
        As docs/benchmark.schema.json has it.
    path : path
        PNG to write, whole or not at all.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    ParameterError
        If the picture cannot be written.
    """
    measured = artifacts_of(report)
    heights = [height(measured) for height, _, _ in PANELS.values()]
    with _figure(1.5 * _WIDTH_IN, sum(heights) + 0.5) as figure:
        machine = report["machine"]
        on = printable(machine["board"] or machine["cpu"] or machine["architecture"])
        figure.suptitle(f"edge-ser {report['edge_ser']} on {on}", x=0.01, ha="left", fontsize=12)
        panels = figure.subplots(len(PANELS), 1, height_ratios=heights)
        for axes, (title, (_, draw, _)) in zip(panels, PANELS.items(), strict=True):
            draw(axes, measured)
            pad = 6 if axes.get_legend() is None else 42
            axes.set_title(title, loc="left", fontsize=11, pad=pad)
        try:
            with atomic_path(path) as temporary:
                figure.savefig(temporary, format="png", dpi=_DPI)
        except OSError as error:
            raise ParameterError(f"{path} cannot be written: {error.strerror}") from error


def svg_of(title: str, report: Part) -> str:
    """Draw one of :data:`PANELS` as an element of a page, in the page's colours.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    measured = artifacts_of(report)
    height, draw, tell = PANELS[title]
    with _figure(_WIDTH_IN, height(measured)) as figure:
        draw(figure.subplots(), measured)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    svg = re.sub(r"(?s)<metadata>.*?</metadata>", "", file.getvalue())
    svg = svg[svg.index("<svg") :].rstrip()
    # Several stand in one page, where a name is a name of all of them.
    place = list(PANELS).index(title)
    svg = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\g<1>p{place}-", svg)
    svg = re.sub(r'^<svg[^>]*?(viewBox="[^"]*")[^>]*>', r"<svg \1>", svg)
    for colour, of_page in _OF_PAGE.items():
        svg = svg.replace(colour, of_page)
    label = printable(tell(measured)).translate({ord(c): f"&#{ord(c)};" for c in '&<>"'})
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1)


@contextmanager
def _figure(width_in: float, height_in: float) -> Iterator[Figure]:
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            f"a picture needs matplotlib, which cannot be imported ({error}); install it with: "
            "pip install matplotlib"
        ) from error
    # What a matplotlibrc says is not asked.
    with mpl.rc_context({**mpl.rcParamsDefault, "backend": mpl.get_backend(auto_select=False) or
                         "agg", **_SETTINGS}):  # fmt: skip
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


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
        axes.plot([low, high], [row, row], color=_SOFT, linewidth=0.6)
        free = low
        for key in ("p50", "p95", "p99"):
            at = max(each["hop"]["whole_ms"][key], 1e-3)
            axes.plot([at, at], [row, row + 0.86], color=_INK, linewidth=1.2)
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
    axes.grid(axis="x", color=_SOFT, linewidth=0.5, alpha=0.4)
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


#: By title: how high it is in inches, how it is drawn, and what it says in words.
PANELS: dict[
    str,
    tuple[
        Callable[[Sequence[Part]], float],
        Callable[[Axes, Sequence[Part]], None],
        Callable[[Sequence[Part]], str],
    ],
] = {
    "How long a decision takes": (lambda m: 0.9 + 0.7 * len(m), _draw_times, _tell_times),
    "Where the time goes": (lambda m: 1.4 + 0.5 * len(m), _draw_stages, _tell_stages),
    "Size, accuracy and time": (lambda _: 3.6, _draw_choice, _tell_choice),
}
