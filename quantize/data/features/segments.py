"""Feature windows to calibrate with and to compare artifacts on, picked evenly and named by a hash.

A handful of windows must stand for the whole: they are drawn in turn from every corpus, within a
corpus from every speaker and emotion, so that neither TESS's thousands of clips nor one talkative
actor decides.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import defaultdict, deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.audio.full_band import resample_full_band
from edge.errors import ParameterError
from edge.features import FeatureExtractor
from edge.features.spec import FeatureSpec
from quantize.basics.errors import CorpusError
from quantize.basics.progress import progress_bar, progress_note
from quantize.data.corpora import LABELS, Clip
from quantize.data.corpora.synthetic import SYNTHETIC_RATE, synthetic_speech
from quantize.data.features.cache import FeatureCache
from quantize.data.features.windows import WINDOW_FRAMES, WINDOW_HOP, segment_bounds

__all__ = ["SegmentSet", "corpus_segments", "generated_segments"]


@dataclasses.dataclass(frozen=True)
class SegmentSet:
    """Feature windows of one length.

    Parameters
    ----------
    rows : float32 [shape=(n_segments, window_frames, n_features)]
        Not normalised.
    corpora, speakers, labels : tuple of str
        Of every segment; a speaker's name holds that of the corpus.
    """

    rows: NDArray[np.float32]
    corpora: tuple[str, ...]
    speakers: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the rows and whose they are."""
        digest = hashlib.sha256(repr((self.rows.shape, self.rows.dtype.str)).encode())
        digest.update(np.ascontiguousarray(self.rows).tobytes())
        digest.update(repr((self.corpora, self.speakers, self.labels)).encode())
        return digest.hexdigest()


def corpus_segments(
    chosen: Sequence[Clip],
    cache: FeatureCache,
    all_clips: Sequence[Clip],
    n_segments: int,
    *,
    seed: int = 0,
    window_frames: int = WINDOW_FRAMES,
    window_hop: int = WINDOW_HOP,
    n_workers: int = 1,
) -> SegmentSet:
    """Pick whole windows of clips: corpus by corpus, speaker by speaker, emotion by emotion.

    Where no clip is as long as a window, theirs are shorter, as a device makes them of an
    utterance that ends before a window is full: as long as three quarters of the clips are.

    Parameters
    ----------
    chosen : sequence of Clip
        To pick from, for example the test side of a split.
    cache : FeatureCache
    all_clips : sequence of Clip
        What the cache holds together: all clips of the corpora.
    n_segments : int
        How many; fewer come where there are fewer.
    seed : int
        Of the order within a corpus.
    window_frames, window_hop : int
        Length of a window, and the raster on which windows lie.
    n_workers : int
        Processes that compute features.

    Raises
    ------
    ParameterError
        If ``n_segments`` is less than 1.
    CorpusError
        If there is no clip.
    """
    _check_count(n_segments)
    if not chosen:
        raise CorpusError(
            "there is no clip to pick segments from: name the corpora of the training, or none for "
            "synthetic speech"
        )
    rows = cache.load(all_clips, 0, n_workers)
    rng = np.random.default_rng(seed)
    queues = {
        corpus: deque(_in_turn([c for c in chosen if c.corpus == corpus], rng))
        for corpus in sorted({c.corpus for c in chosen})
    }
    # A clip that comes round again is heard at another window.
    window_frames = _common_length([len(rows[c.clip_id]) for c in chosen], window_frames)
    starts = {
        c.clip_id: _window_starts(len(rows[c.clip_id]), window_frames, window_hop, rng)
        for queue in queues.values()
        for c in queue
    }
    windows: list[NDArray[np.float32]] = []
    owners: list[Clip] = []
    while len(windows) < n_segments and any(queues.values()):
        for queue in queues.values():
            while queue and not starts[queue[0].clip_id]:
                queue.popleft()
            if queue and len(windows) < n_segments:
                clip = queue[0]
                queue.rotate(-1)
                first = starts[clip.clip_id].pop()
                windows.append(rows[clip.clip_id][first : first + window_frames])
                owners.append(clip)
    return SegmentSet(
        np.stack(windows).astype(np.float32),
        tuple(c.corpus for c in owners),
        tuple(c.speaker for c in owners),
        tuple(c.label for c in owners),
    )


