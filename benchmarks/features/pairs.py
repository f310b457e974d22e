"""Steps that made the spectra faster: how it was done before, how it is done now.

Both ways of a pair work on the same data, of the shapes that `FeatureExtractor` meets, and write
where they always wrote; what is not what the pair is about is done alike in both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from edge import FeatureSpec
from edge.arrays import rows_view
from edge.features.spectrum import BLOCK, Spectrum

__all__ = [
    "FFT_IN_SINGLE",
    "Pair",
    "blocks_of",
    "half_spectra",
    "irfft",
    "rfft",
    "spectrum_pairs",
]

#: NumPy 1.26 transforms in double precision alone, and not into a given array.
FFT_IN_SINGLE = int(np.__version__.split(".")[0]) >= 2


@dataclass(frozen=True)
class Pair:
    """Two ways to the same numbers."""

    name: str
    title: str
    before: Callable[[], Any]
    after: Callable[[], Any]
    #: The largest difference, as a share of the largest number.
    tolerance: float

    def agree(self) -> bool:
        """Whether both give the same numbers."""
        before, after = (np.array(way()) for way in (self.before, self.after))
        if before.shape != after.shape:
            return False
        atol = self.tolerance * float(np.abs(before).max())
        return bool(np.allclose(after, before, rtol=0, atol=atol))


def rfft(values: np.ndarray, n: int, out: np.ndarray) -> np.ndarray:
    """Transform the rows into a given array."""
    if FFT_IN_SINGLE:
        return np.fft.rfft(values, n=n, axis=1, out=out)
    out[:] = np.fft.rfft(values, n=n, axis=1)
    return out


def irfft(bins: np.ndarray, n: int, out: np.ndarray) -> np.ndarray:
    """Transform the rows back into a given array."""
    if FFT_IN_SINGLE:
        return np.fft.irfft(bins, n=n, axis=1, out=out)
    out[:] = np.fft.irfft(bins, n=n, axis=1)
    return out


def half_spectra(
    spectrum: Spectrum, samples: np.ndarray, n_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Copies of the spectra of the halves and of the frames, with their padding."""
    # Of a new one: used memory holds in the padding what has no meaning, and may be slow.
    new = Spectrum(spectrum.n_fft, spectrum.hop_length, spectrum.n_lags)
    views = new._cut(n_frames)
    new._transform(samples, views)
    return views.halves.copy(), views.frames.copy()


