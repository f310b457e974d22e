"""Raw samples or WAV from standard input."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Generator
from typing import BinaryIO

from edge.audio.mixdown import AUTO, Channel, check_channel
from edge.errors import AudioFileError, ParameterError
from edge.sources.base import (
    BLOCK_SAMPLES,
    POLL_S,
    Block,
    Gap,
    SourceSettings,
    Status,
    Stop,
    say_nothing,
)
from edge.sources.pipe_decoder import PipeDecoder, RawSettings

__all__ = ["StdinSource", "open_source"]

#: Bytes taken at a time, at most, while nobody knows what they are; and seconds of sound
#: afterwards, so that a block of many channels is not taken in a dozen parts.
_READ_BYTES = 4 * BLOCK_SAMPLES * 2
_READ_S = 0.128
#: A pipe that is open and brings nothing for so long has stalled.
_STALLED_S = 5.0
#: A pipe that stalled is told of again after so long without a stall, not each time.
_TOLD_AGAIN_S = 600.0


class StdinSource:
    """A pipe of raw samples, or of WAV, whose header is obeyed.

    Parameters
    ----------
    stream : binary file
        With a file descriptor, such as ``sys.stdin.buffer``.
    sample_rate : int
        Rate of the blocks, in Hz.
    raw : RawSettings, optional
        What samples without a header are; None: 16-bit little-endian, one channel, at
        ``sample_rate``.
    channel : int or str
        Where there are several: from 0, ``"mix"`` for the mean of all, ``"auto"`` for the loudest
        of the first seconds.
    gain_db : float
        By how much the sound is made louder.
    warn : callable, optional
        Takes a sentence on what was odd but not fatal.
    """

    def __init__(
        self,
        stream: BinaryIO,
        sample_rate: int,
        *,
        raw: RawSettings | None = None,
        channel: Channel = AUTO,
        gain_db: float = 0.0,
        warn: Callable[[str], None] = say_nothing,
    ) -> None:
        self.name = "standard input"
        self.waited_s = 0.0
        self._stream = stream
        self._sample_rate = sample_rate
        self._raw = raw or RawSettings()
        check_channel(channel)
        self._channel, self._gain_db = channel, gain_db
        self._warn = warn

    def blocks(self, stop: Stop) -> Generator[Block | Gap | Status, None, None]:
        """Yield what comes, as it comes.

        A pipe that brings nothing for a while is told of, and that it goes on; the clock of the
        sound stands still meanwhile, for nothing says that a pipe comes at the pace of speech.

        Raises
        ------
        AudioFileError
            If the stream is a terminal, cannot be read, starts as a file of another kind does, or
            holds what is no sound.
        """
        if not self._stream.closed and self._stream.isatty():
            raise AudioFileError(
                "standard input is a terminal, raw 16-bit mono samples at "
                f"{self._sample_rate} Hz or a WAV stream are wanted: pipe them in, such as from "
                f"`arecord -t raw -f S16_LE -c 1 -r {self._sample_rate}`"
            )
        decoder = PipeDecoder(
            self._sample_rate,
            self.name,
            self._raw,
            channel=self._channel,
            gain_db=self._gain_db,
            warn=self._warn,
        )
        stalls = _Stalls()
        while not stop.requested:
            data = self._read(max(_READ_BYTES, round(_READ_S * decoder.bytes_per_s)))
            if data is None:
                if (word := stalls.nothing()) is not None:
                    yield word
                continue
            arrived_s = time.perf_counter()
            if data and (word := stalls.something()) is not None:
                yield word
            samples = decoder.push(data) if data else decoder.finish()
            if (said := decoder.picked()) is not None:
                yield Status("channel", said)
            if samples.size:
                yield Block(samples, arrived_s=arrived_s)
            if not data:
                return

    def _read(self, n_most: int) -> bytes | None:
        """Next bytes, none at the end; None when none came for a moment."""
        before_s = time.perf_counter()
        try:
            descriptor = self._stream.fileno()
            # A plain read would not come back for a signal.
            if select.select([descriptor], [], [], POLL_S)[0]:
                return os.read(descriptor, n_most)
            return None
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise AudioFileError(f"standard input cannot be read: {reason}") from error
        finally:
            self.waited_s += time.perf_counter() - before_s


class _Stalls:
    """Tells of a pipe that brings nothing, once, and once that it goes on.

    One that brings its sound by fits and starts is not told of each time.
    """

    def __init__(self) -> None:
        self._last_s = time.monotonic()
        self._ended_s: float | None = None
        self._is_stalled = self._is_told = False

    def nothing(self) -> Status | None:
        """Note that nothing came."""
        now_s = time.monotonic()
        if self._is_stalled or now_s - self._last_s < _STALLED_S:
            return None
        self._is_stalled = True
        self._is_told = self._ended_s is None or self._last_s - self._ended_s > _TOLD_AGAIN_S
        if not self._is_told:
            return None
        return Status(
            "stalled",
            f"standard input is open and brings nothing for {_STALLED_S:.0f} s: see whether what "
            "writes into the pipe still runs; listening goes on when it does",
        )

    def something(self) -> Status | None:
        """Note that something came."""
        now_s = time.monotonic()
        away_s, self._last_s = now_s - self._last_s, now_s
        if not self._is_stalled:
            return None
        self._is_stalled, self._ended_s = False, now_s
        if not self._is_told:
            return None
        return Status("back", f"standard input goes on after {away_s:.1f} s", away_s=away_s)


def open_source(settings: SourceSettings) -> StdinSource:
    """Open standard input.

    Raises
    ------
    ParameterError
        If it is closed, or what is said of raw samples cannot be used.
    """
    if sys.stdin is None:
        raise ParameterError("standard input is closed, sound is wanted there")
    raw = RawSettings(settings.input_format, settings.input_rate, settings.n_channels)
    settings.opened("standard input")
    return StdinSource(
        sys.stdin.buffer,
        settings.sample_rate,
        raw=raw,
        channel=settings.channel,
        gain_db=settings.gain_db,
        warn=settings.warn,
    )
