"""What is done to samples before the first frame, the same in training and on the device.

Every filter here is causal, gives as many samples as it takes, and gives the same bits for any
split into blocks: the samples are counted from the first one and worked on in blocks of one
length, each by sums that run from its beginning.

A :class:`FrontEnd` is part of a :class:`~edge.features.spec.FeatureSpec`: the extractor applies it
in training and on the device alike.  Models trained before there was one hear no high-pass, which
changes 4 to 8 % of their labels; a stream puts a :class:`DcBlocker` before their features, which
changes 1 to 2 % of those of clips without an offset, and brings back those that an offset changes
(``benchmarks/features/front_end.py``).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.arrays import as_samples
from edge.errors import ParameterError
from edge.features.families.base import check_settings, count, number
from edge.features.high_pass import UNIT, sections

__all__ = ["DcBlocker", "FrontEnd", "HighPass"]

#: Samples over which the mean is taken, and to whose end it moves along a line: 8 ms at 16 kHz.
_BLOCK = 128

_NO_SAMPLES, _SILENCE = np.empty(0, np.float32), np.zeros(UNIT, np.float32)


class DcBlocker:
    """Take a constant offset away: samples less their slowly moving mean.

    From the first sample on the mean is that of all samples heard so far, until they are as many
    as its memory is long (80 ms for 2 Hz); from there on it forgets, as one pole does.  So there
    is no jump to recover from where a recording begins with an offset, nothing is held back, and
    a recording of a few samples is treated as the beginning of a long one.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    cutoff_hz : float
        3 dB are lost there; from above 0 to a thousandth of the rate.

    Raises
    ------
    ParameterError
        If a value is out of range.

    Notes
    -----
    Causal.  Behind the beginning ``m += (1 - exp(-2 pi cutoff_hz 128 / sample_rate)) (mean - m)``
    once in 128 samples, with the mean of these, and during the next 128 what is taken away moves
    from the last ``m`` to this one: a pass or two over the samples instead of a recursion, which
    NumPy has not.  Beside one pole the delay of a block and a half lifts what lies between 2 and
    50 Hz by up to 8 %.
    """

    def __init__(self, sample_rate: int, cutoff_hz: float = 2.0) -> None:
        highest_hz = sample_rate / 1000
        if sample_rate < 1 or not 0 < cutoff_hz <= highest_hz:
            raise ParameterError(
                f"cutoff_hz is {cutoff_hz} at {sample_rate} Hz, a frequency above 0 and up to "
                f"{highest_hz:g} Hz is wanted"
            )
        per_block = 2.0 * math.pi * cutoff_hz * _BLOCK / sample_rate
        self._share = -math.expm1(-per_block)
        #: Samples of which the plain mean is taken, whole blocks; there both means weigh new
        #: samples about alike.
        self._n_plain = math.ceil(1.0 / per_block) * _BLOCK
        self._ramp = np.arange(1, _BLOCK + 1, dtype=np.float32) / np.float32(_BLOCK)
        self.reset()

    def reset(self) -> None:
        """Forget all samples; equal to a fresh one."""
        self._n_heard = 0
        self._sum = 0.0
        # What is taken away moves from the one to the other during the unfinished block.
        self._before, self._mean = 0.0, 0.0
        self._pending = np.empty(0, np.float32)

    def process(self, samples: ArrayLike) -> NDArray[np.float32]:
        """Filter the samples that follow the last ones.

        Parameters
        ----------
        samples : array_like of float [shape=(n_samples,)]
            May be empty.

        Returns
        -------
        float32 [shape=(n_samples,)]
            The same bits for any split into blocks.

        Raises
        ------
        ParameterError
            If they are no finite mono samples; the state is then unchanged.
        """
        return self.process_checked(as_samples(samples))

    def process_checked(self, checked: NDArray[np.float32]) -> NDArray[np.float32]:
        """:meth:`process` what :func:`~edge.arrays.as_samples` has let through already."""
        n = min(checked.size, self._n_plain - self._n_heard)
        if n <= 0:
            return self._forgetting(checked)
        first = self._beginning(checked[:n])
        if n == checked.size:
            return first
        return np.concatenate((first, self._forgetting(checked[n:])))

    def _beginning(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Less the mean of all so far."""
        sums = np.cumsum(np.concatenate(([self._sum], samples), dtype=np.float64))[1:]
        means = sums / np.arange(self._n_heard + 1, self._n_heard + samples.size + 1)
        self._n_heard += samples.size
        self._sum = float(sums[-1])
        self._before = self._mean = float(means[-1])
        return (samples - means).astype(np.float32)

    def _forgetting(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Less a line for every block, from the mean before the last one to that after it."""
        n_pending = self._pending.size
        if n_pending or samples.size % _BLOCK:
            n_rows = -(-(n_pending + samples.size) // _BLOCK)
            padded = np.zeros(n_rows * _BLOCK, np.float32)
            padded[:n_pending] = self._pending
            padded[n_pending : n_pending + samples.size] = samples
            rows = padded.reshape(n_rows, _BLOCK)
        else:
            rows = samples.reshape(-1, _BLOCK)
        n_whole, n_rest = divmod(n_pending + samples.size, _BLOCK)
        means = [self._before, self._mean]
        share, mean = self._share / _BLOCK, self._mean
        keep = 1.0 - self._share
        for total in np.add.reduce(rows[:n_whole], axis=1).tolist():
            mean = keep * mean + share * total
            means.append(mean)
        self._before, self._mean = means[-2:]
        self._pending = rows[n_whole, :n_rest].copy() if n_rest else np.empty(0, np.float32)
        ends = np.array(means, np.float32)[: len(rows) + 1]
        taken = (ends[1:] - ends[:-1])[:, None] * self._ramp
        taken += ends[:-1, None]
        np.subtract(rows, taken, out=taken)
        return taken.reshape(-1)[n_pending : n_pending + samples.size]


@dataclasses.dataclass(frozen=True, slots=True)
class FrontEnd:
    """Settings of what a model's samples go through before the first frame.

    Parameters
    ----------
    high_pass_hz : float
        Cutoff of the high-pass, 3 dB down.  The default is below all voices and takes 5 dB of a
        mains hum of 50 Hz away, rumble and offset wholly.
    high_pass_order : int
        Of the Butterworth filter, 1 to 4.
    """

    high_pass_hz: float = number(60.0, "high_pass_hz")
    high_pass_order: int = count(2, 4, "high_pass_order")

    def __post_init__(self) -> None:
        check_settings(self)

    def check(self, sample_rate: int) -> None:
        """Raise `ParameterError` if it cannot be computed at a rate."""
        if not 0 < self.high_pass_hz <= sample_rate / 8:
            raise ParameterError(
                f"high_pass_hz is {self.high_pass_hz}, a frequency above 0 and up to an eighth of "
                f"the sample rate, {sample_rate / 8} Hz, is wanted"
            )

    def filter(self, sample_rate: int) -> HighPass:
        """Make what applies it."""
        return HighPass(sample_rate, self.high_pass_hz, self.high_pass_order)


class HighPass:
    """Butterworth high-pass, as a sum of sections of one pole each.

    It begins as if the first sample had been there for ever: an offset is gone from the first
    sample on.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    cutoff_hz : float
        3 dB are lost there.
    order : int
        1 to 4.

    Notes
    -----
    Causal.  A section is ``s[n] = p s[n-1] + x[n]``, a recursion, which NumPy has not.  So samples
    lie in rows: what a row gives by itself, and what the sections at its beginning add, is one
    product for all rows; and those sections are another one of what the rows before have left.

    The products are of single precision: what comes out is within 3e-7 of full scale of the same
    sums in double.  The first sample is taken from all, so that it is the sound and not an offset
    that this is a share of.
    """

    def __init__(self, sample_rate: int, cutoff_hz: float, order: int) -> None:
        FrontEnd(cutoff_hz, order).check(sample_rate)
        self._settings = sample_rate, cutoff_hz, order
        self._sections = sections(*self._settings)
        self.reset()

    def __reduce__(self) -> tuple[Any, ...]:
        # What all share is not copied.
        state = self._begun, self._offset, self._pending.copy(), list(self._states)
        return _restored, (self._settings, state)

    def reset(self) -> None:
        """Forget all samples; equal to a fresh one."""
        self._begun = False
        self._offset = 0.0
        # Samples of the unfinished unit, and the sections at its beginning.
        self._pending = _NO_SAMPLES
        self._states: list[complex] = []

    def process(self, samples: ArrayLike) -> NDArray[np.float32]:
        """Filter the samples that follow the last ones; as :meth:`DcBlocker.process`."""
        return self.process_checked(as_samples(samples))

    def process_checked(self, checked: NDArray[np.float32]) -> NDArray[np.float32]:
        """:meth:`process` what :func:`~edge.arrays.as_samples` has let through already."""
        out = np.empty(checked.size, np.float32)
        self.process_into(checked, out)
        return out

    def process_into(self, checked: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """:meth:`process_checked`, whose samples go into what is given: as many, contiguous."""
        if not checked.size:
            return
        if not self._begun:
            self._begin(float(checked[0]))
        n_pending = self._pending.size
        n_whole, n_rest = divmod(n_pending + checked.size, UNIT)
        if not (n_pending or n_rest):
            self._sections.filter(checked, n_whole, self._offset, self._states, out)
            return
        samples = np.concatenate((self._pending, checked, _SILENCE[n_rest or UNIT :]))
        filtered = np.empty(samples.size, np.float32)
        self._sections.filter(samples, n_whole, self._offset, self._states, filtered)
        out[:] = filtered[n_pending : n_pending + checked.size]
        # A copy: the caller may reuse the block's memory, as audio callbacks do.
        self._pending = samples[n_whole * UNIT :][:n_rest].copy()

    def _begin(self, first: float) -> None:
        """Begin as if the first sample had been there for ever."""
        self._begun = True
        # What is beyond full scale is a click, and all that follows would be rounded beside it.
        self._offset = first if abs(first) <= 1.0 else 0.0
        self._states = [each.steady(first - self._offset) for each in self._sections.each]


def _restored(
    settings: tuple[int, float, int],
    state: tuple[bool, float, NDArray[np.float32], list[complex]],
) -> HighPass:
    """Copy a filter in the middle of its samples."""
    copied = HighPass(*settings)
    copied._begun, copied._offset, copied._pending, copied._states = state
    return copied
