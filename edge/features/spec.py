"""CONTRACT: the one definition of a feature row.

Training, evaluation and the device all build their features from a
:class:`FeatureSpec`; its :attr:`~FeatureSpec.fingerprint` travels in every
artifact, so a model can never meet features it was not trained on.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from edge.errors import ParameterError

__all__ = ["FeatureSpec"]

_FEATURE_ORDER = ("mfcc", "pitch", "rms", "chroma", "spectral_contrast")

#: Largest whole numbers.  A spec also comes out of an artifact from elsewhere, which must not
#: make a device compute filters of gigabytes: these allow 64 MB.
_LARGEST = {
    "sample_rate": 768_000,
    "n_fft": 16_384,
    "win_length": 16_384,
    "hop_length": 16_384,
    "n_mels": 512,
    "n_mfcc": 512,
    "n_chroma": 512,
    "n_contrast_bands": 16,
}
_LARGEST_FLOAT = 1e6


@dataclasses.dataclass(frozen=True)
class FeatureSpec:
    """Settings of the 34 features of CLAF-SER (section 3.4.1, d = 34).

    Parameters
    ----------
    sample_rate : int
        Samples per second every length below refers to.
    n_fft, win_length, hop_length : int
        Analysis frame, taper and step, in samples. ``n_fft`` equals
        ``win_length``: the frame is not zero-padded.
    window : str
        The taper; ``"hann"`` (periodic) is the only one.
    n_mels, n_mfcc : int
        Mel bands (Slaney scale and area norm) and cepstral coefficients kept.
    fmin_hz, fmax_hz : float
        Edges of the mel bands, in Hz.
    n_chroma : int
        Pitch classes.
    n_contrast_bands : int
        Octave bands above the lowest; there is one feature more than this.
    contrast_fmin_hz : float
        Upper edge of the lowest contrast band, in Hz.
    contrast_quantile : float
        Share of a band's bins taken for its peak and for its valley.
    pitch_method : str
        ``"yin"``: depends on its own frame alone, unlike pYIN.
    pitch_fmin_hz, pitch_fmax_hz : float
        Search range, in Hz.
    pitch_trough_threshold : float
        YIN's absolute threshold on the normalised difference function.
    pitch_trough_margin : float
        Where no trough is below the threshold, as in noise, the first one within this of
        the deepest is taken: the doubled period is as deep as the period but for chance.
    pitch_voicing_threshold : float
        A frame whose best trough is above this is unvoiced: pitch 0.
    pitch_silence_rms : float
        A frame at or below this RMS is silence: pitch 0 and no search.
    order : tuple of str
        Order of the feature groups in a row.

    Raises
    ------
    ParameterError
        If a value is out of range or the combination cannot be computed.
    """

    sample_rate: int = 16_000
    n_fft: int = 1024
    win_length: int = 1024
    hop_length: int = 512
    window: str = "hann"
    n_mels: int = 40
    n_mfcc: int = 13
    fmin_hz: float = 50.0
    fmax_hz: float = 8000.0
    n_chroma: int = 12
    n_contrast_bands: int = 6
    contrast_fmin_hz: float = 100.0
    contrast_quantile: float = 0.02
    pitch_method: str = "yin"
    pitch_fmin_hz: float = 60.0
    pitch_fmax_hz: float = 600.0
    pitch_trough_threshold: float = 0.1
    pitch_trough_margin: float = 0.03
    pitch_voicing_threshold: float = 0.5
    pitch_silence_rms: float = 1e-5
    order: tuple[str, ...] = _FEATURE_ORDER

    def __post_init__(self) -> None:
        for name, largest in _LARGEST.items():
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not 1 <= value <= largest:
                raise ParameterError(
                    f"{name} is {value!r}, a whole number from 1 to {largest} is wanted"
                )
        for name in (
            "fmin_hz",
            "fmax_hz",
            "contrast_fmin_hz",
            "contrast_quantile",
            "pitch_fmin_hz",
            "pitch_fmax_hz",
            "pitch_trough_threshold",
            "pitch_trough_margin",
            "pitch_voicing_threshold",
            "pitch_silence_rms",
        ):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ParameterError(f"{name} is {value!r}, a number is wanted")
            # Compared as they are: a whole number of 400 digits does not become a float.
            if not 0 <= value <= _LARGEST_FLOAT:
                raise ParameterError(
                    f"{name} is {value}, a number from 0 to {_LARGEST_FLOAT:g} is wanted"
                )
            # An int, or -0.0, would give another canonical JSON than the equal float.
            object.__setattr__(self, name, float(value) + 0.0)
        if not isinstance(self.order, tuple | list):
            raise ParameterError(f"order is {self.order!r}, {_FEATURE_ORDER} is wanted")
        object.__setattr__(self, "order", tuple(self.order))
        self._check_ranges()

    def _check_ranges(self) -> None:
        nyquist_hz = self.sample_rate / 2
        if self.window != "hann":
            raise ParameterError(f"window is {self.window!r}, 'hann' is the only one known")
        if self.pitch_method != "yin":
            raise ParameterError(
                f"pitch_method is {self.pitch_method!r}, 'yin' is the only one known"
            )
        if self.order != _FEATURE_ORDER:
            raise ParameterError(f"order is {self.order}, {_FEATURE_ORDER} is wanted")
        if self.win_length != self.n_fft or self.n_fft % 2:
            raise ParameterError(
                f"win_length {self.win_length} and n_fft {self.n_fft} must be equal and even"
            )
        if self.hop_length > self.win_length:
            raise ParameterError(
                f"hop_length {self.hop_length} is more than win_length {self.win_length}: "
                "samples between two frames would be lost"
            )
        if self.n_mfcc > self.n_mels:
            raise ParameterError(f"n_mfcc {self.n_mfcc} is more than n_mels {self.n_mels}")
        if not 0 <= self.fmin_hz < self.fmax_hz <= nyquist_hz:
            raise ParameterError(
                f"fmin_hz {self.fmin_hz} and fmax_hz {self.fmax_hz} must rise within 0 and "
                f"{nyquist_hz} Hz"
            )
        bin_hz = self.sample_rate / self.n_fft
        if self.contrast_fmin_hz < bin_hz or not 0 < self.contrast_quantile <= 0.5:
            raise ParameterError(
                f"contrast_fmin_hz {self.contrast_fmin_hz} must be at least one bin, {bin_hz} Hz, "
                f"and contrast_quantile {self.contrast_quantile} above 0 and at most 0.5"
            )
        if self.contrast_fmin_hz * 2**self.n_contrast_bands >= nyquist_hz:
            raise ParameterError(
                f"{self.n_contrast_bands} octaves above contrast_fmin_hz {self.contrast_fmin_hz} "
                f"pass the Nyquist frequency {nyquist_hz} Hz"
            )
        if not 0 < self.pitch_fmin_hz < self.pitch_fmax_hz <= nyquist_hz:
            raise ParameterError(
                f"pitch_fmin_hz {self.pitch_fmin_hz} and pitch_fmax_hz {self.pitch_fmax_hz} "
                f"must rise within 0 and {nyquist_hz} Hz"
            )
        shortest_lag = self.sample_rate / self.pitch_fmax_hz
        longest_lag = self.sample_rate / self.pitch_fmin_hz
        if longest_lag > self.win_length // 2 - 2:
            raise ParameterError(
                f"pitch_fmin_hz {self.pitch_fmin_hz} needs a frame of at least "
                f"{2 * longest_lag + 4:.1f} samples, win_length is {self.win_length}"
            )
        # A trough is found between two neighbours.
        if math.ceil(longest_lag) - math.floor(shortest_lag) < 2:
            raise ParameterError(
                f"pitch_fmin_hz {self.pitch_fmin_hz} and pitch_fmax_hz {self.pitch_fmax_hz} span "
                f"less than two samples of lag at {self.sample_rate} Hz: widen the range"
            )

    @property
    def n_features(self) -> int:
        """Width of a feature row: 34 with the defaults."""
        return self.n_mfcc + 1 + 1 + self.n_chroma + self.n_contrast_bands + 1

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of every column of a feature row, in order."""
        return (
            *(f"mfcc_{i}" for i in range(self.n_mfcc)),
            "pitch_hz",
            "rms",
            *(f"chroma_{i}" for i in range(self.n_chroma)),
            *(f"contrast_{i}" for i in range(self.n_contrast_bands + 1)),
        )

    def n_frames(self, n_samples: int) -> int:
        """Whole frames in ``n_samples`` samples (no padding, no centring)."""
        return max(0, 1 + (n_samples - self.win_length) // self.hop_length)

    def n_samples(self, n_frames: int) -> int:
        """Count the samples that ``n_frames`` frames span."""
        return 0 if n_frames <= 0 else (n_frames - 1) * self.hop_length + self.win_length

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, the inverse of :meth:`from_dict`."""
        settings = dataclasses.asdict(self)
        settings["order"] = list(self.order)
        return settings

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> FeatureSpec:
        """Build from :meth:`to_dict`'s output; unknown or missing keys are refused."""
        if not isinstance(settings, Mapping):
            raise ParameterError(f"feature_spec is {settings!r}, an object of settings is wanted")
        known = {field.name for field in dataclasses.fields(cls)}
        unknown, missing = sorted(set(settings) - known), sorted(known - set(settings))
        if unknown or missing:
            raise ParameterError(
                f"feature_spec has unknown keys {unknown} and lacks {missing}: "
                "it was written by another version of edge-ser"
            )
        return cls(**settings)

    def canonical_json(self) -> str:
        """Write the settings as JSON with sorted keys and no white space."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of :meth:`canonical_json`, as hexadecimal."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()