def blocks_of(power: np.ndarray) -> np.ndarray:
    """Power in blocks of rows, the last one filled up."""
    n_blocks = -(-len(power) // BLOCK)
    blocks = np.zeros((n_blocks, BLOCK, power.shape[1]), np.float32)
    blocks.reshape(n_blocks * BLOCK, -1)[: len(power)] = power
    return blocks


def spectrum_pairs(
    spec: FeatureSpec, spectrum: Spectrum, samples: np.ndarray, n_frames: int
) -> list[Pair]:
    """Everything up to the power and the autocorrelation, as far as this NumPy can."""
    halves, frames = half_spectra(spectrum, samples, n_frames)
    found = [
        _view(spec, samples, n_frames),
        _transforms(spec, spectrum, samples, n_frames),
        _correlation(spec, samples, halves, frames, spectrum.n_lags),
        _flat_pass(frames),
        _kept_buffers(frames),
    ]
    if FFT_IN_SINGLE:
        found.insert(3, _single_inverse(spec, frames, spectrum.n_bins))
    return found


def _view(spec: FeatureSpec, samples: np.ndarray, n_frames: int) -> Pair:
    half, n_halves = spec.n_fft // 2, n_frames + 1
    return Pair(
        "view",
        "halves as a view: sliding windows / ndarray with strides",
        lambda: sliding_window_view(samples, half)[:: spec.hop_length][:n_halves],
        lambda: rows_view(samples, 0, n_halves, spec.hop_length, half),
        0.0,
    )


def _transforms(spec: FeatureSpec, spectrum: Spectrum, samples: np.ndarray, n_frames: int) -> Pair:
    n_fft, half, n_bins = spec.n_fft, spec.n_fft // 2, spectrum.n_bins
    # The engine's window lacks its factor of 1/4, so this one does.
    window = 2 - 2 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    rows = rows_view(samples, 0, n_frames, spec.hop_length, n_fft)
    halves = rows_view(samples, 0, n_frames + 1, spec.hop_length, half)
    tapered, padded = np.empty((n_frames, n_fft)), np.zeros((n_frames + 1, n_fft))
    bins = np.empty((n_frames, n_bins), np.complex128)
    half_bins = np.empty((n_frames + 1, n_bins), np.complex128)
    real, imaginary = np.empty((2, n_frames, n_bins))
    power = np.empty((n_frames, n_bins), np.float32)
    views = spectrum._cut(n_frames)

    def before() -> np.ndarray:
        np.multiply(rows, window, out=tapered)
        rfft(tapered, n_fft, bins)
        np.multiply(bins.real, bins.real, out=real)
        np.multiply(bins.imag, bins.imag, out=imaginary)
        np.add(real, imaginary, out=power, casting="same_kind")
        padded[:, :half] = halves
        rfft(padded, n_fft, half_bins)
        return power

    def after() -> np.ndarray:
        spectrum._transform(samples, views)
        spectrum._taper(views)
        return views.power[:n_frames, :n_bins]

    title = "power: transforms of tapered frames and of halves / of halves alone"
    return Pair("transforms", title, before, after, 1e-5)


def _correlation(
    spec: FeatureSpec, samples: np.ndarray, halves: np.ndarray, frames: np.ndarray, n_lags: int
) -> Pair:
    n_frames, n_fft = len(frames), spec.n_fft
    rows = rows_view(samples, 0, n_frames, spec.hop_length, n_fft).astype(np.float64)
    long_bins, own_long = np.empty((2, n_frames, n_fft + 1), np.complex128)
    long_lags, lags = np.empty((n_frames, 2 * n_fft)), np.empty((n_frames, n_fft))
    bins = slice(1, n_fft // 2 + 2)
    conjugate, own, cross = np.empty_like(halves), np.empty_like(halves), np.empty_like(frames)

    def before() -> np.ndarray:
        rfft(rows, 2 * n_fft, long_bins)
        np.conjugate(long_bins, out=own_long)
        np.multiply(long_bins, own_long, out=own_long)
        return irfft(own_long, 2 * n_fft, long_lags)[:, :n_lags]

    def after() -> np.ndarray:
        np.conjugate(halves, out=conjugate)
        np.multiply(halves, conjugate, out=own)
        np.multiply(frames, conjugate[:n_frames], out=cross)
        np.add(cross, own[-n_frames:], out=cross)
        return irfft(cross[:, bins], n_fft, lags)[:, :n_lags]

    title = "autocorrelation: own transforms of 2048 / from the halves, one of 1024"
    return Pair("correlation", title, before, after, 1e-12)


def _single_inverse(spec: FeatureSpec, frames: np.ndarray, n_bins: int) -> Pair:
    # In double precision, to single: the two round once each.
    double = np.abs(frames) ** 2 + 0j
    single = double.astype(np.complex64)
    lags = np.empty((len(frames), spec.n_fft))
    single_lags = np.empty((len(frames), spec.n_fft), np.float32)
    bins = slice(1, n_bins + 1)
    return Pair(
        "single",
        "inverse transform: complex128 / complex64",
        lambda: irfft(double[:, bins], spec.n_fft, lags),
        lambda: irfft(single[:, bins], spec.n_fft, single_lags),
        1e-6,
    )


def _flat_pass(frames: np.ndarray) -> Pair:
    parts = frames.view(np.float64)
    flat, steps, flat_steps = parts.reshape(-1), np.zeros_like(parts), np.zeros_like(parts)
    left, right, out = parts[:, :-2], parts[:, 2:], steps[:, :-2]
    flat_left, flat_right, flat_out = flat[:-2], flat[2:], flat_steps.reshape(-1)[:-2]

    def before() -> np.ndarray:
        np.subtract(right, left, out=out)
        return out

    def after() -> np.ndarray:
        np.subtract(flat_right, flat_left, out=flat_out)
        return flat_steps[:, :-2]

    return Pair("flat", "a pass over slices of rows / over all rows as one", before, after, 0.0)


def _kept_buffers(frames: np.ndarray) -> Pair:
    conjugate, product, total = np.empty((3, *frames.shape), np.complex128)

    def before() -> np.ndarray:
        mirrored = np.conjugate(frames)
        squared = frames * mirrored
        return squared + frames

    def after() -> np.ndarray:
        np.conjugate(frames, out=conjugate)
        np.multiply(frames, conjugate, out=product)
        return np.add(product, frames, out=total)

    # Where memory happens to lie decides which of NumPy 1.26's loops multiplies.
    return Pair("buffers", "three passes: arrays made anew / kept", before, after, 1e-14)
