"""Pictures of a report: times, stages, and what size and accuracy a time buys.

Drawn with matplotlib's own canvas and not through pyplot: no display is needed, and what is global
is put back.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edge.benchmark.panels import INK, PANELS, SOFT, panels_of
from edge.benchmark.stored import artifacts_of
from edge.errors import MissingDependencyError, ParameterError, printable
from edge.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw_report", "svg_of"]

Part = Mapping[str, Any]

#: Colours of a PNG by those of a page that they stand for in an SVG.
_OF_PAGE = {INK: "currentColor", SOFT: "var(--soft)"}
_SETTINGS: Any = {
    "text.usetex": False,
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "edge-ser",
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK
    ),
}
_WIDTH_IN, _DPI = 5.4, 150


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
    found = panels_of(report)
    heights = [height(measured) for height, _, _ in found.values()]
    with _figure(1.5 * _WIDTH_IN, sum(heights) + 0.5) as figure:
        machine = report["machine"]
        on = printable(machine["board"] or machine["cpu"] or machine["architecture"])
        figure.suptitle(f"edge-ser {report['edge_ser']} on {on}", x=0.01, ha="left", fontsize=12)
        panels = figure.subplots(len(found), 1, height_ratios=heights)
        for axes, (title, (_, draw, _)) in zip(panels, found.items(), strict=True):
            draw(axes, measured)
            # Where a legend stands between a title and its panel.
            pad = 42 if axes.get_legend() and title == "Where the time goes" else 6
            axes.set_title(title, loc="left", fontsize=11, pad=pad)
        try:
            with atomic_path(path) as temporary:
                figure.savefig(temporary, format="png", dpi=_DPI)
        except OSError as error:
            raise ParameterError(f"{path} cannot be written: {error.strerror}") from error


def svg_of(title: str, report: Part) -> str:
    """Draw one of :func:`panels_of` as an element of a page, in the page's colours.

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
    with mpl.rc_context():
        # What a matplotlibrc says is not asked.
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
