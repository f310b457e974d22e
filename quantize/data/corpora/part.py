"""The samples of a clip, which may be a part of a longer recording."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.audio.file import AudioReader, open_audio
from edge.errors import AudioFileError
from quantize.data.corpora.base import Clip

__all__ = ["part_of", "read_part"]


def read_part(clip: Clip) -> tuple[NDArray[np.float32], int]:
    """Read a clip at its own rate.

    Returns
    -------
    samples : float32 [shape=(n_samples,)]
        Mono, at least one.
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioFileError
        If the file cannot be read, or ends before the clip begins.
    """
    with open_audio(clip.path) as reader:
        return part_of(clip, reader), reader.sample_rate


def part_of(clip: Clip, reader: AudioReader) -> NDArray[np.float32]:
    """Read a clip of a file that is open: float32 [shape=(n_samples,)].

    No further than to the clip's end: many may be cut from one long recording.

    Raises
    ------
    AudioFileError
        As :func:`read_part`.
    """
    if clip.start_s is None and clip.end_s is None:
        return np.concatenate(list(reader.pieces()))
    rate = reader.sample_rate
    first = round((clip.start_s or 0.0) * rate)
    last = None if clip.end_s is None else round(clip.end_s * rate)
    kept: list[NDArray[np.float32]] = []
    n_heard = 0
    for piece in reader.pieces():
        kept.append(piece[max(first - n_heard, 0) : None if last is None else last - n_heard])
        n_heard += len(piece)
        if last is not None and n_heard >= last:
            break
    samples = np.concatenate(kept) if kept else np.empty(0, np.float32)
    if not samples.size:
        raise AudioFileError(
            f"{clip.path} has {n_heard / rate:.1f} s, and the clip begins at "
            f"{clip.start_s or 0:g} s: a start_s within the recording is wanted"
        )
    return samples
