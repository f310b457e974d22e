"""How samples are written: of a WAV file, and of a pipe that holds nothing else; without NumPy."""

from __future__ import annotations

import dataclasses

__all__ = ["FLOAT", "MOST_CHANNELS", "PCM", "PcmFormat"]

#: Format tags of WAV: whole numbers, and IEEE floats.
PCM, FLOAT = 0x0001, 0x0003

#: More channels than any recorder has.
MOST_CHANNELS = 256


@dataclasses.dataclass(frozen=True, slots=True)
class PcmFormat:
    """How one sample is written, little-endian.

    Parameters
    ----------
    tag : int
        :data:`PCM` or :data:`FLOAT`.
    width : int
        Bytes of a sample.
    container : int
        Bytes that a sample takes; more than ``width`` for 24 bits in four bytes.
    is_low_24 : bool
        Whether those 24 bits lie in the low three bytes of the four.
    """

    tag: int
    width: int
    container: int
    is_low_24: bool = False
