"""The samples of a WAV file: PCM and float, any rate, any channel count, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from edge.audio.wav_header import FLOAT, is_wav, read_layout
from edge.errors import AudioFileError

__all__ = ["WavSamples", "is_wav"]

Floats = npt.NDArray[np.float32]

_PIECE_BYTES = 1 << 18
# Float samples a little past full scale are overs and get clipped; at 24 dB past it the file was
# written in other units, mostly as whole numbers of 16 bits.
_MAX_FLOAT_PEAK = 16.0
# A float recording that is all smaller than this was written as something else.
_MIN_FLOAT_PEAK = 1e-20
#: Stretches of a file that tell how its samples were written, and their length.
_N_LOOKS, _LOOK_BYTES = 24, 1 << 16
_LOW_24 = 1 << 23
#: Peak of a sound of 24 bits (-24 dBFS), and the share of neighbours alike that tells 16 bits.
_LOUD_24, _ALIKE_SHARE = 500_000, 0.02


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
        self.sample_rate, self.n_channels = layout.sample_rate, layout.n_channels
        self.warnings = list(layout.warnings)
        self._is_low_24 = False
        if layout.container == 4 and layout.tag != FLOAT:
            self._look()

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
        layout = self._layout
        frames_a_piece = max(1, _PIECE_BYTES // layout.pcm_frame_bytes)
        n_frames = layout.n_bytes // layout.pcm_frame_bytes
        largest = 0.0
        for first in range(0, n_frames, frames_a_piece):
            n = min(frames_a_piece, n_frames - first)
            self._stream.seek(layout.start + first * layout.pcm_frame_bytes)
            raw = self._stream.read(n * layout.pcm_frame_bytes)
            if len(raw) < n * layout.pcm_frame_bytes:
                raise AudioFileError(
                    f"{self._name} became shorter while it was read: copy it again"
                )
            values = self._decode(raw).reshape(n, layout.n_channels)
            if layout.tag == FLOAT:
                largest = max(largest, self._check(values, first))
            yield values.astype(np.float32, copy=False)
        if 0 < largest < _MIN_FLOAT_PEAK:
            raise AudioFileError(
                f"{self._name} has float samples up to {largest:g}, which nobody hears: they were "
                "written as whole numbers, write it again as 16-bit PCM"
            )

    def _decode(self, raw: bytes) -> npt.NDArray[np.floating[Any]]:
        """Scale the samples of all channels, interleaved, to [-1, 1]."""
        layout = self._layout
        if layout.tag == FLOAT:
            return np.frombuffer(raw, dtype="<f4" if layout.width == 4 else "<f8")
        if layout.width == 1:
            return (np.frombuffer(raw, dtype=np.uint8).astype(np.float32) - 128.0) / 128.0
        if layout.width == 2:
            return np.frombuffer(raw, dtype="<i2").astype(np.float32) / 32768.0
        if layout.container == 3:
            whole = np.zeros((len(raw) // 3, 4), dtype=np.uint8)
            whole[:, 1:] = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 3)
            return whole.view("<i4")[:, 0].astype(np.float32) / 2.0**31
        values = np.frombuffer(raw, dtype="<i4")
        if self._is_low_24:
            # The fourth byte is the sign's, or nothing: shifted out either way.
            values = values << 8
        return values.astype(np.float64) / 2.0**31

    def _look(self) -> None:
        """Find out what lies in four bytes: 32 bits, 24 of them above or below, or floats."""
        values = np.concatenate([np.frombuffer(raw, dtype="<i4") for raw in self._looks()])
        values = values[values != 0]
        if not values.size:
            return
        magnitudes = np.abs(values.view(np.float32))
        as_floats = np.isfinite(magnitudes) & (magnitudes > 1e-8) & (magnitudes < _MAX_FLOAT_PEAK)
        if as_floats.mean() > 0.99:
            raise AudioFileError(
                f"{self._name} says that its samples are whole numbers of 32 bits and holds "
                "floats: write it again as 16-bit PCM"
            )
        # In the fourth byte stands the sign, or nothing where only 24 bits were written.
        is_low = bool((np.abs(values.astype(np.int64)) <= _LOW_24).all())
        if self._layout.width == 3:
            is_low |= bool((values >> 24 == 0).all())
        elif is_low:
            is_low = _is_low_24(values)
        if is_low:
            self._is_low_24 = True
            self.warnings.append(
                "its samples were taken as 24 bits in the low three bytes of four, as arecord "
                "writes S24_LE"
            )

    def _looks(self) -> Iterator[bytes]:
        layout = self._layout
        step = max(_LOOK_BYTES, layout.n_bytes // _N_LOOKS // 4 * 4)
        for offset in range(0, layout.n_bytes, step):
            self._stream.seek(layout.start + offset)
            raw = self._stream.read(min(_LOOK_BYTES, layout.n_bytes - offset))
            yield raw[: len(raw) // 4 * 4]

    def _check(self, values: npt.NDArray[np.floating[Any]], first: int) -> float:
        """Refuse what is no sound; returns the largest magnitude."""
        finite = np.isfinite(values)
        if not finite.all():
            row, channel = np.argwhere(~finite)[0]
            raise AudioFileError(
                f"{self._name} holds {values[row, channel]} at "
                f"{(first + row) / self._layout.sample_rate:.3f} s, finite samples are wanted"
            )
        peak = float(np.abs(values).max())
        if peak > _MAX_FLOAT_PEAK:
            raise AudioFileError(
                f"{self._name} has float samples up to {peak:g}, values within -1 and 1 are "
                "wanted: scale it and write it again"
            )
        return peak


def _is_low_24(values: npt.NDArray[np.int32]) -> bool:
    """Whether small numbers of 32 bits are 24 bits at the bottom rather than a soft sound.

    Taken as 32 bits, all of them are below -48 dBFS.  What was 16 bits once has nothing in the
    lower two bytes.  A microphone that delivers 24 bits at the top has nothing in the lowest
    byte, and in a quiet room its own noise: -75 dBFS at its peaks, of which no two neighbours are
    alike.
    """
    if not (values & 0xFFFF).any():
        return False
    if (values & 0xFF).any():
        return True
    is_loud = int(np.abs(values).max()) > _LOUD_24
    return is_loud or float((values[1:] == values[:-1]).mean()) > _ALIKE_SHARE
