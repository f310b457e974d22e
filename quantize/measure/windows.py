"""Single windows of held-out clips, as a device judges them in a stream."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.data.corpora import DOMAINS, LABELS, Clip, label_numbers
from quantize.data.features.windows import segment_bounds
from quantize.measure.scoring import Segments

__all__ = ["Windows", "live_windows", "picked"]


@dataclasses.dataclass(frozen=True)
class Windows:
    """Windows with speech of speakers that their model never heard.

    Parameters
    ----------
    posteriors : float64 [shape=(n_windows, n_labels)]
        Unsmoothed, at temperature 1.
    truth : int64 [shape=(n_windows,)]
        Label numbers.
    corpora : int64 [shape=(n_windows,)]
        Places in `domains`.
    speakers : str [shape=(n_windows,)]
        A speaker's name holds that of the corpus.
    domains, labels : tuple of str
        Names of the corpora, and of the columns of `posteriors`.
    """

    posteriors: NDArray[np.float64]
    truth: NDArray[np.int64]
    corpora: NDArray[np.int64]
    speakers: NDArray[np.str_]
    domains: tuple[str, ...] = DOMAINS
    labels: tuple[str, ...] = LABELS

    def __len__(self) -> int:
        return len(self.truth)

    @classmethod
    def pooled(cls, parts: Sequence[Windows]) -> Windows:
        """Windows of several folds together, of the same corpora and labels."""
        names = ("posteriors", "truth", "corpora", "speakers")
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(p, name) for p in parts]) for name in names
        }
        return dataclasses.replace(parts[0], **joined)

    def tempered(self, temperature: float) -> NDArray[np.float64]:
        """Posteriors at another temperature, float64 [shape=(n_windows, n_labels)]."""
        scores: NDArray[np.float64] = np.log(np.maximum(self.posteriors, 1e-300)) / temperature
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        # A class that could not be answered still cannot.
        scores[self.posteriors == 0.0] = 0.0
        scores /= scores.sum(axis=1, keepdims=True)
        return scores


def picked(segments: Segments, window_frames: int, window_hop: int) -> Segments:
    """Those segments of an utterance that lie on a coarser raster.

    Parameters
    ----------
    segments : Segments
        Scored every so many frames that `window_hop` is a multiple of it.
    window_frames, window_hop : int
        As in :func:`quantize.data.features.windows.segment_bounds`.

    Raises
    ------
    ParameterError
        If a segment of the raster was not scored.
    """
    places = {bounds: at for at, bounds in enumerate(segments.bounds)}
    wanted = segment_bounds(segments.bounds[-1][1], window_frames, window_hop)
    if not places.keys() >= set(wanted):
        raise ParameterError(
            f"the segments were not scored every {window_hop} frames: a hop that divides this one "
            "is wanted"
        )
    kept = [places[bounds] for bounds in wanted]
    return Segments(
        wanted,
        segments.posteriors[kept],
        [segments.levels_db[at] for at in kept],
        [segments.speech[at] for at in kept],
    )


def live_windows(
    clips: Sequence[Clip],
    segments: Sequence[Segments],
    window_frames: int,
    window_hop: int,
    *,
    domains: Sequence[str],
    labels: Sequence[str],
) -> Windows:
    """Every window of some clips that a stream shows to its model.

    Parameters
    ----------
    clips : sequence of Clip
    segments : sequence of Segments
        One a clip, at temperature 1, on `window_hop` or on what divides it.
    window_frames, window_hop : int
        The artifact's.
    domains, labels : sequence of str
        Names of the corpora, and the model's labels.

    Returns
    -------
    Windows
        The device's gate decides alone: a stream has no loudest window of a file to compare
        with.  A clip shorter than a window is one, as at the end of a stream.

    Raises
    ------
    ParameterError
        If the gate lets no window through.
    """
    rows, owners = [], []
    for clip, scored in zip(clips, segments, strict=True):
        live = picked(scored, window_frames, window_hop)
        heard = live.posteriors[np.asarray(live.speech, dtype=bool)]
        rows.append(heard)
        owners += [clip] * len(heard)
    if not owners:
        raise ParameterError(
            f"no window of {len(clips)} clips is loud enough to hold speech: check the recordings"
        )
    return Windows(
        np.concatenate(rows),
        label_numbers(owners, labels),
        np.array([domains.index(clip.corpus) for clip in owners]),
        np.array([clip.speaker for clip in owners]),
        tuple(domains),
        tuple(labels),
    )
