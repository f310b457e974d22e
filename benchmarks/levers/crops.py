"""Random crops for trainings side by side, drawn and varied where the rows lie.

What is done to a crop is what :mod:`quantize.training.crops` does, one training a row of the batch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.levers.packed import FINE, Packed
from benchmarks.levers.references import N_DRAWS, drawn_references, speaker_means
from benchmarks.levers.settings import LeverSettings
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceColumns

__all__ = ["Crops", "Picks", "RowStore"]


@dataclass(frozen=True, slots=True)
class Picks:
    """What a step hears: clips and variants, int64 (M, B), and how many frames, int64 (M, 1)."""

    clips: Tensor
    variants: Tensor
    n_frames: Tensor


class RowStore:
    """All rows where they are computed with, and what moves them."""

    def __init__(self, packed: Packed, spec: FeatureSpec, device: str) -> None:
        self.device = device
        self.rows = torch.cat([torch.as_tensor(rows, device=device) for rows in packed.rows])
        # Their numbers are below 2 ** 11: nothing is lost, and torch can gather them.
        self.fine_rows = torch.cat(
            [torch.as_tensor(rows.astype(np.int16), device=device) for rows in packed.fine_rows]
        )
        sizes = [len(rows) for rows in packed.rows]
        base = np.cumsum([0, *sizes[:-1]])
        self.starts = torch.as_tensor(packed.starts + base[:, None], device=device)
        self.lengths = torch.as_tensor(packed.lengths, device=device)
        self._low = torch.as_tensor(packed.low, device=device)
        self._width = torch.as_tensor(packed.high, device=device) - self._low
        self._order = torch.as_tensor(packed.order, device=device)
        columns = VoiceColumns(spec)
        self.rms, self.pitch = columns.rms, columns.pitch
        shifted = torch.zeros(columns.n_features)
        shifted[torch.as_tensor(columns.shifted)] = 1.0
        self._shifted = shifted.to(device)

    def at(self, places: Tensor) -> Tensor:
        """Rows at some places, float32 (..., n_features), not normalised."""
        coarse = self.rows[places].float() * (2 * self._width / 255)
        coarse = coarse + (self._low + 0.5 * self._width / 255)
        fine = self.fine_rows[places].float()
        fine = torch.stack(
            [fine[..., i] * (most / 2047) for i, most in enumerate(FINE.values())], -1
        )
        return torch.cat([coarse, fine], -1).index_select(-1, self._order)

    def moved(self, rows: Tensor, change: Tensor) -> Tensor:
        """As :meth:`edge.features.voice_reference.VoiceColumns.move`, into new rows."""
        factors = torch.ones_like(change)
        factors[..., self.rms] = 10 ** (change[..., self.rms] / 20)
        factors[..., self.pitch] = change[..., self.pitch].exp()
        return rows * factors + change * self._shifted


class Crops:
    """Draws crops for every training.

    Parameters
    ----------
    packed : Packed
    store : RowStore
    settings : sequence of LeverSettings
        One a training.
    train : sequence of int64 [shape=(n,)]
        Clips of each.
    spec : FeatureSpec
    """

    def __init__(
        self,
        packed: Packed,
        store: RowStore,
        settings: Sequence[LeverSettings],
        train: Sequence[Any],
        spec: FeatureSpec,
    ) -> None:
        self._store, self._device = store, store.device
        batches = [one.batches for one in settings]
        self._batches = batches[0]
        folds = [packed.folds[one.fold] for one in settings]
        self.mean, self.std = (
            self._tensor([getattr(fold, name) for fold in folds]) for name in ("mean", "std")
        )
        self.centre = self._tensor([fold.centre for fold in folds])
        names = (
            "reference_share",
            "exchange_share",
            "level_db",
            "noise",
            "group_mask_share",
            "max_time_mask",
            "unknown_share",
        )
        self._of = {name: self._tensor([getattr(b, name) for b in batches]) for name in names}
        # 10 log10 of the power shifts every log-mel alike, see quantize.training.crops.
        self._level_step = math.sqrt(spec.mfcc.n_mels) / self.std[:, 0]
        group = np.zeros(spec.n_features, np.int64)
        for number, columns in enumerate(spec.columns.values()):
            group[columns] = number
        self._group, self._n_groups = self._tensor(group, torch.int64), int(group.max()) + 1
        self._speaker = self._tensor(packed.speaker, torch.int64)
        self._corpus = self._tensor(packed.corpus, torch.int64)
        self._unknown = len(packed.names.corpora)
        means = speaker_means(packed)
        self._means = self._tensor(means)
        heard = [np.unique(packed.speaker[clips]) for clips in train]
        most = max(map(len, heard))
        self._heard = self._tensor(np.stack([np.resize(h, most) for h in heard]), torch.int64)
        self._n_heard = self._tensor([len(h) for h in heard])
        self._middle = self._tensor(np.stack([means[h].mean(axis=0) for h in heard]))
        self._parts, self._reference_means = drawn_references(
            packed,
            spec.hop_length / spec.sample_rate,
            self._batches.reference_prior_s,
            store.device,
        )

    def _tensor(self, values: Any, dtype: torch.dtype = torch.float32) -> Tensor:
        return torch.as_tensor(np.asarray(values), dtype=dtype, device=self._device)

    def _share(self, name: str, n_dims: int = 2) -> Tensor:
        return self._of[name].view(-1, *[1] * (n_dims - 1))

    def _chance(self, *shape: int) -> Tensor:
        return torch.rand(*shape, device=self._device)

    def drawn(self, picks: Picks, n_rows: int) -> tuple[Tensor, Tensor, Tensor]:
        """Crops of picked clips.

        Parameters
        ----------
        picks : Picks
        n_rows : int
            Rows of every crop, its real frames and the last again.

        Returns
        -------
        rows : float32 [shape=(M, B, n_rows, n_features + 1)]
            Normalised, with the part of a reference.
        languages, domains : int64 [shape=(M, B)]
        """
        shape = picks.clips.shape
        rows = self._store.at(self._places(picks, n_rows))
        change, part = self._reference(picks)
        change = change + (1 - part) * self._exchange(picks)
        gain_db = (self._chance(*shape, 1) * 2 - 1) * self._share("level_db", 3) * (1 - part)
        # A reference was heard through the same gain.
        change[..., self._store.rms] += gain_db[..., 0]
        rows = self._store.moved(rows, change.unsqueeze(2))
        rows = (rows - self.mean[:, None, None]) / self.std[:, None, None]
        rows[..., 0] += gain_db * self._level_step.view(-1, 1, 1)
        rows = self._masked(rows + self._share("noise", 4) * torch.randn_like(rows), picks)
        column = part.unsqueeze(2).expand(*shape, n_rows, 1)
        domains = self._corpus[picks.clips]
        is_unknown = self._chance(*shape) < self._share("unknown_share")
        languages = torch.where(is_unknown, torch.full_like(domains, self._unknown), domains)
        return torch.cat([rows, column], 3), languages, domains

    def _places(self, picks: Picks, n_rows: int) -> Tensor:
        lengths = self._store.lengths[picks.variants, picks.clips]
        free = lengths - picks.n_frames + 1
        start = (self._chance(*lengths.shape) * free).long().clamp(min=0)
        at = torch.arange(n_rows, device=self._device)
        within = torch.minimum(at, picks.n_frames.unsqueeze(2) - 1)
        start = start + self._store.starts[picks.variants, picks.clips]
        return start.unsqueeze(2) + within

    def _reference(self, picks: Picks) -> tuple[Tensor, Tensor]:
        """What references change, (M, B, n_features), and their parts, (M, B, 1)."""
        shape, device = picks.clips.shape, self._device
        draw = torch.randint(N_DRAWS, shape, device=device)
        used = (self._chance(*shape) < self._share("reference_share")).float()
        at = picks.clips, picks.variants, draw
        parts = self._parts[at].float() * used.unsqueeze(2)
        change = parts * (self.centre.unsqueeze(1) - self._reference_means[at].float())
        return change, parts.max(2, keepdim=True).values

    def _exchange(self, picks: Picks) -> Tensor:
        """Random parts of another speaker's means, or of the middle of all: (M, B, n_features)."""
        shape = picks.clips.shape
        other = (self._chance(*shape) * self._n_heard.view(-1, 1)).long()
        target = self._means[self._heard.gather(1, other)]
        target = torch.where(self._chance(*shape, 1) < 0.5, self._middle.unsqueeze(1), target)
        part = self._chance(*shape, 1)
        part = part * (self._chance(*shape, 1) < self._share("exchange_share", 3)).float()
        return part * (target - self._means[self._speaker[picks.clips]])

    def _masked(self, rows: Tensor, picks: Picks) -> Tensor:
        shape, device = picks.clips.shape, self._device
        kept = self._chance(*shape, self._n_groups) >= self._share("group_mask_share", 3)
        rows = rows * kept.float()[:, :, self._group].unsqueeze(2)
        at = torch.arange(rows.shape[2], device=device)
        longest = torch.minimum(self._share("max_time_mask"), (picks.n_frames // 5).float())
        left = torch.ones(*rows.shape[:3], device=device)
        for _ in range(self._batches.n_time_masks):
            length = (self._chance(*shape) * (longest + 1)).floor()
            start = (self._chance(*shape) * picks.n_frames).floor()
            end = (start + length).unsqueeze(2)
            left = left * (1 - ((at >= start.unsqueeze(2)) & (at < end)).float())
        return rows * left.unsqueeze(3)
