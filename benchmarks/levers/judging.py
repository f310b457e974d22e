"""What trained networks say of validation clips, with references for the voice and without."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.levers.answers import Fold, Run
from benchmarks.levers.levers import REFERENCES, SCORED
from benchmarks.levers.networks import said
from benchmarks.levers.side_by_side import SideBySide
from edge.features.voice_reference import VoiceReference

__all__ = ["judged"]

_WINDOW_S = 2.0
#: Frames from one window to the next: 0.51 s.
_HOP = 16
_SEED = 11
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class _Windows:
    """Windows of clips: which clip, its first frame among all rows, and how many frames."""

    clip: NDArray[np.int64]
    start: NDArray[np.int64]
    n_frames: NDArray[np.int64]


def judged(trained: SideBySide) -> Run:
    """Answers of the averaged weights to the validation clips of their folds, language unknown."""
    folds = [_fold(trained, f) for f in sorted({one.fold for one in trained.settings})]
    about = {"epochs": trained.epochs, "n_trainings": len(trained.settings)}
    return Run(about, folds)


@torch.no_grad()
def _fold(trained: SideBySide, number: int) -> Fold:
    packed = trained.packed
    mine = [m for m, one in enumerate(trained.settings) if one.fold == number]
    scored = [packed.names.corpora.index(c) for c in SCORED if c in packed.names.corpora]
    test = packed.folds[number].test
    clips = test[np.isin(packed.corpus[test], scored)]
    windows = _windows(trained, clips)
    posteriors = {}
    for name, (n_clips, calm) in REFERENCES.items():
        changes = _changes(trained, number, clips, n_clips, calm) if n_clips else None
        said_of = [_posteriors(trained, mine, windows, at, changes) for at in _blocks(windows)]
        posteriors[name] = _means(np.concatenate(said_of, axis=1), windows.clip, clips)
    corpora = np.array(packed.names.corpora)[packed.corpus[clips]]
    return Fold(
        number,
        [trained.settings[m].name for m in mine],
        corpora,
        np.array(packed.names.speakers)[packed.speaker[clips]],
        packed.label[clips],
        posteriors,
    )


def _windows(trained: SideBySide, clips: NDArray[np.int64]) -> _Windows:
    """Windows of 2 s, and one that ends with the clip."""
    wide = trained.spec.n_frames(int(_WINDOW_S * trained.spec.sample_rate))
    found = []
    for clip in clips:
        n_rows = int(trained.packed.whole_lengths[clip])
        ends = list(range(wide, n_rows + 1, _HOP))
        if n_rows and (not ends or ends[-1] != n_rows):
            ends.append(n_rows)
        first = int(trained.packed.whole_starts[clip])
        found += [(clip, first + max(0, end - wide), min(end, wide)) for end in ends]
    return _Windows(*np.array(found, np.int64).T)


def _blocks(windows: _Windows) -> Iterator[slice]:
    for at in range(0, len(windows.clip), _AT_ONCE):
        yield slice(at, at + _AT_ONCE)


def _changes(
    trained: SideBySide, number: int, clips: NDArray[np.int64], n_clips: int, calm: int
) -> dict[int, NDArray[np.float64]]:
    """What a reference of other validation clips of the voice changes, by clip."""
    packed = trained.packed
    voices: defaultdict[int, list[int]] = defaultdict(list)
    for clip in clips.tolist():
        voices[int(packed.speaker[clip])].append(clip)
    centre = tuple(packed.folds[number].centre.tolist())
    reference = VoiceReference(centre, trained.settings[0].batches.reference_prior_s)
    frame_s = trained.spec.hop_length / trained.spec.sample_rate
    told = {}
    for clip in clips.tolist():
        rng = np.random.default_rng([_SEED, clip])
        others = [x for x in rng.permutation(voices[int(packed.speaker[clip])]) if x != clip]
        n_calm = -(-calm * n_clips // 100)
        first = [x for x in others if packed.calm[x]][:n_calm]
        rest = [x for x in others if x not in first]
        chosen = first + rest[: n_clips - n_calm]
        totals = packed.totals[chosen, 0].astype(np.float64).sum(axis=0)
        told[clip] = reference.change(totals, frame_s)
    return told


def _posteriors(
    trained: SideBySide,
    mine: list[int],
    windows: _Windows,
    at: slice,
    changes: dict[int, NDArray[np.float64]] | None,
) -> NDArray[np.float32]:
    """Of some windows: (M, n_windows, n_labels)."""
    store, device = trained.store, trained.device
    stack = trained.layout.config.frame_stack
    wide = int(windows.n_frames.max())
    within = torch.arange(-(-wide // stack) * stack, device=device)
    n_frames = torch.as_tensor(windows.n_frames[at], device=device)[:, None]
    start = torch.as_tensor(windows.start[at], device=device)[:, None]
    rows = store.at(start + torch.minimum(within, n_frames - 1))
    part = torch.zeros(len(rows), 1, 1, device=device)
    if changes is not None:
        change = np.stack([changes[clip] for clip in windows.clip[at].tolist()])
        told = torch.as_tensor(change, dtype=torch.float32, device=device)[:, None]
        rows, part = store.moved(rows, told[..., :-1]), told[..., -1:]
    mean, std = (each[mine][:, None, None] for each in (trained.crops.mean, trained.crops.std))
    wanted = torch.cat([(rows - mean) / std, part.expand(len(mine), *rows.shape[:2], 1)], 3)
    unknown = trained.layout.config.unknown_language
    answer: Tensor = said(
        trained.layout,
        trained.average[mine],
        wanted,
        n_frames[:, 0].expand(len(mine), -1),
        torch.full((len(mine), len(rows)), unknown, device=device),
        functionals=None if trained.functionals is None else trained.functionals[mine],
    ).logits
    return answer.float().softmax(2).cpu().numpy()


def _means(
    posteriors: NDArray[np.float32], of: NDArray[np.int64], clips: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean over every clip's windows: (M, n_clips, n_labels)."""
    order = np.argsort(clips)
    number = order[np.searchsorted(clips[order], of)]
    sums = np.zeros((len(clips), len(posteriors), posteriors.shape[2]))
    np.add.at(sums, number, posteriors.transpose(1, 0, 2))
    counts = np.bincount(number, minlength=len(clips))
    means: NDArray[np.float64] = (sums / counts[:, None, None]).transpose(1, 0, 2)
    return means
