"""Cutting a smaller CLAF-SER out of a trained one.

LSTM units, heads, channels and classifier units are kept or dropped by their importance. With the
LSTM's units the attention's width shrinks too, because ``nn.MultiheadAttention`` has one width for
queries, keys, values and output. Its dimensions are not picked one by one: any rotation of a head's
dimensions is the same head, so the best smaller head is the truncated singular value decomposition
of the products that count, queries with keys and values with the output. The output's dimensions
are rotated to those that the classifier reads; while there are as many as classifier units, nothing
is lost by it.

What is dropped was dead: then the smaller model gives the same logits.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edge.errors import ParameterError
from quantize.models.claf_ser import CLAFSER, ClafSerConfig
from quantize.prune.importance import Importance, kept_units

__all__ = ["factors", "prune_model", "refuse_unprunable"]

State = dict[str, Tensor]

# Singular values below this share of the largest are rounding.
_ZERO = 1e-10


def refuse_unprunable(model: object, name: str) -> None:
    """Raise a ParameterError unless ``model`` is a whole CLAF-SER; ``name`` is for the message."""
    if not isinstance(model, CLAFSER):
        raise ParameterError(
            f"{name} holds the baseline, which is there to compare with: prune a run of train"
        )
    if model.config.without:
        raise ParameterError(
            f"{name} was trained without {', '.join(model.config.without)}, to measure what that "
            "is worth: prune a run of a whole CLAF-SER"
        )


def prune_model(model: CLAFSER, config: ClafSerConfig, importance: Importance) -> CLAFSER:
    """Cut a model down to smaller sizes.

    Parameters
    ----------
    model : CLAFSER
        Trained; is not changed.
    config : ClafSerConfig
        From :func:`quantize.prune.sizes.pruned_config`.
    importance : Importance
        Of the model's units.

    Returns
    -------
    CLAFSER
        In evaluation mode, on the CPU.

    Raises
    ------
    ParameterError
        If the model is not a whole CLAF-SER.
    """
    refuse_unprunable(model, "the model")
    old = model.config
    state = {name: tensor.detach().cpu().double() for name, tensor in model.state_dict().items()}
    if config.classifier < old.classifier:
        cut_classifier(state, kept_units(importance.classifier, config.classifier))
    if config.conv_channels < old.conv_channels:
        _cut_conv(state, kept_units(importance.conv, config.conv_channels), 2 * old.hidden)
    if (config.hidden, config.n_heads) != (old.hidden, old.n_heads):
        units = [kept_units(scores, config.hidden) for scores in importance.lstm]
        columns = _cut_lstm(state, units, old.hidden)
        heads = kept_units(importance.heads, config.n_heads)
        _cut_attention(state, columns, heads, old.n_heads, 2 * config.hidden)
    if config.hidden < old.hidden:
        _cut_output(state, 2 * config.hidden)
    pruned = CLAFSER(config)
    pruned.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return pruned.eval()


def factors(product: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """Nearest product of two matrices of a given rank: (m, n) -> (m, rank), (rank, n).

    What ``rank`` has beyond the product's own rank is zero on the left alone, so that training
    can still use it.
    """
    u, s, vh = torch.linalg.svd(product, full_matrices=True)
    n_found = min(rank, len(s))
    s = s[:n_found]
    empty = s <= _ZERO * s[:1]
    root = s.sqrt()
    middle = root[~empty].mean() if (~empty).any() else torch.ones((), dtype=s.dtype)
    left = product.new_zeros(product.shape[0], rank)
    right = product.new_zeros(rank, product.shape[1])
    left[:, :n_found] = u[:, :n_found] * torch.where(empty, torch.zeros_like(root), root)
    right[:n_found] = vh[:n_found] * torch.where(empty, middle, root)[:, None]
    return left, right


def cut_classifier(state: State, kept: Tensor) -> None:
    """Keep some units of the emotion MLP, and the layer norm's scale."""
    n_units = len(state["norm.weight"])
    fc1 = torch.cat([state["fc1.weight"], state["fc1.bias"][:, None]], dim=1)
    # What all units share is gone after the layer norm.
    fc1 = fc1 - fc1.mean(dim=0)
    power = fc1.pow(2).sum() / n_units
    fc1 = fc1[kept]
    own = (fc1 - fc1.mean(dim=0)).pow(2).sum() / len(kept)
    # As much power a unit as before, so that the norm divides by as much.
    scale = (power / own).sqrt() if power > 0 and own > 0 else torch.ones(())
    state["fc1.weight"], state["fc1.bias"] = fc1[:, :-1] * scale, fc1[:, -1] * scale
    state["norm.weight"] = state["norm.weight"][kept] / scale
    state["norm.bias"] = state["norm.bias"][kept]
    state["fc2.weight"] = state["fc2.weight"][:, kept]


