"""Where blocks come from: a file, a pipe or a microphone."""

from __future__ import annotations

import dataclasses
import os
import select
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import AudioFileError

__all__ = ["Block", "FileSource", "MicrophoneSource", "Source", "StdinSource"]

#: About what an audio callback hands over: 32 ms at 16 kHz.
_BLOCK_SAMPLES = 512

#: Without pacing larger blocks save overhead; half a second keeps memory flat.
_FAST_BLOCK_S = 0.512

#: Longest wait before a source looks whether it should stop.
_POLL_S = 0.25


@dataclasses.dataclass(frozen=True)
class Block:
    """Samples as they arrived.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
        Mono at the model's rate, full scale 1.
    dropped_samples : int
        Samples lost between the block before and this one.
    arrived_s : float or None
        ``time.perf_counter()`` when the last sample was there; None: as soon as
        it is asked for.
    """

    samples: NDArray[np.float32]
    dropped_samples: int = 0
    arrived_s: float | None = None


class Source(Protocol):
    """Anything that yields blocks until it ends or is stopped."""

    #: What a person would call it.
    name: str
    #: Seconds spent waiting for audio, so that the rest is known to be work.
    waited_s: float

    def blocks(self, stop: threading.Event) -> Generator[Block, None, None]:
        """Yield blocks in order; ends early, also out of a wait, once ``stop`` is set."""
        ...


def _no_warning(_: str) -> None:
    return


