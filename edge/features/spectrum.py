"""Power spectrum and autocorrelation of every frame from one transform of half frames.

A frame is two halves.  With a hop of half a frame, the second half of one frame is the
first of the next, so each half is transformed once, padded to a whole frame, and then

* ``first + (-1)**k * second`` is the spectrum of the frame: a delay by half a frame turns
  the sign of every second bin;
* ``conj(first) * (-1)**k * second`` is the correlation of the two halves, which does not wrap
  round below a lag of half a frame: YIN needs no transform of its own but the inverse.

The periodic Hann window is three bins wide, so it is applied to the spectrum.

NumPy is fast on long contiguous runs, in memory that it has used just before, and slow to
begin.  So there are few passes, each over all rows as over one (the columns of padding in
between hold nothing of meaning), and the buffers are allocated and cut once.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.arrays import rows_view

__all__ = ["BLOCK", "TILE", "FrameSpectra", "Spectrum"]

#: Frames computed at once: 2 s with the default spec, in 2 MB.
TILE = 64

#: Rows of a matrix product.  BLAS adds up in another order for another number of rows, so
#: blocks of one size give a frame the same numbers wherever it stands.
BLOCK = 16

# NumPy 1.26 cannot transform into a given array, nor in single precision.
_FFT_TAKES_OUT = int(np.__version__.split(".")[0]) >= 2

#: Where a constant offset is more than this share of a frame's power, single precision would
#: not leave enough of the rest to find a period in: up to here it is good for 3e-4 of the mean
#: difference.
_OFFSET_SHARE = 0.999

#: A variance below this share of a frame's power is rounding, not a signal: the flattest of
#: 411,187 frames of the four training corpora has 1e-4.
_ROUNDING = 1e-12


class FrameSpectra(NamedTuple):
    """Sums over the samples of every frame; overwritten by the next call."""

    #: Under a periodic Hann window, times `Spectrum.POWER_SCALE`: (n_rows, n_columns).  The bins
    #: are followed by padding, the frames by rows up to whole blocks, both without meaning.
    power: NDArray[np.float32]
    #: Sum of ``x[n] * x[n + lag]`` over the pairs within the frame: (n_frames, n_lags).
    correlation: NDArray[np.float32]
    #: ``x[k]**2 + x[-1 - k]**2``, what the ends of the frame hold: (n_frames, n_lags - 1).
    ends: NDArray[np.float32]
    #: Sum of the squared samples: (n_frames,).
    energy: NDArray[np.float32]
    #: Memory for whoever comes next, ``4 * TILE * n_columns`` values without meaning.
    free: NDArray[np.float32]
    #: The samples from the first frame on, contiguous: frame t begins at ``t * hop_length``.
    samples: NDArray[np.float32]


def _carve(memory: NDArray[Any], dtype: type, *shape: int) -> NDArray[Any]:
    """Lay another array over the beginning of a contiguous one."""
    return memory.reshape(-1).view(dtype)[: math.prod(shape)].reshape(shape)


@dataclasses.dataclass(slots=True)
class _Views:
    """Buffers, cut to a number of frames.

    Made once for each number: cutting takes as long as the arithmetic on a small tile.
    """

    #: The halves padded to whole frames, and their two parts.
    padded: NDArray[np.float64]
    samples: NDArray[np.float64]
    padding: NDArray[np.float64]
    halves: NDArray[np.complex128]
    bins: NDArray[np.complex128]
    frames: NDArray[np.complex128]
    #: First halves, second halves and frames: the two terms and where their sum goes.
    even_bins: tuple[NDArray[np.complex128], ...]
    odd_bins: tuple[NDArray[np.complex128], ...]
    sums: NDArray[np.float64]
    bin_1: NDArray[np.complex128]
    before: NDArray[np.complex128]
    last_but_one: NDArray[np.complex128]
    behind: NDArray[np.complex128]
    own: NDArray[np.complex64]
    conjugate: NDArray[np.complex64]
    first_conjugate: NDArray[np.complex64]
    second_own: NDArray[np.complex64]
    cross: NDArray[np.complex64]
    cross_bins: NDArray[np.complex64]
    #: NumPy 2 transforms into single precision, and its types do not know.
    whole_correlation: NDArray[Any]
    correlation: NDArray[np.float32]
    energy: NDArray[np.float32]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    steps: NDArray[np.float64]
    upper_steps: NDArray[np.float64]
    lower_steps: NDArray[np.float64]
    parts: NDArray[np.float32]
    tapered: NDArray[np.float32]
    real_parts: NDArray[np.float32]
    imaginary_parts: NDArray[np.float32]
    flat_power: NDArray[np.float32]
    power: NDArray[np.float32]
    squares: NDArray[np.float32]
    ends: NDArray[np.float32]
    heads: NDArray[np.float32]
    tails: NDArray[np.float32]


class Spectrum:
    """Transforms frames; all memory it needs is allocated once.

    Parameters
    ----------
    n_fft : int
        Frame length in samples, even.
    hop_length : int
        From one frame to the next, in samples.
    n_lags : int
        Lags of the autocorrelation, from 0; those from half a frame on are not right.
    """

    #: The window is applied without its factor of 1/4.
    POWER_SCALE = 16.0

    def __init__(self, n_fft: int, hop_length: int, n_lags: int) -> None:
        self.n_fft, self.hop_length, self.n_lags = n_fft, hop_length, n_lags
        self.n_bins = 1 + n_fft // 2
        # A bin before the first and one behind the last, and whole cache lines.
        self.n_columns = -(-(self.n_bins + 2) // 4) * 4
        self._shared = 2 * hop_length == n_fft
        n_halves = TILE + 1 if self._shared else 2 * TILE
        # float64 up to the power: in float32 the rounding noise of the transform fills the
        # valleys that spectral contrast measures (0.03 dB off on real speech, not 1e-5).
        self._halves = np.zeros((n_halves, self.n_columns), np.complex128)
        memory = np.zeros(max(2 * TILE * self.n_columns, n_halves * n_fft))
        self._frames = _carve(memory, np.complex128, TILE, self.n_columns)
        # float32: rounding only changes the difference function by some 1e-6 of its mean.
        self._own = np.zeros((n_halves, self.n_columns), np.complex64)
        self._conjugate = np.zeros((n_halves, self.n_columns), np.complex64)
        n_squares, n_ends = (TILE - 1) * hop_length + n_fft, TILE * (n_lags - 1)
        single = np.zeros(max(2 * TILE * self.n_columns, n_squares + n_ends), np.float32)
        self._cross = _carve(single, np.complex64, TILE, self.n_columns)
        # The rest stands where something else is no longer, or not yet, needed: between two
        # calls the caches hold other things, and every kilobyte has to come back.
        self._padded = _carve(memory, np.float64, n_halves, n_fft)
        self._correlation = self._conjugate.view(np.float32)[:TILE, :n_fft]
        self._steps = _carve(self._halves, np.float64, 2 * TILE * self.n_columns)
        self._parts = _carve(self._cross, np.float32, 2 * TILE * self.n_columns)
        self._power = _carve(self._own, np.float32, TILE, self.n_columns)
        self._squares = single[:n_squares]
        self._ends = _carve(single[n_squares:], np.float32, TILE, n_lags - 1)
        self._free = self._frames.reshape(-1).view(np.float32)
        self._offset_limit = np.float32(_OFFSET_SHARE * n_fft)
        self._views: dict[int, _Views] = {}

    def __call__(self, samples: NDArray[np.float32], n_frames: int) -> FrameSpectra:
        """Transform the first frames of a signal.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            Contiguous; frame t is the ``n_fft`` samples from ``t * hop_length``.
        n_frames : int
            From 1 to ``TILE``.

        Notes
        -----
        Causal: a row depends on its own frame alone.
        """
        v = self._views.get(n_frames)
        if v is None:
            v = self._views[n_frames] = self._cut(n_frames)
        self._transform(samples, v)
        self._correlate(v)
        self._taper(v)
        used = samples[: v.squares.size]
        np.multiply(used, used, out=v.squares)
        np.add(v.heads, v.tails, out=v.ends)
        energy = v.energy
        offset = v.sums * v.sums > self._offset_limit * energy
        if np.count_nonzero(offset):
            energy = energy.copy()
            self._without_offset(samples, np.flatnonzero(offset))
        return FrameSpectra(v.power, v.correlation, v.ends, energy, self._free, samples)

    def _transform(self, samples: NDArray[np.float32], v: _Views) -> None:
        """Spectra of the halves and of the frames."""
        half, n_frames = self.n_fft // 2, len(v.frames)
        if self._shared:
            v.samples[:] = rows_view(samples, 0, n_frames + 1, half, half)
        else:
            v.samples[:n_frames] = rows_view(samples, 0, n_frames, self.hop_length, half)
            v.samples[n_frames:] = rows_view(samples, half, n_frames, self.hop_length, half)
        # Padded here and not by NumPy, which then transforms some rows at once.
        v.padding.fill(0)
        if _FFT_TAKES_OUT:
            np.fft.rfft(v.padded, axis=1, out=v.bins)
        else:
            v.bins[:] = np.fft.rfft(v.padded, axis=1)
        np.add(*v.even_bins)
        np.subtract(*v.odd_bins)
        # Bins below 0 and above the Nyquist frequency are the conjugates of those inside.  Those of
        # the halves hold what the last call left there, and nobody looks.
        np.conjugate(v.bin_1, out=v.before)
        np.conjugate(v.last_but_one, out=v.behind)

    def _correlate(self, v: _Views) -> None:
        """Inverse transform of ``conj(first) * (first + second) + |second|**2``."""
        np.copyto(v.own, v.halves, casting="same_kind")
        np.copyto(v.cross, v.frames, casting="same_kind")
        np.conjugate(v.own, out=v.conjugate)
        np.multiply(v.own, v.conjugate, out=v.own)
        np.multiply(v.cross, v.first_conjugate, out=v.cross)
        np.add(v.cross, v.second_own, out=v.cross)
        if _FFT_TAKES_OUT:
            np.fft.irfft(v.cross_bins, n=self.n_fft, axis=1, out=v.whole_correlation)
        else:
            v.whole_correlation[:] = np.fft.irfft(v.cross_bins, n=self.n_fft, axis=1)

    def _taper(self, v: _Views) -> None:
        """Window the spectra of the frames and square them.

        The window is 1/2 less 1/4 of either neighbour: a difference of differences, which is
        small beside its terms and so single precision only afterwards.
        """
        np.subtract(v.upper, v.lower, out=v.steps)
        np.subtract(v.lower_steps, v.upper_steps, out=v.tapered, casting="same_kind")
        np.multiply(v.parts, v.parts, out=v.parts)
        np.add(v.real_parts, v.imaginary_parts, out=v.flat_power)

    def _cut(self, n_frames: int) -> _Views:
        """Cut the buffers to a number of frames."""
        n_halves = n_frames + 1 if self._shared else 2 * n_frames
        bins = slice(1, self.n_bins + 1)
        first, second = slice(0, n_frames), slice(n_halves - n_frames, n_halves)
        halves, frames = self._halves[:n_halves], self._frames[:n_frames]
        # Bin k stands in column k + 1.
        each = (halves[first].reshape(-1), halves[second].reshape(-1), frames.reshape(-1))
        padded = self._padded[:n_halves]
        own, conjugate = self._own[:n_halves], self._conjugate[:n_halves]
        cross, whole_correlation = self._cross[:n_frames], self._correlation[:n_frames]

        flat = frames.reshape(-1).view(np.float64)
        upper, lower = flat[2:], flat[:-2]
        steps = self._steps[: upper.size]
        upper_steps, parts = steps[2:], self._parts[: flat.size]
        real_parts = parts[0::2]

        hop, length = self.hop_length, self.n_lags - 1
        squares = self._squares[: (n_frames - 1) * hop + self.n_fft]
        return _Views(
            padded=padded,
            samples=padded[:, : self.n_fft // 2],
            padding=padded[:, self.n_fft // 2 :],
            halves=halves,
            bins=halves[:, bins],
            frames=frames,
            even_bins=tuple(part[1::2] for part in each),
            odd_bins=tuple(part[0::2] for part in each),
            sums=frames[:, 1].real,
            bin_1=frames[:, 2],
            before=frames[:, 0],
            last_but_one=frames[:, self.n_bins - 1 : self.n_bins],
            behind=frames[:, self.n_bins + 1 :],
            own=own,
            conjugate=conjugate,
            first_conjugate=conjugate[first],
            second_own=own[second],
            cross=cross,
            cross_bins=cross[:, bins],
            whole_correlation=whole_correlation,
            correlation=whole_correlation[:, : self.n_lags],
            energy=whole_correlation[:, 0],
            upper=upper,
            lower=lower,
            steps=steps,
            upper_steps=upper_steps,
            lower_steps=steps[:-2],
            parts=parts,
            tapered=parts[: upper_steps.size],
            real_parts=real_parts,
            imaginary_parts=parts[1::2],
            flat_power=self._power.reshape(-1)[: real_parts.size],
            power=self._power[: -(-n_frames // BLOCK) * BLOCK],
            squares=squares,
            ends=self._ends[:n_frames],
            heads=rows_view(squares, 0, n_frames, hop, length),
            tails=rows_view(squares, self.n_fft - 1, n_frames, hop, length, -1),
        )

    def _without_offset(self, samples: NDArray[np.float32], rows: NDArray[np.intp]) -> None:
        """Correlation and ends of some frames less their means, in double precision.

        A period does not care for an offset; a frame of nothing else becomes silence.
        """
        starts = rows * self.hop_length
        frames = samples[starts[:, None] + np.arange(self.n_fft)].astype(np.float64)
        mean = frames.mean(axis=1, keepdims=True)
        frames -= mean
        variance = (frames * frames).mean(axis=1, keepdims=True)
        frames *= variance > _ROUNDING * mean * mean
        spectrum = np.fft.rfft(frames, n=2 * self.n_fft, axis=1)
        lags = np.fft.irfft(spectrum * spectrum.conj(), axis=1)
        self._correlation[rows, : self.n_lags] = lags[:, : self.n_lags]
        length = self.n_lags - 1
        backwards = frames[:, ::-1]
        self._ends[rows] = frames[:, :length] ** 2 + backwards[:, :length] ** 2
