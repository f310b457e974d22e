"""Sensitivity sweep: what each structure's loss costs before any fine-tuning."""

from __future__ import annotations

import copy
import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from quantize.data.features.segments import SegmentSet
from quantize.models.claf_ser import CLAFSER
from quantize.prune.cut import factors, prune_model
from quantize.prune.importance import Importance, kept_units
from quantize.prune.sizes import pruned_config

__all__ = ["SHARES", "STRUCTURES", "Drop", "format_drops", "plot_drops", "sensitivity", "weakened"]

#: Shares of a structure that are removed.
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)

_BATCH = 64


@dataclasses.dataclass(frozen=True)
class Drop:
    """What removing a part of one structure costs.

    Parameters
    ----------
    structure : str
        One of :data:`STRUCTURES`, or ``"none"``: the whole model.
    removed, n : int
        Units removed, of how many; of query_key and value the dimensions of each head, of lstm
        the units of each direction.
    loss : float
        Mean cross-entropy.
    accuracy : float
        Share of segments.
    loss_rise, accuracy_drop : float
        Against the whole model.
    """

    structure: str
    removed: int
    n: int
    loss: float
    accuracy: float
    loss_rise: float
    accuracy_drop: float

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return dataclasses.asdict(self)


def _without_lstm(model: CLAFSER, n_kept: int, importance: Importance) -> CLAFSER:
    hidden = model.config.hidden
    for number, suffix in enumerate(("", "_reverse")):
        silent = _others(importance.lstm[number], n_kept)
        model.attention.in_proj_weight[:, number * hidden + silent] = 0.0
        getattr(model.lstm, f"weight_hh_l0{suffix}")[:, silent] = 0.0
    return model


def _without_heads(model: CLAFSER, n_kept: int, importance: Importance) -> CLAFSER:
    attention, n_heads = model.attention, model.config.n_heads
    values = attention.in_proj_bias.chunk(3)[2]
    # A dropped head leaves its mean.
    attention.out_proj.bias.add_(attention.out_proj.weight @ values)
    values.zero_()
    columns = attention.out_proj.weight.view(len(values), n_heads, -1)
    columns[:, _others(importance.heads, n_kept)] = 0.0
    return model


def _lower_scores(model: CLAFSER, n_kept: int, importance: Importance) -> CLAFSER:
    del importance
    query, key, _ = model.attention.in_proj_weight.chunk(3)
    bias = model.attention.in_proj_bias.chunk(3)[0]
    for rows in _heads(model):
        reading = torch.cat([query[rows], bias[rows, None]], dim=1).double()
        left, right = factors(reading.T @ key[rows].double(), n_kept)
        query[rows], bias[rows], key[rows] = 0.0, 0.0, 0.0
        used = slice(rows.start, rows.start + n_kept)
        query[used], bias[used], key[used] = left[:-1].T.float(), left[-1].float(), right.float()
    return model


def _lower_values(model: CLAFSER, n_kept: int, importance: Importance) -> CLAFSER:
    del importance
    attention = model.attention
    value, out = attention.in_proj_weight.chunk(3)[2], attention.out_proj.weight
    values = attention.in_proj_bias.chunk(3)[2]
    attention.out_proj.bias.add_(out @ values)
    values.zero_()
    for rows in _heads(model):
        left, right = factors(out[:, rows].double() @ value[rows].double(), n_kept)
        out[:, rows], value[rows] = 0.0, 0.0
        used = slice(rows.start, rows.start + n_kept)
        out[:, used], value[used] = left.float(), right.float()
    return model


def _without_conv(model: CLAFSER, n_kept: int, importance: Importance) -> CLAFSER:
    return prune_model(model, pruned_config(model.config, conv_channels=n_kept), importance)


def _without_classifier(model: CLAFSER, n_kept: int, importance: Importance) -> CLAFSER:
    return prune_model(model, pruned_config(model.config, classifier=n_kept), importance)


_Weaken = Callable[[CLAFSER, int, Importance], CLAFSER]

