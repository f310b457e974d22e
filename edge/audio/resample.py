"""Any whole sample rate to any other: a polyphase windowed-sinc filter in NumPy.

The filter is a sinc under a Kaiser window, designed for 90 dB. It is flat up to
0.9 of the smaller Nyquist frequency and stops at that frequency, so nothing
folds back. It is symmetric and its delay is taken out: output sample k is the
input at the time k / dst.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from edge.arrays import as_samples, as_whole
from edge.audio.polyphase import Polyphase
from edge.errors import ParameterError

__all__ = ["Resampler", "resample"]

FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]

# 768 kHz to 16 kHz is 48: beyond, a rate is a slip, and a clip would grow to gigabytes.
_MAX_RATIO = 64
#: As a WAV file can hold.
_HIGHEST_RATE_HZ = 2**32 - 1


@functools.lru_cache(maxsize=8)
def _plan(src: int, dst: int) -> Polyphase:
    return Polyphase(src, dst)


def _checked_rate(name: str, rate: int) -> int:
    return as_whole(rate, name, "a whole number of at least 1 Hz is wanted", 1, _HIGHEST_RATE_HZ)


class Resampler:
    """Change the sample rate of a stream, block by block.

    Any split of the samples gives what :func:`resample` gives. Output lags the
    input by 58 periods of the smaller rate: 3.6 ms from 48 kHz to 16 kHz.

    Parameters
    ----------
    src, dst : int
        Sample rates in Hz, at most a factor of 64 apart.

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
        # The filters would spread what is not finite, or too large for a float32, over what is.
        values = as_samples(block)
        if self._plan is None:
            return values.copy()
        self._n_in += values.size
        # Output k needs the inputs up to k * step // n_phases + half.
        n_ready = self._n_in - self._plan.half
        last = -(-n_ready * self._plan.n_phases // self._plan.step) if n_ready > 0 else 0
        return self._advance(values, last)

    def n_needed(self, n_out: int) -> int:
        """Count the samples that are still to be pushed for so many more outputs, 1 or more."""
        plan = self._plan
        if plan is None:
            return n_out
        last = (self._n_out + n_out - 1) * plan.step // plan.n_phases
        return last + 1 + plan.half - self._n_in

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
