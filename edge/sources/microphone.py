"""An input device."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

import numpy as np
from numpy.typing import NDArray

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

__all__ = ["MicrophoneSource", "open_source"]


class MicrophoneSource:
    """An input device.

    Parameters
    ----------
    device : str or int, optional
        Name or part of it, or index; None: the default input.
    sample_rate : int
        Rate of the blocks, in Hz.
    opened : callable, optional
        Called with a description of the device once it records.
    """

    #: Nobody speaks more slowly because we do not keep up.
    is_live = True

    def __init__(
        self,
        device: str | int | None,
        sample_rate: int,
        *,
        opened: Callable[[str], None] = say_nothing,
    ) -> None:
        self.name = "the microphone"
        self.waited_s = 0.0
        self._device = device
        self._sample_rate = sample_rate
        self._opened = opened

    def blocks(self, stop: Stop) -> Generator[Block | Gap | Status, None, None]:
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
            opening_s = self.waited_s
            while not stop.requested:
                recorded = microphone.take(POLL_S)
                self.waited_s = opening_s + microphone.waited_s
                if recorded.n_lost:
                    yield Gap(recorded.n_lost, recorded.reason)
                yield from self._cut(recorded.samples, recorded.arrived_s)

    def _cut(self, samples: NDArray[np.float32], arrived_s: float) -> Iterator[Block]:
        """Small blocks, each with its own arrival: a backlog shows as latency."""
        for start in range(0, samples.size, BLOCK_SAMPLES):
            block = samples[start : start + BLOCK_SAMPLES]
            n_behind = samples.size - start - block.size
            yield Block(block, arrived_s - n_behind / self._sample_rate)


def open_source(settings: SourceSettings) -> MicrophoneSource:
    """Name the microphone; it is opened when the first block is asked for."""
    return MicrophoneSource(settings.device, settings.sample_rate, opened=settings.opened)
