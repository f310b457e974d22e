"""A WAV file that comes through a pipe: pushed in pieces, never sought in.

A writer into a pipe cannot come back to fill in the length, so the one it gives is believed only
where the stream bears it out.  What follows the samples is a chunk to pass over, another file to
go on with, or more sound.
"""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Generator

from edge.audio.wav_format import WavFormat, parse_format
from edge.audio.wav_header import FORMS, LONG, SMALLEST_PLACEHOLDER, UNHEARD_S, is_name
from edge.errors import AudioFileError, how_many

__all__ = ["WavPart", "WavPipe"]

#: Bytes of chunks before the samples: the picture of a cover is far below, a wrong length above.
_MOST_HEADER_BYTES = 1 << 26
_MOST_CHUNKS = 20_000
#: Of a fmt chunk or a ds64 chunk so much is looked at.
_BODY_BYTES = 64
#: What is longer behind the samples is sound that looks like a chunk.
_MOST_BEHIND_BYTES = 1 << 24
#: A length of 64 bits from here on is a placeholder, too.
_SMALLEST_LONG_PLACEHOLDER = 1 << 63


@dataclasses.dataclass(frozen=True, slots=True)
class WavPart:
    """Bytes of samples, and how they are written.

    Parameters
    ----------
    found : WavFormat
        What the header says that they follow.
    stretch : int
        Counts data chunks: PCM frames begin anew with each.
    content : bytes
        Of any length, also half a sample.
    """

    found: WavFormat
    stretch: int
    content: bytes


