"""Figures of two seconds of sound, channel by channel."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.errors import ParameterError

__all__ = ["ChannelLevels", "are_inverted", "channel_levels"]

# Short enough to fall between two words.
_PART_S = 0.02
_FLOOR_PERCENT = 10
# As edge.audio.clipping: full scale of 16 bits, but for a step.
_CLIPPED = 0.9999
_LEAST_DB = -120.0
# A channel this far below the loudest carries its crosstalk.
_DEAD_DB = 40.0
_INVERTED = -0.9


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelLevels:
    """Of one channel.

    Parameters
    ----------
    level_db, floor_db, peak_db : float
        Level without the offset; the level that nine tenths of its 20 ms parts are above; the
        largest sample.  At least -120 dBFS.
    dc : float
        Offset, a part of full scale.
    clipped_share : float
        Samples at full scale.
    is_zero : bool
        No sample but 0.
    is_dead : bool
        Zero, or 40 dB below the loudest channel.
    """

    level_db: float
    floor_db: float
    peak_db: float
    dc: float
    clipped_share: float
    is_zero: bool
    is_dead: bool

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return dataclasses.asdict(self)


def channel_levels(samples: npt.NDArray[np.float32], sample_rate: int) -> list[ChannelLevels]:
    """Measure every channel.

    Parameters
    ----------
    samples : float32 [shape=(n_samples, n_channels)]
        Full scale is 1; what is no number is silence.
    sample_rate : int
        In Hz.

    Raises
    ------
    ParameterError
        If there are no samples, or not of two dimensions.
    """
    if samples.ndim != 2 or not samples.size:
        raise ParameterError(
            f"samples have shape {samples.shape}, (n_samples, n_channels) with one at least is "
            "wanted"
        )
    samples = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    offsets = samples.mean(axis=0, dtype=np.float64)
    moving = samples - offsets
    levels = _decibels(np.sqrt(np.mean(moving**2, axis=0)))
    n_part = max(1, min(len(samples), round(_PART_S * sample_rate)))
    n_parts = len(samples) // n_part
    parts = moving[: n_parts * n_part].reshape(n_parts, n_part, -1)
    floors = np.percentile(_decibels(np.sqrt(np.mean(parts**2, axis=1))), _FLOOR_PERCENT, axis=0)
    found = []
    for index in range(samples.shape[1]):
        channel = samples[:, index]
        is_zero = not channel.any()
        found.append(
            ChannelLevels(
                level_db=round(float(levels[index]), 1),
                floor_db=round(float(floors[index]), 1),
                peak_db=round(float(_decibels(np.abs(channel).max())), 1),
                dc=round(float(offsets[index]), 5),
                clipped_share=round(float(np.mean(np.abs(channel) >= _CLIPPED)), 5),
                is_zero=is_zero,
                is_dead=is_zero or bool(levels[index] < levels.max() - _DEAD_DB),
            )
        )
    return found


def are_inverted(samples: npt.NDArray[np.float32]) -> bool:
    """Whether two channels are each other's negative, so that their mean is silence.

    Parameters
    ----------
    samples : float32 [shape=(n_samples, n_channels)]
    """
    if samples.shape[1] != 2:
        return False
    samples = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0)
    left, right = (samples - samples.mean(axis=0, dtype=np.float64)).T
    size = float(np.sqrt(np.sum(left**2) * np.sum(right**2)))
    return size > 0 and float(np.sum(left * right)) / size < _INVERTED


def _decibels(amplitude: Any) -> Any:
    return np.maximum(20 * np.log10(np.maximum(amplitude, 1e-12)), _LEAST_DB)
