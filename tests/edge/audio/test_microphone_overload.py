"""A slow model behind the real microphone code: skipped hops, never lag."""

from __future__ import annotations

import threading
import time

import numpy as np
from microphone_fakes import FakeSoundDevice, FakeStream, device
from runtime_fakes import LinearModel, fake_classifier, voice

from edge.pipeline import run_pipeline
from edge.sinks import SinkBase
from edge.sources.base import Stop
from edge.sources.microphone import MicrophoneSource
from edge.stream.decision import Decision

RATE, BLOCK = 16_000, 512
HOP_S = BLOCK / RATE
MODEL_S = 10 * HOP_S
HEARD_S = 1.8


class SlowModel(LinearModel):
    def infer(self, features: np.ndarray, corpus: int) -> np.ndarray:
        time.sleep(MODEL_S)
        return super().infer(features, corpus)


class Kept(SinkBase):
    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def emit(self, decision: Decision) -> None:
        self.decisions.append(decision)


def speak(fake: FakeSoundDevice, stop: Stop, captured: list[int]) -> None:
    """Deliver blocks at the pace of sound, as PortAudio's thread does."""
    samples, started_s = voice(RATE), time.perf_counter()
    while time.perf_counter() - started_s < 5 and not fake.streams:
        time.sleep(0.005)
    started_s, n_blocks = time.perf_counter(), 0
    while (n_blocks + 1) * HOP_S <= HEARD_S:
        time.sleep(max(0.0, started_s + (n_blocks + 1) * HOP_S - time.perf_counter()))
        first = n_blocks * BLOCK % (RATE - BLOCK)
        fake.stream.deliver(samples[first : first + BLOCK])
        n_blocks += 1
    captured.append(n_blocks * BLOCK)
    stop.request()


def test_latency_stays_below_a_hop_and_one_decision(sounddevice: FakeSoundDevice) -> None:
    class Opened(FakeStream):
        def __init__(self, **settings: object) -> None:
            super().__init__(sounddevice, **settings)

    # A class, as the real one: what is open is known by it.
    sounddevice.RawInputStream = Opened  # type: ignore[method-assign]
    sounddevice.devices, sounddevice.default = [device("Mic", 1, RATE)], 0
    classifier = fake_classifier(window_frames=8, window_hop=1)
    classifier.model = SlowModel()
    stream, kept, stop = classifier.stream(), Kept(), Stop()
    captured: list[int] = []
    speaker = threading.Thread(target=speak, args=(sounddevice, stop, captured), daemon=True)
    speaker.start()
    summary = run_pipeline(MicrophoneSource(None, RATE), stream, [kept], stop=stop)
    speaker.join(5)
    decisions = kept.decisions
    assert len(decisions) >= 3
    latencies_s = [each.timing.latency_ms / 1000 for each in decisions]
    # A hop, a block and what a busy machine may add; behind without end it would be over a second.
    assert max(latencies_s) < HOP_S + MODEL_S + BLOCK / RATE + 0.2
    assert sum(each.skipped_hops for each in decisions) >= 6 * (len(decisions) - 2)
    # Every hop of what was heard is a decision, or counted: nothing is told for the rest.
    heard = round(summary.audio_s * RATE)
    assert heard + summary.dropped_samples <= captured[0]
    n_frames = 1 + (heard - 1024) // 512
    assert len(decisions) + stream.skipped_hops == n_frames - 8 + 1
