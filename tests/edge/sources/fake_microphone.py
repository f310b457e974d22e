"""A microphone that opens and gives as its scripts say."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import numpy as np
from runtime_fakes import voice

from edge.audio.capture import Recorded
from edge.audio.portaudio import AwayError, Call
from edge.audio.recording import StalledError
from edge.errors import AudioDeviceError
from edge.sources import Block, Gap, Stop
from edge.sources.base import Status
from edge.sources.microphone import MicrophoneSource

RATE = 16_000

EMPTY = np.zeros(0, np.float32)


class FakeMicrophone:
    """Opens and gives as its scripts say; asks for a stop when there is nothing left to give."""

    openings: list[Exception | threading.Event | None]
    script: list[tuple[np.ndarray, int] | Exception]
    resumed: list[np.ndarray]
    rest: list[np.ndarray]
    wanted: list[int]
    said: list[tuple[str, str]]
    stop: Stop
    device = SimpleNamespace(name="Desk microphone")
    capture_rate, n_channels = 48_000, 2

    def __init__(self, device: str | None, sample_rate: int, **settings: object) -> None:
        self.asked = (device, sample_rate, settings)
        self.waited_s = 0.0
        self.is_open = False
        self.opened_at_s: list[float] = []
        self.n_closings = 0
        FakeMicrophone.last = self

    def open(self, *, renew_devices: bool) -> None:
        self.opened_at_s.append(time.monotonic())
        result = self.openings.pop(0) if self.openings else None
        if isinstance(result, threading.Event):
            assert result.wait(10)
        elif result is not None:
            raise result
        self.is_open = True

    def take(self, timeout_s: float, n_wanted: int = 1) -> Recorded:
        if not self.is_open:
            raise AudioDeviceError("the microphone is not open")
        if not timeout_s:
            rest = self.rest.pop() if self.rest else EMPTY
            return Recorded(rest, time.perf_counter())
        self.wanted.append(n_wanted)
        result = self.script.pop(0)
        if not self.script:
            self.stop.request()
        if isinstance(result, Exception):
            raise result
        samples, n_lost = result
        self.waited_s += 2.0
        return Recorded(samples, time.perf_counter(), n_lost, "busy" if n_lost else "")

    def resume(self, timeout_s: float) -> Recorded:
        samples = self.resumed.pop(0) if self.resumed else EMPTY
        if not samples.size:
            time.sleep(0.01)
        return Recorded(samples, time.perf_counter())

    def news(self) -> list[tuple[str, str]]:
        said, self.said[:] = list(self.said), []
        return said

    def begin_close(self) -> Call | None:
        was_open, self.is_open = self.is_open, False
        self.n_closings += was_open
        return Call(lambda: None) if was_open else None

    def close(self) -> None:
        self.is_open = False


def collect(source: MicrophoneSource, stop: Stop) -> list[Block | Gap | Status]:
    return list(source.blocks(stop))


def kinds(blocks: list[Block | Gap | Status]) -> list[str]:
    return [
        block.kind if isinstance(block, Status) else type(block).__name__.lower()
        for block in blocks
    ]


CLIP = voice(8000)

GONE = AwayError("the microphone went away: Desk microphone stopped")

SILENT = StalledError("the microphone went away: Desk microphone sent nothing for 2.0 s")
