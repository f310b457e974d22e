"""Where the samples of a WAV file lie and how they are written, whatever its header says wrong.

The RIFF chunks are walked here because :mod:`wave` knows neither float nor
WAVE_FORMAT_EXTENSIBLE and believes every length it reads.  What can be put right without a guess is
read and told of in a warning; what cannot is an error.
"""

from __future__ import annotations

import dataclasses
import struct
from typing import BinaryIO

from edge.audio.convert import conversion
from edge.audio.wav_format import WavFormat, parse_format
from edge.errors import AudioFileError, how_many

__all__ = [
    "FORMS",
    "LONG",
    "SMALLEST_PLACEHOLDER",
    "UNHEARD_S",
    "WavLayout",
    "is_name",
    "is_wav",
    "read_layout",
]

FORMS = (b"RIFF", b"RF64", b"BW64")
# A writer into a pipe cannot come back to fill in the length. It leaves 0 (GStreamer), all ones
# (ffmpeg), or about 2 GiB (sox, arecord, espeak-ng).
SMALLEST_PLACEHOLDER = 0x7FFFF000
LONG = 0xFFFFFFFF
#: Chunks of a file that are looked at; a file of nothing but their heads would take minutes.
_MOST_CHUNKS = 20_000
#: Places, and bytes at each, by which what follows the samples is told from padding.
_N_LOOKS, _LOOK_BYTES = 64, 1 << 12
#: More samples behind the data than this are worth a word.
UNHEARD_S = 0.05


@dataclasses.dataclass(frozen=True, slots=True)
class WavLayout:
    """Where a WAV file's samples lie, and how they are written.

    Parameters
    ----------
    found : WavFormat
        What its fmt chunk says.
    start, n_bytes : int
        Where the samples lie in the file.
    warnings : tuple of str
        What its header says wrong.
    """

    found: WavFormat
    start: int
    n_bytes: int
    warnings: tuple[str, ...]


def is_wav(head: bytes) -> bool:
    """Whether the first 12 bytes of a file are those of a WAV file, whole or cut short."""
    return head[:4] in FORMS and (len(head) < 12 or head[8:12] == b"WAVE")


def read_layout(stream: BinaryIO, n_file_bytes: int, name: str) -> WavLayout:
    """Walk the chunks up to the samples, and see what lies behind them.

    Parameters
    ----------
    stream : binary file
        Seekable, positioned anywhere.
    n_file_bytes : int
        Length of the file.
    name : str
        What errors call the file.

    Raises
    ------
    CodedWavError
        If the samples are neither integer PCM nor IEEE float.
    AudioFileError
        If the file ends before the samples, holds none, or its format cannot be used.
    """
    stream.seek(0)
    is_long = stream.read(4) != b"RIFF"
    long_size: int | None = None
    found: WavFormat | None = None
    position = 12
    n_chunks = 0
    while position + 8 <= n_file_bytes:
        n_chunks += 1
        if n_chunks > _MOST_CHUNKS:
            raise AudioFileError(
                f"{name} is a damaged WAV file: its first {_MOST_CHUNKS} chunks hold no samples"
            )
        stream.seek(position)
        chunk_id, size = struct.unpack("<4sI", stream.read(8))
        position += 8
        if chunk_id == b"data":
            if found is None:
                raise AudioFileError(
                    f"{name} is a damaged WAV file: its data chunk comes before a fmt chunk"
                )
            if is_long and size == LONG and long_size is not None:
                size = long_size
            return _with_samples(stream, found, position, size, n_file_bytes, name)
        if chunk_id in (b"fmt ", b"ds64") and position + size <= n_file_bytes:
            body = stream.read(min(size, 64))
            if chunk_id == b"fmt ":
                found = parse_format(body, name, conversion(name))
            elif len(body) >= 16:
                long_size = struct.unpack_from("<Q", body, 8)[0]
        position = _behind(stream, position, size)
    raise AudioFileError(
        f"{name} is truncated: its {n_file_bytes} bytes end before the samples (no data chunk); "
        "copy or record it again"
    )


