"""Any sample rate to any other with all of the band that both hold, for what need not be quick.

:class:`edge.audio.resample.Resampler` is for microphones: its delay of 3.6 ms is paid for by a
filter that falls from 0.9 of the Nyquist frequency on.  At 16 kHz that takes 7.2 to 8 kHz away,
where the top band of the spectral contrast lies, and moves posteriors of a copy at 44.1 kHz by up
to 0.18.  A recording can wait: here the filter is flat up to 0.995.

The filter has thousands of taps, so it is applied to spectra, in stretches at fixed places that
overlap by its length (overlap-save): the split into blocks leaves no trace.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

from edge.audio.polyphase import KAISER_BETA, kaiser_half_length
from edge.audio.resample import Resampler

__all__ = ["FullBandResampler", "full_band_resampler", "resample_full_band"]

FloatArray = npt.NDArray[np.float32]

_PASS, _STOP = 0.995, 1.0
_HALF_LENGTH = kaiser_half_length(_STOP - _PASS)
#: Seconds that a stretch brings, where the longest transform allows it.
_STRETCH_S = 0.5
_LONGEST = 1 << 17


class _Plan:
    """What depends on the two rates alone.

    A stretch is ``n_in`` input samples, of which ``margin_in`` at either end are also in its
    neighbours; it yields ``hop_out`` outputs.  All are whole multiples of the time after which
    input and output samples coincide.
    """

    def __init__(self, src: int, dst: int) -> None:
        divisor = math.gcd(src, dst)
        unit_in, unit_out = src // divisor, dst // divisor
        half = math.ceil(_HALF_LENGTH * max(1.0, src / dst))
        n_margin = math.ceil(half / unit_in)
        n_most = int(min(_STRETCH_S * src, _LONGEST - 2 * n_margin * unit_in) / unit_in)
        n_hop = max(1, _smooth(2 * n_margin + n_most) - 2 * n_margin)
        self.margin_in, self.margin_out = n_margin * unit_in, n_margin * unit_out
        self.hop_in, self.hop_out = n_hop * unit_in, n_hop * unit_out
        self.n_in, self.n_out = (
            (2 * n_margin + n_hop) * unit for unit in (unit_in, unit_out)
        )  # fmt: skip
        self.is_usable = max(self.n_in, self.n_out) <= _LONGEST
        if self.is_usable:
            self.response = self._response(half, min(1.0, dst / src))

    def _response(self, half: int, scale: float) -> npt.NDArray[np.float64]:
        """Gain of every line of the spectrum that input and output share."""
        time = np.arange(-half, half + 1)
        width = np.clip(1.0 - (time * scale / _HALF_LENGTH) ** 2, 0.0, None)
        taps = np.sinc(scale * (_PASS + _STOP) / 2 * time) * np.i0(KAISER_BETA * np.sqrt(width))
        # Around time 0, so that the spectrum is real and nothing is delayed.
        circle = np.zeros(self.n_in)
        circle[time] = taps / taps.sum()
        n_lines = min(self.n_in, self.n_out) // 2 + 1
        gains = np.fft.rfft(circle).real[:n_lines] * (self.n_out / self.n_in)
        if min(self.n_in, self.n_out) % 2 == 0:
            # The Nyquist frequency itself is half of two lines.
            gains[-1] = 0.0
        return np.asarray(gains, dtype=np.float64)

    def compute(self, stretch: FloatArray) -> FloatArray:
        """Outputs of the middle of a stretch."""
        spectrum = np.fft.rfft(stretch.astype(np.float64))[: self.response.size]
        wide = np.zeros(self.n_out // 2 + 1, dtype=np.complex128)
        wide[: self.response.size] = spectrum * self.response
        outputs = np.fft.irfft(wide, self.n_out)
        return outputs[self.margin_out : self.margin_out + self.hop_out].astype(np.float32)


def _smooth(most: int) -> int:
    """Find the largest number up to ``most`` without a prime factor above 5.

    Transforms of such lengths are quick.
    """
    best = five = 1
    while five <= most:
        three = five
        while three <= most:
            best = max(best, three << ((most // three).bit_length() - 1))
            three *= 3
        five *= 5
    return best


@functools.lru_cache(maxsize=4)
def _plan(src: int, dst: int) -> _Plan:
    return _Plan(src, dst)


class FullBandResampler:
    """Change the sample rate of a recording, block by block.

    Made by :func:`full_band_resampler`.  Any split of the samples gives the same.  Output
    comes half a second at a time.

    Parameters
    ----------
    plan : _Plan
        Of the two rates.
    """

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan
        self.reset()

    def reset(self) -> None:
        """Forget all samples: the next block begins a new recording."""
        # Silence before the first sample.
        self._kept = np.zeros(self._plan.margin_in, dtype=np.float32)
        self._n_in = self._n_out = 0

    def push(self, block: FloatArray) -> FloatArray:
        """Take the next samples and give what can be computed by now.

        Parameters
        ----------
        block : float32 [shape=(n_samples,)]
            Any length, 0 included; finite.

        Returns
        -------
        samples : float32 [shape=(n_out,)]
            May be empty.
        """
        plan = self._plan
        self._n_in += block.size
        self._kept = np.concatenate((self._kept, block))
        parts = []
        start = 0
        while start + plan.n_in <= self._kept.size:
            parts.append(plan.compute(self._kept[start : start + plan.n_in]))
            start += plan.hop_in
        if not parts:
            return np.zeros(0, dtype=np.float32)
        self._kept = self._kept[start:].copy()
        result = np.concatenate(parts)
        self._n_out += result.size
        return result

    def flush(self) -> FloatArray:
        """End the recording: what waited for samples to come; then :meth:`reset`.

        Returns
        -------
        samples : float32 [shape=(n_out,)]
            Brings the total to ``ceil(n_samples * dst / src)``.
        """
        plan = self._plan
        n_left = -(-self._n_in * plan.hop_out // plan.hop_in) - self._n_out
        n_stretches = -(-n_left // plan.hop_out)
        n_wanted = plan.n_in + (n_stretches - 1) * plan.hop_in
        silence = np.zeros(max(0, n_wanted - self._kept.size), dtype=np.float32)
        tail = self.push(silence)[:n_left] if n_left > 0 else silence[:0]
        self.reset()
        return tail


def full_band_resampler(src: int, dst: int) -> FullBandResampler | Resampler:
    """Make what changes the sample rate of a recording.

    Parameters
    ----------
    src, dst : int
        Sample rates in Hz, at most a factor of 64 apart.

    Returns
    -------
    FullBandResampler or Resampler
        The short filter where nothing is to be done, and at rates that share too small a
        divisor for a transform of a handy length, as 44,101 Hz does with 16 kHz.

    Raises
    ------
    ParameterError
        As :class:`edge.audio.resample.Resampler`.
    """
    short = Resampler(src, dst)
    if src == dst:
        return short
    plan = _plan(int(src), int(dst))
    return FullBandResampler(plan) if plan.is_usable else short


def resample_full_band(samples: FloatArray, src: int, dst: int) -> FloatArray:
    """Change the sample rate of a whole recording.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
        One channel, finite; silence is assumed on both sides of it.
    src, dst : int
        Sample rate of ``samples`` and the wanted one, in Hz.

    Returns
    -------
    samples : float32 [shape=(ceil(n_samples * dst / src),)]
        Sample k is the input at the time k / dst.

    Raises
    ------
    ParameterError
        As :class:`edge.audio.resample.Resampler`.

    Notes
    -----
    Stop band at least 80 dB down, pass band within 0.01 dB up to 0.995 of the smaller
    Nyquist frequency: tests/edge/audio/test_full_band.py.
    """
    resampler = full_band_resampler(src, dst)
    body = resampler.push(samples)
    return np.concatenate((body, resampler.flush()))
