"""From the audio callback to the reader: buffer, clock and resampler of one opened device."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.audio.capture_clock import CaptureClock
from edge.audio.resample import Resampler
from edge.audio.ring_buffer import Piece, RingBuffer

__all__ = ["Came", "Capture", "Recorded"]

FloatArray = npt.NDArray[np.float32]


class Came(NamedTuple):
    """What the callback was told of a block.

    Parameters
    ----------
    n_samples : int
        Of a channel.
    adc_s : float or None
        When its first sample was taken, by the device's clock in seconds.
    now_s : float
        ``time.monotonic()`` when it came.
    has_overflowed : bool
        Whether the system said that input was lost before it.
    """

    n_samples: int
    adc_s: float | None
    now_s: float
    has_overflowed: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Recorded:
    """Samples without a hole, and what was lost right before them.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
        Mono, at the rate that was asked for.
    arrived_s : float
        ``time.perf_counter()`` when the last sample was there, or a block later.
    n_lost : int
        Samples missing before the first one, at the same rate.
    reason : str
        Why they are.
    """

    samples: FloatArray
    arrived_s: float
    n_lost: int = 0
    reason: str = ""


class Capture:
    """What a device gives, in one thread, and what a reader takes, in another.

    Parameters
    ----------
    device_rate, sample_rate : int
        Of the device and of the reader, in Hz.
    buffer_s : float
        A reader later than this skips what is older.
    """

    def __init__(self, device_rate: int, sample_rate: int, buffer_s: float) -> None:
        self._device_rate, self._sample_rate = device_rate, sample_rate
        self.ring = RingBuffer(max(1, round(buffer_s * device_rate)))
        self._resampler = Resampler(device_rate, sample_rate)
        # A late block is kept back in the buffer, so not for longer than that may take.
        self._clock = CaptureClock(device_rate, buffer_s / 2)
        self.overflows = 0
        self.waited_s = 0.0
        # A piece whose hole is still to be told.
        self._waiting: Piece | None = None
        # At the device's rate: what was heard or lost so far, and what never came.
        self._position = 0
        self._n_missing = 0
        # At the reader's rate: what was handed out, or told to be lost.
        self._n_told = 0

    @property
    def dropped_samples(self) -> int:
        """Samples, at the reader's rate, that were read too late or never came."""
        n_dropped = self.ring.dropped_samples + self._n_missing
        return round(n_dropped * self._sample_rate / self._device_rate)

    def write(
        self, mono: FloatArray, adc_s: float | None, now_s: float, has_overflowed: bool
    ) -> None:
        """Take in one block; as :meth:`write_all`, with the fields of :class:`Came`."""
        self.write_all(mono, [Came(mono.size, adc_s, now_s, has_overflowed)])

    def write_all(self, mono: FloatArray, came: Sequence[Came]) -> None:
        """Take in blocks, one behind the other; never waits.

        Parameters
        ----------
        mono : float32 [shape=(n_samples,)]
            Of all of them; copied.
        came : sequence of Came
            One a block.
        """
        clock, ring = self._clock, self.ring
        # Blocks between which nothing is to be said are written together.
        begin = end = n_lost_before = n_newest = 0
        for block in came:
            self.overflows += block.has_overflowed
            n_settled = clock.settle(block.now_s)
            was_in_doubt = clock.is_in_doubt
            n_lost = clock.note(
                block.n_samples, block.adc_s, block.now_s, overflow=block.has_overflowed
            )
            if n_lost or n_settled is not None or clock.is_in_doubt != was_in_doubt:
                ring.write(mono[begin:end], n_lost_before, n_newest)
                begin, n_lost_before = end, n_lost
                if n_settled is not None:
                    ring.release(n_settled)
                if clock.is_in_doubt and not was_in_doubt:
                    ring.hold()
                elif was_in_doubt and not clock.is_in_doubt:
                    ring.release()
                self._n_missing += n_lost + (n_settled or 0)
            end, n_newest = end + block.n_samples, block.n_samples
        ring.write(mono[begin:end], n_lost_before, n_newest)

    def n_needed(self, n_wanted: int) -> int:
        """Count the device's samples that are to be there, and taken, for so many of the reader's.

        Parameters
        ----------
        n_wanted : int
            As for :meth:`take`.
        """
        if n_wanted <= 1:
            return 1
        # Never so many that they are overwritten while the last of them are late.
        return max(1, min(self._resampler.n_needed(n_wanted), self.ring.capacity // 2))

    def take(self, timeout_s: float, n_wanted: int = 1) -> Recorded:
        """Give what came, up to the next place where samples are missing.

        Parameters
        ----------
        timeout_s : float
            Longest wait in seconds for a block; what the resampler makes of one may be empty.
        n_wanted : int
            Samples, at the reader's rate, that are waited for and taken, or fewer before a hole; 1:
            all there are.

        Returns
        -------
        Recorded
            Empty when nothing came in time, or too little.
        """
        piece = self._next_piece(timeout_s, n_wanted)
        n_behind = self.ring.n_behind
        if self._waiting is None and piece.n_overrun + piece.n_lost > 0:
            # What the resampler still holds was heard before the hole.
            tail = self._resampler.flush()
            if tail.size:
                self._waiting = piece
                self._n_told += tail.size
                return Recorded(tail, self._arrived_s(n_behind + piece.samples.size))
        self._waiting = None
        n_lost = self._lost(piece)
        samples = piece.samples
        if samples.size and self._device_rate != self._sample_rate:
            samples = self._resampler.push(samples)
        self._position += piece.samples.size
        self._n_told += samples.size
        return Recorded(samples, self._arrived_s(n_behind), n_lost, _reason(piece))

    def _next_piece(self, timeout_s: float, n_wanted: int) -> Piece:
        if self._waiting is not None:
            return self._waiting
        n_least = self.n_needed(n_wanted)
        n_most = n_least if n_wanted > 1 else self.ring.capacity
        before_s = time.perf_counter()
        piece = self.ring.take(n_most, timeout_s, n_least)
        self.waited_s += time.perf_counter() - before_s
        return piece

    def _arrived_s(self, n_behind: int) -> float:
        return time.perf_counter() - n_behind / self._device_rate

    def _lost(self, piece: Piece) -> int:
        """What is missing before a piece, at the reader's rate."""
        n_missing = piece.n_overrun + piece.n_lost
        if n_missing == 0:
            return 0
        self._position += n_missing
        # From the beginning, so that roundings do not add up; and a hole is a hole.
        place = round(self._position * self._sample_rate / self._device_rate)
        n_lost = max(1, place - self._n_told)
        self._n_told += n_lost
        return n_lost


def _reason(piece: Piece) -> str:
    if piece.n_overrun:
        return "this program was too slow to read it"
    return "the system lost it on the way to this program, it is too busy" if piece.n_lost else ""
