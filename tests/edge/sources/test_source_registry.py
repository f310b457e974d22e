"""Which source a word means, and the flag that ends one."""

from __future__ import annotations

import signal
import sys
import time
import types
from collections.abc import Iterator

import numpy as np
import pytest

from edge.errors import ParameterError
from edge.sources import Block, Gap, Source, SourceSettings, Stop
from edge.sources.registry import SOURCES, SourceRow, find_source, open_source


@pytest.mark.parametrize(
    ("text", "word"),
    [("mic", "mic"), ("-", "-"), ("demo", "demo"), ("a.wav", "FILE"), ("FILE", "FILE")],
)
def test_every_word_means_its_row_and_all_else_a_file(text: str, word: str) -> None:
    assert find_source(text).word == word


def test_an_empty_source_is_refused() -> None:
    with pytest.raises(ParameterError, match="source is empty, one of mic, demo, FILE, - is want"):
        find_source("")


def test_a_toy_source_is_one_module_and_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    class Toy:
        name, waited_s = "the toy", 0.0

        def blocks(self, stop: Stop) -> Iterator[Block | Gap]:
            yield Block(np.zeros(3, np.float32))

    module = types.ModuleType("toy_source")
    module.open_source = lambda settings: Toy()
    monkeypatch.setitem(sys.modules, "toy_source", module)
    monkeypatch.setitem(SOURCES, "toy", SourceRow("toy", "toy_source"))
    source: Source = open_source(find_source("toy"), SourceSettings(16_000))
    assert [block.samples.size for block in source.blocks(Stop())] == [3]


def test_stop_is_noticed_within_a_quarter_of_a_second_of_a_signal() -> None:
    stop = Stop()
    before = signal.signal(signal.SIGALRM, lambda *_: stop.request())
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        started_s = time.monotonic()
        assert stop.wait(30)
        assert time.monotonic() - started_s < 0.27
    finally:
        signal.signal(signal.SIGALRM, before)


def test_wait_without_a_stop_takes_its_time() -> None:
    stop = Stop()
    started_s = time.monotonic()
    assert not stop.wait(0.15)
    assert 0.15 <= time.monotonic() - started_s < 0.5
    assert not stop.wait(-1)
