"""Tell raw samples, WAV and everything else apart by the first bytes of a pipe."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from edge.audio.marks import marked
from edge.audio.wav_header import FORMS

__all__ = ["N_HEAD", "RAW", "WAV", "container_mark", "pipe_kind"]

#: Kinds of pipe beside the mark of a container.
RAW, WAV = "raw samples", "WAV"

#: Bytes that are looked at: three frames of the longest kind that has no mark of its own.
N_HEAD = 3 * 8192
#: The longest mark ends here.
_N_MARKS = 16
#: Text of so many bytes is no sound: it would be a loud half of a wave of nothing but letters.
#: A level that stands still has fewer different bytes at its even or odd places.
_N_TEXT, _N_LETTERS = 64, 4

#: kbit/s of MPEG 1 layer III, 2 layer III.
_MP3_KBITS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_MP3_RATES_HZ = {
    3: (44_100, 48_000, 32_000),
    2: (22_050, 24_000, 16_000),
    0: (11_025, 12_000, 8000),
}
_AC3_KBITS = (
    32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
)  # fmt: skip
_AC3_RATES_HZ = (48_000, 44_100, 32_000)
#: Headers in their right distances that make a stream of frames; one alone is any two samples.
_N_FRAMES = 3
_N_HEADER = 7

#: What is no sound, or has to be unpacked first.
_OTHERS = (
    (b"\x89PNG\r\n\x1a\n", "PNG (a picture)"),
    (b"GIF8", "GIF (a picture)"),
    (b"\xff\xd8\xff\xe0", "JPEG (a picture)"),
    (b"\xff\xd8\xff\xe1", "JPEG (a picture)"),
    (b"%PDF-", "PDF (a document)"),
    (b"MThd", "MThd (MIDI)"),
    (b"\x7fELF", "ELF (a program)"),
    (b"PK\x03\x04", "PK (a zip archive)"),
    (b"7z\xbc\xaf\x27\x1c", "7z (an archive)"),
    (b"Rar!\x1a\x07", "Rar! (an archive)"),
    (b"\xfd7zXZ\x00", "xz (a compressed file)"),
    (b"\x28\xb5\x2f\xfd", "zstd (a compressed file)"),
)


def pipe_kind(head: bytes, *, is_all: bool = False) -> str | None:
    """Tell what a pipe brings.

    Parameters
    ----------
    head : bytes
        From the very beginning, as many as there are.
    is_all : bool
        Whether no more will come.

    Returns
    -------
    str or None
        :data:`RAW`, :data:`WAV` or the mark of a container; None where more bytes, up to
        :data:`N_HEAD`, may tell another thing.  Gathered bytes give the same in any pieces.
    """
    if len(head) < _N_MARKS and not is_all:
        return None
    if head[:4] in FORMS and head[8:12] == b"WAVE":
        return WAV
    mark = container_mark(head)
    if mark is not None:
        return mark
    is_open = len(head) < N_HEAD and any(_is_chain(head, length) is None for length, _ in _STREAMS)
    if not is_open and len(head) < _N_TEXT:
        is_open = _is_text(head)
        if is_open and is_all and head:
            return "text"
    return None if is_open and not is_all else RAW


def container_mark(head: bytes) -> str | None:
    """Name the mark that the beginning of a file bears which is neither WAV nor raw samples.

    Parameters
    ----------
    head : bytes
        From the very beginning, as many as there are; :data:`N_HEAD` are enough.

    Returns
    -------
    str or None
        None while, or where, it may be raw samples.
    """
    own = next((each.in_a_pipe for each in marked(head) if each.in_a_pipe is not None), None)
    if own is None:
        own = next((name for content, name in _OTHERS if head.startswith(content)), None)
    if own is None:
        own = next((name for is_kind, name in _CHECKED if is_kind(head)), None)
    if own is None:
        own = next((name for length, name in _STREAMS if _is_chain(head, length)), None)
    return own


def _is_id3(head: bytes) -> bool:
    """Whether a tag's version is small and no byte of its size above 127."""
    return head[:3] == b"ID3" and len(head) >= 10 and head[3] < 5 and max(head[6:10]) < 128


def _is_bzip2(head: bytes) -> bool:
    return head[:3] == b"BZh" and head[4:10] == b"1AY&SY"


def _is_lettering(head: bytes) -> bool:
    """Whether it begins with text that no sound begins with."""
    text = head[:_N_TEXT]
    if len(text) < _N_TEXT or min(len(set(text[k::2])) for k in (0, 1)) < _N_LETTERS:
        return False
    return _is_text(text)


def _is_gzip(head: bytes) -> bool:
    """Whether method, flags, strength and system are those that exist."""
    return (
        head[:3] == b"\x1f\x8b\x08"
        and len(head) >= 10
        and head[3] < 32
        and head[8] in (0, 2, 4)
        and (head[9] < 14 or head[9] == 255)
    )


def _is_text(head: bytes) -> bool:
    try:
        # Incremental, for the last character may be cut in two.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\t\r\n" for character in text)


def _is_chain(head: bytes, length: Callable[[bytes], int]) -> bool | None:
    """Whether frames follow each other; None where too few bytes are there to tell."""
    at = 0
    for _ in range(_N_FRAMES):
        header = head[at : at + _N_HEADER]
        n = length(header)
        if n == 0:
            return None if len(header) < _N_HEADER else False
        at += n
    return True


def _adts_length(header: bytes) -> int:
    """Bytes of a frame of AAC; 0 where it is none."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return 0
    if header[2] >> 2 & 15 > 12:  # rates that are not given
        return 0
    n = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    return n if n > 7 else 0


def _mp3_length(header: bytes) -> int:
    """Bytes of a frame of MP3; 0 where it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, bitrate, rate = header[1] >> 3 & 3, header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bitrate in (0, 15) or rate == 3:
        return 0
    kbits = _MP3_KBITS[3 if version == 3 else 2][bitrate]
    n_per_kbit = 144_000 if version == 3 else 72_000
    return n_per_kbit * kbits // _MP3_RATES_HZ[version][rate] + (header[2] >> 1 & 1)


def _ac3_length(header: bytes) -> int:
    """Bytes of a frame of AC-3; 0 where it is none."""
    if len(header) < 5 or header[:2] != b"\x0b\x77" or header[4] >> 6 == 3:
        return 0
    rate_hz, size = _AC3_RATES_HZ[header[4] >> 6], header[4] & 63
    if size >= 2 * len(_AC3_KBITS):
        return 0
    n_words = _AC3_KBITS[size >> 1] * 96_000 // rate_hz
    return 2 * (n_words + (size & 1 if rate_hz == 44_100 else 0))


def _transport_length(header: bytes) -> int:
    """Bytes of a packet of an MPEG transport stream; 0 where it is none."""
    if len(header) < 4 or header[0] != 0x47 or header[1] & 0x80 or not header[3] & 0x30:
        return 0
    # A level that stands still has the same bytes again and again.
    return 188 if header[2] != 0x47 else 0


_STREAMS: tuple[tuple[Callable[[bytes], int], str], ...] = (
    (_adts_length, "frames of AAC"),
    (_mp3_length, "frames of MP3"),
    (_ac3_length, "frames of AC-3"),
    (_transport_length, "packets of an MPEG transport stream"),
)
_CHECKED: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (_is_id3, "ID3 (MP3)"),
    (_is_gzip, "gzip (a compressed file)"),
    (_is_bzip2, "BZh (a compressed file)"),
    (_is_lettering, "text"),
)
