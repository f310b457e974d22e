"""Linear prediction cepstral coefficients (CLAF-SER, equations 2 and 3)."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edge.arrays import frame_view
from edge.errors import ParameterError
from edge.features.families.base import Columns, Family, FrameGeometry, Kernel, count
from edge.features.spectrum import FrameSpectra

__all__ = ["Lpcc", "autocorrelation", "cepstrum", "levinson_durbin"]

#: Noise floor added to lag 0, -90 dB: without one a pure tone is predicted without error and
#: nothing is left to divide by.
_NOISE_SHARE = 1e-9

#: A reflection coefficient beyond this is rounding: in exact arithmetic all are below 1.
_LARGEST_REFLECTION = 1.0 - 1e-9


@dataclasses.dataclass(frozen=True, slots=True)
class Lpcc(Family):
    """Cepstral coefficients of the all-pole model of the Hann-tapered frame.

    Parameters
    ----------
    lpc_order : int
        Poles of the linear prediction, p of eq. 2.
    n_lpcc : int
        Cepstral coefficients, from ``c[1]``; ``c[0]``, the gain, is left to the energy.
    """

    NAME: ClassVar[str] = "lpcc"

    lpc_order: int = count(16, 512, "lpc_order")
    n_lpcc: int = count(24, 512, "n_lpcc")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of every column, from ``c[1]``."""
        return tuple(f"lpcc_{m}" for m in range(1, self.n_lpcc + 1))

    def check(self, frames: FrameGeometry) -> None:
        """Compare the order with the frame."""
        if self.lpc_order >= frames.win_length:
            raise ParameterError(
                f"lpc_order is {self.lpc_order}, a whole number below win_length "
                f"{frames.win_length} is wanted"
            )

    def kernel(self, frames: FrameGeometry) -> Kernel:
        """Make what computes it."""
        return _LpccKernel(self, frames)


class _LpccKernel(Kernel):
    def __init__(self, settings: Lpcc, frames: FrameGeometry) -> None:
        self._settings = settings
        self._win_length, self._hop_length = frames.win_length, frames.hop_length
        phase = 2.0 * np.pi * np.arange(frames.win_length) / frames.win_length
        self._taper = 0.5 - 0.5 * np.cos(phase)

    def fill(self, out: NDArray[np.float32], spectra: FrameSpectra, columns: Columns) -> None:
        frames = frame_view(spectra.samples, self._win_length, self._hop_length)[: len(out)]
        correlation = autocorrelation(frames * self._taper, self._settings.lpc_order)
        out[:] = cepstrum(levinson_durbin(correlation), self._settings.n_lpcc)


def autocorrelation(frames: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Sum of ``x[n] * x[n + lag]`` over the pairs within each frame.

    Parameters
    ----------
    frames : float64 [shape=(n_frames, win_length)]
        Tapered.
    order : int
        The largest lag, below ``win_length``.

    Returns
    -------
    float64 [shape=(n_frames, order + 1)]
    """
    length = frames.shape[1]
    lags = [
        np.einsum("tn,tn->t", frames[:, : length - lag], frames[:, lag:])
        for lag in range(order + 1)
    ]
    return np.stack(lags, axis=1)


def levinson_durbin(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Predictor coefficients of every frame from its autocorrelation.

    Parameters
    ----------
    correlation : float64 [shape=(n_frames, order + 1)]
        Lags from 0.

    Returns
    -------
    float64 [shape=(n_frames, order)]
        ``a[1]`` to ``a[p]`` of the paper: sample n is predicted as the sum of
        ``a[k] * x[n - k]``, so the model's spectrum is ``1 / |1 - sum a[k] z**-k|``.
        Its poles are within the unit circle.  All 0 for a silent frame.

    References
    ----------
    Durbin (1960), "The fitting of time-series models"; Makhoul (1975), Proc. IEEE 63(4).
    """
    n_frames, n_lags = correlation.shape
    error = correlation[:, 0] * (1.0 + _NOISE_SHARE)
    # A silent frame has nothing to predict: every other lag is 0 too.
    error = np.where(error > 0.0, error, 1.0)
    predictor = np.zeros((n_frames, n_lags - 1))
    for at in range(n_lags - 1):
        known = predictor[:, :at]
        backwards = correlation[:, at:0:-1]
        rest = correlation[:, at + 1] - (known * backwards).sum(axis=1)
        reflection = np.clip(rest / error, -_LARGEST_REFLECTION, _LARGEST_REFLECTION)
        predictor[:, :at] = known - reflection[:, None] * known[:, ::-1]
        predictor[:, at] = reflection
        error = error * (1.0 - reflection**2)
    return predictor


def cepstrum(predictor: NDArray[np.float64], n_coefficients: int) -> NDArray[np.float64]:
    """Cepstral coefficients of the all-pole model by equations 2 and 3.

    Parameters
    ----------
    predictor : float64 [shape=(n_frames, p)]
        Of :func:`levinson_durbin`.
    n_coefficients : int
        How many, from ``c[1]``; may exceed p.

    Returns
    -------
    float64 [shape=(n_frames, n_coefficients)]
        Each within ``p / m`` of 0, because the poles are within the unit circle.
    """
    n_frames, order = predictor.shape
    cepstra = np.zeros((n_frames, n_coefficients))
    for m in range(1, n_coefficients + 1):
        # a[m - k] exists for m - k from 1 to p alone, which is all that eq. 3 differs in.
        k = np.arange(max(1, m - order), m)
        weighted = cepstra[:, k - 1] * predictor[:, m - k - 1] * (k / m)
        cepstra[:, m - 1] = weighted.sum(axis=1)
        if m <= order:
            cepstra[:, m - 1] += predictor[:, m - 1]
    return cepstra
