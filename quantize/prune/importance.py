"""How much a model would miss each of its units.

Units are what has an identity: LSTM units, attention heads, convolution channels, classifier
units. The dimensions inside a head have none, any rotation of them is the same model, so
:mod:`quantize.prune.cut` chooses among them by singular values.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from edge.errors import ParameterError
from quantize.models.claf_ser import CLAFSER
from quantize.training.crops import Batch

__all__ = ["Importance", "kept_units", "magnitude", "taylor"]


@dataclasses.dataclass(frozen=True)
class Importance:
    """Score of every unit; only units of one group can be compared.

    Parameters
    ----------
    lstm : float [shape=(2, hidden)]
        Forward and backward.
    heads : float [shape=(n_heads,)]
    conv : float [shape=(conv_channels,)]
    classifier : float [shape=(classifier,)]
    """

    lstm: Tensor
    heads: Tensor
    conv: Tensor
    classifier: Tensor


def kept_units(scores: Tensor, n_kept: int) -> Tensor:
    """Numbers of the ``n_kept`` highest scores, rising; of equal ones the first."""
    order = torch.argsort(scores, descending=True, stable=True)
    return order[:n_kept].sort().values


def magnitude(model: CLAFSER) -> Importance:
    """Score units by their weights: norm of what they read times norm of what reads them.

    A head's score is the norm of its value and output projections' product, which does not depend
    on how its dimensions are turned.
    """
    state = {name: t.detach().cpu().double() for name, t in model.state_dict().items()}
    lstm = []
    for suffix, columns in zip(("", "_reverse"), _readers(state), strict=True):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        read = [state[f"lstm.{n}_l0{suffix}"].reshape(4, columns.shape[1], -1) for n in names]
        incoming = torch.cat(read, dim=2).pow(2).sum(dim=(0, 2)).sqrt()
        lstm.append(incoming * columns.norm(dim=0))
    out = state["attention.out_proj.weight"].chunk(model.config.n_heads, dim=1)
    values = state["attention.in_proj_weight"].chunk(3)[2].chunk(model.config.n_heads)
    heads = [(o @ v).norm() for o, v in zip(out, values, strict=True)]
    conv = torch.cat([state["conv.weight"].flatten(1), state["conv.bias"][:, None]], dim=1)
    fc1 = torch.cat([state["fc1.weight"], state["fc1.bias"][:, None]], dim=1)
    # The layer norm takes the mean over units away.
    fc1 = (fc1 - fc1.mean(dim=0)) * state["norm.weight"][:, None]
    return Importance(
        torch.stack(lstm),
        torch.stack(heads),
        conv.norm(dim=1) * state["fc1.weight"][:, 2 * model.config.hidden :].norm(dim=0),
        fc1.norm(dim=1) * state["fc2.weight"].norm(dim=0),
    )


def taylor(model: CLAFSER, batches: Iterable[Batch]) -> Importance:
    """Score units by what the loss would change, to first order, were they silent.

    That is the sum of weight times gradient over all that reads a unit, whose size is averaged
    over batches (Molchanov et al., 2019).

    Parameters
    ----------
    model : CLAFSER
        Is not changed.
    batches : iterable of Batch
        Of training clips.

    Raises
    ------
    ParameterError
        If there is no batch.
    """
    model = copy.deepcopy(model).eval()
    config = model.config
    device = next(model.parameters()).device
    totals: list[Tensor] | None = None
    n_batches = 0
    # cuDNN's LSTM has a gradient in training mode alone.
    with torch.backends.cudnn.flags(enabled=False):
        for batch in batches:
            x, labels, languages = (
                torch.from_numpy(a).to(device) for a in (batch.rows, batch.labels, batch.languages)
            )
            model.zero_grad(set_to_none=True)
            nn.functional.cross_entropy(model(x, languages).logits, labels).backward()
            change = {
                name: (p.detach() * p.grad).cpu().double()
                for name, p in model.named_parameters()
                if p.grad is not None
            }
            heads = change["attention.out_proj.weight"].chunk(config.n_heads, dim=1)
            scores = [
                torch.stack([columns.sum(dim=0) for columns in _readers(change)]),
                torch.stack([head.sum() for head in heads]),
                change["fc1.weight"][:, 2 * config.hidden :].sum(dim=0),
                change["fc2.weight"].sum(dim=0),
            ]
            sizes = [score.abs() for score in scores]
            totals = (
                sizes if totals is None else [a + b for a, b in zip(totals, sizes, strict=True)]
            )
            n_batches += 1
    if totals is None:
        raise ParameterError("there is no batch to score units on, at least 1 is wanted")
    return Importance(*(total / n_batches for total in totals))


def _readers(state: dict[str, Tensor]) -> list[Tensor]:
    """All weights that read an LSTM unit, forward and backward: (n_readers, hidden) each."""
    both = state["attention.in_proj_weight"].chunk(2, dim=1)
    return [
        torch.cat([columns, state[f"lstm.weight_hh_l0{suffix}"]])
        for suffix, columns in zip(("", "_reverse"), both, strict=True)
    ]
