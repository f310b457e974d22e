"""Steps that made pitch, filters and contrast faster: before, and now.

As in `pairs.py`, both ways of a pair work on the same data.
"""

from __future__ import annotations

import numpy as np

from benchmarks.features.pairs import Pair, blocks_of
from edge import FeatureSpec
from edge.features.families.chroma import chroma_filters
from edge.features.families.mfcc import mel_filters
from edge.features.families.pitch import Yin
from edge.features.families.spectral_contrast import ContrastKernel
from edge.features.row_maker import RowMaker
from edge.features.spectrum import BLOCK

__all__ = ["feature_pairs"]


def feature_pairs(
    spec: FeatureSpec, maker: RowMaker, samples: np.ndarray, n_frames: int
) -> list[Pair]:
    """Everything from the power and the autocorrelation on."""
    spectrum, kernels = maker.spectrum, maker.kernels
    yin, contrast = kernels["pitch"], kernels["spectral_contrast"]
    spectra = spectrum(samples, n_frames)
    # Rows of the engine's own length, so that the strides are alike, too.
    power, bins = spectra.power[:n_frames].copy(), slice(0, spectrum.n_bins)
    power[:, spectrum.n_bins :] = 0
    ends = spectra.ends.copy()
    differences = yin._normalise(spectra.correlation, spectra.ends, None).values
    return [
        _cumulative(yin, ends),
        _sort(contrast, power),
        _extremes(contrast, power[:, bins]),
        _filters(spec, maker, power),
        _troughs(yin, differences),
        _means(contrast, power[:, bins]),
    ]


def _cumulative(yin: Yin, ends: np.ndarray) -> Pair:
    sums = np.empty_like(ends)
    views = yin._cut(ends, ends, np.empty(2 * ends.size, np.float32))

    def after() -> np.ndarray:
        yin._accumulate(views.end_blocks, yin._within, views)
        return views.sums

    return Pair(
        "cumsum",
        "cumulative sums: cumsum / two products in blocks of 16",
        lambda: np.cumsum(ends, axis=1, out=sums),
        after,
        1e-5,
    )


def _sort(contrast: ContrastKernel, power: np.ndarray) -> Pair:
    found = power[:, contrast._sorted[-1][0]]
    floats, bits = np.empty(found.shape, np.float32), np.empty(found.shape, np.float32)

    def before() -> np.ndarray:
        floats[:] = found
        floats.sort(axis=1)
        return floats

    def after() -> np.ndarray:
        bits[:] = found
        bits.view(np.int32).sort(axis=1)
        return bits

    return Pair("sort", "widest band sorted: as float32 / its bits as int32", before, after, 0.0)


def _extremes(contrast: ContrastKernel, power: np.ndarray) -> Pair:
    edges = contrast._edges
    bands = [power[:, first:end] for first, end in edges.reshape(-1, 2)]
    found, segments = (np.empty((2, len(power), n), np.float32) for n in (len(bands), edges.size))

    def before() -> np.ndarray:
        for k, band in enumerate(bands):
            band.min(axis=1, out=found[0, :, k])
            band.max(axis=1, out=found[1, :, k])
        return found

    def after() -> np.ndarray:
        np.minimum.reduceat(power, edges, axis=1, out=segments[0])
        np.maximum.reduceat(power, edges, axis=1, out=segments[1])
        return segments[:, :, ::2]

    title = f"minima and maxima of {len(bands)} bands: one by one / reduceat"
    return Pair("extremes", title, before, after, 0.0)


def _filters(spec: FeatureSpec, maker: RowMaker, power: np.ndarray) -> Pair:
    n_bins, n_frames = 1 + spec.n_fft // 2, len(power)
    scale = maker.spectrum.POWER_SCALE
    chroma = chroma_filters(spec.sample_rate, spec.n_fft, spec.chroma.n_chroma) / scale
    mel = mel_filters(
        spec.sample_rate, spec.n_fft, spec.mfcc.n_mels, spec.mfcc.fmin_hz, spec.mfcc.fmax_hz
    )
    mel /= scale
    double, filters = power[:, :n_bins].astype(np.float64), maker.power_filters
    blocks = blocks_of(power)
    levels = np.empty((len(blocks), BLOCK, filters.shape[1]), np.float32)
    separate = np.empty((n_frames, filters.shape[1]))

    parts = [
        (blocks[:, :, : len(weights)], weights, levels[:, :, columns])
        for columns, weights in maker.parts
    ]

    def before() -> np.ndarray:
        separate[:, : spec.mfcc.n_mels] = double @ mel
        separate[:, spec.mfcc.n_mels :] = double @ chroma
        return separate

    def after() -> np.ndarray:
        for part, weights, out in parts:
            np.matmul(part, weights, out=out)
        return levels.reshape(-1, filters.shape[1])[:n_frames]

    title = "mel and chroma: products in float64 / in float32, by 16 rows, low bands apart"
    return Pair("filters", title, before, after, 1e-5)


def _troughs(yin: Yin, differences: np.ndarray) -> Pair:
    searched = differences[:, yin.min_lag - 1 : yin.max_lag]
    flat, first = differences.reshape(-1), yin.min_lag - 1
    deepest = searched.min(axis=1)
    limit = np.where(
        deepest < yin.trough_threshold, yin.trough_threshold, deepest + yin.trough_margin
    )[:, None]

    def before() -> np.ndarray:
        falling = searched[:, 1:] < searched[:, :-1]
        trough = np.greater(searched[:, :-1] < limit, falling)
        trough[:, 1:] &= falling[:, :-1]
        return trough.argmax(axis=1) + first

    def after() -> np.ndarray:
        found = differences <= limit
        found.reshape(-1)[:-1] &= flat[:-1] <= flat[1:]
        return found.argmax(axis=1)

    title = "first trough: three comparisons / low enough and not falling"
    return Pair("troughs", title, before, after, 0.0)


def _means(contrast: ContrastKernel, power: np.ndarray) -> Pair:
    weights = contrast._means
    extremes = np.sqrt(np.take(power, np.arange(len(weights)), axis=1))
    blocks = blocks_of(extremes)
    means = np.empty((len(blocks), BLOCK, weights.shape[1]), np.float32)
    # The columns of each mean side by side; those between two bands count for nothing.
    used = np.flatnonzero(weights.any(axis=1))
    used = used[np.argsort(weights[used].argmax(axis=1), kind="stable")]
    starts = np.flatnonzero(np.diff(weights[used].argmax(axis=1), prepend=-1))
    shares, compact = weights.max(axis=0), np.ascontiguousarray(extremes[:, used])

    def before() -> np.ndarray:
        sums = np.add.reduceat(compact, starts, axis=1)
        sums *= shares
        return sums

    def after() -> np.ndarray:
        np.matmul(blocks, weights, out=means)
        return means.reshape(-1, weights.shape[1])[: len(power)]

    title = "means of the extremes: add.reduceat / product with a small matrix"
    return Pair("means", title, before, after, 1e-6)
