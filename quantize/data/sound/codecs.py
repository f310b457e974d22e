"""Codecs at low rates: what libsndfile encodes in memory, and a band coder like Bluetooth's.

Which codecs libsndfile has depends on how it was built; :func:`is_supported` tries one.  The
sound of a codec is that of its version, which belongs to what cached rows are made of
(:func:`codec_version`).
"""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.audio.full_band import resample_full_band
from edge.errors import ParameterError
from quantize.data.sound.channels import as_long

__all__ = ["CODECS", "band_coded", "codec_version", "codecs_here", "coded", "is_supported"]

_MP3 = {"compression_level": 0.97, "bitrate_mode": "VARIABLE"}

#: Codecs by name: rate in Hz, format and subtype of libsndfile, and its options.
CODECS: dict[str, tuple[int, str, str, dict[str, Any]]] = {
    "vorbis-8k": (8_000, "OGG", "VORBIS", {"compression_level": 1.0}),
    "vorbis-16k": (16_000, "OGG", "VORBIS", {"compression_level": 1.0}),
    "opus-12kbps": (16_000, "OGG", "OPUS", {"compression_level": 0.96}),
    "opus-7kbps": (8_000, "OGG", "OPUS", {"compression_level": 1.0}),
    "mp3-16k": (16_000, "MP3", "MPEG_LAYER_III", _MP3),
    "mp3-8k": (8_000, "MP3", "MPEG_LAYER_III", _MP3),
    "gsm": (8_000, "WAV", "GSM610", {}),
    "adpcm-8k": (8_000, "WAV", "IMA_ADPCM", {}),
    "g721-8k": (8_000, "WAV", "G721_32", {}),
}  # fmt: skip

_PIECE_SAMPLES = 1 << 14

#: Of the band coder: bands, blocks a frame, bits of all bands of a block together.
_N_BANDS, _N_BLOCKS, _BITPOOL, _MOST_BITS = 8, 15, 26, 16


def codec_version() -> str:
    """The version of libsndfile that encodes here."""
    import soundfile

    return str(soundfile.__libsndfile_version__)


def codecs_here() -> tuple[str, ...]:
    """What the sound of codecs depends on: libsndfile's version, and those that it has."""
    return (codec_version(), *(name for name in CODECS if is_supported(name)))


