"""Another voice and another pace from the same recording, for augmentation.

Stretches of sound overlapped at another pace keep their pitch, and the spectral envelope
is warped without moving the harmonics.  Together with a change of speed, which moves everything at
once, pitch, formants and pace become free of each other, as they are between speakers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError

__all__ = ["perturb_voice"]

_N_FFT, _HOP = 512, 128
#: Quefrencies kept in the envelope: below the period of a 470 Hz voice at 16 kHz.
_N_LIFTER = 34
#: Samples either way in which a stretch looks for its best continuation: a period of 80 Hz.
_SEARCH = 200
_MAX_GAIN = np.log(10.0) * 1.2  # 24 dB: a warped valley must not lift its noise further


def perturb_voice(
    samples: NDArray[np.floating], *, tempo: float = 1.0, formants: float = 1.0
) -> NDArray[np.float64]:
    """Change pace and formants, each by itself; the pitch stays.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
        At 16 kHz.
    tempo : float
        Above 1 is faster and so shorter.
    formants : float
        Factor of the frequencies of the spectral envelope; above 1 is a shorter vocal
        tract.

    Returns
    -------
    float64 [shape=(round(n_samples / tempo),)]

    Raises
    ------
    ParameterError
        If a factor is outside [0.5, 2].

    Notes
    -----
    Envelope by cepstral liftering (Röbel & Rodet, 2005), time by WSOLA (Verhelst &
    Roelands, 1993).
    """
    for name, factor in (("tempo", tempo), ("formants", formants)):
        if not 0.5 <= factor <= 2.0:
            raise ParameterError(f"{name} is {factor}, a factor in [0.5, 2] is wanted")
    voice: NDArray[np.float64] = np.asarray(samples, dtype=np.float64)
    if formants != 1.0:
        spectra = _stft(voice)
        voice = _istft(spectra * _envelope_gain(spectra, formants), voice.size)
    return voice if tempo == 1.0 else _stretch(voice, tempo)


def _stft(samples: NDArray[np.float64]) -> NDArray[np.complex128]:
    padded = np.pad(samples, (_N_FFT // 2, _N_FFT + _HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _N_FFT)[::_HOP]
    spectra: NDArray[np.complex128] = np.fft.rfft(frames * _window(), axis=1)
    return spectra


def _istft(spectra: NDArray[np.complex128], n_samples: int) -> NDArray[np.float64]:
    window = _window()
    frames = np.fft.irfft(spectra, n=_N_FFT, axis=1) * window
    n_overlap = _N_FFT // _HOP
    blocks = np.zeros((len(frames) + n_overlap, _HOP))
    for part in range(n_overlap):
        blocks[part : part + len(frames)] += frames[:, part * _HOP : (part + 1) * _HOP]
    # A periodic Hann window squared sums to this at a quarter's hop.
    out = blocks.ravel() / (window**2).sum() * _HOP
    kept: NDArray[np.float64] = out[_N_FFT // 2 :][:n_samples]
    return kept


def _window() -> NDArray[np.float64]:
    window: NDArray[np.float64] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_N_FFT) / _N_FFT)
    return window


def _envelope_gain(spectra: NDArray[np.complex128], factor: float) -> NDArray[np.float64]:
    """What turns every frame's envelope into the same one at other frequencies."""
    magnitude = np.abs(spectra)
    floor = 1e-4 * magnitude.max(initial=0.0) + 1e-12
    cepstrum = np.fft.irfft(np.log(magnitude + floor), n=_N_FFT, axis=1)
    cepstrum[:, _N_LIFTER : _N_FFT - _N_LIFTER + 1] = 0.0
    envelope = np.fft.rfft(cepstrum, axis=1).real
    at = np.minimum(np.arange(envelope.shape[1]) / factor, envelope.shape[1] - 1.0)
    low = np.minimum(at.astype(int), envelope.shape[1] - 2)
    warped = envelope[:, low] + (at - low) * (envelope[:, low + 1] - envelope[:, low])
    gain: NDArray[np.float64] = np.exp(np.clip(warped - envelope, -_MAX_GAIN, _MAX_GAIN))
    return gain


def _stretch(samples: NDArray[np.float64], tempo: float) -> NDArray[np.float64]:
    """Overlap-add of stretches that continue each other best (WSOLA)."""
    n_out = round(samples.size / tempo)
    window = _window()
    hop = _N_FFT // 2
    padded = np.pad(samples, (_N_FFT // 2 + _SEARCH, 2 * _N_FFT + _SEARCH))
    out = np.zeros(n_out + 2 * _N_FFT)
    at = _SEARCH
    for start in range(0, n_out + hop, hop):
        if start:
            wanted = min(_SEARCH + round(start * tempo), padded.size - _N_FFT - _SEARCH)
            follows = padded[at + hop : at + hop + _N_FFT]
            region = padded[wanted - _SEARCH : wanted + _SEARCH + _N_FFT]
            at = wanted - _SEARCH + int(np.correlate(region, follows, "valid").argmax())
        out[start : start + _N_FFT] += window * padded[at : at + _N_FFT]
    return out[_N_FFT // 2 :][:n_out]