_WEAKEN: dict[str, tuple[Callable[[Any], int], _Weaken]] = {
    "lstm": (lambda c: c.hidden, _without_lstm),
    "heads": (lambda c: c.n_heads, _without_heads),
    "query_key": (lambda c: 2 * c.hidden // c.n_heads, _lower_scores),
    "value": (lambda c: 2 * c.hidden // c.n_heads, _lower_values),
    "conv": (lambda c: c.conv_channels, _without_conv),
    "classifier": (lambda c: c.classifier, _without_classifier),
}

#: What is swept.
STRUCTURES = tuple(_WEAKEN)


def weakened(model: CLAFSER, structure: str, n_removed: int, importance: Importance) -> CLAFSER:
    """Copy a model and remove the least important units of one of :data:`STRUCTURES`.

    The others stay as they are, also where sizes hang together: the attention keeps its width.
    """
    n_units, weaken = _WEAKEN[structure]
    with torch.no_grad():
        return weaken(copy.deepcopy(model), n_units(model.config) - n_removed, importance)


def sensitivity(
    model: CLAFSER,
    importance: Importance,
    segments: SegmentSet,
    labels: Sequence[str],
    mean: NDArray[np.float32],
    std: NDArray[np.float32],
    shares: Sequence[float] = SHARES,
) -> Iterator[Drop]:
    """Remove shares of every structure in turn and measure.

    Parameters
    ----------
    model : CLAFSER
    importance : Importance
    segments : SegmentSet
        Not of the test side.
    labels : sequence of str
        The model's.
    mean, std : float32 [shape=(n_features,)]
        Normalisation.
    shares : sequence of float
        Rounded to whole units; those that remove nothing or everything are left out.

    Yields
    ------
    Drop
        The first is of the whole model.
    """
    device = next(model.parameters()).device
    x = torch.from_numpy(((segments.rows - mean) / std).astype(np.float32)).to(device)
    truth = torch.tensor([labels.index(name) for name in segments.labels], device=device)
    whole = _measure(model, x, truth)
    yield Drop("none", 0, 0, *whole, 0.0, 0.0)
    for structure, (n_units, _) in _WEAKEN.items():
        n = n_units(model.config)
        counts = sorted({round(share * n) for share in shares} - {0, n})
        for removed in counts:
            weaker = weakened(model, structure, removed, importance).to(device)
            loss, accuracy = _measure(weaker, x, truth)
            yield Drop(structure, removed, n, loss, accuracy, loss - whole[0], whole[1] - accuracy)


def format_drops(drops: Sequence[Drop]) -> str:
    """Lay out an aligned table."""
    lines = [f"{'structure':<10}  {'removed':>10}  share    loss    rise  accuracy  points lost"]
    for d in drops:
        share = f"{100 * d.removed / d.n:4.0f} %" if d.n else f"{'-':>6}"
        removed = f"{d.removed} of {d.n}" if d.n else "-"
        lines.append(
            f"{d.structure:<10}  {removed:>10} {share}  {d.loss:6.3f}  {d.loss_rise:+6.3f}  "
            f"{100 * d.accuracy:8.2f}  {100 * d.accuracy_drop:11.2f}"
        )
    return "\n".join(lines)


def plot_drops(drops: Sequence[Drop], path: str | os.PathLike[str]) -> None:
    """Draw the accuracy over the share removed, one line a structure.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    from quantize.basics.pictures import new_figure, save_figure, tidy_axes

    figure = new_figure(6.4, 4.2)
    axes = figure.subplots()
    colours = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#555555", "#E69F00")
    whole = 100 * drops[0].accuracy
    for structure, colour, marker in zip(STRUCTURES, colours, "os^Dvx", strict=True):
        own = [d for d in drops if d.structure == structure]
        axes.plot(
            [0.0, *(100 * d.removed / d.n for d in own)],
            [whole, *(100 * d.accuracy for d in own)],
            color=colour,
            marker=marker,
            markersize=4,
            label=structure.replace("_", " and "),
        )
    axes.set_xlabel("Removed of the structure (%)")
    axes.set_ylabel("Accuracy of segments (%)")
    axes.legend(loc="lower left", edgecolor="none", framealpha=0.9)
    tidy_axes(axes)
    save_figure(figure, path)


def _measure(model: CLAFSER, x: Tensor, labels: Tensor) -> tuple[float, float]:
    """Loss and accuracy, language unknown."""
    languages = torch.full_like(labels, model.config.unknown_language)
    with torch.inference_mode():
        logits = torch.cat(
            [
                model(rows, language).logits
                for rows, language in zip(x.split(_BATCH), languages.split(_BATCH), strict=True)
            ]
        )
    loss = torch.nn.functional.cross_entropy(logits, labels)
    return float(loss), float((logits.argmax(dim=1) == labels).float().mean())


def _heads(model: CLAFSER) -> list[slice]:
    per_head = 2 * model.config.hidden // model.config.n_heads
    return [slice(h * per_head, (h + 1) * per_head) for h in range(model.config.n_heads)]


def _others(scores: Tensor, n_kept: int) -> Tensor:
    silent = torch.ones(len(scores), dtype=torch.bool)
    silent[kept_units(scores, n_kept)] = False
    return silent.nonzero().flatten()