@functools.cache
def is_supported(name: str) -> bool:
    """Tell whether the libsndfile that is installed knows a codec of :data:`CODECS`."""
    time_s = np.arange(CODECS[name][0] // 2) / CODECS[name][0]
    try:
        heard = _round_trip(0.1 * np.sin(2 * np.pi * 440 * time_s).astype(np.float32), name)
    except Exception:
        # libsndfile's own errors, and an older wrapper's for options that it does not know.
        return False
    return bool(heard.size) and bool(np.isfinite(heard).all())


def coded(samples: NDArray[np.floating], sample_rate: int, name: str) -> NDArray[np.float32]:
    """A clip, encoded and decoded.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
        Within [-1, 1].
    sample_rate : int
        In Hz.
    name : str
        One of :data:`CODECS`; it has a rate of its own.

    Returns
    -------
    float32 [shape=(n_samples,)]

    Raises
    ------
    ParameterError
        If libsndfile was built without it here.
    """
    if not is_supported(name):
        raise ParameterError(
            f"the codec {name!r} is not known to the libsndfile that is installed "
            f"({codec_version()}): install a newer soundfile, pip install -U soundfile"
        )
    rate = CODECS[name][0]
    clip = samples.astype(np.float32)
    if not clip.size:
        return clip
    heard = clip if rate == sample_rate else resample_full_band(clip, sample_rate, rate)
    heard = as_long(_round_trip(heard, name), heard.size)
    if rate != sample_rate:
        heard = resample_full_band(heard, rate, sample_rate)
    return as_long(heard, clip.size)


def _round_trip(samples: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    import soundfile

    rate, kind, subtype, options = CODECS[name]
    held = io.BytesIO()
    with soundfile.SoundFile(
        held, "w", samplerate=rate, channels=1, format=kind, subtype=subtype, **options
    ) as file:
        # Vorbis' encoder takes as much stack as it is given samples.
        for at in range(0, samples.size, _PIECE_SAMPLES):
            file.write(np.clip(samples[at : at + _PIECE_SAMPLES], -1.0, 1.0))
    held.seek(0)
    heard: NDArray[np.float32] = soundfile.read(held, dtype="float32")[0]
    return heard


def band_coded(samples: NDArray[np.floating], bitpool: int = _BITPOOL) -> NDArray[np.float32]:
    """Eight bands, scaled and rounded with few bits, as Bluetooth's mSBC does.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
        At 16 kHz for the bands of mSBC.
    bitpool : int
        Bits of a block of eight samples, one a band.

    Returns
    -------
    float32 [shape=(n_samples,)]

    Notes
    -----
    The bands are those of a lapped cosine transform, which is shorter than the filter bank of the
    standard; scale factors (powers of two a band and frame), the division of bits by them and the
    rounding are as in the Bluetooth A2DP specification, appendix B ("loudness" left out: SNR).
    """
    n_padded = samples.size + _N_BANDS
    n_frames = -(-n_padded // (_N_BANDS * _N_BLOCKS)) + 1
    padded = np.zeros(n_frames * _N_BLOCKS * _N_BANDS + _N_BANDS)
    padded[_N_BANDS : _N_BANDS + samples.size] = samples
    basis = _basis()
    slices = np.lib.stride_tricks.sliding_window_view(padded, 2 * _N_BANDS)[::_N_BANDS]
    bands = (slices @ basis).reshape(n_frames, _N_BLOCKS, _N_BANDS)
    # In steps of 16 bits, whose powers of two are the scale factors.
    largest = np.abs(bands).max(axis=1) * 2**15
    exponents = np.ceil(np.log2(np.maximum(largest, 1.0))).astype(int)
    bits = _bits(exponents, bitpool)
    scales = np.exp2(exponents - 15.0)[:, np.newaxis]
    levels = (np.exp2(bits) - 1)[:, np.newaxis]
    codes = np.clip(np.floor((bands / scales + 1) * levels / 2), 0, np.maximum(levels - 1, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        heard = ((2 * codes + 1) / levels - 1) * scales
    heard = np.where(levels > 0, heard, 0.0).reshape(-1, _N_BANDS)
    halves = (heard @ basis.T).reshape(-1, 2, _N_BANDS)
    out = np.zeros((len(halves) + 1, _N_BANDS))
    out[:-1] += halves[:, 0]
    out[1:] += halves[:, 1]
    coded: NDArray[np.float32] = out.ravel()[_N_BANDS:][: samples.size].astype(np.float32)
    return coded


@functools.cache
def _basis() -> NDArray[np.float64]:
    """Lapped cosines under a sine window, whose overlapping halves add up to what went in."""
    n, k = np.arange(2 * _N_BANDS), np.arange(_N_BANDS)
    window = np.sin(np.pi * (n + 0.5) / (2 * _N_BANDS))
    angles = np.pi / _N_BANDS * np.outer(n + 0.5 + _N_BANDS / 2, k + 0.5)
    basis: NDArray[np.float64] = window[:, np.newaxis] * np.cos(angles) * np.sqrt(2 / _N_BANDS)
    return basis


def _bits(exponents: NDArray[np.int_], bitpool: int) -> NDArray[np.int_]:
    """Bits of every band: the loudest first, one more for each power of two."""
    bits = np.zeros_like(exponents)
    for line in range(int(exponents.max(initial=0)), -_MOST_BITS, -1):
        wanted = np.clip(exponents - line + 1, 0, _MOST_BITS)
        # A single bit tells only a sign.
        wanted[wanted == 1] = 0
        fits = wanted.sum(axis=1) <= bitpool
        if not fits.any():
            break
        bits[fits] = wanted[fits]
    # What is left goes to the lowest bands that have some.
    left = bitpool - bits.sum(axis=1)
    for band in range(bits.shape[1]):
        more = (left > 0) & (bits[:, band] > 1) & (bits[:, band] < _MOST_BITS)
        bits[more, band] += 1
        left[more] -= 1
    return bits
