"""WAV files with the standard library: PCM and float, any rate, any channel count.

The RIFF chunks are walked here because :mod:`wave` knows neither float nor
WAVE_FORMAT_EXTENSIBLE and believes every length it reads.
"""

from __future__ import annotations

import dataclasses
import os
import struct
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from edge.errors import AudioFileError

__all__ = ["is_wav", "read_wav"]

FloatArray = npt.NDArray[np.float32]

_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
# The last 14 bytes of a sub-format GUID whose first two bytes are a format tag.
_TAG_GUID = bytes.fromhex("000000001000800000aa00389b71")
_CODECS = {
    0x0002: "Microsoft ADPCM",
    0x0006: "A-law",
    0x0007: "mu-law",
    0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10",
    0x0050: "MPEG audio",
    0x0055: "MP3",
    0x00FF: "AAC",
    0x0161: "Windows Media Audio",
    0x2000: "AC-3",
    0x674F: "Ogg Vorbis",
}
# A writer into a pipe cannot come back to fill in the length. It leaves 0 (GStreamer), all ones
# (ffmpeg), or about 2 GiB (sox, arecord, espeak-ng).
_SMALLEST_PLACEHOLDER = 0x7FFFF000
_PIECE_BYTES = 1 << 20
# Float samples a little past full scale are overs and get clipped; at 24 dB past it the file was
# written in other units, mostly as whole numbers of 16 bits.
_MAX_FLOAT_PEAK = 16.0


@dataclasses.dataclass(frozen=True)
class _Format:
    tag: int
    n_channels: int
    sample_rate: int
    width: int

    @property
    def frame_bytes(self) -> int:
        return self.n_channels * self.width


def is_wav(head: bytes) -> bool:
    """Whether the first 12 bytes of a file are those of a WAV file, whole or cut short."""
    return head[:4] in (b"RIFF", b"RF64") and (len(head) < 12 or head[8:12] == b"WAVE")


