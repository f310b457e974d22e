"""PortAudio without a sound card: devices, streams and their faults."""

from __future__ import annotations

import threading
import types

import numpy as np


class PortAudioError(Exception):
    pass


class Flags:
    """As sounddevice.CallbackFlags: false when nothing is set."""

    def __init__(self, input_overflow: bool = False, other: bool = False) -> None:
        self.input_overflow, self.other = input_overflow, other

    def __bool__(self) -> bool:
        return self.input_overflow or self.other


class FakeStream:
    def __init__(self, module: FakeSoundDevice, **settings) -> None:
        self.module, self.settings = module, settings
        self.calls: list[str] = []
        self.closed = False
        module.streams.append(self)
        if (settings["samplerate"], settings["channels"]) not in module.opens:
            raise PortAudioError("Error opening InputStream: Invalid sample rate", -9997)

    def start(self) -> None:
        self.calls.append("start")
        if self.module.busy:
            raise PortAudioError("Error starting stream: Device unavailable", -9985)

    def abort(self) -> None:
        self.calls.append("abort")
        if self.module.frozen is not None:
            self.module.frozen.wait()
        self.settings["finished_callback"]()

    def close(self) -> None:
        self.calls.append("close")
        self.closed = True

    def deliver(
        self, block: np.ndarray, flags: Flags | None = None, adc_s: float | None = None
    ) -> None:
        block = np.asarray(block, dtype=self.settings["dtype"])
        block = block.reshape(-1, self.settings["channels"]).copy()
        times = None if adc_s is None else types.SimpleNamespace(inputBufferAdcTime=adc_s)
        self.settings["callback"](memoryview(block), len(block), times, flags or Flags())
        # PortAudio uses the memory again.
        block[:] = 9.0

    def vanish(self) -> None:
        self.settings["finished_callback"]()


class FakeOutput:
    """A stream of somebody else's."""

    closed = False


class FakeSoundDevice(types.ModuleType):
    PortAudioError = PortAudioError
    OutputStream = FakeOutput

    def __init__(self) -> None:
        super().__init__("sounddevice")
        self._initialized = 1
        self._lib = types.SimpleNamespace(Pa_Initialize=self._initialize)
        self.n_renewals = 0
        # What PortAudio lists once it is renewed.
        self.plugged: list[dict[str, object]] | None = None
        self.devices = [
            device("Speakers", 0, 48_000),
            device("USB Mic: Audio (hw:1,0)", 2, 48_000),
            device("Array: Audio (hw:2,0)", 6, 16_000, host_api=1),
            device("pulse", 32, 44_100),
            device("Built-in Mic", 1, 44_100),
        ]
        self.default = 1
        self.broken = False
        self.busy = False
        self.frozen: threading.Event | None = None
        self.opens = {(rate, n) for rate in (16_000, 44_100, 48_000) for n in (*range(1, 9), 32)}
        self.streams: list[FakeStream] = []

    def query_devices(self, kind: str | None = None):
        if self.broken:
            raise PortAudioError("PortAudio not initialized", -10_000)
        if kind is None:
            return [{**one, "index": index} for index, one in enumerate(self.devices)]
        if self.default < 0:
            raise PortAudioError("Error querying device -1")
        if self.default >= len(self.devices):
            raise PortAudioError("Error querying device")
        return {**self.devices[self.default], "index": self.default}

    def query_hostapis(self):
        return ({"name": "ALSA"}, {"name": "JACK"})

    def RawInputStream(self, **settings) -> FakeStream:  # noqa: N802
        return FakeStream(self, **settings)

    def _exit_handler(self) -> None:
        pass

    def _terminate(self) -> None:
        self._initialized -= 1

    def _initialize(self) -> int:
        self.n_renewals += 1
        if self.frozen is not None:
            self.frozen.wait()
        if self.plugged is not None:
            self.devices = self.plugged
        return -10_000 if self.broken else 0

    def _check(self, number: int, words: str) -> None:
        if number < 0:
            raise PortAudioError(words, number)

    @property
    def stream(self) -> FakeStream:
        return self.streams[-1]


def device(name: str, n_inputs: int, rate: float, host_api: int = 0) -> dict[str, object]:
    return {
        "name": name,
        "hostapi": host_api,
        "max_input_channels": n_inputs,
        "max_output_channels": 2,
        "default_samplerate": float(rate),
    }
