"""The pitch methods that are compared, all on the same frames and in the same range.

Needs librosa for its own; heavier imports are inside the functions.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pitch.metrics import Answer
from edge import FeatureExtractor, FeatureSpec

__all__ = ["NOTES", "Method", "always", "make_methods", "ours", "pitch_column"]

Method = Callable[[NDArray[np.float32]], Answer]

#: So high that every frame with a level is answered.
_NO_VOICING = 1e6

NOTES = {
    "ours": "edge.features: YIN on the true difference function with FeatureSpec's thresholds; "
    "where no trough is below the threshold, the first within a margin of the deepest; gross_all "
    "with the voicing threshold off",
    "ours, deepest": "the same without the margin: the deepest of all, as in the YIN paper",
    "librosa.yin (0.1)": "decides nothing by itself: voiced where it found a trough below its "
    "trough_threshold of 0.1, elsewhere it returns its best guess",
    "librosa.yin (0.5)": "the same pitch, voiced where its difference function at the lag it "
    "chose is below 0.5, which is our rule",
    "librosa.pyin": "its defaults and its own decision; it looks ahead through the whole "
    "recording (Viterbi), so no stream can use it; gross_all with fill_na=None",
    "paper eq. 4-5": "argmax over lag of sum x[n] x[n + lag], samples beyond the frame taken as "
    "zero, whole lags; the paper gives no voicing decision",
}


def pitch_column(spec: FeatureSpec) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    """Our pitch, as the feature rows have it."""
    column, extractor = spec.feature_names.index("pitch_hz"), FeatureExtractor(spec)
    return lambda samples: extractor.extract(samples)[:, column].astype(np.float64)


def always(spec: FeatureSpec) -> FeatureSpec:
    """Let every frame with a level be answered."""
    return spec.with_settings(pitch_voicing_threshold=_NO_VOICING)


def ours(spec: FeatureSpec) -> Method:
    """Our pitch and decision."""
    guessed, decided = pitch_column(always(spec)), pitch_column(spec)
    return lambda samples: Answer(guessed(samples), decided(samples) > 0)


def deepest(spec: FeatureSpec) -> Method:
    """Ours, but the deepest of all where no trough is below the threshold (plain YIN)."""
    return ours(spec.with_settings(pitch_trough_margin=0.0))


def autocorrelation(spec: FeatureSpec) -> Method:
    """The paper's equations 4 and 5."""
    first_lag, last_lag = _lags(spec)
    n_fft = 2 * spec.win_length

    def answer(samples: NDArray[np.float32]) -> Answer:
        frames = np.lib.stride_tricks.sliding_window_view(samples, spec.win_length)
        spectrum = np.fft.rfft(frames[:: spec.hop_length].astype(np.float64), n=n_fft, axis=1)
        correlation = np.fft.irfft(np.abs(spectrum) ** 2, n=n_fft, axis=1)
        lag = first_lag + correlation[:, first_lag : last_lag + 1].argmax(axis=1)
        return Answer(spec.sample_rate / lag, None)

    return answer


def librosa_yin(spec: FeatureSpec, limit: float, troughs_only: bool) -> Method:
    """``librosa.yin`` with a decision by its own difference function."""
    import librosa
    from librosa.core import pitch as insides

    first_lag, last_lag = _lags(spec)

    def answer(samples: NDArray[np.float32]) -> Answer:
        pitch_hz = librosa.yin(
            samples, **_arguments(spec), trough_threshold=spec.pitch.trough_threshold
        )
        frames = librosa.util.frame(
            samples, frame_length=spec.win_length, hop_length=spec.hop_length
        )
        # It returns the pitch alone; the value behind it has to be computed once more.
        value = insides._cumulative_mean_normalized_difference(frames, first_lag, last_lag)
        if troughs_only:
            trough = librosa.util.localmin(value, axis=-2)
            trough[0] = value[0] < value[1]
            voiced = (trough & (value < limit)).any(axis=0)
        else:
            chosen = np.rint(spec.sample_rate / pitch_hz).astype(int) - first_lag
            chosen = np.clip(chosen, 0, len(value) - 1)
            voiced = value[chosen, np.arange(value.shape[1])] < limit
            # librosa gives digital silence a difference of zero, which is no period.
            voiced &= np.abs(frames).max(axis=0) > 0
        return Answer(pitch_hz.astype(np.float64), voiced)

    return answer


def librosa_pyin(spec: FeatureSpec) -> Method:
    """``librosa.pyin`` as it comes."""
    import librosa

    def answer(samples: NDArray[np.float32]) -> Answer:
        with warnings.catch_warnings():
            # It divides by the sum of no candidates in digital silence.
            warnings.simplefilter("ignore", RuntimeWarning)
            pitch_hz, voiced, _ = librosa.pyin(samples, **_arguments(spec), fill_na=None)
        return Answer(pitch_hz.astype(np.float64), voiced.astype(bool))

    return answer


def make_methods(spec: FeatureSpec) -> dict[str, Method]:
    """All methods, by the names that `NOTES` explains."""
    return {
        "ours": ours(spec),
        "ours, deepest": deepest(spec),
        "librosa.yin (0.1)": librosa_yin(spec, 0.1, troughs_only=True),
        "librosa.yin (0.5)": librosa_yin(spec, 0.5, troughs_only=False),
        "librosa.pyin": librosa_pyin(spec),
        "paper eq. 4-5": autocorrelation(spec),
    }


def _lags(spec: FeatureSpec) -> tuple[int, int]:
    """Shortest and longest lag searched, as librosa rounds them."""
    return (
        int(np.floor(spec.sample_rate / spec.pitch.fmax_hz)),
        int(np.ceil(spec.sample_rate / spec.pitch.fmin_hz)),
    )


def _arguments(spec: FeatureSpec) -> dict[str, Any]:
    return {
        "sr": spec.sample_rate,
        "fmin": spec.pitch.fmin_hz,
        "fmax": spec.pitch.fmax_hz,
        "frame_length": spec.win_length,
        "hop_length": spec.hop_length,
        "center": False,
    }
