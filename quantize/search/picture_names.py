"""Names beside the points of a picture, none of which lies on another."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from quantize.search.candidates import Candidate
from quantize.search.pareto import Choice

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

__all__ = ["MAX_NAMES", "highlighted", "name_points"]

#: More points than that have numbers.
MAX_NAMES = 14

# Left free around a name.
_CLEAR_PX = 4.0

# Where a label may stand beside its point, in points of print, and how it is aligned.
_PLACES: list[tuple[float, float, str, str]] = [
    (x * r, y * r, h, v)
    for r in (1.0, 2.2, 3.6, 5.2)
    for x, y, h, v in (
        (9, 0, "left", "center"),
        (0, 9, "center", "bottom"),
        (0, -9, "center", "top"),
        (-9, 0, "right", "center"),
        (7, 7, "left", "bottom"),
        (7, -7, "left", "top"),
        (-7, 7, "right", "bottom"),
        (-7, -7, "right", "top"),
    )
]


def name_points(
    axes: Axes,
    line: float,
    front: Sequence[Candidate],
    candidates: Sequence[Candidate],
    choice: Choice,
) -> None:
    """Name the chosen one, then those on the front, then others where there is room.

    Where points crowd, names between them point at nothing: then the chosen one alone is named, and
    all have the number that the table gives them.  A label that would lie on another or on a point
    is tried elsewhere around its own, and left out where nothing is free: the table names them all.

    Parameters
    ----------
    axes : Axes
        With everything drawn but the names; its layout is final from here on.
    line : float
        Height of a line that no name shall cross, in percent.
    front : sequence of Candidate
        Between whose points there is a line of steps that none shall cross either.
    candidates : sequence of Candidate
        Points at (kB, accuracy in percent).
    choice : Choice
    """
    from matplotlib.transforms import Bbox

    figure: Any = axes.figure
    figure.canvas.draw()
    # From here on nothing moves: the layout was made, and labels stay within the axes.
    figure.set_layout_engine("none")
    bottom, top = axes.get_ylim()
    seen = [candidate for candidate in candidates if bottom <= 100 * candidate.accuracy <= top]
    taken = [_box(axes, candidate, choice, Bbox) for candidate in seen]
    line_px = axes.transData.transform((1, line))[1]
    taken.append(Bbox.from_extents(axes.bbox.x0, line_px - 1, axes.bbox.x1, line_px + 1))
    corners = axes.transData.transform(
        [(candidate.kb, 100 * candidate.accuracy) for candidate in front]
    )
    for (x0, y0), (x1, y1) in itertools.pairwise(corners):
        # Along at the height of the smaller, then up to the larger.
        taken.append(Bbox.from_extents(x0, y0 - 1, x1, y0 + 1))
        taken.append(Bbox.from_extents(x1 - 1, y0, x1 + 1, y1))
    short = _short_names(seen)
    numbers = {candidate.name: number for number, candidate in enumerate(candidates, 1)}
    crowded = len(seen) > MAX_NAMES
    for candidate in _by_weight(seen, choice):
        is_ringed = candidate.name == highlighted(choice)
        text = short[candidate.run] + "\n" + candidate.kind
        if crowded:
            number = str(numbers[candidate.name])
            text = f"{number}: {text}" if is_ringed else number
        annotation = _annotate(axes, candidate, text, is_ringed)
        clear_px = 0.5 * _CLEAR_PX if crowded else _CLEAR_PX
        size = annotation.get_window_extent().size + 2 * clear_px
        further = 5.0 if is_ringed else 0.0
        at = axes.transData.transform((candidate.kb, 100 * candidate.accuracy))
        for place in _PLACES:
            away, low = _corner(place, further, size, clear_px, axes.figure.dpi / 72)
            box = Bbox.from_bounds(*(at + low), *size)
            inside = axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
            inside = inside and axes.bbox.y0 <= box.y0 and box.y1 <= axes.bbox.y1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                annotation.set(position=away, ha=place[2], va=place[3])
                if math.hypot(*place[:2]) < 15:
                    annotation.arrow_patch.set_visible(False)
                break
        else:
            annotation.remove()


def highlighted(choice: Choice) -> str | None:
    """Name of the candidate that is ringed: the chosen one, or the nearest to be it."""
    candidate = choice.chosen or choice.nearest
    return candidate.name if candidate else None


def _box(axes: Axes, candidate: Candidate, choice: Choice, bbox: Any) -> Bbox:
    is_chosen = candidate.name == highlighted(choice)
    x, y = axes.transData.transform((candidate.kb, 100 * candidate.accuracy))
    half = (9.5 if is_chosen else 5.0) * axes.figure.dpi / 72
    found: Bbox = bbox.from_extents(x - half, y - half, x + half, y + half)
    return found


def _by_weight(candidates: Sequence[Candidate], choice: Choice) -> list[Candidate]:
    on_front = {candidate.name for candidate in choice.front}
    first = highlighted(choice)
    return sorted(candidates, key=lambda r: (r.name != first, r.name not in on_front, r.kb))


def _short_names(candidates: Sequence[Candidate]) -> dict[str, str]:
    """Runs without the half of their names that all share."""
    halves = {candidate.run: candidate.run.rpartition("/") for candidate in candidates}
    if len({folder for folder, _, _ in halves.values()}) == 1:
        return {run: name for run, (_, _, name) in halves.items()}
    if len({name for _, _, name in halves.values()}) == 1:
        return {run: folder for run, (folder, _, _) in halves.items()}
    return {run: run for run in halves}


def _annotate(axes: Axes, candidate: Candidate, text: str, is_bold: bool) -> Any:
    return axes.annotate(
        text,
        (candidate.kb, 100 * candidate.accuracy),
        xytext=(0, 0),
        textcoords="offset points",
        fontsize=8.5,
        fontweight="bold" if is_bold else "normal",
        linespacing=1.05,
        zorder=6,
        arrowprops={"arrowstyle": "-", "color": "#777777", "linewidth": 0.7, "shrinkA": 0},
    )


def _corner(
    place: tuple[float, float, str, str], further: float, size: Any, clear_px: float, px: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Offset in points of a name, and in pixels of its lower left corner, from its point."""
    x, y, h, v = place
    x += math.copysign(further, x) if x else 0.0
    y += math.copysign(further, y) if y else 0.0
    share_x = {"left": 0.0, "center": 0.5, "right": 1.0}[h]
    share_y = {"bottom": 0.0, "center": 0.5, "top": 1.0}[v]
    clear_x, clear_y = ((2 * share - 1) * clear_px for share in (share_x, share_y))
    low = (px * x - share_x * size[0] + clear_x, px * y - share_y * size[1] + clear_y)
    return (x, y), low
