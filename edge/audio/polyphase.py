"""The filter behind the resampler: a Kaiser-windowed sinc at every phase that is needed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["KAISER_BETA", "Polyphase", "kaiser_half_length"]

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]

_ATTENUATION_DB = 90.0
#: Shape of the Kaiser window for 90 dB (Kaiser & Schafer 1980, IEEE TASSP 28(1)).
KAISER_BETA = 0.1102 * (_ATTENUATION_DB - 8.7)


def kaiser_half_length(transition: float) -> float:
    """Half the window's length in periods of the smaller rate, by Kaiser's formula for 90 dB.

    Parameters
    ----------
    transition : float
        From the end of the pass band to the stop band, as a part of the smaller Nyquist frequency.
    """
    return (_ATTENUATION_DB - 7.95) / (2.285 * math.pi * transition) / 2


_PASS, _STOP = 0.9, 1.0
_HALF_LENGTH = kaiser_half_length(_STOP - _PASS)
# Outputs that one matrix product yields a row of: enough for the product to be quick, few enough
# that little of the matrix is zero.
_GROUP, _LONG_GROUP = 32, 48
# Rows of a product in single precision, where the bits of one hang on how many others there are:
# always as many, so that the split into blocks leaves no trace.  A block of a microphone's, 32 ms
# from 48 kHz, fills two of them.
_TILE_ROWS = 8
# Beyond this many filter taps (2 MiB) the phases are interpolated instead of tabled.
_MAX_TABLE = 1 << 19
# Phases in a period of the smaller rate: linear interpolation is then good to -107 dB.
_N_PHASES = 512
_PIECE = 1 << 20


class Polyphase:
    """What depends on the two rates alone: positions and filter taps.

    Output k sits at ``k * step / n_phases`` input samples and sees ``2 * half``
    of them: ``half - 1`` before that place, the one at it, ``half`` after.
    """

    def __init__(self, src: int, dst: int) -> None:
        divisor = math.gcd(src, dst)
        self.n_phases, self.step = dst // divisor, src // divisor
        self._scale = min(1.0, dst / src)
        self.half = math.ceil(_HALF_LENGTH / self._scale)
        # A row of many phases, such as 44.1 kHz has, is many products, and a block of a
        # microphone's has few rows of it: their number stays free, and the precision double, in
        # which the float32 result of a row is the same however many others there are.
        self._tile_rows = _TILE_ROWS if self.n_phases <= _GROUP else 0
        self._group = _GROUP if self._tile_rows else _LONG_GROUP
        self.row_outputs = self.n_phases * math.ceil(self._group / self.n_phases)
        self.row_inputs = self.row_outputs * self.step // self.n_phases
        self.is_tabled = self.row_outputs * 2 * self.half <= _MAX_TABLE
        self.first_input: list[int] = []
        self.matrices: list[FloatArray | DoubleArray] = []
        if self.is_tabled:
            self._build_matrices()
        else:
            n_table = max(2, math.ceil(_N_PHASES * self._scale))
            self.table = self._taps(np.arange(n_table + 1) / n_table).astype(np.float32)

    def _taps(self, phase: DoubleArray) -> DoubleArray:
        """Filter taps for outputs ``phase`` of an input sample after one, a row each."""
        time = np.arange(1 - self.half, self.half + 1) - phase[:, np.newaxis]
        width = np.clip(1.0 - (time * self._scale / _HALF_LENGTH) ** 2, 0.0, None)
        cutoff = self._scale * (_PASS + _STOP) / 2
        taps = np.sinc(cutoff * time) * np.i0(KAISER_BETA * np.sqrt(width)) * (width > 0)
        # Every phase passes a constant unchanged.
        taps /= taps.sum(axis=1, keepdims=True)
        return np.asarray(taps, dtype=np.float64)

    def _build_matrices(self) -> None:
        """Taps of consecutive outputs as the columns of one matrix, shifted as their inputs are."""
        for start in range(0, self.row_outputs, self._group):
            outputs = np.arange(start, min(start + self._group, self.row_outputs)) * self.step
            shift = outputs // self.n_phases - outputs[0] // self.n_phases
            taps = self._taps(outputs % self.n_phases / self.n_phases)
            matrix = np.zeros((2 * self.half + int(shift[-1]), outputs.size))
            rows = shift[:, np.newaxis] + np.arange(2 * self.half)
            matrix[rows, np.arange(outputs.size)[:, np.newaxis]] = taps
            self.first_input.append(int(outputs[0]) // self.n_phases + 1 - self.half)
            self.matrices.append(matrix.astype(np.float32) if self._tile_rows else matrix)

    def compute(self, samples: FloatArray, start: int, first: int, last: int) -> FloatArray:
        """Compute outputs ``first`` to ``last - 1``; ``samples`` begin at input ``start``.

        Samples beyond the end count as zeros.
        """
        if first >= last:
            return np.zeros(0, dtype=np.float32)
        if self.is_tabled:
            return self._compute_tabled(samples, start, first, last)
        return self._compute_interpolated(samples, start, first, last)

    def _compute_tabled(self, samples: FloatArray, start: int, first: int, last: int) -> FloatArray:
        first_row, last_row = first // self.row_outputs, (last - 1) // self.row_outputs
        result = np.empty((last_row - first_row + 1, self.row_outputs), dtype=np.float32)
        for group, matrix in enumerate(self.matrices):
            column = group * self._group
            columns = slice(column, column + matrix.shape[1])
            # Only rows whose outputs of this group are wanted.
            low = max(first_row, -((column + matrix.shape[1] - 1 - first) // self.row_outputs))
            high = min(last_row, (last - 1 - column) // self.row_outputs)
            tile_rows = self._tile_rows or 1
            rows_a_piece = max(1, _PIECE // (matrix.shape[0] * tile_rows)) * tile_rows
            for row in range(low, high + 1, rows_a_piece):
                n_rows = min(rows_a_piece, high + 1 - row)
                origin = row * self.row_inputs + self.first_input[group] - start
                n_whole = -(-n_rows // tile_rows) * tile_rows
                windows = _windows(samples, origin, n_whole, self.row_inputs, matrix)
                made = windows.reshape(-1, self._tile_rows or n_rows, len(matrix)) @ matrix
                result[row - first_row : row - first_row + n_rows, columns] = made.reshape(
                    n_whole, -1
                )[:n_rows]
        begin = first - first_row * self.row_outputs
        return result.reshape(-1)[begin : begin + last - first].copy()

    def _compute_interpolated(
        self, samples: FloatArray, start: int, first: int, last: int
    ) -> FloatArray:
        n_table = self.table.shape[0] - 1
        n_taps = 2 * self.half
        result = np.empty(last - first, dtype=np.float32)
        outputs_a_piece = max(1, _PIECE // n_taps)
        for begin in range(first, last, outputs_a_piece):
            outputs = np.arange(begin, min(begin + outputs_a_piece, last), dtype=np.int64)
            place, phase = np.divmod(outputs * self.step, self.n_phases)
            entry, rest = np.divmod(phase * n_table, self.n_phases)
            origin = place + 1 - self.half - start
            n_missing = int(origin[-1]) + n_taps - samples.size
            padded = np.pad(samples, (0, n_missing)) if n_missing > 0 else samples
            windows = np.lib.stride_tricks.sliding_window_view(padded, n_taps)[origin]
            below = np.einsum("ij,ij->i", windows, self.table[entry])
            above = np.einsum("ij,ij->i", windows, self.table[entry + 1])
            weight = (rest / self.n_phases).astype(np.float32)
            result[begin - first : begin - first + outputs.size] = below + weight * (above - below)
        return result


def _windows(
    samples: FloatArray, origin: int, n_rows: int, step: int, matrix: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Rows of samples every ``step``, as a matrix takes them; zeros beyond the end."""
    width = len(matrix)
    n_missing = origin + (n_rows - 1) * step + width - samples.size
    if n_missing > 0:
        # Pad no more than what is used, not the whole clip.
        samples = np.concatenate((samples[origin:], np.zeros(n_missing, dtype=np.float32)))
        origin = 0
    view = np.lib.stride_tricks.as_strided(
        samples[origin:], (n_rows, width), (step * samples.itemsize, samples.itemsize),
        writeable=False,
    )  # fmt: skip
    return np.ascontiguousarray(view, dtype=matrix.dtype)
