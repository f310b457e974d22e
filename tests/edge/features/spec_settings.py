"""The names of the settings of a spec, by their kind."""

from __future__ import annotations

INTEGERS = (
    "sample_rate",
    "n_fft",
    "win_length",
    "hop_length",
    "n_mels",
    "n_mfcc",
    "n_chroma",
    "n_contrast_bands",
)

FLOATS = (
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
)
