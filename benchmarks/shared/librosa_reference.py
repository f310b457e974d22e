"""The 34 features as librosa 0.11 computes them, frame by frame and without look-ahead.

Needs librosa; used by the benchmarks of features and pitch, never by a test. Rows
come back time-major, in the order of ``FeatureSpec``.
"""

from __future__ import annotations

import functools
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from edge import FeatureSpec, MissingDependencyError

__all__ = ["arguments", "reference", "require_librosa"]


def require_librosa() -> None:
    """Raise MissingDependencyError unless the librosa that parity is claimed with is here."""
    try:
        import librosa
    except ImportError as error:
        raise MissingDependencyError(
            'librosa is not installed: pip install "librosa==0.11.*"'
        ) from error
    if not librosa.__version__.startswith("0.11."):
        raise MissingDependencyError(
            f'librosa is {librosa.__version__}, 0.11 is wanted: pip install "librosa==0.11.*"'
        )


def arguments(spec: FeatureSpec) -> dict[str, dict[str, Any]]:
    """Arguments of every librosa call, by function, as they are recorded with the result."""
    frames = {"hop_length": spec.hop_length, "center": False}
    stft = {**frames, "n_fft": spec.n_fft, "win_length": spec.win_length, "window": spec.window}
    return {
        "feature.melspectrogram": {
            **stft,
            "sr": spec.sample_rate,
            "power": 2.0,
            "n_mels": spec.mfcc.n_mels,
            "fmin": spec.mfcc.fmin_hz,
            "fmax": spec.mfcc.fmax_hz,
            "htk": False,
            "norm": "slaney",
        },
        "power_to_db": {"ref": 1.0, "amin": 1e-10, "top_db": None},
        "feature.mfcc": {"n_mfcc": spec.mfcc.n_mfcc, "dct_type": 2, "norm": "ortho", "lifter": 0},
        "yin": {
            **frames,
            "sr": spec.sample_rate,
            "fmin": spec.pitch.fmin_hz,
            "fmax": spec.pitch.fmax_hz,
            "frame_length": spec.win_length,
            "trough_threshold": spec.pitch.trough_threshold,
        },
        "feature.rms": {**frames, "frame_length": spec.win_length},
        "feature.chroma_stft": {
            **stft,
            "sr": spec.sample_rate,
            "n_chroma": spec.chroma.n_chroma,
            "tuning": 0.0,
            "norm": np.inf,
        },
        "feature.spectral_contrast": {
            **stft,
            "sr": spec.sample_rate,
            "fmin": spec.spectral_contrast.fmin_hz,
            "n_bands": spec.spectral_contrast.n_bands,
            "quantile": spec.spectral_contrast.quantile,
            "linear": False,
        },
    }


def reference(
    samples: NDArray[np.float32], spec: FeatureSpec
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Librosa's features of one clip.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
    spec : FeatureSpec

    Returns
    -------
    features : float32 [shape=(n_frames, n_features)]
        The pitch column is ``librosa.yin`` as it comes, which never answers 0.
    voiced : bool [shape=(n_frames,)]
        Frames in which ``librosa.yin`` found a trough below its threshold; elsewhere
        it returns its best guess.
    """
    import librosa

    use = arguments(spec)
    mel = librosa.feature.melspectrogram(y=samples, **use["feature.melspectrogram"])
    mfcc = librosa.feature.mfcc(
        S=librosa.power_to_db(mel, **use["power_to_db"]), **use["feature.mfcc"]
    )
    pitch = librosa.yin(samples, **use["yin"])
    rms = librosa.feature.rms(y=samples, **use["feature.rms"])
    chroma = librosa.feature.chroma_stft(y=samples, **use["feature.chroma_stft"])
    # spectral_contrast leaves power_to_db's top_db at 80 dB below the loudest frame of the
    # whole clip, and offers no argument for it: a frame must not depend on later ones.
    causal = functools.partial(librosa.power_to_db, **use["power_to_db"])
    with mock.patch("librosa.feature.spectral.power_to_db", causal):
        contrast = librosa.feature.spectral_contrast(y=samples, **use["feature.spectral_contrast"])
    rows = np.concatenate([mfcc, pitch[None], rms, chroma, contrast]).T
    return np.ascontiguousarray(rows, dtype=np.float32), _yin_voiced(samples, spec)


def _yin_voiced(samples: NDArray[np.float32], spec: FeatureSpec) -> NDArray[np.bool_]:
    """Whether ``librosa.yin`` passed its threshold; it does not say, so ask its insides."""
    import librosa
    from librosa.core import pitch as insides

    frames = librosa.util.frame(samples, frame_length=spec.win_length, hop_length=spec.hop_length)
    min_lag = int(np.floor(spec.sample_rate / spec.pitch.fmax_hz))
    max_lag = min(int(np.ceil(spec.sample_rate / spec.pitch.fmin_hz)), spec.win_length - 1)
    difference = insides._cumulative_mean_normalized_difference(frames, min_lag, max_lag)
    trough = librosa.util.localmin(difference, axis=-2)
    trough[0] = difference[0] < difference[1]
    voiced: NDArray[np.bool_] = np.any(trough & (difference < spec.pitch.trough_threshold), axis=0)
    return voiced
