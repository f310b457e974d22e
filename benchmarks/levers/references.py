"""References for the voices of crops, drawn beforehand: a draw on a GPU is then one look-up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.levers.packed import Packed
from quantize.data.features.voices import N_CLIPS

__all__ = ["N_DRAWS", "Voices", "drawn_references", "speaker_means"]

#: References of every clip and variant.
N_DRAWS = 16

#: How often a reference is of any clips, of calm ones alone, of three calm ones in four: as in
#: :mod:`quantize.training.reference_draws`.
_KINDS = (0.4, 0.25, 0.35)

_SEED = 3
_AT_ONCE = 512


class Voices:
    """Clips by what they have in common: a row of numbers each, filled up with -1."""

    def __init__(self, of: NDArray[np.int64]) -> None:
        members = [np.flatnonzero(of == name) for name in range(int(of.max()) + 1)]
        table = np.full((len(members), max(map(len, members))), -1, np.int64)
        for row, each in zip(table, members, strict=True):
            row[: len(each)] = each
        self._of, self._table = of, table

    def others(self, device: str) -> tuple[Tensor, Tensor]:
        """Who shares each clip's name, and which of these are others: (n_clips, n_most) each."""
        members = torch.as_tensor(self._table[self._of], device=device)
        own = torch.arange(len(members), device=device)[:, None]
        return members.clamp(min=0), (members >= 0) & (members != own)


def speaker_means(packed: Packed) -> NDArray[np.float64]:
    """Mean features of every speaker, of clean clips: (n_speakers, n_features)."""
    totals = packed.totals[:, 0].astype(np.float64)
    sums = np.zeros((int(packed.speaker.max()) + 1, *totals.shape[1:]))
    np.add.at(sums, packed.speaker, totals)
    means: NDArray[np.float64] = sums[:, 0] / np.maximum(sums[:, 1], 1)
    return means


def drawn_references(
    packed: Packed, frame_s: float, prior_s: float, device: str
) -> tuple[Tensor, Tensor]:
    """Draw references for every clip and variant.

    Parameters
    ----------
    packed : Packed
    frame_s : float
        From one frame to the next.
    prior_s : float
        See :class:`edge.features.voice_reference.VoiceReference`.
    device : str

    Returns
    -------
    parts, means : float16 [shape=(n_clips, n_variants, N_DRAWS, n_features)]
        How much of the voice's mean is taken away, and that mean.
    """
    totals = torch.as_tensor(packed.totals, device=device)
    n_clips, n_variants, _, n_features = totals.shape
    shape = n_clips, n_variants, N_DRAWS, n_features
    parts, means = (torch.zeros(shape, dtype=torch.float16, device=device) for _ in range(2))
    rng = np.random.default_rng(_SEED)
    calm = torch.as_tensor(packed.calm, device=device)
    # Clean clips of a speaker sound alike, those of a variant within a session alone.
    clean, varied = (Voices(of).others(device) for of in (packed.speaker, packed.session))
    for variant in range(n_variants):
        members, is_other = varied if variant else clean
        for draw in range(N_DRAWS):
            times = _times(members, is_other, calm[members] & is_other, rng)
            for at in _blocks(n_clips):
                sums = torch.einsum("ck,ckxf->cxf", times[at], totals[members[at], variant])
                seconds = sums[:, 1] * frame_s
                parts[at, variant, draw] = (seconds / (seconds + prior_s)).half()
                means[at, variant, draw] = (sums[:, 0] / sums[:, 1].clamp(min=1)).half()
    return parts, means


def _blocks(n: int) -> Iterator[slice]:
    for at in range(0, n, _AT_ONCE):
        yield slice(at, at + _AT_ONCE)


def _times(members: Tensor, is_other: Tensor, is_calm: Tensor, rng: np.random.Generator) -> Tensor:
    """How often each member is part of a clip's reference: float32 (n_clips, n_most)."""
    n_clips, device = len(members), members.device
    wanted = torch.as_tensor(rng.choice(N_CLIPS, n_clips), device=device)
    kind = torch.as_tensor(rng.choice(len(_KINDS), n_clips, p=_KINDS), device=device)
    n_calm = torch.where(kind == 0, 0, torch.where(kind == 1, wanted, -(-3 * wanted // 4)))
    first = _some(is_calm, n_calm)
    second = _some(is_other, wanted - n_calm)
    return first.float() + second.float()


def _some(allowed: Tensor, n: Tensor) -> Tensor:
    """So many of each row's that are allowed, at random; all where there are fewer."""
    chance = torch.rand(allowed.shape, device=allowed.device)
    # What is not allowed comes last.
    rank = torch.where(allowed, chance, 9.0).argsort(1).argsort(1)
    return (rank < n[:, None]) & allowed
