"""When the samples of a file at the pace of speech are there."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from runtime_fakes import fake_classifier, voice

import edge.audio.file
import edge.audio.resample
from edge.audio.file import write_wav
from edge.pipeline import run_pipeline
from edge.sinks import SinkBase
from edge.sources import Block, Stop
from edge.sources.file import FileSource
from edge.stream.decision import Decision


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.wav"
    write_wav(path, voice(6000), 16_000)
    return path


def test_a_block_is_there_when_its_last_sample_has_been_spoken(clip: Path) -> None:
    started_s = time.perf_counter()
    arrivals: list[float] = []
    n_samples: list[int] = []
    for block in FileSource(clip, 16_000).blocks(Stop()):
        assert isinstance(block, Block)
        # Never before its time, and not long after it.
        assert block.arrived_s is not None
        assert -0.001 < time.perf_counter() - block.arrived_s < 0.2
        if block.samples.size == 0:
            continue  # the end of the file
        arrivals.append(block.arrived_s)
        n_samples.append(block.samples.size)
    spoken_s = np.cumsum(n_samples) / 16_000
    wanted_s = spoken_s - spoken_s[0]
    np.testing.assert_allclose(np.array(arrivals) - arrivals[0], wanted_s, atol=1e-6)
    # The first one too lasts as long as it takes to speak.
    assert arrivals[0] - started_s >= n_samples[0] / 16_000
    assert arrivals[0] - started_s < n_samples[0] / 16_000 + 0.2
    assert all(b > a for a, b in itertools.pairwise(arrivals))


def test_a_fast_file_is_there_as_soon_as_it_is_asked_for(clip: Path) -> None:
    assert {block.arrived_s for block in FileSource(clip, 16_000, fast=True).blocks(Stop())} == {
        None
    }


def test_who_falls_behind_sees_it_in_the_latency(tmp_path: Path) -> None:
    class Slow(SinkBase):
        def __init__(self) -> None:
            self.latencies_ms: list[float] = []

        def emit(self, decision: Decision) -> None:
            if not self.latencies_ms:
                time.sleep(0.2)
            self.latencies_ms.append(decision.timing.latency_ms)

    path = tmp_path / "clip.wav"
    write_wav(path, voice(8192), 16_000)
    sink = Slow()
    stream = fake_classifier(window_frames=4, window_hop=2).stream()
    run_pipeline(FileSource(path, 16_000), stream, [sink])
    assert sink.latencies_ms[0] < 100
    # A hop of 64 ms later the sink is still at it; it catches up by the end.
    assert 80 < sink.latencies_ms[1] < 250
    assert sink.latencies_ms[-2] < 100


class SlowReader:
    """A disk that takes a while for the second piece."""

    sample_rate = 16_000

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def __enter__(self) -> SlowReader:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def pieces(self) -> Iterator[np.ndarray]:
        yield voice(1024)
        time.sleep(0.2)
        yield voice(1024)


def test_what_a_disk_takes_is_waiting_and_no_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge.audio.file, "open_audio", lambda _: SlowReader())
    source = FileSource("slow.wav", 16_000)
    ages_s = []
    for block in source.blocks(Stop()):
        if block.samples.size:
            ages_s.append(time.perf_counter() - block.arrived_s)
    assert len(ages_s) == 4
    assert min(ages_s) >= 0
    assert max(ages_s) < 0.1
    assert source.waited_s > 0.19


def test_the_resampler_s_work_is_not_waiting(monkeypatch: pytest.MonkeyPatch, clip: Path) -> None:
    real = edge.audio.resample.Resampler.push

    def slow(self: object, samples: np.ndarray) -> np.ndarray:
        time.sleep(0.1)
        return real(self, samples)

    monkeypatch.setattr(edge.audio.resample.Resampler, "push", slow)
    source = FileSource(clip, 16_000, fast=True)
    assert sum(block.samples.size for block in source.blocks(Stop())) == 6000
    assert source.waited_s < 0.08
