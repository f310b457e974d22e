"""Any whole sample rate to any other: a polyphase windowed-sinc filter in NumPy.

The filter is a sinc under a Kaiser window, designed for 90 dB. It is flat up to
0.9 of the smaller Nyquist frequency and stops at that frequency, so nothing
folds back. It is symmetric and its delay is taken out: output sample k is the
input at the time k / dst.
"""

from __future__ import annotations

import functools
import math
import operator

import numpy as np
import numpy.typing as npt

from edge.errors import ParameterError

__all__ = ["Resampler", "resample"]

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]

# Kaiser's formulas (Kaiser & Schafer 1980, IEEE TASSP 28(1)) for 90 dB and a transition from 0.9
# to 1.0 of the smaller Nyquist frequency; lengths are in periods of the smaller rate.
_ATTENUATION_DB = 90.0
_PASS, _STOP = 0.9, 1.0
_BETA = 0.1102 * (_ATTENUATION_DB - 8.7)
_HALF_LENGTH = (_ATTENUATION_DB - 7.95) / (2.285 * math.pi * (_STOP - _PASS)) / 2
_MAX_RATIO = 256
# Outputs that one matrix product yields a row of: enough for the product to be quick, few enough
# that little of the matrix is zero.
_GROUP = 48
# Beyond this many filter taps (2 MiB) the phases are interpolated instead of tabled.
_MAX_TABLE = 1 << 19
# Phases in a period of the smaller rate: linear interpolation is then good to -107 dB.
_N_PHASES = 512
_PIECE = 1 << 20


