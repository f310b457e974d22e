"""Voices of many streams, heard in one go; :class:`edge.stream.voice.Voice` is for one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.stream.voice import Left, Voice

__all__ = ["hear_together"]


def hear_together(voices: Sequence[Voice], left: Sequence[Left]) -> None:
    """Let each voice hear what has left its window, as :meth:`Voice.hear` does.

    Parameters
    ----------
    voices : sequence of Voice
        Each once, all of one artifact.
    left : sequence of Left
        One for each.
    """
    alike: dict[int, list[tuple[Voice, NDArray[np.float32], NDArray[np.bool_]]]] = {}
    for voice, each in zip(voices, left, strict=True):
        speech = voice.speech(*each)
        if speech is None:
            voice.note(len(each.rows), 0, None)
        else:
            alike.setdefault(len(each.rows), []).append((voice, each.rows, speech))
    for n_rows, several in alike.items():
        speech = np.stack([each for _, _, each in several])
        rows = np.stack([each for _, each, _ in several])
        totals = several[0][0].columns.totals_each(rows, speech)
        n_speech = np.count_nonzero(speech, axis=1).tolist()
        for (voice, _, _), n_spoken, own in zip(several, n_speech, totals, strict=True):
            voice.note(n_rows, n_spoken, own if n_spoken else None)
