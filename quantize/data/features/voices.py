"""What a voice sounds like on the whole, from the rows of its clips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.features.voice_reference import VoiceColumns
from quantize.data.sound.level import speech_frames

__all__ = ["CALM", "N_CLIPS", "voice_totals"]

#: Emotions that most of a day is spoken in.
CALM = ("neutral", "calm")

#: Clips that a reference is made of, in training and where it is measured; fewer where a voice has
#: no more.
N_CLIPS = (1, 2, 4, 8, 16, 64)


def voice_totals(columns: VoiceColumns, rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Sums over the speech frames of a clip, see :meth:`VoiceColumns.totals`."""
    return columns.totals(rows, speech_frames(rows[:, columns.rms].astype(np.float64)))
