"""Names beside the points of a picture, none of which lies on another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from quantize.search.pareto import Choice, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

__all__ = ["name_points"]

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


def name_points(axes: Axes, line: float, rows: Sequence[Row], choice: Choice) -> None:
    """Name the chosen one, then those on the front, then others where there is room.

    A label that would lie on another or on a point is tried elsewhere around its own, and left
    out where nothing is free: the table names them all.

    Parameters
    ----------
    axes : Axes
        With everything drawn but the names; its layout is final from here on.
    line : float
        Height of a line that no name shall cross, in percent.
    rows : sequence of Row
        Points at (kB, accuracy in percent).
    choice : Choice
    """
    from matplotlib.transforms import Bbox

    figure: Any = axes.figure
    figure.canvas.draw()
    # From here on nothing moves: the layout was made, and labels stay within the axes.
    figure.set_layout_engine("none")
    bottom, top = axes.get_ylim()
    seen = [row for row in rows if bottom <= 100 * row.accuracy <= top]
    taken = [_box(axes, row, choice, Bbox) for row in seen]
    shared = _shared(seen)
    left_px, line_px = axes.transAxes.transform((0, 0))[0], axes.transData.transform((1, line))[1]
    taken.append(Bbox.from_extents(left_px, line_px - 1, left_px + 1e5, line_px + 1))
    for row in _by_weight(seen, choice):
        text = row.run.removeprefix(shared) + "\n" + row.kind
        is_chosen = choice.chosen is not None and row.name == choice.chosen.name
        for annotation in _tries(axes, row, text, is_chosen):
            box = annotation.get_window_extent()
            inside = axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
            inside = inside and axes.bbox.y0 <= box.y0 and box.y1 <= axes.bbox.y1
            if inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            annotation.remove()


def _box(axes: Axes, row: Row, choice: Choice, bbox: Any) -> Bbox:
    is_chosen = choice.chosen is not None and row.name == choice.chosen.name
    x, y = axes.transData.transform((row.kb, 100 * row.accuracy))
    half = (9.5 if is_chosen else 5.0) * axes.figure.dpi / 72
    found: Bbox = bbox.from_extents(x - half, y - half, x + half, y + half)
    return found


def _by_weight(rows: Sequence[Row], choice: Choice) -> list[Row]:
    on_front = {row.name for row in choice.front}
    chosen = choice.chosen.name if choice.chosen else None
    return sorted(rows, key=lambda r: (r.name != chosen, r.name not in on_front, r.kb))


def _shared(rows: Sequence[Row]) -> str:
    """Folder that all runs lie in, which no label needs to repeat."""
    folders = {row.run.rpartition("/")[0] for row in rows}
    return folders.pop() + "/" if len(folders) == 1 else ""


def _tries(axes: Axes, row: Row, text: str, is_chosen: bool) -> Iterator[Annotation]:
    further = 5.0 if is_chosen else 0.0
    for x, y, h, v in _PLACES:
        far = math.hypot(x, y) > 15
        away_x, away_y = (
            math.copysign(further, x) if x else 0,
            math.copysign(further, y) if y else 0,
        )
        yield axes.annotate(
            text,
            (row.kb, 100 * row.accuracy),
            xytext=(x + away_x, y + away_y),
            textcoords="offset points",
            ha=h,
            va=v,
            fontsize=8.5,
            fontweight="bold" if is_chosen else "normal",
            linespacing=1.05,
            zorder=6,
            arrowprops={"arrowstyle": "-", "color": "#999999", "linewidth": 0.7} if far else None,
        )
