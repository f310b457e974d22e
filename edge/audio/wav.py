"""The samples of a WAV file: PCM and float, any rate, any channel count, piece by piece."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from edge.audio.pcm import decode
from edge.audio.pcm_checks import (
    LOW_24,
    MIN_FLOAT_PEAK,
    checked_peak,
    holds_floats,
    is_low_24,
)
from edge.audio.pcm_format import FLOAT
from edge.audio.wav_header import is_wav, read_layout
from edge.audio.wrong_format import STRETCH_BYTES, wrong_header
from edge.errors import AudioFileError

__all__ = ["WavSamples", "is_wav"]

Floats = npt.NDArray[np.float32]

_PIECE_BYTES = 1 << 18
#: Stretches of a file that tell how its samples were written, and their length.
_N_LOOKS, _LOOK_BYTES = 24, 1 << 16
#: Where it is listened to for noise that a wrong header makes of sound: parts of the whole.
_LISTENED_AT = (0.5, 0.25, 0.75)


class WavSamples:
    """Decoded PCM frames of one WAV file.

    Parameters
    ----------
    stream : binary file
        Seekable; stays open while frames are read.
    n_file_bytes : int
        Length of the file.
    name : str
        What errors call the file.

    Raises
    ------
    AudioFileError
        As :func:`edge.audio.wav_header.read_layout`, or if its samples are not what its
        header says.
    """

    def __init__(self, stream: BinaryIO, n_file_bytes: int, name: str) -> None:
        self._stream, self._name = stream, name
        self._layout = layout = read_layout(stream, n_file_bytes, name)
        found = layout.found
        self.sample_rate, self.n_channels = found.sample_rate, found.n_channels
        self.warnings = list(layout.warnings)
        self._form = found.form
        if self._form.container == 4 and self._form.tag != FLOAT:
            self._look()
        self._listen()

    def pcm_frames(self) -> Iterator[Floats]:
        """Read from the first PCM frame on.

        Yields
        ------
        float32 [shape=(n_frames, n_channels)]
            In [-1, 1] for integers; float overs stay.

        Raises
        ------
        AudioFileError
            If the file becomes shorter, or holds NaN, infinity or floats of other units.
        """
        layout, pcm_frame_bytes = self._layout, self._layout.found.pcm_frame_bytes
        frames_a_piece = max(1, _PIECE_BYTES // pcm_frame_bytes)
        n_frames = layout.n_bytes // pcm_frame_bytes
        largest = 0.0
        for first in range(0, n_frames, frames_a_piece):
            n = min(frames_a_piece, n_frames - first)
            self._stream.seek(layout.start + first * pcm_frame_bytes)
            raw = self._stream.read(n * pcm_frame_bytes)
            if len(raw) < n * pcm_frame_bytes:
                raise AudioFileError(
                    f"{self._name} became shorter while it was read: copy it again"
                )
            values = decode(raw, self._form).reshape(n, self.n_channels)
            if self._form.tag == FLOAT:
                largest = max(largest, checked_peak(values, self._name, first, self.sample_rate))
            yield values.astype(np.float32, copy=False)
        if 0 < largest < MIN_FLOAT_PEAK:
            raise AudioFileError(
                f"{self._name} has float samples up to {largest:g}, which nobody hears: they were "
                "written as whole numbers, write it again as 16-bit PCM"
            )

    def _look(self) -> None:
        """Find out what lies in four bytes: 32 bits, 24 of them above or below, or floats."""
        values = np.concatenate([np.frombuffer(raw, dtype="<i4") for raw in self._looks()])
        if holds_floats(values):
            raise AudioFileError(
                f"{self._name} says that its samples are whole numbers of 32 bits and holds "
                "floats: write it again as 16-bit PCM"
            )
        if is_low_24(values, self._form.width):
            self._form = dataclasses.replace(self._form, is_low_24=True)
            self.warnings.append(LOW_24)

    def _listen(self) -> None:
        """Say where the samples are noise as the header has them, and sound as something else."""
        layout, pcm_frame_bytes = self._layout, self._layout.found.pcm_frame_bytes
        n_bytes = STRETCH_BYTES * self.n_channels
        for part in _LISTENED_AT:
            n_before = int(part * max(0, layout.n_bytes - n_bytes)) // pcm_frame_bytes
            self._stream.seek(layout.start + n_before * pcm_frame_bytes)
            raw = self._stream.read(min(n_bytes, layout.n_bytes))
            said = wrong_header(raw, self._form, self.n_channels)
            if said is not None:
                self.warnings.append(said)
                return

    def _looks(self) -> Iterator[bytes]:
        layout = self._layout
        step = max(_LOOK_BYTES, layout.n_bytes // _N_LOOKS // 4 * 4)
        for offset in range(0, layout.n_bytes, step):
            self._stream.seek(layout.start + offset)
            raw = self._stream.read(min(_LOOK_BYTES, layout.n_bytes - offset))
            yield raw[: len(raw) // 4 * 4]
