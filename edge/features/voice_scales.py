"""How the mean of a voice is taken away of rows that are normalised already."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.features.voice_reference import VoiceColumns, VoiceMean, VoiceReference

__all__ = ["VoiceScales"]


class VoiceScales:
    """What :meth:`VoiceColumns.move` comes to where rows are normalised: factors and terms.

    Parameters
    ----------
    reference : VoiceReference
    columns : VoiceColumns
    mean, std : float32 [shape=(n_features,)]
        That the rows are normalised by.
    frame_s : float
        From one frame to the next, in seconds.
    """

    def __init__(
        self,
        reference: VoiceReference,
        columns: VoiceColumns,
        mean: NDArray[np.float32],
        std: NDArray[np.float32],
        frame_s: float,
    ) -> None:
        self._reference, self._frame_s = reference, frame_s
        n_features = columns.n_features
        # What is not shifted is divided by infinity: a term of 0.
        self._std = np.full(n_features, np.inf)
        self._std[columns.shifted] = std[columns.shifted]
        self._rms, self._pitch = columns.rms, columns.pitch
        self._zero = (mean.astype(np.float64) / std).tolist()
        self._scales = np.zeros((2, n_features + 1), dtype=np.float32)
        self._scales[0, :-1] = 1.0

    def of(self, heard: VoiceMean) -> NDArray[np.float32]:
        """Take in what was heard of the voice by now.

        Returns
        -------
        float32 [shape=(2, n_features + 1)]
            Factors and terms, which the next call overwrites: ``rows * factors + terms`` are the
            moved rows, normalised, where the last column of ``rows``, the part's, is 0.  An
            unvoiced frame is still one.
        """
        reference, scales = self._reference, self._scales
        totals = heard.totals
        shift = reference.shift(totals[0], totals[1], self._frame_s)
        # Before the division: these two are factors.
        level = 10 ** (float(shift[self._rms]) / 20)
        pitch = math.exp(float(shift[self._pitch]))
        shift /= self._std
        scales[1, :-1] = shift
        scales[0, self._rms], scales[0, self._pitch] = level, pitch
        scales[1, self._rms] = (level - 1) * self._zero[self._rms]
        scales[1, self._pitch] = (pitch - 1) * self._zero[self._pitch]
        heard_s = heard.n_frames * self._frame_s
        scales[1, -1] = heard_s / (heard_s + reference.prior_s)
        return scales
