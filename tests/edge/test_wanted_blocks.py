"""A listener says how much sound it waits for, and is woken once for it."""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
from runtime_fakes import fake_classifier, voice

from edge.audio.file import write_wav
from edge.cli.notify import Notifier, ServiceTap
from edge.cli.reload import KeptSource
from edge.pipeline import run_pipeline
from edge.sinks import SinkBase
from edge.sources import Block, Gap, Stop
from edge.sources.file import FileSource
from edge.stream.decision import Decision

RATE = 16_000


class Asked:
    """Yields exactly what it was asked for, from one long clip."""

    name, waited_s = "asked", 0.0

    def __init__(self, samples: np.ndarray, gap_at: int | None = None) -> None:
        self.samples, self.gap_at = samples, gap_at
        self.sizes: list[int] = []
        self.n_wanted = 0

    def want(self, n_samples: int) -> None:
        self.n_wanted = n_samples

    def blocks(self, stop: Stop) -> Generator[Block | Gap, None, None]:
        place = 0
        while place < self.samples.size and not stop.requested:
            block = self.samples[place : place + self.n_wanted]
            place += block.size
            self.sizes.append(block.size)
            yield Block(block)
            if self.gap_at is not None and place >= self.gap_at:
                self.gap_at = None
                yield Gap(1600)


class Told(SinkBase):
    def __init__(self) -> None:
        self.decisions: list[Decision] = []

    def emit(self, decision: Decision) -> None:
        self.decisions.append(decision)


def heard(source: Asked | Plain, **settings: object) -> list[tuple[object, ...]]:
    sink = Told()
    run_pipeline(source, fake_classifier().stream(), [sink], **settings)
    return [
        (each.start_s, each.end_s, each.state, each.posterior, each.level_db)
        for each in sink.decisions
    ]


class Plain:
    """The same clip in blocks of 512."""

    name, waited_s = "plain", 0.0

    def __init__(self, samples: np.ndarray) -> None:
        self.samples = samples

    def blocks(self, stop: Stop) -> Generator[Block, None, None]:
        for start in range(0, self.samples.size, 512):
            yield Block(self.samples[start : start + 512])


def test_a_decision_takes_one_block_and_is_the_same_to_the_bit() -> None:
    samples = voice(5 * RATE)
    source = Asked(samples)
    decisions = heard(source)
    # 61 frames make the first segment, in batches of sixteen; each hop behind it is a batch.
    n_first = 60 * 512 + 1024
    assert source.sizes[:5] == [8192, 8192, 8192, n_first - 3 * 8192, 8192]
    assert len(source.sizes) == 4 + -(-(samples.size - n_first) // 8192)
    assert decisions == heard(Plain(samples))


def test_behind_a_gap_it_is_asked_anew() -> None:
    source = Asked(voice(6 * RATE), gap_at=31_744 + 8192)
    heard(source)
    assert source.sizes[5:10] == [8192, 8192, 8192, 7168, 8192]


def test_nothing_behind_the_end_of_a_run_is_waited_for() -> None:
    source = Asked(voice(3 * RATE))
    heard(source, duration_s=0.7)
    assert source.sizes == [8192, round(0.7 * RATE) - 8192]


def test_a_tap_hears_as_small_blocks_as_it_wants() -> None:
    class Patient:
        longest_block_s = math.inf

        def __call__(self, item: object) -> None:
            pass

    class Meter(Patient):
        longest_block_s = 0.1

    def sizes(*taps: object) -> list[int]:
        source = Asked(voice(2 * RATE))
        heard(source, taps=taps)
        return source.sizes

    assert max(sizes(Patient())) == 8192
    assert max(sizes(Patient(), Meter())) == 1600
    # A function that says nothing hears what it heard before anybody could.
    assert max(sizes(Patient(), lambda _: None)) == 512


def test_a_watchdog_is_fed_in_time() -> None:
    assert ServiceTap(Notifier()).longest_block_s == math.inf
    assert ServiceTap(Notifier("/there", 1.0)).longest_block_s == 0.25
    # Nobody listens.
    assert ServiceTap(Notifier(None, 1.0)).longest_block_s == math.inf


def test_a_kept_source_passes_it_on() -> None:
    source = Asked(voice(RATE))
    KeptSource(source, Stop()).want(4000)
    assert source.n_wanted == 4000
    KeptSource(Plain(voice(RATE)), Stop()).want(4000)


# Files


@pytest.mark.parametrize("sample_rate", [16_000, 44_100])
def test_a_file_at_the_pace_of_speech_is_cut_and_waited_for_as_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample_rate: int
) -> None:
    path = tmp_path / "clip.wav"
    write_wav(path, voice(2 * sample_rate), sample_rate)
    waits_s: list[float] = []
    monkeypatch.setattr(Stop, "wait", lambda _, timeout_s: waits_s.append(timeout_s))
    source = FileSource(path, RATE)
    source.want(8192)
    sizes = []
    for block in source.blocks(Stop()):
        sizes.append(block.samples.size)
        source.want(5000)
    assert sizes == [8192, 5000, 5000, 5000, 5000, 2 * RATE - 8192 - 20_000]
    # One wait a block.
    assert len(waits_s) <= len(sizes)


def test_a_fast_file_is_cut_as_ever(tmp_path: Path) -> None:
    write_wav(tmp_path / "clip.wav", voice(2 * RATE), RATE)
    source = FileSource(tmp_path / "clip.wav", RATE, fast=True)
    source.want(100)
    assert [block.samples.size for block in source.blocks(Stop())][:3] == [8192] * 3
