"""Tell whether sound was cut off at full scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["ClippingMeter"]

#: Magnitude that counts as full scale: resampling rounds the edges of what was cut off.
_FULL_SCALE = 0.98

#: Share of half a second that must lie at full scale for at least two samples on end.  Peaks of
#: recordings that were made as loud as full scale allows touch it now and then: 0.06 % at most in
#: 300 clips of EMO-DB, none in as many of EMOVO, RAVDESS, TESS and nEMO; a quarter of SAVEE was
#: cut off when it was recorded, up to 17 %.  Of the same clips 20 dB too loud all of EMO-DB, 97 %
#: of nEMO, 75 % of TESS, 64 % of EMOVO and 35 % of RAVDESS reach the share, nine tenths of those
#: that reach full scale at all.
_SHARE = 0.003

_PERIOD_SAMPLES = 8192


class ClippingMeter:
    """Counts samples that lie at full scale, and says once that they are many.

    A sound that was cut off sounds of other emotions, angry ones mostly, and nothing brings
    back what was lost: the mend is a lower gain.
    """

    def __init__(self) -> None:
        self._n_samples = 0
        self._n_clipped = 0
        self._was_full = False
        self._said = False

    def push(self, samples: NDArray[np.float32]) -> str | None:
        """Take in the next samples.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            Full scale 1.

        Returns
        -------
        str or None
            The sentence, once, when half a second of sound clips.
        """
        if self._said or not samples.size:
            return None
        self._n_samples += samples.size
        # Where the extremes are is told sooner than what they are.
        if samples[samples.argmax()] >= _FULL_SCALE or samples[samples.argmin()] <= -_FULL_SCALE:
            is_full = np.abs(samples) >= _FULL_SCALE
            self._n_clipped += int(np.count_nonzero(is_full[1:] & is_full[:-1]))
            self._n_clipped += bool(self._was_full and is_full[0])
            self._was_full = bool(is_full[-1])
        else:
            self._was_full = False
        if self._n_samples < _PERIOD_SAMPLES:
            return None
        share = self._n_clipped / self._n_samples
        self._n_samples = self._n_clipped = 0
        if share < _SHARE:
            return None
        self._said = True
        return (
            f"the sound clips, {100 * share:.1f} % of it lies at full scale: turn the gain down "
            "and record it again"
        )
