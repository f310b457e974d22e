"""Whether samples are what is said of them: floats of full scale 1, 24 bits above or below."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import AudioFileError

__all__ = ["LOW_24", "MIN_FLOAT_PEAK", "checked_peak", "float_share", "holds_floats", "is_low_24"]

# Float samples a little past full scale are overs and get clipped; at 24 dB past it the sound was
# written in other units, mostly as whole numbers of 16 bits.
_MAX_FLOAT_PEAK = 16.0
#: A float recording that is all smaller than this was written as something else.
MIN_FLOAT_PEAK = 1e-20
_LOW_24 = 1 << 23
#: Peak of a sound of 24 bits (-24 dBFS), and the share of neighbours alike that tells 16 bits.
_LOUD_24, _ALIKE_SHARE = 500_000, 0.02
#: What is said where :func:`is_low_24`.
LOW_24 = (
    "its samples were taken as 24 bits in the low three bytes of four, as arecord writes S24_LE"
)


def checked_peak(
    values: npt.NDArray[np.floating[Any]], name: str, first: int, sample_rate: int
) -> float:
    """Refuse floats that are no sound.

    Parameters
    ----------
    values : float [shape=(n_pcm_frames, n_channels)]
    name : str
        What errors call their file.
    first : int
        PCM frames before them.
    sample_rate : int

    Returns
    -------
    float
        The largest magnitude.

    Raises
    ------
    AudioFileError
        If they hold NaN, infinity or sound of other units.
    """
    finite = np.isfinite(values)
    if not finite.all():
        row, channel = np.argwhere(~finite)[0]
        raise AudioFileError(
            f"{name} holds {values[row, channel]} at {(first + row) / sample_rate:.3f} s, finite "
            "samples are wanted"
        )
    peak = float(np.abs(values).max())
    if peak > _MAX_FLOAT_PEAK:
        raise AudioFileError(
            f"{name} has float samples up to {peak:g}, values within -1 and 1 are wanted: scale it "
            "and write it again"
        )
    return peak


def float_share(values: npt.NDArray[np.float32]) -> float:
    """Share of numbers that would be audible samples as floats of full scale 1."""
    magnitudes = np.abs(values)
    audible = np.isfinite(magnitudes) & (magnitudes > 1e-8) & (magnitudes < _MAX_FLOAT_PEAK)
    return float(audible.mean())


def holds_floats(values: npt.NDArray[np.int32]) -> bool:
    """Whether what should be whole numbers of 32 bits are floats."""
    values = values[values != 0]
    return bool(values.size) and float_share(values.view(np.float32)) > 0.99


def is_low_24(values: npt.NDArray[np.int32], width: int) -> bool:
    """Whether samples in four bytes are 24 bits that lie in the low three.

    Parameters
    ----------
    values : int32 [shape=(n_samples,)]
        Of all channels; zeros do not count.
    width : int
        Bytes of a sample, as a header says: 3 or 4.
    """
    values = values[values != 0]
    if not values.size:
        return False
    # In the fourth byte stands the sign, or nothing where only 24 bits were written.
    is_low = bool((np.abs(values.astype(np.int64)) <= _LOW_24).all())
    if width == 3:
        return is_low or bool((values >> 24 == 0).all())
    return is_low and _is_low_24_of_32(values)


def _is_low_24_of_32(values: npt.NDArray[np.int32]) -> bool:
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
