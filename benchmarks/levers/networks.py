"""Many CLAF-SERs as one: a vector of parameters each, and one forward pass for all of them.

What it computes is :class:`quantize.models.claf_ser.CLAFSER` with a mask; a test holds both
against each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.levers.lstm import PLAIN, Kernels, Lstm
from quantize.models.claf_ser import CLAFSER, reverse_gradient
from quantize.models.config import ClafSerConfig

__all__ = ["Dropout", "Layout", "Said", "said"]

_FUNCTIONALS = "functionals"
_TINY = 1e-6


class Layout:
    """Where each parameter lies in a network's vector.

    Parameters
    ----------
    config : ClafSerConfig
        Of all networks.
    n_rows : int
        Columns of a row that functionals are taken of: the features, without the part of a
        reference.
    """

    def __init__(self, config: ClafSerConfig, n_rows: int) -> None:
        self.config, self.n_rows = config, n_rows
        with torch.device("meta"):
            named = dict(CLAFSER(config).named_parameters())
        self.shapes = {name: tuple(each.shape) for name, each in named.items()}
        self.shapes[_FUNCTIONALS] = (config.classifier, 2 * n_rows)
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        self._sizes, self.n_parameters = sizes, sum(sizes)
        #: float32 [shape=(P,)]: 1 where a weight decays, as the product's training has it.
        self.is_decayed = torch.cat(
            [
                torch.full((size,), float(len(shape) > 1))
                for size, shape in zip(sizes, self.shapes.values(), strict=True)
            ]
        )

    def drawn(self, seed: int) -> Tensor:
        """Parameters to begin with, as the product begins with this seed: (P,)."""
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            network = CLAFSER(self.config)
            functionals = torch.empty(self.shapes[_FUNCTIONALS])
            nn.init.uniform_(functionals, -1, 1).div_(math.sqrt(functionals.shape[1]))
        return self.joined(network, functionals)

    def joined(self, network: CLAFSER, functionals: Tensor | None = None) -> Tensor:
        """The vector of a network: (P,), without a gradient."""
        named: dict[str, Tensor] = dict(network.named_parameters())
        if functionals is None:
            functionals = torch.zeros(self.shapes[_FUNCTIONALS])
        named[_FUNCTIONALS] = functionals
        return torch.cat([named[name].detach().reshape(-1) for name in self.shapes])

    def parts(self, vectors: Tensor) -> dict[str, Tensor]:
        """Parameters by name, views of the vectors (M, P): (M, ...) each."""
        split = vectors.split(self._sizes, dim=1)
        return {
            name: part.view(-1, *shape)
            for (name, shape), part in zip(self.shapes.items(), split, strict=True)
        }


class Dropout(NamedTuple):
    """Shares that are left out in training, each (M,)."""

    network: Tensor
    functionals: Tensor


class Said(NamedTuple):
    """What the networks yield for their crops."""

    logits: Tensor  #: (M, B, n_labels)
    domain_logits: Tensor | None  #: (M, B, n_domains); None but in training
    pooled: Tensor  #: (M, B, 2 * hidden)


def said(
    layout: Layout,
    vectors: Tensor,
    rows: Tensor,
    n_frames: Tensor,
    languages: Tensor,
    *,
    functionals: Tensor | None = None,
    dropout: Dropout | None = None,
    kernels: Kernels = PLAIN,
) -> Said:
    """Run every network on crops of its own.

    Parameters
    ----------
    layout : Layout
    vectors : float32 [shape=(M, P)]
    rows : float32 [shape=(M, B, T, n_features)]
        Normalised; ``T`` is a multiple of the frames of a step.
    n_frames : int64 [shape=(M, 1) or (M, B)]
        How many of the frames are real.
    languages : int64 [shape=(M, B)]
    functionals : float32 [shape=(M,)], optional
        1 for a network that hears functionals, 0 for one that does not; None: none does.
    dropout : Dropout, optional
        In training.
    kernels : Kernels, optional

    Returns
    -------
    Said
    """
    config, p = layout.config, layout.parts(vectors)
    n_networks, n_crops, n_rows, n_features = rows.shape
    stack = config.frame_stack
    n_steps = n_rows // stack
    n_frames = n_frames.expand(n_networks, n_crops)
    at = torch.arange(n_rows, device=rows.device)
    # As the end of a clip alone: its last frame again.
    kept = torch.minimum(at, n_frames.unsqueeze(2) - 1)
    rows = rows.gather(2, kept.unsqueeze(3).expand_as(rows))
    real = at[: n_steps * stack : stack] < n_frames.unsqueeze(2)
    steps = rows.reshape(n_networks, n_crops, n_steps, stack * n_features)
    heard = _encoded(config, p, steps, real, kernels)
    if dropout is not None:
        heard = _dropped(heard, dropout.network)
    pooled = _attended(config, p, heard, real)
    phonetic = _phonetic(config, p, steps, real)
    known = languages.unsqueeze(2) == torch.arange(config.n_domains + 1, device=rows.device)
    adapted = pooled + torch.bmm(known.to(rows.dtype), p["language.weight"])
    classified = _linear(p, "fc1", torch.cat([adapted, phonetic], 2))
    if functionals is not None:
        told = _functionals(rows[..., : layout.n_rows], at < n_frames.unsqueeze(2))
        if dropout is not None:
            told = _dropped(told, dropout.functionals)
        weights = p[_FUNCTIONALS].transpose(1, 2)
        classified = classified + torch.bmm(told * functionals.view(-1, 1, 1), weights)
    classified = nn.functional.layer_norm(classified, (config.classifier,))
    classified = classified * p["norm.weight"].unsqueeze(1) + p["norm.bias"].unsqueeze(1)
    classified = classified.relu()
    if dropout is not None:
        classified = _dropped(classified, dropout.network)
    logits = _linear(p, "fc2", classified)
    domain_logits = None
    if dropout is not None:
        unknown = p["language.weight"][:, config.unknown_language].unsqueeze(1)
        domain = _linear(p, "domain.0", reverse_gradient(pooled + unknown, 1.0)).relu()
        domain_logits = _linear(p, "domain.2", domain)
    return Said(logits, domain_logits, pooled)


def _linear(p: Mapping[str, Tensor], name: str, x: Tensor) -> Tensor:
    weight, bias = p[f"{name}.weight"], p[f"{name}.bias"]
    return torch.baddbmm(bias.unsqueeze(1), x, weight.transpose(1, 2))


def _dropped(x: Tensor, share: Tensor) -> Tensor:
    share = share.view(-1, *[1] * (x.ndim - 1))
    return x * (torch.rand_like(x) >= share).to(x.dtype) / (1 - share)


def _both(p: Mapping[str, Tensor], name: str) -> Sequence[Tensor]:
    """A parameter of the LSTM, forwards and backwards."""
    return p[f"lstm.{name}_l0"], p[f"lstm.{name}_l0_reverse"]


def _encoded(
    config: ClafSerConfig, p: Mapping[str, Tensor], steps: Tensor, real: Tensor, kernels: Kernels
) -> Tensor:
    """Equation 13: (M, B, S, width) to (M, B, S, 2 * hidden)."""
    n_networks, n_crops, n_steps, width = steps.shape
    wide = 4 * config.hidden
    weights = torch.cat([*_both(p, "weight_ih")], 1)
    biases = torch.cat(
        [a + b for a, b in zip(_both(p, "bias_ih"), _both(p, "bias_hh"), strict=True)], 1
    )
    flat = steps.reshape(n_networks, n_crops * n_steps, width)
    sums = torch.baddbmm(biases.unsqueeze(1), flat, weights.transpose(1, 2))
    sums = sums.view(n_networks, n_crops, n_steps, 2, wide)
    # A step that is none takes nothing in: backwards, the first that is one finds no memory.
    shut = ((real.to(steps.dtype) - 1) * 1e4)[..., None, None]
    sums = torch.cat([sums[..., : config.hidden] + shut, sums[..., config.hidden :]], 4)
    sums = sums.permute(2, 0, 3, 1, 4)
    sums = torch.stack([sums[:, :, 0], sums[:, :, 1].flip(0)], 2)
    recurrent = torch.stack([*_both(p, "weight_hh")], 1)
    output: Tensor = Lstm.apply(  # type: ignore[no-untyped-call]
        sums.reshape(n_steps, 2 * n_networks, n_crops, wide),
        recurrent.reshape(2 * n_networks, wide, config.hidden).transpose(1, 2),
        kernels,
    )
    output = output.view(n_steps, n_networks, 2, n_crops, config.hidden)
    both = torch.cat([output[:, :, 0], output[:, :, 1].flip(0)], 3)
    return both.permute(1, 2, 0, 3).contiguous()


def _attended(
    config: ClafSerConfig, p: Mapping[str, Tensor], heard: Tensor, real: Tensor
) -> Tensor:
    """Equations 14 and 15, as the product folds them: (M, B, 2 * hidden)."""
    n_networks, n_crops, n_steps, width = heard.shape
    n_heads, per_head = config.n_heads, width // config.n_heads
    weights, biases = p["attention.in_proj_weight"], p["attention.in_proj_bias"]
    both = torch.baddbmm(
        biases[:, None, : 2 * width],
        heard.view(n_networks, n_crops * n_steps, width),
        weights[:, : 2 * width].transpose(1, 2),
    )
    both = both.view(n_networks, n_crops, n_steps, 2, n_heads, per_head).permute(3, 0, 1, 4, 2, 5)
    scores = (both[0] @ both[1].transpose(3, 4)) * per_head**-0.5
    scores = scores.masked_fill(~real[:, :, None, None, :], float("-inf"))
    counts = real[:, :, None, :, None].to(heard.dtype)
    attended = (scores.softmax(4) * counts).sum(3) / counts.sum(3)
    values = weights[:, 2 * width :].reshape(n_networks, n_heads, per_head, width)
    pooled = torch.einsum("mbhd,mhkd->mbhk", attended @ heard, values)
    pooled = pooled.reshape(n_networks, n_crops, width) + biases[:, None, 2 * width :]
    return _linear(p, "attention.out_proj", pooled)


def _phonetic(
    config: ClafSerConfig, p: Mapping[str, Tensor], steps: Tensor, real: Tensor
) -> Tensor:
    """Equations 16 and 17: (M, B, conv_channels)."""
    n_networks, n_crops, n_steps, _ = steps.shape
    around = config.conv_kernel // 2
    counts = real.unsqueeze(3).to(steps.dtype)
    padded = nn.functional.pad(steps * counts, (0, 0, around, around))
    seen = torch.cat([padded[:, :, i : i + n_steps] for i in range(config.conv_kernel)], 3)
    kernel = p["conv.weight"].permute(0, 3, 2, 1).reshape(n_networks, -1, config.conv_channels)
    told = torch.baddbmm(
        p["conv.bias"].unsqueeze(1), seen.view(n_networks, n_crops * n_steps, -1), kernel
    )
    told = told.view(n_networks, n_crops, n_steps, config.conv_channels).relu()
    return (told * counts).sum(2) / counts.sum(2)


def _functionals(rows: Tensor, real: Tensor) -> Tensor:
    """Mean and spread of the real frames: (M, B, 2 * n_rows)."""
    counts = real.unsqueeze(3).to(rows.dtype)
    n = counts.sum(2)
    mean = (rows * counts).sum(2) / n
    squares = (rows - mean.unsqueeze(2)) ** 2 * counts
    return torch.cat([mean, (squares.sum(2) / n + _TINY).sqrt()], 2)