def _behind(stream: BinaryIO, position: int, size: int) -> int:
    """Where the chunk after one of ``size`` bytes begins."""
    position += size
    if size % 2:
        # Chunks start at even places. Some writers forget the padding byte; a chunk id never
        # begins with 0, so a 0 is the padding.
        stream.seek(position)
        position += stream.read(1) == b"\0"
    return position


def _with_samples(
    stream: BinaryIO, found: WavFormat, start: int, size: int, n_file_bytes: int, name: str
) -> WavLayout:
    n_left = n_file_bytes - start
    warnings = list(found.warnings)
    if size == 0:
        n_bytes = 0 if _only_chunks_left(stream, start, n_file_bytes) else n_left
    elif size <= n_left:
        n_bytes = size
        unheard = _unheard(stream, found, _behind(stream, start, size), n_file_bytes)
        if unheard is not None:
            warnings.append(unheard)
    else:
        n_bytes = n_left
        if size < SMALLEST_PLACEHOLDER or size > LONG:
            n_missing = size - n_left
            warnings.append(
                f"its header promises {found.how_long(size)} of sound and {found.how_long(n_left)} "
                f"are there ({how_many(n_missing, 'byte')} {'is' if n_missing == 1 else 'are'} "
                "missing): it was cut off, or its length is wrong"
            )
    n_bytes -= n_bytes % found.pcm_frame_bytes
    if n_bytes == 0:
        raise AudioFileError(f"{name} holds no samples: its data chunk is empty")
    return WavLayout(found, start, n_bytes, tuple(warnings))


def _only_chunks_left(stream: BinaryIO, position: int, n_file_bytes: int) -> bool:
    """Whether what follows an empty data chunk is a tidy row of chunks rather than samples."""
    for _ in range(_MOST_CHUNKS):
        if position + 8 > n_file_bytes:
            break
        stream.seek(position)
        chunk_id, size = struct.unpack("<4sI", stream.read(8))
        if not is_name(chunk_id):
            return False
        position += 8 + size + size % 2
    return position in (n_file_bytes, n_file_bytes + 1)


def _unheard(stream: BinaryIO, found: WavFormat, position: int, n_file_bytes: int) -> str | None:
    """Say how much sound lies behind the samples; None where there is none."""
    n_bytes = 0
    n_parts = 0
    for _ in range(_MOST_CHUNKS):
        if position + 8 > n_file_bytes:
            break
        stream.seek(position)
        chunk_id, size = struct.unpack("<4sI", stream.read(8))
        n_left = n_file_bytes - position - 8
        if chunk_id in FORMS or chunk_id == b"data":
            # Another file glued to this one, or a second stretch of sound.
            size = size or n_left
            n_bytes += min(size, n_left)
            n_parts += 1
        elif not is_name(chunk_id) or size > n_left + 1:
            if _holds_anything(stream, position, n_file_bytes):
                n_bytes += n_file_bytes - position
            break
        position = _behind(stream, position + 8, size)
    if n_bytes < UNHEARD_S * found.bytes_per_s:
        return None
    where = (
        "in another file or chunk that was put behind it"
        if n_parts
        else "behind the length that its header gives"
    )
    return (
        f"{found.how_long(n_bytes)} of sound follow unheard, {where}: write it again with a "
        "program that sets its length right"
    )


def _holds_anything(stream: BinaryIO, start: int, end: int) -> bool:
    """Whether a stretch of a file is more than zeros; a recording may begin with them."""
    for position in range(start, end, max(_LOOK_BYTES, -(-(end - start) // _N_LOOKS))):
        stream.seek(position)
        if any(stream.read(min(_LOOK_BYTES, end - position))):
            return True
    return False


def is_name(name: bytes) -> bool:
    """Whether four bytes may name a chunk."""
    return all(0x20 <= byte < 0x7F for byte in name)
