"""The Pareto picture of a search: size against accuracy, latency as colour."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from edge.errors import ParameterError
from quantize.basics.pictures import new_figure, save_figure, tidy_axes
from quantize.search.candidates import Candidate
from quantize.search.pareto import Choice, Constraints
from quantize.search.picture_names import MAX_NAMES, name_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_pareto", "size_front"]

_ORANGE, _GREY, _SHADE = "#D55E00", "#555555", "#F5EBE6"

# What lies further below the best would squeeze all others into one line.
_SPAN_POINTS = 15.0

# Sizes and times that span more than this are drawn on a logarithmic axis.
_DECADE = 6.0

_MARKERS = "osD^vPX"


def size_front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates that are more accurate than every smaller one, smallest first."""
    front: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda candidate: (candidate.kb, -candidate.accuracy)):
        if not front or candidate.accuracy > front[-1].accuracy:
            front.append(candidate)
    return front


def plot_pareto(
    reference: Candidate,
    candidates: Sequence[Candidate],
    choice: Choice,
    constraints: Constraints,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
) -> None:
    """Draw size against accuracy, with the front as a line and the chosen one ringed.

    Parameters
    ----------
    reference : Candidate
        Whose accuracy is a dashed line.
    candidates : sequence of Candidate
        Artifacts.
    choice : Choice
    constraints : Constraints
        What lies beyond the size and the drop is shaded; who misses any is drawn small.
    path : path
        PNG to write, whole or not at all.
    title : str, optional
        Heading.

    Raises
    ------
    ParameterError
        If there is no candidate.
    MissingDependencyError
        If matplotlib is not installed.
    """
    if not candidates:
        raise ParameterError("a picture needs at least one artifact that could be measured, got 0.")
    figure = new_figure(10.0, 6.4)
    axes = figure.subplots()
    _limits(axes, reference, candidates, constraints)
    _shade(axes, reference, constraints)
    axes.axhline(100 * reference.accuracy, color=_GREY, linestyle="--", linewidth=1, zorder=2)
    front = size_front(candidates)
    axes.plot(
        [candidate.kb for candidate in front],
        [100 * candidate.accuracy for candidate in front],
        drawstyle="steps-post",
        color=_GREY,
        linewidth=1.2,
        zorder=2,
    )
    points = _points(axes, candidates, choice)
    if points is not None:
        bar = figure.colorbar(points, ax=axes, pad=0.015)
        bar.set_label("Processor time of a 2 s window, median (ms)")
        _plain_ticks(bar.ax.yaxis)
    ringed = choice.chosen or choice.nearest
    if ringed:
        axes.scatter(
            [ringed.kb],
            [100 * ringed.accuracy],
            s=330,
            facecolors="none",
            edgecolors=_ORANGE,
            linewidths=2.2,
            linestyles="solid" if choice.chosen else "dotted",
            zorder=5,
        )
    axes.set_xlabel("Size of the model file (kB)")
    axes.set_ylabel("Accuracy on the held-out clips (%)")
    tidy_axes(axes)
    axes.grid(axis="x", color="#EEEEEE", linewidth=0.8, zorder=0)
    _legend(axes, candidates, choice, constraints)
    axes.set_title(title or "", loc="left")
    name_points(axes, 100 * reference.accuracy, front, candidates, choice)
    save_figure(figure, path)


def _limits(
    axes: Axes, reference: Candidate, candidates: Sequence[Candidate], constraints: Constraints
) -> None:
    sizes = [candidate.kb for candidate in candidates]
    low, high = min(sizes), max(sizes)
    if constraints.max_kb is not None:
        low, high = min(low, constraints.max_kb), max(high, constraints.max_kb)
    if high / low > _DECADE:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.25, high * 1.45)
    else:
        room = 0.12 * (high - low) or 0.1 * high
        axes.set_xlim(max(0.0, low - room), high + 1.6 * room)
    _plain_ticks(axes.xaxis)
    shares = [100 * candidate.accuracy for candidate in (reference, *candidates)]
    top = max(shares)
    bottom = min(value for value in shares if value >= top - _SPAN_POINTS)
    if constraints.max_drop is not None:
        limit = 100 * reference.accuracy - constraints.max_drop
        bottom = min(bottom, max(limit, top - _SPAN_POINTS))
    room = max(0.4, 0.12 * (top - bottom))
    axes.set_ylim(bottom - room, top + room)
    n_below = sum(value < bottom - room for value in shares)
    if n_below:
        axes.set_title(
            f"{n_below} more below the picture, see the table", loc="right", size=9, color=_GREY
        )


