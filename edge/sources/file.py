"""A file, at the pace of speech or as fast as it can be read."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.files import as_path
from edge.sources.base import BLOCK_SAMPLES, Block, Gap, SourceSettings, Status, Stop, say_nothing

__all__ = ["FileSource", "open_demo", "open_source"]

#: Without pacing larger blocks save overhead; half a second keeps memory flat.
_FAST_BLOCK_S = 0.512


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
    warn : callable, optional
        Takes a sentence on what was odd but not fatal.

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
        warn: Callable[[str], None] = say_nothing,
    ) -> None:
        self.name = as_path(path)
        self.waited_s = 0.0
        self._path = Path(self.name)
        self._sample_rate = sample_rate
        self._fast = fast
        self._warn = warn
        self._n_wanted = BLOCK_SAMPLES

    def want(self, n_samples: int) -> None:
        """Take note of how many samples the next block is to have, at the pace of speech."""
        if not self._fast:
            self._n_wanted = max(1, n_samples)

    def blocks(self, stop: Stop) -> Generator[Block | Gap | Status, None, None]:
        """Yield the file's samples.

        Raises
        ------
        AudioFileError
            If the file cannot be read.
        """
        started_s = there_s = 0.0
        n_samples = 0
        for samples, read_s in self._cut():
            if n_samples == 0:
                # The clock begins with the first piece: a disk that wakes up is not late speech.
                started_s = time.perf_counter()
                there_s = started_s - read_s
            n_samples += samples.size
            arrived_s = None
            if not self._fast:
                # A block is there when its last sample has been spoken, and read by somebody
                # who is never behind: what a disk takes is not the device's latency.
                due_s = started_s + n_samples / self._sample_rate
                arrived_s = there_s = max(due_s, there_s + read_s)
                self._wait_until(due_s, stop)
            if stop.requested:
                return
            yield Block(samples, arrived_s=arrived_s)

    def _cut(self) -> Iterator[tuple[NDArray[np.float32], float]]:
        """Pieces as long as they are wanted, whatever they are read or resampled in."""
        kept, kept_read_s = np.zeros(0, dtype=np.float32), 0.0
        for made, read_s in self._pieces():
            kept = np.concatenate((kept, made)) if kept.size else made
            kept_read_s += read_s
            while kept.size >= (n_wanted := self._n_wanted):
                block, kept = kept[:n_wanted], kept[n_wanted:]
                yield block, kept_read_s
                kept_read_s = 0.0
        yield kept, kept_read_s

    def _pieces(self) -> Iterator[tuple[NDArray[np.float32], float]]:
        """Resampled pieces, and the seconds of reading, which is waiting, before each."""
        from edge.audio.band import METERED_HZ, rate_warning
        from edge.audio.file import open_audio
        from edge.audio.full_band import full_band_resampler

        before_s = time.perf_counter()
        with open_audio(self._path) as reader:
            n_said = 0
            narrow = rate_warning(reader.sample_rate)
            if narrow is not None and reader.sample_rate < METERED_HZ:
                # The stream hears the others.
                reader.warnings.append(narrow)
            resampler = full_band_resampler(reader.sample_rate, self._sample_rate)
            if self._fast:
                self._n_wanted = round(_FAST_BLOCK_S * self._sample_rate)
            step = max(1, round(_FAST_BLOCK_S * reader.sample_rate))
            pieces = reader.pieces()
            while True:
                samples = next(pieces, None)
                read_s = time.perf_counter() - before_s
                self.waited_s += read_s
                n_said = self._tell(reader.warnings, n_said)
                if samples is None:
                    break
                for start in range(0, samples.size, step):
                    yield resampler.push(samples[start : start + step]), read_s
                    read_s = 0.0
                before_s = time.perf_counter()
            yield resampler.flush(), read_s

    def _tell(self, warnings: list[str], n_said: int) -> int:
        for sentence in warnings[n_said:]:
            self._warn(f"{self.name}: {sentence}")
        return len(warnings)

    def _wait_until(self, due_s: float, stop: Stop) -> None:
        before_s = time.perf_counter()
        if due_s > before_s:
            stop.wait(due_s - before_s)
            self.waited_s += time.perf_counter() - before_s


def open_source(settings: SourceSettings) -> FileSource:
    """Open the file that is named."""
    settings.opened(settings.path)
    return FileSource(settings.path, settings.sample_rate, fast=settings.fast, warn=settings.warn)


def open_demo(settings: SourceSettings) -> FileSource:
    """Open the bundled clip."""
    from edge.bundled import DEMO_CLIP

    settings.opened("the bundled dialogue")
    return FileSource(DEMO_CLIP, settings.sample_rate, fast=settings.fast)
