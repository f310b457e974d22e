"""How loud the speech of a clip is, and where it begins and ends: one definition.

A frame is speech when it is within so many dB of the clip's loudest one, so that neither pauses
nor the gain of a recording count; the level of the speech is the mean power of those frames.
Frames are of 25 ms where samples are looked at, and those of the features where rows are.

Others stand beside it, because trained weights rest on them and every figure of a bundled
model would change: :func:`loud_quarter_rms`, by which augmentation scales its noise, and the
range of :data:`CROP_RANGE_DB` by which training crops are cut to speech.  And a large model hears
clips as :func:`trimmed` leaves them, by long frames that overlap, since vectors that were made so
are passed on.  The truth that the speech gate learns from
(:func:`quantize.training.gate.scenes.activity`) is no level: it weighs the quiet end of a clip,
too, and knows frames that are neither speech nor silence.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CROP_RANGE_DB",
    "SPEECH_RANGE_DB",
    "frame_power",
    "loud_quarter_rms",
    "n_frame",
    "span",
    "speech_frames",
    "speech_power",
    "trimmed",
]

#: A frame is speech when it is within this many dB of the clip's loudest.
SPEECH_RANGE_DB = 30.0

#: And for the ends of training crops, which keep more of what dies away.
CROP_RANGE_DB = 35.0

_FRAME_S = 0.025

#: From one frame of :func:`trimmed` to the next, and how many of these a frame spans.
_TRIM_HOP_S, _TRIM_HOPS = 0.032, 4


def n_frame(n_samples: int, sample_rate: int) -> int:
    """Samples of a frame of 25 ms; the whole clip where it is shorter."""
    return min(round(_FRAME_S * sample_rate), n_samples)


def frame_power(samples: NDArray[np.floating], sample_rate: int) -> NDArray[np.float64]:
    """Mean square of every whole frame of 25 ms.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
    sample_rate : int
        In Hz.

    Returns
    -------
    float64 [shape=(n_frames,)]
        Of one shorter frame where the clip has no whole one; none for no samples.
    """
    n = n_frame(samples.size, sample_rate)
    if not n:
        return np.zeros(0)
    whole = samples[: samples.size // n * n].astype(np.float64)
    power: NDArray[np.float64] = (whole.reshape(-1, n) ** 2).mean(axis=1)
    return power


def speech_frames(
    levels: NDArray[np.floating], range_db: float = SPEECH_RANGE_DB, *, are_power: bool = False
) -> NDArray[np.bool_]:
    """Tell which frames are speech.

    Parameters
    ----------
    levels : float [shape=(n_frames,)]
        Root-mean-square of every frame, or its square.
    range_db : float
        Silence is what lies further below the loudest frame.
    are_power : bool
        Whether ``levels`` are squares.

    Returns
    -------
    bool [shape=(n_frames,)]
        All of them for digital silence.
    """
    lowest = 10 ** (-range_db / (10 if are_power else 20))
    speech: NDArray[np.bool_] = levels >= levels.max(initial=0.0) * lowest
    return speech


def span(speech: NDArray[np.bool_], margin: int = 0) -> slice:
    """Frames from the first to the last that is speech.

    Parameters
    ----------
    speech : bool [shape=(n_frames,)]
        Of :func:`speech_frames`.
    margin : int
        Frames kept on either side.
    """
    at = np.flatnonzero(speech)
    if not at.size:
        return slice(0, speech.size)
    return slice(max(0, int(at[0]) - margin), min(speech.size, int(at[-1]) + 1 + margin))


def speech_power(samples: NDArray[Any], sample_rate: int) -> float:
    """Mean power of a clip's frames that hold speech, so that pauses do not count.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
    sample_rate : int
        In Hz.

    Returns
    -------
    float
        Mean square over the frames of 25 ms within :data:`SPEECH_RANGE_DB` of the loudest; 0
        for digital silence and for no samples.
    """
    power = frame_power(samples, sample_rate)
    return float(power[speech_frames(power, are_power=True)].mean()) if power.size else 0.0


def loud_quarter_rms(power: NDArray[np.floating]) -> float:
    """Level that three quarters of the frames stay below.

    Silence around the speech, of which the corpora hold very different shares, must not change
    an SNR; this one stands further above a clip's pauses than :func:`speech_power`.

    Parameters
    ----------
    power : float [shape=(n_frames,)]
        Of :func:`frame_power`.

    Returns
    -------
    float
        Root-mean-square; 0 where there is no frame.
    """
    return float(np.sqrt(np.quantile(power, 0.75))) if power.size else 0.0


def trimmed(samples: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
    """A clip without the silence at its ends.

    Frames are of 128 ms, around a point every 32 ms: at 16 kHz those by which librosa trims (2048
    and 512 samples). Silence lies more than :data:`CROP_RANGE_DB` below the loudest of them.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
    sample_rate : int
        In Hz.

    Returns
    -------
    float32 [shape=(n_kept,)]
        A view; all of a clip that is digital silence.
    """
    hop = max(1, round(_TRIM_HOP_S * sample_rate))
    n_points = 1 + samples.size // hop
    half = _TRIM_HOPS // 2
    padded = np.zeros((n_points + _TRIM_HOPS - 1) * hop, np.float32)
    padded[half * hop : half * hop + samples.size] = samples
    hops = padded.reshape(-1, hop)
    energy = np.einsum("ij,ij->i", hops, hops, dtype=np.float64)
    energy = np.lib.stride_tricks.sliding_window_view(energy, _TRIM_HOPS).sum(axis=1)
    kept = span(speech_frames(energy, CROP_RANGE_DB, are_power=True))
    return samples[kept.start * hop : kept.stop * hop]