def _cut_conv(state: State, kept: Tensor, width: int) -> None:
    for name in ("conv.weight", "conv.bias"):
        state[name] = state[name][kept]
    fc1 = state["fc1.weight"]
    state["fc1.weight"] = torch.cat([fc1[:, :width], fc1[:, width + kept]], dim=1)


def _cut_lstm(state: State, units: list[Tensor], hidden: int) -> Tensor:
    """Keep some units of both directions; returns the places that they had in the output."""
    for suffix, kept in zip(("", "_reverse"), units, strict=True):
        rows = torch.cat([gate * hidden + kept for gate in range(4)])
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            state[f"lstm.{name}_l0{suffix}"] = state[f"lstm.{name}_l0{suffix}"][rows]
        recurrent = f"lstm.weight_hh_l0{suffix}"
        state[recurrent] = state[recurrent][:, kept]
    return torch.cat([units[0], hidden + units[1]])


def _cut_attention(state: State, columns: Tensor, heads: Tensor, n_heads: int, width: int) -> None:
    """Keep some inputs and some heads, and so many dimensions a head that they fill ``width``."""
    query, key, value = state["attention.in_proj_weight"].chunk(3)
    # The keys' bias shifts all scores of a query alike and is gone after the softmax.
    query_bias, _, value_bias = state["attention.in_proj_bias"].chunk(3)
    out = state["attention.out_proj.weight"]
    # The weights of a mean sum to 1: the values' bias is the output's, of dropped heads too.
    state["attention.out_proj.bias"] = state["attention.out_proj.bias"] + out @ value_bias
    per_head, n_dims = len(query) // n_heads, width // len(heads)
    queries, biases, keys, values, outs = [], [], [], [], []
    for head in heads.tolist():
        rows = slice(head * per_head, (head + 1) * per_head)
        # The bias reads an input that is always 1.
        reading = torch.cat([query[rows][:, columns], query_bias[rows, None]], dim=1)
        scores = reading.T @ key[rows][:, columns]
        # Scores are divided by the root of a head's dimensions, now fewer.
        left, right = factors(scores * (n_dims / per_head) ** 0.5, n_dims)
        queries.append(left[:-1].T)
        biases.append(left[-1])
        keys.append(right)
        left, right = factors(out[:, rows] @ value[rows][:, columns], n_dims)
        values.append(right)
        outs.append(left)
    state["attention.in_proj_weight"] = torch.cat([*queries, *keys, *values])
    nothing = torch.zeros(2 * width, dtype=query.dtype)
    state["attention.in_proj_bias"] = torch.cat([*biases, nothing])
    state["attention.out_proj.weight"] = torch.cat(outs, dim=1)


def _cut_output(state: State, width: int) -> None:
    """Rotate the attended vector to the dimensions that count, and keep the first ``width``."""
    old = state["attention.out_proj.bias"].numel()
    basis = _basis(state["fc1.weight"][:, :old], state["domain.0.weight"], width)
    for name in ("attention.out_proj.weight", "attention.out_proj.bias"):
        state[name] = basis @ state[name]
    fc1 = state["fc1.weight"]
    state["fc1.weight"] = torch.cat([fc1[:, :old] @ basis.T, fc1[:, old:]], dim=1)
    for name in ("language.weight", "domain.0.weight"):
        state[name] = state[name] @ basis.T


def _basis(first: Tensor, second: Tensor, n_rows: int) -> Tensor:
    """Orthonormal directions that ``first`` reads, then those that only ``second`` does."""
    _, s, vh = torch.linalg.svd(first, full_matrices=True)
    n_first = min(n_rows, int((s > _ZERO * s[0]).sum()))
    chosen, rest = vh[:n_first], vh[n_first:]
    if n_first < n_rows:
        # Within the rest, turned to what the second reads of it.
        _, _, turned = torch.linalg.svd(second @ rest.T, full_matrices=True)
        chosen = torch.cat([chosen, turned[: n_rows - n_first] @ rest])
    found: Tensor = chosen
    return found
