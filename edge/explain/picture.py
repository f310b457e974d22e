"""One picture of what a decision rests on, from :mod:`edge.explain.explain`.

Drawn with matplotlib's own canvas and not through pyplot: no display is needed, and
what is global is put back.
"""

from __future__ import annotations

import colorsys
import errno
import os
import tempfile
import warnings
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.errors import MissingDependencyError, ParameterError, how_many
from edge.explain.explain import Explanation, envelope
from edge.files import atomic_path
from edge.stream.label_colours import colour_places

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["check_matplotlib", "check_target", "draw_explanation", "lay_out"]

#: Okabe & Ito (2008), told apart by colour-blind readers too, in the order of the labels:
#: neutral calm happy sad angry fearful disgust surprised.  Its black is lightened: whole
#: clips are neutral.
_COLOURS = (
    "#333333", "#56B4E9", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#009E73", "#E69F00",
)  # fmt: skip
#: Labels that have one of their own, its place.
_OWN = {
    label: place
    for place, label in enumerate(
        ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
    )
}
#: Where a model has more labels than that: hues a golden angle apart, by turns strong, dark, pale.
_MORE_COLOURS = tuple(
    colorsys.hsv_to_rgb(at * 0.618034 % 1.0, *((0.75, 0.85), (0.8, 0.5), (0.35, 0.95))[at % 3])
    for at in range(32)
)
#: Entries of a legend's column, and about how wide that is.
_N_LEGEND_ROWS, _LEGEND_COLUMN_IN = 12, 1.5
_INK, _DARK, _PALE = "#222222", "#666666", "#CCCCCC"
_DPI = 150
#: A matplotlibrc must not decide whether there is a picture, nor may a file that is called
#: $x$.wav: LaTeX is not everywhere.
_SETTINGS: Any = {
    "text.usetex": False,
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.unicode_minus": True,
}
_NARROWEST_IN, _WIDEST_IN, _IN_PER_S, _MARGIN_IN = 11.0, 40.0, 0.7, 2.6
#: About the width of a character of a bold label, and the height of its line.
_CHARACTER_IN, _LABEL_LINE_IN = 0.098, 0.17
_LONGEST_NAME = 70
#: A legend to the right of its panel.
_BESIDE: Any = {"loc": "upper left", "bbox_to_anchor": (1, 1), "frameon": False}
_QUIET = "too quiet to count"


def check_target(path: str | os.PathLike[str]) -> None:
    """Refuse a path that no picture can be written to, before any work is done.

    Raises
    ------
    ParameterError
        If the name does not end in ``.png``, is a folder's, or its folder is missing or
        may not be written to.
    """
    target = Path(path)
    if target.suffix.lower() != ".png":
        raise ParameterError(f"the picture is to be {target}, a name that ends in .png is wanted")
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}."):
            pass
    except OSError as error:
        raise ParameterError(
            f"the picture cannot be written to {target} ({error.strerror}): name a file in a "
            "folder that exists and may be written to"
        ) from error


