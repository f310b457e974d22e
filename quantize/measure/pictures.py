"""Pictures of a training and an evaluation: the paper's figures 12-14.

Drawn with matplotlib's own canvas and not through pyplot, so that nothing global is
touched and no display is needed. Colours are from the palette of Okabe & Ito (2008),
told apart by colour-blind readers too; lines differ in dash and marker as well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import ParameterError
from quantize.basics.pictures import new_figure, save_figure, tidy_axes

if TYPE_CHECKING:
    pass

__all__ = ["plot_class_accuracy", "plot_confusion", "plot_curves"]

#: More classes than this are drawn closer together, with fewer words.
_MANY = 12

_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#D55E00", "#009E73", "#555555"


def plot_curves(
    history: Sequence[Mapping[str, float]],
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    best_epoch: int | None = None,
) -> None:
    """Draw loss and accuracy over the epochs (CLAF-SER, figures 12 and 13).

    Parameters
    ----------
    history : sequence of mapping
        One an epoch with the keys ``epoch`` (default: its place, from 1), ``train_loss``,
        ``val_loss``, ``test_loss`` and the same three of ``accuracy`` (shares); others are ignored,
        and a curve is left out when no epoch has it.
    path : path
        PNG to write, whole or not at all.
    title : str, optional
        Heading.
    best_epoch : int, optional
        Epoch that was kept, marked by a line.

    Raises
    ------
    ParameterError
        If no epoch has any of the curves.
    MissingDependencyError
        If matplotlib is not installed.
    """
    panels = [("loss", "Loss", 1.0), ("accuracy", "Accuracy (%)", 100.0)]
    panels = [p for p in panels if any(f"{s}_{p[0]}" in e for e in history for s in _SIDES)]
    if not panels:
        raise ParameterError(
            "history must hold epochs with a loss or accuracy of train, val or test; "
            f"got {len(history)} epochs with none of them."
        )
    figure = new_figure(5.4 * len(panels), 4.0)
    for axes, (quantity, name, scale) in zip(
        np.ravel(figure.subplots(1, len(panels))), panels, strict=True
    ):
        for side, style in _SIDES.items():
            key = f"{side}_{quantity}"
            points = [(e.get("epoch", i), e[key]) for i, e in enumerate(history, 1) if key in e]
            if points:
                epochs, values = np.array(points, dtype=float).T
                axes.plot(epochs, scale * values, markevery=max(1, len(points) // 12), **style)
        if best_epoch is not None:
            axes.axvline(best_epoch, color=_GREY, linewidth=1, linestyle=":", label="kept epoch")
        if quantity == "accuracy":
            axes.set_ylim(0, 101)
        axes.set_xlabel("Epoch")
        axes.set_ylabel(name)
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        corner = "lower right" if quantity == "accuracy" else "upper right"
        axes.legend(loc=corner, edgecolor="none", framealpha=0.9)
        tidy_axes(axes)
    if title:
        figure.suptitle(title)
    save_figure(figure, path)


_SIDES: dict[str, dict[str, Any]] = {
    "train": {"label": "training", "color": _BLUE, "marker": "o", "markersize": 4},
    "val": {
        "label": "validation",
        "color": _ORANGE,
        "marker": "s",
        "markersize": 4,
        "linestyle": "--",
    },
    "test": {
        "label": "test (decides nothing)",
        "color": _GREEN,
        "marker": "^",
        "markersize": 4,
        "linestyle": "-.",
    },
}


def plot_confusion(
    matrix: ArrayLike,
    labels: Sequence[str],
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
) -> None:
    """Draw a confusion matrix: share of each true class, and the number of clips.

    Parameters
    ----------
    matrix : int [shape=(n_labels, n_labels)]
        Rows are the truth, columns the prediction. A row without clips stays blank.
    labels : sequence of str
        Names of the classes.
    path : path
        PNG to write, whole or not at all.
    title : str, optional
        Heading.

    Raises
    ------
    ParameterError
        If `matrix` is not square, does not fit `labels` or has negative counts.
    MissingDependencyError
        If matplotlib is not installed.
    """
    counts = _counts(matrix, labels)
    support = counts.sum(axis=1, keepdims=True)
    percent = 100 * counts / np.maximum(support, 1)
    n_labels = len(labels)
    is_large = n_labels > _MANY
    # Of many classes the count is left out: percent, and the class's clips at its name, tell it.
    cell_in = 0.36 if is_large else 0.66
    figure = new_figure(3.2 + cell_in * n_labels, 1.75 + cell_in * n_labels)
    axes = figure.subplots()
    image = axes.imshow(percent, cmap="Blues", vmin=0, vmax=100)
    for row in range(n_labels):
        for column in range(n_labels):
            share = f"{percent[row, column]:.0f}"
            if counts[row, column] and not (is_large and share == "0"):
                dark = percent[row, column] > 55
                axes.text(
                    column,
                    row,
                    share if is_large else f"{share} %\n{counts[row, column]}",
                    ha="center",
                    va="center",
                    fontsize=8.5,
                    color="white" if dark else "black",
                    in_layout=False,
                )
    angle = 60 if is_large else 40
    axes.set_xticks(range(n_labels), labels, rotation=angle, ha="right", rotation_mode="anchor")
    axes.set_yticks(
        range(n_labels), [f"{label} ({n})" for label, n in zip(labels, support[:, 0], strict=True)]
    )
    axes.set_xlabel("Predicted emotion")
    axes.set_ylabel("True emotion (clips)")
    # Lines and no grid, which would have a tick with two texts of its own for each.
    for border in np.arange(n_labels + 1) - 0.5:
        axes.axhline(border, color="white", linewidth=1.5)
        axes.axvline(border, color="white", linewidth=1.5)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("Share of the true class (%)")
    bar.outline.set_visible(False)
    axes.set_title(title or "", pad=10)
    save_figure(figure, path)


def plot_class_accuracy(
    matrix: ArrayLike,
    labels: Sequence[str],
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
) -> None:
    """Draw the accuracy within each class with its 95 % interval (CLAF-SER, figure 14).

    Parameters
    ----------
    matrix : int [shape=(n_labels, n_labels)]
        Rows are the truth, columns the prediction. A class without clips is left out.
    labels : sequence of str
        Names of the classes.
    path : path
        PNG to write, whole or not at all.
    title : str, optional
        Heading.

    Raises
    ------
    ParameterError
        If `matrix` is not square, does not fit `labels`, or is all zero.
    MissingDependencyError
        If matplotlib is not installed.

    Notes
    -----
    Intervals are Wilson's (1927) for a share of independent clips.
    """
    counts = _counts(matrix, labels)
    support = counts.sum(axis=1)
    shown = np.flatnonzero(support)
    if not shown.size:
        raise ParameterError("matrix must hold at least one clip, got all zeros.")
    recall = counts.diagonal()[shown] / support[shown]
    low, high = _wilson(recall, support[shown])
    uar = 100 * recall.mean()

    is_large = shown.size > _MANY
    # A heading and the legend must fit side by side.
    width_in = 2.2 + 0.42 * shown.size if is_large else max(6.4, 2.2 + 0.95 * shown.size)
    figure = new_figure(width_in, 4.9 if is_large else 4.2)
    axes = figure.subplots()
    places = list(range(shown.size))
    axes.bar(places, 100 * recall, width=0.66, color=_BLUE, zorder=2)
    axes.errorbar(
        places,
        100 * recall,
        yerr=100 * np.stack([recall - low, high - recall]).clip(0),
        fmt="none",
        ecolor="black",
        elinewidth=1,
        capsize=3,
        zorder=3,
    )
    axes.axhline(
        uar, color=_ORANGE, linestyle="--", linewidth=1.4, zorder=4, label=f"mean (UAR) {uar:.1f} %"
    )
    for place, share, top in zip(places, recall, high, strict=True):
        # At the foot of the bar, clear of whisker and mean line; above the whisker if too low.
        inside = share > 0.15
        axes.text(
            place,
            2.5 if inside else 100 * top + 2,
            f"{100 * share:.1f}",
            ha="center",
            fontsize=7.5 if is_large else None,
            color="white" if inside else "black",
            zorder=5,
            in_layout=False,
        )
    between = " " if is_large else "\n"
    names = [f"{labels[i]}{between}({support[i]})" for i in shown.tolist()]
    axes.set_xticks(places, names)
    if is_large:
        axes.set_xticks(places, names, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_xlim(-0.6, shown.size - 0.4)
    axes.tick_params(axis="x", length=0)
    axes.set_ylim(0, 101)
    axes.set_yticks(range(0, 101, 20))
    axes.set_xlabel("True emotion (clips)")
    axes.set_ylabel("Accuracy within the class (%)")
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1))
    axes.set_title(title or "", loc="left")
    tidy_axes(axes)
    save_figure(figure, path)


def _wilson(
    share: NDArray[np.float64], n: NDArray[np.int64], z: float = 1.96
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return centre - half, centre + half


def _counts(matrix: ArrayLike, labels: Sequence[str]) -> NDArray[np.int64]:
    counts = np.asarray(matrix)
    if counts.shape != (len(labels), len(labels)) or not len(labels):
        raise ParameterError(
            f"matrix must be {len(labels)} x {len(labels)} for the {len(labels)} labels, got the "
            f"shape {counts.shape}."
        )
    if not np.issubdtype(counts.dtype, np.integer) or counts.min() < 0:
        raise ParameterError("matrix must hold counts of clips: whole numbers from 0.")
    return counts.astype(np.int64)
