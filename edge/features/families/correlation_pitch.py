"""Fundamental frequency by the highest autocorrelation."""

from __future__ import annotations

import dataclasses
import math
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edge.features.families.base import Columns, Family, FrameGeometry, Kernel, number
from edge.features.families.pitch import check_pitch_range
from edge.features.spectrum import FrameSpectra

__all__ = ["CorrelationPitch"]


@dataclasses.dataclass(frozen=True, slots=True)
class CorrelationPitch(Family):
    """Lag of the highest autocorrelation, untapered, in whole samples (CLAF-SER, eq. 4 and 5).

    There is no voicing decision: every frame that is not silent has a pitch.

    Parameters
    ----------
    fmin_hz, fmax_hz : float
        Search range, in Hz.
    silence_rms : float
        A frame at or below this RMS is silence: pitch 0.
    """

    NAME: ClassVar[str] = "correlation_pitch"

    fmin_hz: float = number(60.0, "correlation_pitch_fmin_hz")
    fmax_hz: float = number(600.0, "correlation_pitch_fmax_hz")
    silence_rms: float = number(1e-5, "correlation_pitch_silence_rms")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The one column's: a row has one pitch."""
        return ("pitch_hz",)

    def check(self, frames: FrameGeometry) -> None:
        """Compare the range with the frame."""
        check_pitch_range(self.fmin_hz, self.fmax_hz, frames, "correlation_pitch_")

    def kernel(self, frames: FrameGeometry) -> Kernel:
        """Make what computes it."""
        return _CorrelationPitchKernel(self, frames)


class _CorrelationPitchKernel(Kernel):
    def __init__(self, settings: CorrelationPitch, frames: FrameGeometry) -> None:
        self._sample_rate = frames.sample_rate
        self._min_lag = math.floor(frames.sample_rate / settings.fmax_hz)
        self.n_lags = math.ceil(frames.sample_rate / settings.fmin_hz) + 1
        self._silence_energy = settings.silence_rms**2 * frames.win_length

    def fill(self, out: NDArray[np.float32], spectra: FrameSpectra, columns: Columns) -> None:
        lags = spectra.correlation[:, self._min_lag : self.n_lags].argmax(axis=1) + self._min_lag
        audible = spectra.energy > self._silence_energy
        out[:, 0] = np.where(audible, self._sample_rate / lags, 0.0)