def check_matplotlib() -> None:
    """Refuse to begin when there is nothing to draw with.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.backends.backend_agg
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f"a picture needs matplotlib, which cannot be imported ({error}); install it with: "
            "pip install matplotlib"
        ) from error


def draw_explanation(
    explanation: Explanation, path: str | os.PathLike[str], name: str = "clip"
) -> None:
    """Draw waveform, pitch and level, attention and posteriors over one axis of time.

    Parameters
    ----------
    explanation : Explanation
        From :func:`edge.explain.explain.explain`.
    path : path
        PNG to write, whole or not at all.
    name : str
        What the clip is called, for the heading.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    OSError
        If the picture cannot be written.
    """
    check_matplotlib()
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    width_in = _MARGIN_IN + _IN_PER_S * explanation.duration_s
    width_in = min(max(width_in, _NARROWEST_IN), _WIDEST_IN)
    # Of many labels the legend has more columns, which must not be taken from the panels.
    aside_in = _LEGEND_COLUMN_IN * (_n_legend_columns(len(explanation.labels) + 1) - 1)
    with mpl.rc_context(_SETTINGS), warnings.catch_warnings():
        # A name in a script that the font does not have is drawn as boxes, no more.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure = Figure(figsize=(width_in + aside_in, 9.6), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(_heading(explanation, name), fontsize=12, x=0.01, ha="left")
        panels = figure.subplots(4, 1, sharex=True, height_ratios=(1.0, 1.3, 1.2, 1.7))
        _draw_waveform(panels[0], explanation, round(width_in * _DPI))
        _draw_pitch(panels[1], explanation)
        _draw_attention(panels[2], explanation)
        _draw_posteriors(panels[3], explanation, width_in - _MARGIN_IN)
        panels[3].set_xlim(0, explanation.duration_s)
        panels[3].locator_params(axis="x", nbins=round(width_in))
        panels[3].set_xlabel("Time (s)")
        figure.align_ylabels(panels)
        with atomic_path(path) as temporary:
            lay_out(figure, _DPI)
            figure.savefig(temporary, format="png", dpi=_DPI)


def lay_out(figure: Figure, dpi: int) -> None:
    """Put everything in its place: left to ``savefig``, all would be drawn once more for it."""
    import matplotlib as mpl

    if (engine := figure.get_layout_engine()) is None:
        return
    figure.set_dpi(dpi)
    engine.execute(figure)
    # None stands for what a matplotlibrc says.
    with mpl.rc_context({"figure.autolayout": False, "figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)


def _n_legend_columns(n_entries: int) -> int:
    return -(-n_entries // _N_LEGEND_ROWS)


def _heading(explanation: Explanation, name: str) -> str:
    # A path may hold bytes that are no text.
    text = name.encode("utf-8", "backslashreplace").decode("utf-8")
    text = "".join(c if c.isprintable() else "?" for c in text)
    if len(text) > _LONGEST_NAME:
        text = "…" + text[1 - _LONGEST_NAME :]
    n_segments = len(explanation.stretches)
    n_counted = sum(stretch.counted for stretch in explanation.stretches)
    if explanation.posterior is None:
        return f"{text}: quiet"
    best = int(explanation.posterior.argmax())
    # Rounded as in the JSON and its line in the terminal.
    decided = f"{explanation.labels[best]} {100 * round(explanation.posterior[best], 4):.0f} %"
    if n_segments == 1:
        return f"{text}: {decided}"
    n_quiet = n_segments - n_counted
    quiet = f" ({n_quiet} more {'is' if n_quiet == 1 else 'are'} {_QUIET})" if n_quiet else ""
    segments = how_many(n_counted, "segment")
    return f"{text}: {decided}\nmean over {segments}{quiet}"


def _draw_waveform(axes: Axes, explanation: Explanation, n_columns: int) -> None:
    samples, rate = explanation.samples, explanation.sample_rate
    if samples.size <= 2 * n_columns:
        axes.plot(np.arange(samples.size) / rate, samples, color=_DARK, linewidth=0.7)
    else:
        first, low, high = envelope(samples, n_columns)
        axes.fill_between(first / rate, low, high, color=_DARK, linewidth=0.4)
    largest = max(1e-4, 1.08 * float(np.abs(samples).max()))
    axes.set_ylim(-largest, largest)
    axes.set_ylabel("Amplitude\n(1 = full scale)")
    _tidy(axes, "Waveform")


def _draw_pitch(axes: Axes, explanation: Explanation) -> None:
    level = axes.twinx()
    floor_db = min(-80.0, float(explanation.level_db.min()))
    times_s = explanation.frame_s
    level.fill_between(times_s, floor_db, explanation.level_db, color=_PALE)
    level.set_ylim(floor_db, 0)
    level.set_ylabel("Level (dBFS)")
    level.spines[["top", "left"]].set_visible(False)
    # The pitch lies before the level.
    axes.set_zorder(level.get_zorder() + 1)
    axes.patch.set_visible(False)
    # Markers, for a line needs two voiced frames.
    axes.plot(
        times_s, explanation.pitch_hz, color=_INK, linewidth=1.4, marker="o", markersize=2.5
    )  # fmt: skip
    if np.isnan(explanation.pitch_hz).all():
        axes.set_ylim(0, 600)
    else:
        margin_hz = 10 + 0.08 * float(np.ptp(explanation.pitch_hz[explanation.pitch_hz > 0]))
        axes.set_ylim(
            float(np.nanmin(explanation.pitch_hz)) - margin_hz,
            float(np.nanmax(explanation.pitch_hz)) + margin_hz,
        )
    axes.set_ylabel("Pitch (Hz)")
    _tidy(axes, "Pitch (line, with gaps where nothing is voiced) and level (grey)")


def _draw_attention(axes: Axes, explanation: Explanation) -> None:
    times_s, attention = explanation.frame_s, explanation.attention
    marker = "o" if times_s.size == 1 else None
    axes.plot(times_s, attention, color=_INK, linewidth=1.2, marker=marker)
    axes.fill_between(
        times_s, 1, attention, where=attention >= 1, interpolate=True,
        color=_DARK, label="more than even",
    )  # fmt: skip
    axes.fill_between(
        times_s, 1, attention, where=attention < 1, interpolate=True,
        color=_PALE, label="less than even",
    )  # fmt: skip
    axes.axhline(1, color=_DARK, linewidth=1, linestyle="--")
    heard = attention[np.isfinite(attention)]
    axes.set_ylim(0, max(2.0, 1.08 * float(heard.max(initial=0.0))))
    axes.set_ylabel("Attention, mean over\nsegments (1 = even)")
    axes.legend(**_BESIDE)
    _tidy(
        axes,
        "Attention: how much of a segment's attention each frame receives, next to an even share",
    )


def _draw_posteriors(axes: Axes, explanation: Explanation, width_in: float) -> None:
    from matplotlib.patches import Patch

    parts = explanation.stretches
    edges_s = [part.start_s for part in parts] + [parts[-1].end_s]
    # Nothing is drawn where the model was not asked.
    posteriors = np.nan_to_num(explanation.posteriors)
    tops = np.cumsum(posteriors, axis=1)
    bottoms = tops - posteriors
    palette: tuple[Any, ...] = _COLOURS
    if len(explanation.labels) > len(palette):
        palette += _MORE_COLOURS
    places = colour_places(explanation.labels, _OWN, len(palette))
    colours = {label: palette[place] for label, place in places.items()}
    for i, (label, colour) in enumerate(colours.items()):
        axes.stairs(
            tops[:, i], edges_s, baseline=bottoms[:, i], fill=True, color=colour, label=label
        )
    quiet: dict[str, Any] = {
        "facecolor": (1, 1, 1, 0.55), "edgecolor": _DARK, "hatch": "////", "linewidth": 0,
    }  # fmt: skip
    # Ribbon and labels lie between the panel and its title.
    title_pt = 34.0
    for (decided, counted), group in groupby(parts, key=lambda part: (part.label, part.counted)):
        run = list(group)
        label = decided or "quiet"
        start_s, end_s = run[0].start_s, run[-1].end_s
        if not counted:
            axes.axvspan(start_s, end_s, **quiet)
        axes.broken_barh(
            [(start_s, end_s - start_s)], (1.03, 0.06), facecolor=colours.get(label, _PALE),
            edgecolor="white", linewidth=1, clip_on=False, alpha=1.0 if counted else 0.4,
        )  # fmt: skip
        room_in = (end_s - start_s) / explanation.duration_s * width_in
        if room_in >= _LABEL_LINE_IN:
            across = room_in < _CHARACTER_IN * len(label)
            title_pt = max(title_pt, 22 + 72 * _CHARACTER_IN * len(label) if across else 0)
            axes.text(
                (start_s + end_s) / 2, 1.11, label, ha="center", va="bottom",
                rotation=90 if across else 0, color=_INK if counted else _DARK,
                fontweight="bold" if counted else "normal",
                fontstyle="normal" if counted else "italic",
            )  # fmt: skip
    axes.set_ylim(0, 1)
    axes.set_ylabel("Probability")
    handles = list(reversed(axes.get_legend_handles_labels()[0]))
    if not all(part.counted for part in parts):
        handles.append(Patch(**quiet, label=_QUIET))
    n_columns = _n_legend_columns(len(handles))
    axes.legend(handles=handles, ncols=n_columns, columnspacing=1.0, **_BESIDE)
    segment_s = explanation.decisions[0].end_s - explanation.decisions[0].start_s
    _tidy(
        axes,
        f"Probability of each emotion and what was decided: each column is a segment of "
        f"{segment_s:.2g} s, drawn around its middle",
        pad=title_pt,
    )


def _tidy(axes: Axes, title: str, pad: float = 6.0) -> None:
    axes.set_title(title, loc="left", fontsize=10, color=_INK, pad=pad)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", labelbottom=True)
