"""A pipe that stays open and brings nothing: told once, and the clock invents nothing."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from edge.sources import Block, Status, Stop, stdin
from edge.sources.stdin import StdinSource


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdin, "_STALLED_S", 0.15)
    monkeypatch.setattr(stdin, "POLL_S", 0.02)


def listen(waits_s: Iterable[float]) -> list[Block | Status]:
    """Listen to 64 samples after each wait, from a pipe that is closed at last."""
    read_end, write_end = os.pipe()

    def write() -> None:
        with os.fdopen(write_end, "wb", buffering=0) as writer:
            for wait_s in waits_s:
                time.sleep(wait_s)
                writer.write(np.arange(64, dtype="<i2").tobytes())

    writer = threading.Thread(target=write)
    with os.fdopen(read_end, "rb") as reader:
        blocks = iter(StdinSource(reader, 16_000).blocks(Stop()))
        writer.start()
        items: Iterator[Block | Status] = (
            item for item in blocks if isinstance(item, Block | Status)
        )
        heard = list(items)
    writer.join()
    return heard


def told(items: list[Block | Status]) -> list[str]:
    return [item.kind if isinstance(item, Status) else "block" for item in items]


def test_a_pipe_that_stalls_is_told_once_and_once_that_it_goes_on(short: None) -> None:
    items = listen([0, 0.35, 0])
    assert told(items)[:4] == ["block", "stalled", "back", "block"]
    stalled, back = (item for item in items if isinstance(item, Status))
    assert "brings nothing" in stalled.sentence
    assert back.away_s == pytest.approx(0.35, abs=0.15)
    samples = [item.samples for item in items if isinstance(item, Block)]
    # Nothing is invented for the time of the stall.
    assert sum(block.size for block in samples) == 3 * 64


def test_one_that_stalls_again_and_again_is_not_told_each_time(short: None) -> None:
    items = listen([0, 0.25, 0.25, 0.25])
    assert [kind for kind in told(items) if kind != "block"] == ["stalled", "back"]


def test_one_that_ran_well_in_between_is_told_again(
    short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stdin, "_TOLD_AGAIN_S", 0.05)
    items = listen([0, 0.25, 0.05, 0.05, 0.25])
    assert [kind for kind in told(items) if kind != "block"] == ["stalled", "back"] * 2


def test_one_that_never_begins_is_told_too(short: None) -> None:
    assert told(listen([0.3]))[:3] == ["stalled", "back", "block"]


def test_an_end_is_not_going_on(short: None) -> None:
    read_end, write_end = os.pipe()
    timer = threading.Timer(0.3, os.close, [write_end])
    timer.start()
    with os.fdopen(read_end, "rb") as reader:
        items = list(StdinSource(reader, 16_000).blocks(Stop()))
    timer.join()
    assert [item.kind for item in items if isinstance(item, Status)] == ["stalled"]
