"""What every picture of this package begins and ends with."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

from edge.explain.picture import check_matplotlib, lay_out
from quantize.basics.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["new_figure", "save_figure", "tidy_axes"]

_DPI = 150
#: What matplotlib writes the powers of a logarithmic axis with.
_MATHS = r"\mathdefault"


def new_figure(width_in: float, height_in: float) -> Figure:
    """Make an empty figure of so many inches.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    check_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy_axes(axes: Axes) -> None:
    """Leave what is read: two spines, and lines to compare heights by."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a PNG, whole or not at all."""
    with atomic_path(path) as temporary, warnings.catch_warnings():
        _take_words_as_they_are(figure)
        # Labels may be in any script, fonts are not: a box stands for what the font lacks.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from", UserWarning)
        lay_out(figure, _DPI)
        figure.savefig(temporary, format="png", dpi=_DPI)


def _take_words_as_they_are(figure: Figure) -> None:
    """Read no mathematics into labels, which may hold any character; numbers of axes stay."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if isinstance(text, Text) and "$" in text.get_text() and _MATHS not in text.get_text():
            text.set_parse_math(False)