class FileSource:
    """A file at the pace of speech, or as fast as it can be read.

    Parameters
    ----------
    path : path
        An audio file of any rate.
    sample_rate : int
        Rate of the blocks, in Hz.
    fast : bool
        Do not wait for the time a block would take to be spoken.

    Notes
    -----
    A pipeline that is slower than speech falls behind, which the latency shows;
    nothing of a file is dropped.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        sample_rate: int,
        *,
        fast: bool = False,
    ) -> None:
        self.name = os.fspath(path)
        self.waited_s = 0.0
        self._path = Path(path)
        self._sample_rate = sample_rate
        self._fast = fast

    def blocks(self, stop: threading.Event) -> Generator[Block, None, None]:
        """Yield the file's samples.

        Raises
        ------
        AudioFileError
            If the file cannot be read.
        """
        started_s = time.perf_counter()
        n_samples = 0
        for samples in self._pieces():
            n_samples += samples.size
            arrived_s = None
            if not self._fast:
                # A block is there when its last sample has been spoken.
                arrived_s = started_s + n_samples / self._sample_rate
                self._wait_until(arrived_s, stop)
            if stop.is_set():
                return
            yield Block(samples, arrived_s=arrived_s)

    def _pieces(self) -> Iterator[NDArray[np.float32]]:
        from edge.audio.file import read_audio
        from edge.audio.resample import Resampler

        samples, native_rate = read_audio(self._path)
        resampler = Resampler(native_rate, self._sample_rate)
        block_s = _FAST_BLOCK_S if self._fast else _BLOCK_SAMPLES / self._sample_rate
        step = max(1, round(block_s * native_rate))
        for start in range(0, samples.size, step):
            yield resampler.push(samples[start : start + step])
        yield resampler.flush()

    def _wait_until(self, due_s: float, stop: threading.Event) -> None:
        before_s = time.perf_counter()
        if due_s > before_s:
            stop.wait(due_s - before_s)
            self.waited_s += time.perf_counter() - before_s


class StdinSource:
    """Raw mono 16-bit little-endian samples from a pipe.

    Parameters
    ----------
    stream : binary file
        With a file descriptor, such as ``sys.stdin.buffer``.
    sample_rate : int
        Rate that the samples must have, in Hz; raw samples do not say.
    warn : callable, optional
        Takes a sentence on what was odd but not fatal.
    """

    def __init__(
        self,
        stream: BinaryIO,
        sample_rate: int,
        *,
        warn: Callable[[str], None] = _no_warning,
    ) -> None:
        self.name = "standard input"
        self.waited_s = 0.0
        self._stream = stream
        self._sample_rate = sample_rate
        self._warn = warn

    def blocks(self, stop: threading.Event) -> Generator[Block, None, None]:
        """Yield what comes, as it comes.

        Raises
        ------
        AudioFileError
            If the stream is a terminal or starts like a WAV file.
        """
        if self._stream.isatty():
            raise AudioFileError(
                "standard input is a terminal, raw 16-bit mono samples at "
                f"{self._sample_rate} Hz are wanted: pipe them in, such as from "
                f"`arecord -t raw -f S16_LE -c 1 -r {self._sample_rate}`"
            )
        rest = b""
        is_first = True
        while (data := self._read(stop)) is not None:
            if is_first and data[:4] in (b"RIFF", b"fLaC", b"OggS"):
                raise AudioFileError(
                    f"standard input starts with {data[:4].decode()}, the mark of an audio file; "
                    f"raw 16-bit mono samples at {self._sample_rate} Hz are wanted: name the file "
                    "instead of piping it"
                )
            is_first = False
            arrived_s = time.perf_counter()
            data = rest + data
            n_whole = len(data) // 2 * 2
            rest = data[n_whole:]
            samples = np.frombuffer(data[:n_whole], dtype="<i2").astype(np.float32) / 32768.0
            yield Block(samples, arrived_s=arrived_s)
        if rest and not stop.is_set():
            self._warn("standard input ended with half a sample: its last byte was left out")

    def _read(self, stop: threading.Event) -> bytes | None:
        """Next bytes, or None at the end or when stopped."""
        before_s = time.perf_counter()
        descriptor = self._stream.fileno()
        try:
            while not stop.is_set():
                # A plain read would not come back for a signal.
                if select.select([descriptor], [], [], _POLL_S)[0]:
                    return os.read(descriptor, 4 * _BLOCK_SAMPLES * 2) or None
            return None
        except OSError as error:
            raise AudioFileError(f"standard input cannot be read: {error.strerror}") from error
        finally:
            self.waited_s += time.perf_counter() - before_s


class MicrophoneSource:
    """An input device.

    Parameters
    ----------
    device : str or int, optional
        Name or part of it, or index; None: the default input.
    sample_rate : int
        Rate of the blocks, in Hz.
    warn : callable, optional
        Takes a sentence on what was odd but not fatal.
    opened : callable, optional
        Called with a description of the device once it records.
    """

    def __init__(
        self,
        device: str | int | None,
        sample_rate: int,
        *,
        warn: Callable[[str], None] = _no_warning,
        opened: Callable[[str], None] = _no_warning,
    ) -> None:
        self.name = "the microphone"
        self.waited_s = 0.0
        self._device = device
        self._sample_rate = sample_rate
        self._warn = warn
        self._opened = opened

    def blocks(self, stop: threading.Event) -> Generator[Block, None, None]:
        """Open the device and yield what it records.

        Raises
        ------
        AudioDeviceError
            If there is no such device, it refuses to open or it goes away.
        """
        from edge.audio.microphone import Microphone

        before_s = time.perf_counter()
        with Microphone(self._device, self._sample_rate) as microphone:
            # A sound server takes up to a second to open a device, once.
            self.waited_s += time.perf_counter() - before_s
            if microphone.device is not None:
                self.name = microphone.device.name
            self._opened(
                f"{self.name} ({microphone.capture_rate} Hz, {microphone.n_channels} "
                f"channel{'s' if microphone.n_channels > 1 else ''})"
            )
            n_dropped = 0
            has_overflowed = False
            while not stop.is_set():
                before_s = time.perf_counter()
                samples = microphone.read(_POLL_S)
                now_s = time.perf_counter()
                self.waited_s += now_s - before_s
                if microphone.overflows and not has_overflowed:
                    # Said once: a log of every one would fill an SD card.
                    has_overflowed = True
                    self._warn("the system lost input before it reached us: it is too busy")
                lost, n_dropped = microphone.dropped_samples - n_dropped, microphone.dropped_samples
                yield from self._cut(samples, lost, now_s)

    def _cut(
        self, samples: NDArray[np.float32], dropped_samples: int, now_s: float
    ) -> Iterator[Block]:
        """Small blocks, each with its own arrival: a backlog shows as latency."""
        if samples.size == 0:
            if dropped_samples:
                yield Block(samples, dropped_samples, now_s)
            return
        for start in range(0, samples.size, _BLOCK_SAMPLES):
            block = samples[start : start + _BLOCK_SAMPLES]
            n_behind = samples.size - start - block.size
            yield Block(
                block, dropped_samples if start == 0 else 0, now_s - n_behind / self._sample_rate
            )
