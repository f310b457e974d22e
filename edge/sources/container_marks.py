"""Tell an audio file from raw samples by its first bytes."""

from __future__ import annotations

from collections.abc import Callable

from edge.audio.marks import marked

__all__ = ["N_HEAD", "container_mark"]

#: Bytes that are looked at: three frames of the longest kind that has no mark of its own.
N_HEAD = 3 * 8192

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
#: Headers in their right distances that make a stream of frames; one alone is any two samples.
_N_FRAMES = 3


def container_mark(head: bytes) -> str | None:
    """Name the mark that the beginning of an audio file bears.

    Parameters
    ----------
    head : bytes
        From the very beginning, as many as there are; :data:`N_HEAD` are enough.

    Returns
    -------
    str or None
        None while, or where, it may be raw samples.
    """
    for mark in marked(head):
        if mark.in_a_pipe is not None:
            return mark.in_a_pipe
    # The size of an ID3 tag has no byte above 127, its version is small.
    if head[:3] == b"ID3" and len(head) >= 10 and head[3] < 5 and max(head[6:10]) < 128:
        return "ID3 (MP3)"
    for length, name in ((_adts_length, "frames of AAC"), (_mp3_length, "frames of MP3")):
        if _is_chain(head, length):
            return name
    return None


def _is_chain(head: bytes, length: Callable[[bytes], int]) -> bool:
    at = 0
    for _ in range(_N_FRAMES):
        n = length(head[at : at + 7])
        if n == 0:
            return False
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
