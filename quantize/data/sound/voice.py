"""Another voice and another pace from the same recording, for augmentation.

Stretches of sound overlapped at another pace keep their pitch, and the spectral envelope
is warped without moving the harmonics.  Together with a change of speed, which moves everything at
once, pitch, formants and pace become free of each other, as they are between speakers.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError

__all__ = ["perturb_voice"]

_MAX_GAIN = np.log(10.0) * 1.2  # 24 dB: a warped valley must not lift its noise further


@dataclasses.dataclass(frozen=True, slots=True)
class _Lengths:
    """What is a length of time, in samples: frames of 32 ms, a quarter of them apart."""

    n_fft: int
    hop: int
    #: Quefrencies kept in the envelope: below the period of a 470 Hz voice.
    n_lifter: int
    #: Samples either way in which a stretch looks for its best continuation: a period of 80 Hz.
    search: int

    @classmethod
    def at(cls, sample_rate: int) -> _Lengths:
        hop = max(1, round(0.008 * sample_rate))
        lifter, search = round(0.002125 * sample_rate), round(0.0125 * sample_rate)
        return cls(4 * hop, hop, max(1, lifter), max(1, search))


def perturb_voice(
    samples: NDArray[np.floating],
    sample_rate: int = 16_000,
    *,
    tempo: float = 1.0,
    formants: float = 1.0,
) -> NDArray[np.float64]:
    """Change pace and formants, each by itself; the pitch stays.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
    sample_rate : int
        In Hz.
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
    lengths = _Lengths.at(sample_rate)
    voice: NDArray[np.float64] = np.asarray(samples, dtype=np.float64)
    if formants != 1.0:
        spectra = _stft(voice, lengths)
        gain = _envelope_gain(spectra, formants, lengths)
        voice = _istft(spectra * gain, voice.size, lengths)
    return voice if tempo == 1.0 else _stretch(voice, tempo, lengths)


def _stft(samples: NDArray[np.float64], of: _Lengths) -> NDArray[np.complex128]:
    padded = np.pad(samples, (of.n_fft // 2, of.n_fft + of.hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, of.n_fft)[:: of.hop]
    spectra: NDArray[np.complex128] = np.fft.rfft(frames * _window(of.n_fft), axis=1)
    return spectra


def _istft(spectra: NDArray[np.complex128], n_samples: int, of: _Lengths) -> NDArray[np.float64]:
    window = _window(of.n_fft)
    frames = np.fft.irfft(spectra, n=of.n_fft, axis=1) * window
    n_overlap = of.n_fft // of.hop
    blocks = np.zeros((len(frames) + n_overlap, of.hop))
    for part in range(n_overlap):
        blocks[part : part + len(frames)] += frames[:, part * of.hop : (part + 1) * of.hop]
    # A periodic Hann window squared sums to this at a quarter's hop.
    out = blocks.ravel() / (window**2).sum() * of.hop
    kept: NDArray[np.float64] = out[of.n_fft // 2 :][:n_samples]
    return kept


def _window(n_fft: int) -> NDArray[np.float64]:
    window: NDArray[np.float64] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    return window


def _envelope_gain(
    spectra: NDArray[np.complex128], factor: float, of: _Lengths
) -> NDArray[np.float64]:
    """What turns every frame's envelope into the same one at other frequencies."""
    magnitude = np.abs(spectra)
    floor = 1e-4 * magnitude.max(initial=0.0) + 1e-12
    cepstrum = np.fft.irfft(np.log(magnitude + floor), n=of.n_fft, axis=1)
    cepstrum[:, of.n_lifter : of.n_fft - of.n_lifter + 1] = 0.0
    envelope = np.fft.rfft(cepstrum, axis=1).real
    at = np.minimum(np.arange(envelope.shape[1]) / factor, envelope.shape[1] - 1.0)
    low = np.minimum(at.astype(int), envelope.shape[1] - 2)
    warped = envelope[:, low] + (at - low) * (envelope[:, low + 1] - envelope[:, low])
    gain: NDArray[np.float64] = np.exp(np.clip(warped - envelope, -_MAX_GAIN, _MAX_GAIN))
    return gain


def _stretch(samples: NDArray[np.float64], tempo: float, of: _Lengths) -> NDArray[np.float64]:
    """Overlap-add of stretches that continue each other best (WSOLA)."""
    n_out = round(samples.size / tempo)
    window = _window(of.n_fft)
    hop = of.n_fft // 2
    padded = np.pad(samples, (of.n_fft // 2 + of.search, 2 * of.n_fft + of.search))
    out = np.zeros(n_out + 2 * of.n_fft)
    at = of.search
    for start in range(0, n_out + hop, hop):
        if start:
            wanted = min(of.search + round(start * tempo), padded.size - of.n_fft - of.search)
            follows = padded[at + hop : at + hop + of.n_fft]
            region = padded[wanted - of.search : wanted + of.search + of.n_fft]
            at = wanted - of.search + int(np.correlate(region, follows, "valid").argmax())
        out[start : start + of.n_fft] += window * padded[at : at + of.n_fft]
    return out[of.n_fft // 2 :][:n_out]