def _plain_ticks(axis: Any) -> None:
    """Numbers as people write them, also on a logarithmic axis."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}".replace(",", "")))
    if axis.get_scale() == "log":
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())


def _shade(axes: Axes, reference: Candidate, constraints: Constraints) -> None:
    (left, right), (bottom, _) = axes.get_xlim(), axes.get_ylim()
    if constraints.max_kb is not None:
        axes.axvspan(constraints.max_kb, right, color=_SHADE, linewidth=0, zorder=0)
    if constraints.max_drop is not None:
        limit = 100 * reference.accuracy - constraints.max_drop
        axes.axhspan(bottom, max(bottom, limit), color=_SHADE, linewidth=0, zorder=0)
    axes.set_xlim(left, right)


def _points(axes: Axes, candidates: Sequence[Candidate], choice: Choice) -> Any:
    """Draw the points; returns what a colour bar needs, or None where nothing was timed."""
    from matplotlib.colors import LogNorm, Normalize

    times = [candidate.ms for candidate in candidates if candidate.ms is not None]
    norm: Any = None
    if times:
        low, high = min(times), max(times)
        spans = high / low > _DECADE
        norm = LogNorm(low, high) if spans else Normalize(low, max(high, low * 1.2))
    drawn = None
    for kind, marker in _kind_markers(candidates).items():
        for fits in (False, True):
            part = [
                r for r in candidates if _runtime(r) == kind and (not choice.missed[r.name]) == fits
            ]
            if not part:
                continue
            points = axes.scatter(
                [r.kb for r in part],
                [100 * r.accuracy for r in part],
                s=80 if fits else 34,
                marker=marker,
                c=[math.nan if r.ms is None else r.ms for r in part] if norm else _GREY,
                norm=norm,
                cmap="viridis_r" if norm else None,
                edgecolors="black" if fits else "#888888",
                linewidths=1.0 if fits else 0.6,
                plotnonfinite=bool(norm),
                zorder=4,
            )
            drawn = points if norm else None
    return drawn


def _runtime(candidate: Candidate) -> str:
    return candidate.kind.partition("-")[0]


def _kind_markers(candidates: Sequence[Candidate]) -> dict[str, str]:
    names = list(dict.fromkeys(map(_runtime, candidates)))
    return dict(zip(names, itertools.cycle(_MARKERS), strict=False))


def _legend(
    axes: Axes, candidates: Sequence[Candidate], choice: Choice, constraints: Constraints
) -> None:
    from matplotlib.lines import Line2D

    def dot(marker: str, size: float, edge: str, fill: str = "white", width: float = 1.0) -> Line2D:
        return Line2D(
            [],
            [],
            linestyle="",
            marker=marker,
            markersize=size,
            markeredgecolor=edge,
            markerfacecolor=fill,
            markeredgewidth=width,
        )

    handles = {name: dot(marker, 8, "black") for name, marker in _kind_markers(candidates).items()}
    handles["front of size and accuracy"] = Line2D([], [], color=_GREY, linewidth=1.2)
    handles["reference in torch"] = Line2D([], [], color=_GREY, linewidth=1, linestyle="--")
    if choice.chosen:
        handles["chosen"] = dot("o", 13, _ORANGE, "none", 2.2)
    elif choice.nearest:
        handles["nearest (dotted)"] = dot("o", 13, _ORANGE, "none", 1.2)
    if any(choice.missed.values()):
        handles["misses a constraint"] = dot("o", 5, "#888888", "#BBBBBB", 0.6)
    if constraints.max_kb is not None or constraints.max_drop is not None:
        handles["beyond a limit"] = dot("s", 10, _SHADE, _SHADE)
    if len(candidates) > MAX_NAMES:
        handles["numbers: # of the table"] = Line2D([], [], linestyle="")
    axes.legend(
        list(handles.values()),
        list(handles),
        frameon=False,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.11),
        ncols=len(handles) if len(handles) < 7 else 4,
        handletextpad=0.5,
        columnspacing=1.4,
    )
