"""Feature rows of the baseline: LPCC, MFCC, pitch, energy and chroma (3.1.1-3.1.5).

A row is 24 LPCC, 13 MFCC, 1 pitch, 1 log energy and 12 chroma: 51.  The linear RMS stands
behind them: clips are cut to their speech and segments weighed by it, as CLAF-SER's are, and
the network does not see it.  Where the paper is silent or cannot be taken at its word we
chose, and say so here:

===================  ======================================================================
frames               those of CLAF-SER (64 ms every 32 ms, Hann where tapered, no
                     pre-emphasis), so that both models see the same segments
number of each       the paper names none of them, only the network's input of (1, 204).
                     51 a frame times mean, deviation, least and largest is 204; see
                     :mod:`quantize.baseline.model`
MFCC (eq. 1)         :mod:`edge.features.families.mfcc`: 40 Slaney bands from 50 Hz, power in dB,
                     orthonormal DCT.  Constant factors apart, which the normalisation
                     removes, this is the equation
LPC order            p = 16, one pole a kHz of sample rate, by the autocorrelation method
                     on the Hann-tapered frame
LPCC (eq. 2, 3)      c[1] to c[24]; c[0], the gain, is left to the energy.  Eq. 3 sums
                     over k from 1 to p as printed, where a[m - k] does not exist for
                     k < m - p and k > p is left out; the sum over k from m - p to m - 1
                     is meant, and taken
pitch (eq. 4, 5)     the highest autocorrelation in 60 to 600 Hz (CLAF-SER's range), whole
                     lags, untapered; the text says "cepstrum", the equations do not.  No
                     voicing decision is given: every frame above CLAF-SER's silence has a
                     pitch, a silent one 0
energy (eq. 6)       the second form, natural logarithm, epsilon 1e-10 (-130 dB of a
                     full-scale frame), untapered
chroma (eq. 7-9)     magnitude, Hann-tapered; a bin belongs to the nearest pitch class of
                     the equal temperament on A = 440 Hz, from 50 Hz to the Nyquist
                     frequency.  Divided by the sum (eq. 9), CLAF-SER's own by the maximum.
                     A silent frame stays 0
===================  ======================================================================
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.arrays import as_samples, frame_view
from edge.errors import ParameterError
from edge.features.decibels import power_to_db
from edge.features.families.mfcc import dct_matrix, log_mel_to_mfcc, mel_filters
from edge.features.families.rms import frame_rms
from edge.features.spec import FeatureSpec
from edge.features.spectrum import TILE, Spectrum
from quantize.baseline.lpcc import autocorrelation, cepstrum, levinson_durbin

__all__ = ["BaselineExtractor", "BaselineSpec", "pitch_classes"]

_N_CHROMA = 12


@dataclasses.dataclass(frozen=True)
class BaselineSpec:
    """Settings of the baseline's feature rows.

    Parameters
    ----------
    frames : FeatureSpec
        Frames, mel bands, MFCC and pitch range are CLAF-SER's.
    lpc_order : int
        Poles of the linear prediction, p of eq. 2.
    n_lpcc : int
        Cepstral coefficients, from ``c[1]``.
    energy_floor : float
        Epsilon of eq. 6.
    chroma_fmin_hz : float
        Lowest frequency that chroma counts.

    Raises
    ------
    ParameterError
        If a value is out of range.
    """

    frames: FeatureSpec = dataclasses.field(default_factory=FeatureSpec)
    lpc_order: int = 16
    n_lpcc: int = 24
    energy_floor: float = 1e-10
    chroma_fmin_hz: float = 50.0

    def __post_init__(self) -> None:
        for name in ("lpc_order", "n_lpcc"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not 1 <= value < self.frames.win_length:
                raise ParameterError(
                    f"{name} is {value!r}, a whole number from 1 to below "
                    f"{self.frames.win_length} is wanted"
                )
        if not 0 < self.energy_floor <= 1:
            raise ParameterError(f"energy_floor is {self.energy_floor}, (0, 1] is wanted")
        if not 0 < self.chroma_fmin_hz < self.frames.sample_rate / 2:
            raise ParameterError(
                f"chroma_fmin_hz is {self.chroma_fmin_hz}, a frequency above 0 and below "
                f"{self.frames.sample_rate / 2} Hz is wanted"
            )

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self.frames.sample_rate

    @property
    def win_length(self) -> int:
        """Samples of a frame."""
        return self.frames.win_length

    @property
    def n_features(self) -> int:
        """Width of a row: 52 with the defaults."""
        return self.n_inputs + 1

    @property
    def n_inputs(self) -> int:
        """Columns that the network sees, the first ones: 51 with the defaults."""
        return self.n_lpcc + self.frames.mfcc.n_mfcc + 2 + _N_CHROMA

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of every column of a feature row, in order."""
        return (
            *(f"lpcc_{m}" for m in range(1, self.n_lpcc + 1)),
            *(f"mfcc_{i}" for i in range(self.frames.mfcc.n_mfcc)),
            "pitch_hz",
            "log_energy",
            *(f"chroma_{i}" for i in range(_N_CHROMA)),
            "rms",
        )

    def n_frames(self, n_samples: int) -> int:
        """Whole frames in ``n_samples`` samples (no padding, no centring)."""
        return self.frames.n_frames(n_samples)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, the inverse of :meth:`from_dict`."""
        settings = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        settings["frames"] = self.frames.to_dict()
        return settings

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> BaselineSpec:
        """Build from :meth:`to_dict`'s output; unknown or missing keys are refused."""
        known = {field.name for field in dataclasses.fields(cls)}
        if set(settings) != known:
            raise ParameterError(
                f"feature_spec of the baseline has the keys {sorted(settings)}, "
                f"{sorted(known)} are wanted"
            )
        return cls(**{**settings, "frames": FeatureSpec.from_dict(settings["frames"])})

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the settings and of the baseline's name, as hexadecimal."""
        text = json.dumps(["baseline-1", self.to_dict()], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def pitch_classes(sample_rate: int, n_fft: int, fmin_hz: float) -> NDArray[np.float32]:
    """Which pitch class each bin belongs to (eq. 8), as a matrix of 0 and 1.

    Returns
    -------
    float32 [shape=(1 + n_fft // 2, 12)]
        Column 0 is C.  A bin below ``fmin_hz`` belongs to none.
    """
    bins_hz = np.arange(1 + n_fft // 2) * (sample_rate / n_fft)
    counted = np.flatnonzero(bins_hz >= fmin_hz)
    semitones = np.round(_N_CHROMA * np.log2(bins_hz[counted] / 440.0)).astype(int)
    members = np.zeros((bins_hz.size, _N_CHROMA), np.float32)
    # 440 Hz is an A, nine semitones above a C.
    members[counted, (semitones + 9) % _N_CHROMA] = 1.0
    return members


class BaselineExtractor:
    """Samples in, rows of 51 and the RMS out.

    Parameters
    ----------
    spec : BaselineSpec, optional
    """

    def __init__(self, spec: BaselineSpec | None = None) -> None:
        self.spec = spec = spec or BaselineSpec()
        frames = spec.frames
        self._min_lag = int(np.floor(frames.sample_rate / frames.pitch.fmax_hz))
        self._max_lag = int(np.ceil(frames.sample_rate / frames.pitch.fmin_hz))
        self._spectrum = Spectrum(frames.n_fft, frames.hop_length, self._max_lag + 1)
        self._mel = mel_filters(
            frames.sample_rate,
            frames.n_fft,
            frames.mfcc.n_mels,
            frames.mfcc.fmin_hz,
            frames.mfcc.fmax_hz,
        )
        self._dct = dct_matrix(frames.mfcc.n_mels, frames.mfcc.n_mfcc)
        self._classes = pitch_classes(frames.sample_rate, frames.n_fft, spec.chroma_fmin_hz)
        phase = 2.0 * np.pi * np.arange(frames.win_length) / frames.win_length
        self._taper = 0.5 - 0.5 * np.cos(phase)
        self._silence_energy = frames.pitch.silence_rms**2 * frames.win_length

    def extract(self, samples: ArrayLike) -> NDArray[np.float32]:
        """Feature rows of a whole signal.

        Parameters
        ----------
        samples : array_like of float [shape=(n_samples,)]
            Mono at ``spec.sample_rate``, nominally in [-1, 1].

        Returns
        -------
        float32 [shape=(n_frames, n_features)]
            Row t is of the same samples as row t of
            :class:`edge.features.FeatureExtractor`.

        Raises
        ------
        ParameterError
            If the samples are not finite mono floats, or fewer than one frame.
        """
        checked = as_samples(samples)
        n_frames = self.spec.n_frames(checked.size)
        if not n_frames:
            raise ParameterError(
                f"samples has {checked.size} samples, one frame needs {self.spec.win_length}"
            )
        hop = self.spec.frames.hop_length
        tiles = [
            self._tile(checked[first * hop :], min(TILE, n_frames - first))
            for first in range(0, n_frames, TILE)
        ]
        return np.concatenate(tiles).astype(np.float32)

    def _tile(self, samples: NDArray[np.float32], n_frames: int) -> NDArray[np.float64]:
        spec = self.spec.frames
        frames = frame_view(samples, spec.win_length, spec.hop_length)[:n_frames]
        correlation = autocorrelation(frames * self._taper, self.spec.lpc_order)
        lpcc = cepstrum(levinson_durbin(correlation), self.spec.n_lpcc)
        spectra = self._spectrum(samples, n_frames)
        power = spectra.power[:n_frames, : self._spectrum.n_bins] / Spectrum.POWER_SCALE
        mfcc = log_mel_to_mfcc(power_to_db(power @ self._mel), self._dct)
        energy = np.maximum(spectra.energy.astype(np.float64), 0.0)
        lags = spectra.correlation[:, self._min_lag : self._max_lag + 1].argmax(axis=1)
        audible = energy > self._silence_energy
        pitch_hz = np.where(audible, spec.sample_rate / (lags + self._min_lag), 0.0)
        by_class = np.sqrt(power) @ self._classes
        total = by_class.sum(axis=1, keepdims=True)
        chroma = by_class / np.where(total > 0.0, total, 1.0)
        log_energy = np.log(energy + self.spec.energy_floor)
        rms = frame_rms(energy, spec.win_length)
        return np.concatenate(
            (lpcc, mfcc, pitch_hz[:, None], log_energy[:, None], chroma, rms[:, None]), axis=1
        )