class WavPipe:
    """Walks a WAV file piece by piece; any cut of the bytes gives the same samples.

    Parameters
    ----------
    name : str
        What errors call the stream.
    mend : str
        How it is converted where it is coded: the end of a sentence.

    Attributes
    ----------
    warnings : list of str
        What its headers say wrong; grows.
    """

    def __init__(self, name: str, mend: str) -> None:
        self._name, self._mend = name, mend
        self.warnings: list[str] = []
        self._waiting = bytearray()
        self._parts: list[WavPart] = []
        self._n_stretches = 0
        # Of the data chunk that is read: what its header promises, and what has not come yet.
        self._promised: tuple[WavFormat, int] | None = None
        self._n_left = 0
        self._steps = self._walk()
        next(self._steps)

    def push(self, data: bytes) -> list[WavPart]:
        """Take the next bytes and give those that are samples.

        Raises
        ------
        CodedWavError
            If the samples are neither integer PCM nor IEEE float.
        AudioFileError
            If the header is damaged, or its format cannot be used.
        """
        self._waiting += data
        next(self._steps)
        parts, self._parts = self._parts, []
        return parts

    def finish(self) -> None:
        """Note the end of the stream.

        Raises
        ------
        AudioFileError
            If it ended before the samples.
        """
        if not self._n_stretches:
            raise AudioFileError(
                f"{self._name} ended inside its WAV header, before the samples: see whether the "
                "program that writes into the pipe failed"
            )
        if self._promised is not None and self._n_left:
            found, n_bytes = self._promised
            self.warnings.append(
                f"its header promises {found.how_long(n_bytes)} of sound and "
                f"{found.how_long(n_bytes - self._n_left)} came "
                f"({how_many(self._n_left, 'byte')} {'is' if self._n_left == 1 else 'are'} "
                "missing): it was cut off, or its length is wrong"
            )

    def _walk(self) -> Generator[None, None, None]:
        """Read files, one behind the other; yields where more bytes are needed."""
        while True:
            found, size = yield from self._header()
            self.warnings += [each for each in found.warnings if each not in self.warnings]
            next_size: int | None = size
            while next_size is not None:
                self._n_stretches += 1
                next_size = yield from self._samples(found, next_size)

    def _header(self) -> Generator[None, None, tuple[WavFormat, int]]:
        """Read up to the samples: their format and their length."""
        form = yield from self._take(12)
        long_size: int | None = None
        found: WavFormat | None = None
        n_bytes = 0
        for _ in range(_MOST_CHUNKS):
            chunk_id, size = struct.unpack("<4sI", (yield from self._take(8)))
            if chunk_id == b"data":
                if found is None:
                    raise self._damaged("its data chunk comes before a fmt chunk")
                if form[:4] != b"RIFF" and size == LONG and long_size is not None:
                    size = long_size
                return found, size
            n_bytes += size
            if n_bytes > _MOST_HEADER_BYTES:
                break
            body = b""
            if chunk_id in (b"fmt ", b"ds64"):
                body = yield from self._take(min(size, _BODY_BYTES))
                if chunk_id == b"fmt ":
                    found = parse_format(body, self._name, self._mend)
                elif len(body) >= 16:
                    long_size = struct.unpack_from("<Q", body, 8)[0]
            yield from self._pass_over(size - len(body))
            # Some writers forget the padding byte; a chunk id never begins with 0.
            if size % 2 and (yield from self._peek(1)) == b"\0":
                yield from self._take(1)
        raise self._damaged(f"its first {_MOST_HEADER_BYTES >> 20} MiB of chunks hold no samples")

    def _samples(self, found: WavFormat, size: int) -> Generator[None, None, int | None]:
        """Hand out samples; the length of the next data chunk, None where another file begins."""
        is_long = size > LONG
        smallest = _SMALLEST_LONG_PLACEHOLDER if is_long else SMALLEST_PLACEHOLDER
        if size == 0 or size >= smallest:
            self._promised = None
            while True:
                self._hand_out(found, (yield from self._some(None)))
        self._promised, self._n_left = (found, size), size
        while self._n_left:
            content = yield from self._some(self._n_left)
            self._n_left -= len(content)
            self._hand_out(found, content)
        n_padding = size % 2
        while True:
            head = yield from self._peek(n_padding + 8)
            at = n_padding if head[0] == 0 else 0
            chunk_id, n_bytes = struct.unpack_from("<4sI", head, at)
            if chunk_id in FORMS:
                head = yield from self._peek(at + 12)
                if head[at + 8 :] == b"WAVE":
                    yield from self._take(at)
                    return None
            if chunk_id == b"data":
                yield from self._take(at + 8)
                return int(n_bytes)
            if not is_name(chunk_id) or n_bytes > _MOST_BEHIND_BYTES:
                yield from self._go_on(found, size)
            yield from self._take(at + 8)
            yield from self._pass_over(n_bytes)
            n_padding = n_bytes % 2

    def _go_on(self, found: WavFormat, size: int) -> Generator[None, None, None]:
        """Take what follows the promised length for sound, to the end of the stream."""
        n_bytes, has_sound = 0, False
        is_said = False
        while True:
            content = yield from self._some(None)
            self._hand_out(found, content)
            # Zeros are padding, mostly.
            n_bytes, has_sound = n_bytes + len(content), has_sound or any(content)
            if not is_said and has_sound and n_bytes >= UNHEARD_S * found.bytes_per_s:
                is_said = True
                self.warnings.append(
                    f"its header promises {found.how_long(size)} of sound and more came: what "
                    "follows was taken for sound, too"
                )

    def _hand_out(self, found: WavFormat, content: bytes) -> None:
        self._parts.append(WavPart(found, self._n_stretches, content))

    def _peek(self, n_bytes: int) -> Generator[None, None, bytes]:
        """Wait for so many bytes and leave them."""
        while len(self._waiting) < n_bytes:
            yield
        return bytes(self._waiting[:n_bytes])

    def _take(self, n_bytes: int) -> Generator[None, None, bytes]:
        """Wait for so many bytes."""
        taken = yield from self._peek(n_bytes)
        del self._waiting[:n_bytes]
        return taken

    def _some(self, n_most: int | None) -> Generator[None, None, bytes]:
        """Wait for any bytes, and take as many as there are."""
        while not self._waiting:
            yield
        taken = bytes(self._waiting[:n_most])
        del self._waiting[: len(taken)]
        return taken

    def _pass_over(self, n_bytes: int) -> Generator[None, None, None]:
        """Wait for so many bytes and keep none of them."""
        while n_bytes > 0:
            n_bytes -= len((yield from self._some(n_bytes)))

    def _damaged(self, what: str) -> AudioFileError:
        return AudioFileError(f"{self._name} is a damaged WAV file: {what}")