def read_wav(stream: BinaryIO, n_file_bytes: int, name: str) -> tuple[FloatArray, int]:
    """Decode a WAV file and mix its channels to one by their mean.

    Parameters
    ----------
    stream : binary file
        Seekable, positioned anywhere.
    n_file_bytes : int
        Length of the file.
    name : str
        What errors call the file.

    Returns
    -------
    samples : float32 [shape=(n_samples,)]
        In [-1, 1]; integers are divided by their full scale, float overs are clipped.
    sample_rate : int
        The file's own.

    Raises
    ------
    AudioFileError
        If the file is truncated, holds no samples, NaN or infinity, or a codec
        other than integer PCM and IEEE float.
    """
    layout, start, n_data = _walk_chunks(stream, n_file_bytes, name)
    n_frames = n_data // layout.frame_bytes
    if n_frames == 0:
        raise AudioFileError(f"{name} holds no samples: its data chunk is empty")
    samples = np.empty(n_frames, dtype=np.float32)
    frames_a_piece = max(1, _PIECE_BYTES // layout.frame_bytes)
    stream.seek(start)
    for first in range(0, n_frames, frames_a_piece):
        n = min(frames_a_piece, n_frames - first)
        raw = stream.read(n * layout.frame_bytes)
        if len(raw) < n * layout.frame_bytes:
            raise AudioFileError(f"{name} became shorter while it was read: copy it again")
        frames = _decode(raw, layout).reshape(n, layout.n_channels)
        if layout.tag == _FLOAT:
            _check_floats(frames, first, layout.sample_rate, name)
        mono = frames[:, 0] if layout.n_channels == 1 else frames.mean(axis=1, dtype=np.float64)
        samples[first : first + n] = mono
    if layout.tag == _FLOAT:
        np.clip(samples, -1.0, 1.0, out=samples)
    return samples, layout.sample_rate


def _walk_chunks(stream: BinaryIO, n_file_bytes: int, name: str) -> tuple[_Format, int, int]:
    """Format, position and length in bytes of the samples."""
    stream.seek(0)
    is_rf64 = stream.read(4) == b"RF64"
    long_data_size: int | None = None
    layout: _Format | None = None
    position = 12
    while position + 8 <= n_file_bytes:
        stream.seek(position)
        chunk_id, size = struct.unpack("<4sI", stream.read(8))
        position += 8
        if chunk_id == b"data":
            if layout is None:
                raise AudioFileError(
                    f"{name} is a damaged WAV file: its data chunk comes before a fmt chunk"
                )
            if is_rf64 and size == 0xFFFFFFFF and long_data_size is not None:
                size = long_data_size
                n_data = _checked_size(size, n_file_bytes - position, name)
            else:
                n_data = _data_size(stream, position, size, n_file_bytes, name)
            return layout, position, n_data
        if chunk_id in (b"fmt ", b"ds64") and position + size <= n_file_bytes:
            body = stream.read(min(size, 64))
            if chunk_id == b"fmt ":
                layout = _parse_format(body, name)
            elif len(body) >= 16:
                long_data_size = struct.unpack_from("<Q", body, 8)[0]
        position += size
        if size % 2:
            # Chunks start at even places. Some writers forget the padding byte; a chunk id never
            # begins with 0, so a 0 is the padding.
            stream.seek(position)
            position += stream.read(1) == b"\0"
    raise AudioFileError(
        f"{name} is truncated: its {n_file_bytes} bytes end before the samples (no data chunk); "
        "copy or record it again"
    )


def _data_size(stream: BinaryIO, position: int, size: int, n_file_bytes: int, name: str) -> int:
    """Bytes of samples, where the length in the file may be a placeholder."""
    n_left = n_file_bytes - position
    if size == 0:
        return 0 if _only_chunks_left(stream, position, n_file_bytes) else n_left
    if size >= _SMALLEST_PLACEHOLDER and size > n_left:
        return n_left
    return _checked_size(size, n_left, name)


def _checked_size(size: int, n_left: int, name: str) -> int:
    if size > n_left:
        raise AudioFileError(
            f"{name} is truncated: its header promises {size} bytes of samples and {n_left} are "
            "there; copy or record it again"
        )
    return size


def _only_chunks_left(stream: BinaryIO, position: int, n_file_bytes: int) -> bool:
    """Whether what follows an empty data chunk is a tidy row of chunks rather than samples."""
    while position + 8 <= n_file_bytes:
        stream.seek(position)
        chunk_id, size = struct.unpack("<4sI", stream.read(8))
        if not all(0x20 <= byte < 0x7F for byte in chunk_id):
            return False
        position += 8 + size + size % 2
    return position in (n_file_bytes, n_file_bytes + 1)


def _parse_format(body: bytes, name: str) -> _Format:
    if len(body) < 16:
        raise AudioFileError(
            f"{name} is a damaged WAV file: its fmt chunk has {len(body)} bytes, "
            "at least 16 are wanted"
        )
    tag, n_channels, sample_rate, _, frame_bytes, n_bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE:
        if len(body) < 40:
            raise AudioFileError(
                f"{name} is a damaged WAV file: its extensible fmt chunk has {len(body)} bytes, "
                "at least 40 are wanted"
            )
        if body[26:40] != _TAG_GUID:
            raise AudioFileError(
                f"{name} has an unknown sub-format {body[24:40].hex()}; " + _codec_mend(name)
            )
        tag = struct.unpack_from("<H", body, 24)[0]
    if tag not in (_PCM, _FLOAT):
        codec = _CODECS.get(tag, "an unknown codec")
        raise AudioFileError(f"{name} is coded as {codec} (format tag {tag}); {_codec_mend(name)}")
    if sample_rate == 0:
        raise AudioFileError(f"{name} has a sample rate of 0 Hz, at least 1 is wanted")
    if n_channels == 0:
        raise AudioFileError(f"{name} has 0 channels, at least 1 is wanted")
    # 12 or 20 bits sit at the top of the next whole byte count, so the width is all that matters.
    width = (n_bits + 7) // 8
    if width not in ((4, 8) if tag == _FLOAT else (1, 2, 3, 4)):
        kind, wanted = ("float", "32 or 64") if tag == _FLOAT else ("integer", "8, 16, 24 or 32")
        raise AudioFileError(f"{name} has {kind} samples of {n_bits} bits, {wanted} are wanted")
    if frame_bytes not in (0, n_channels * width):
        raise AudioFileError(
            f"{name} is a damaged WAV file: {n_channels} channels of {n_bits} bits take "
            f"{n_channels * width} bytes, its fmt chunk says {frame_bytes}"
        )
    return _Format(tag, n_channels, sample_rate, width)


def _codec_mend(name: str) -> str:
    return (
        "integer PCM or float is wanted: convert it with "
        f"`ffmpeg -i {os.path.basename(name)} -c:a pcm_s16le out.wav`"
    )


def _decode(raw: bytes, layout: _Format) -> npt.NDArray[np.floating[Any]]:
    """Scale the samples of all channels, interleaved, to [-1, 1]."""
    if layout.tag == _FLOAT:
        return np.frombuffer(raw, dtype="<f4" if layout.width == 4 else "<f8")
    if layout.width == 1:
        return (np.frombuffer(raw, dtype=np.uint8).astype(np.float32) - 128.0) / 128.0
    if layout.width == 2:
        return np.frombuffer(raw, dtype="<i2").astype(np.float32) / 32768.0
    if layout.width == 3:
        whole = np.zeros((len(raw) // 3, 4), dtype=np.uint8)
        whole[:, 1:] = np.frombuffer(raw, dtype=np.uint8).reshape(-1, 3)
        return whole.view("<i4")[:, 0].astype(np.float32) / 2.0**31
    return np.frombuffer(raw, dtype="<i4").astype(np.float64) / 2.0**31


def _check_floats(
    frames: npt.NDArray[np.floating[Any]], first: int, sample_rate: int, name: str
) -> None:
    finite = np.isfinite(frames)
    if not finite.all():
        row, channel = np.argwhere(~finite)[0]
        raise AudioFileError(
            f"{name} holds {frames[row, channel]} at {(first + row) / sample_rate:.3f} s, "
            "finite samples are wanted"
        )
    peak = float(np.abs(frames).max())
    if peak > _MAX_FLOAT_PEAK:
        raise AudioFileError(
            f"{name} has float samples up to {peak:g}, values within -1 and 1 are wanted: "
            "scale it and write it again"
        )