def generated_segments(
    n_segments: int,
    *,
    spec: FeatureSpec | None = None,
    seed: int = 0,
    window_frames: int = WINDOW_FRAMES,
) -> SegmentSet:
    """Windows of synthetic speech, for a machine without corpora.

    Parameters
    ----------
    n_segments : int
    spec : FeatureSpec, optional
        Its features; None: the default ones.
    seed : int
        Same seed, same segments.
    window_frames : int

    Raises
    ------
    ParameterError
        If ``n_segments`` is less than 1.
    """
    _check_count(n_segments)
    spec = spec or FeatureSpec()
    voices = [
        (label, gender, n) for n in range(5) for gender in ("female", "male") for label in LABELS
    ]
    n_each = -(-n_segments // len(voices))
    n_samples = spec.n_samples(n_each * window_frames)
    # Another rate is reached by resampling, which may end a few samples early.
    duration_s = n_samples / spec.sample_rate + (spec.sample_rate != SYNTHETIC_RATE)
    extractor = FeatureExtractor(spec)
    windows, owners = [], []
    spoken = voices[:n_segments]
    for label, gender, number in progress_bar(spoken, len(spoken), "synthetic speech"):
        speech = synthetic_speech(label, gender, number, duration_s, seed)
        if spec.sample_rate != SYNTHETIC_RATE:
            speech = resample_full_band(speech, SYNTHETIC_RATE, spec.sample_rate)[:n_samples]
        rows = extractor.extract(speech)
        for first in range(0, n_each * window_frames, window_frames):
            windows.append(rows[first : first + window_frames])
            owners.append((f"{gender} {number}", label))
    # Cut evenly: the last of the voices would else be missing.
    kept = np.linspace(0, len(windows) - 1, n_segments).round().astype(int)
    return SegmentSet(
        np.stack([windows[i] for i in kept]).astype(np.float32),
        ("synthetic",) * n_segments,
        tuple(f"synthetic/{owners[i][0]}" for i in kept),
        tuple(owners[i][1] for i in kept),
    )


def _in_turn(clips: Sequence[Clip], rng: np.random.Generator) -> list[Clip]:
    """Order clips so that each speaker and emotion comes once before any comes again."""
    strata: dict[tuple[str, str], list[Clip]] = defaultdict(list)
    for clip in sorted(clips, key=lambda c: c.clip_id):
        strata[clip.speaker, clip.label].append(clip)
    # The emotions of one speaker must not stand together, or few segments would be his alone.
    names = [list(strata)[i] for i in rng.permutation(len(strata))]
    queues = [deque(strata[n][i] for i in rng.permutation(len(strata[n]))) for n in names]
    ordered = []
    while any(queues):
        ordered += [queue.popleft() for queue in queues if queue]
    return ordered


def _common_length(lengths: Sequence[int], window_frames: int) -> int:
    """Frames of a window that clips can fill."""
    if max(lengths) >= window_frames:
        return window_frames
    # Not the shortest clip's: one click among the recordings would be the measure of all.
    shorter = int(np.quantile(lengths, 0.25, method="lower"))
    progress_note(
        f"edge-ser-quantize: no clip has the {window_frames} frames of a window: windows of "
        f"{shorter} frames are taken, as of short utterances on a device"
    )
    return shorter


def _window_starts(
    n_rows: int, window_frames: int, window_hop: int, rng: np.random.Generator
) -> list[int]:
    """First rows of a clip's whole windows, shuffled."""
    whole = [
        first
        for first, end in segment_bounds(n_rows, window_frames, window_hop)
        if end - first == window_frames
    ]
    return [whole[i] for i in rng.permutation(len(whole))]


def _check_count(n_segments: int) -> None:
    if n_segments < 1:
        raise ParameterError(f"n_segments is {n_segments}, at least 1 is wanted")