class _Plan:
    """What depends on the two rates alone: positions and filter taps.

    Output k sits at ``k * step / n_phases`` input samples and sees ``2 * half``
    of them: ``half - 1`` before that place, the one at it, ``half`` after.
    """

    def __init__(self, src: int, dst: int) -> None:
        divisor = math.gcd(src, dst)
        self.n_phases, self.step = dst // divisor, src // divisor
        self._scale = min(1.0, dst / src)
        self.half = math.ceil(_HALF_LENGTH / self._scale)
        self.row_outputs = self.n_phases * math.ceil(_GROUP / self.n_phases)
        self.row_inputs = self.row_outputs * self.step // self.n_phases
        self.is_tabled = self.row_outputs * 2 * self.half <= _MAX_TABLE
        self.first_input: list[int] = []
        self.matrices: list[DoubleArray] = []
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
        taps = np.sinc(cutoff * time) * np.i0(_BETA * np.sqrt(width)) * (width > 0)
        # Every phase passes a constant unchanged.
        taps /= taps.sum(axis=1, keepdims=True)
        return np.asarray(taps, dtype=np.float64)

    def _build_matrices(self) -> None:
        """Taps of consecutive outputs as the columns of one matrix, shifted as their inputs are."""
        for start in range(0, self.row_outputs, _GROUP):
            outputs = np.arange(start, min(start + _GROUP, self.row_outputs)) * self.step
            shift = outputs // self.n_phases - outputs[0] // self.n_phases
            taps = self._taps(outputs % self.n_phases / self.n_phases)
            matrix = np.zeros((2 * self.half + int(shift[-1]), outputs.size))
            rows = shift[:, np.newaxis] + np.arange(2 * self.half)
            matrix[rows, np.arange(outputs.size)[:, np.newaxis]] = taps
            self.first_input.append(int(outputs[0]) // self.n_phases + 1 - self.half)
            self.matrices.append(matrix)

    def compute(self, samples: FloatArray, start: int, first: int, last: int) -> FloatArray:
        """Compute outputs ``first`` to ``last`` (not included); ``samples`` begin at input ``start``.

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
            column = group * _GROUP
            # Only rows whose outputs of this group are wanted.
            low = max(first_row, -((column + matrix.shape[1] - 1 - first) // self.row_outputs))
            high = min(last_row, (last - 1 - column) // self.row_outputs)
            rows_a_piece = max(1, _PIECE // matrix.shape[0])
            for row in range(low, high + 1, rows_a_piece):
                n_rows = min(rows_a_piece, high + 1 - row)
                origin = row * self.row_inputs + self.first_input[group] - start
                windows = _windows(samples, origin, n_rows, self.row_inputs, matrix.shape[0])
                result[
                    row - first_row : row - first_row + n_rows, column : column + matrix.shape[1]
                ] = windows @ matrix
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


def _windows(samples: FloatArray, origin: int, n_rows: int, step: int, width: int) -> DoubleArray:
    """Rows of ``width`` samples every ``step``, zeros beyond the end, as one piece of memory."""
    n_missing = origin + (n_rows - 1) * step + width - samples.size
    if n_missing > 0:
        # Pad no more than what is used, not the whole clip.
        samples = np.pad(samples[origin:], (0, n_missing))
        origin = 0
    view = np.lib.stride_tricks.as_strided(
        samples[origin:], (n_rows, width), (step * samples.itemsize, samples.itemsize),
        writeable=False,
    )  # fmt: skip
    # In double precision a product has the same float32 result however many rows it has, so the
    # split into blocks leaves no trace; that costs less than the copy itself.
    return view.astype(np.float64)


@functools.lru_cache(maxsize=8)
def _plan(src: int, dst: int) -> _Plan:
    return _Plan(src, dst)


def _checked_rate(name: str, rate: int) -> int:
    try:
        value = operator.index(rate)
    except TypeError:
        value = 0
    if value < 1 or isinstance(rate, bool):
        raise ParameterError(f"{name} is {rate!r}, a whole number of at least 1 Hz is wanted")
    return value


def _checked_samples(samples: npt.ArrayLike) -> FloatArray:
    values = np.asarray(samples)
    if values.ndim != 1:
        raise ParameterError(
            f"samples have the shape {values.shape}, one channel (n_samples,) is wanted"
        )
    if values.dtype.kind != "f":
        raise ParameterError(
            f"samples are {values.dtype}, floats in [-1, 1] are wanted: divide by the full scale"
        )
    return values.astype(np.float32, copy=False)


class Resampler:
    """Change the sample rate of a stream, block by block.

    Any split of the samples gives what :func:`resample` gives. Output lags the
    input by 58 periods of the smaller rate: 3.6 ms from 48 kHz to 16 kHz.

    Parameters
    ----------
    src, dst : int
        Sample rates in Hz, at most a factor of 256 apart.

    Raises
    ------
    ParameterError
        If a rate is not a whole number of at least 1, or they are too far apart.
    """

    def __init__(self, src: int, dst: int) -> None:
        self._src, self._dst = _checked_rate("src", src), _checked_rate("dst", dst)
        if max(self._src, self._dst) > _MAX_RATIO * min(self._src, self._dst):
            raise ParameterError(
                f"{src} Hz to {dst} Hz is more than a factor of {_MAX_RATIO}, "
                "a plausible sample rate is wanted"
            )
        self._plan = _plan(self._src, self._dst) if self._src != self._dst else None
        self.reset()

    def reset(self) -> None:
        """Forget all samples: the next block begins a new stream."""
        n_before = self._plan.half - 1 if self._plan else 0
        # Silence before the first sample.
        self._kept = np.zeros(n_before, dtype=np.float32)
        self._start = -n_before
        self._n_in = 0
        self._n_out = 0

    def push(self, block: npt.ArrayLike) -> FloatArray:
        """Take the next samples and give what can be computed by now.

        Parameters
        ----------
        block : float [shape=(n_samples,)]
            Any length, 0 included.

        Returns
        -------
        samples : float32 [shape=(n_out,)]
            The next output samples; may be empty.

        Raises
        ------
        ParameterError
            If the block is not one channel of floats.
        """
        values = _checked_samples(block)
        if self._plan is None:
            return values.copy()
        self._n_in += values.size
        # Output k needs the inputs up to k * step // n_phases + half.
        n_ready = self._n_in - self._plan.half
        last = -(-n_ready * self._plan.n_phases // self._plan.step) if n_ready > 0 else 0
        return self._advance(values, last)

    def flush(self) -> FloatArray:
        """End the stream: the output that waited for samples to come; then :meth:`reset`.

        Returns
        -------
        samples : float32 [shape=(n_out,)]
            Brings the total to ``ceil(n_samples * dst / src)``.
        """
        tail = np.zeros(0, dtype=np.float32)
        if self._plan is not None:
            last = -(-self._n_in * self._plan.n_phases // self._plan.step)
            tail = self._advance(tail, last)
        self.reset()
        return tail

    def _advance(self, values: FloatArray, last: int) -> FloatArray:
        plan = self._plan
        assert plan is not None
        self._kept = np.concatenate((self._kept, values))
        result = plan.compute(self._kept, self._start, self._n_out, last)
        self._n_out = max(last, self._n_out)
        # The next output's group begins at most a row earlier; keep what that row needs.
        row = self._n_out // plan.row_outputs if plan.is_tabled else 0
        needed = (
            (row * plan.row_inputs if plan.is_tabled else self._n_out * plan.step // plan.n_phases)
            + 1
            - plan.half
        )
        n_done = min(max(0, needed - self._start), self._kept.size)
        if n_done:
            self._kept = self._kept[n_done:].copy()
            self._start += n_done
        return result


def resample(samples: npt.ArrayLike, src: int, dst: int) -> FloatArray:
    """Change the sample rate of a whole clip.

    Parameters
    ----------
    samples : float [shape=(n_samples,)]
        One channel; silence is assumed on both sides of it.
    src, dst : int
        Sample rate of ``samples`` and the wanted one, in Hz.

    Returns
    -------
    samples : float32 [shape=(ceil(n_samples * dst / src),)]
        Sample k is the input at the time k / dst. Near full scale the filter may
        overshoot [-1, 1] a little, as the analogue signal does.

    Raises
    ------
    ParameterError
        If samples are not one channel of floats, or a rate is not usable.

    Notes
    -----
    Stop band at least 80 dB down, pass band within 0.1 dB up to 0.9 of the
    smaller Nyquist frequency: tests/edge/audio/test_resample.py.
    """
    resampler = Resampler(src, dst)
    body = resampler.push(samples)
    return np.concatenate((body, resampler.flush()))
