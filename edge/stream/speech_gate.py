"""Tell whether a window is loud enough to hold speech.

A gate on energy alone: it looks at the levels of a window's own frames, so it
is causal and costs nothing next to the features.  It cannot tell speech from
other sounds; it only says that a window is too quiet to be judged.
"""

from __future__ import annotations

import dataclasses
import math
import sys

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.arrays import as_number
from edge.errors import ParameterError, shown

__all__ = ["SILENCE_DB", "GateSettings", "SpeechGate", "segment_level_db"]

#: Level given to digital silence, in dBFS, where the logarithm has no value.
#: Below the smallest step of 16 bits (-90 dBFS), so that no recording reaches it.
SILENCE_DB = -120.0

_SILENCE_RMS = 10.0 ** (SILENCE_DB / 20.0)


@dataclasses.dataclass(frozen=True)
class GateSettings:
    """Settings of :class:`SpeechGate`.

    Parameters
    ----------
    floor_db : float
        Level in dBFS that the loudest frames of a window must reach.  The
        default lies under the quietest clip of the training corpora (-59 dBFS,
        RAVDESS) and above the silence around it (-66 dBFS at its 95th
        percentile; ``benchmarks/gate/quiet_levels.py`` prints both): no window is
        called quiet that the model was trained to judge.
    loudest_share : float
        Share of the frames that must reach the floor.  One frame in ten: a
        single click does not open the gate, a word of 0.2 s in a window of 2 s
        does.
    """

    floor_db: float = -60.0
    loudest_share: float = 0.1

    def __post_init__(self) -> None:
        least = -sys.float_info.max
        floor_db = as_number(self.floor_db, "floor_db", "a level <= 0 dBFS is wanted", least, 0.0)
        wanted = "a share above 0 and up to 1 is wanted"
        share = as_number(self.loudest_share, "loudest_share", wanted, math.ulp(0.0), 1.0)
        object.__setattr__(self, "floor_db", floor_db)
        object.__setattr__(self, "loudest_share", share)


class SpeechGate:
    """Says whether a window is loud enough to be judged.

    Parameters
    ----------
    settings : GateSettings, optional
        Floor and share of the frames that must reach it.
    """

    def __init__(self, settings: GateSettings | None = None) -> None:
        if settings is not None and not isinstance(settings, GateSettings):
            raise ParameterError(f"gate is {shown(settings)}, GateSettings or None is wanted")
        self.settings = settings or GateSettings()
        self._floor_rms = 10.0 ** (self.settings.floor_db / 20.0)

    def is_speech(self, frame_rms: ArrayLike) -> bool:
        """Tell whether enough frames of a window reach the floor.

        Parameters
        ----------
        frame_rms : float [shape=(n_frames,)]
            Linear RMS of every frame, full scale 1: the ``rms`` column of the
            feature rows.

        Returns
        -------
        bool

        Raises
        ------
        ParameterError
            If there is no frame or more than one dimension.
        """
        levels = _checked(frame_rms)
        n_wanted = max(1, math.ceil(self.settings.loudest_share * levels.size))
        return int(np.count_nonzero(np.greater_equal(levels, self._floor_rms))) >= n_wanted


def segment_level_db(frame_rms: ArrayLike) -> float:
    """Level of a segment in dBFS from the linear RMS of its frames.

    Parameters
    ----------
    frame_rms : float [shape=(n_frames,)]
        Linear RMS of every frame, full scale 1.

    Returns
    -------
    float
        ``10 log10`` of the mean power, never under :data:`SILENCE_DB`.  A full
        scale sine has -3.01 dBFS.

    Raises
    ------
    ParameterError
        If there is no frame or more than one dimension.
    """
    levels = _checked(frame_rms)
    rms = math.sqrt(float(levels.dot(levels)) / levels.size)
    return 20.0 * math.log10(max(rms, _SILENCE_RMS))


def _checked(frame_rms: ArrayLike) -> NDArray[np.float64]:
    levels = np.asarray(frame_rms, dtype=np.float64)
    if levels.ndim != 1 or levels.size == 0:
        raise ParameterError(
            f"frame_rms has shape {levels.shape}, one level a frame and at least one is wanted"
        )
    return levels
