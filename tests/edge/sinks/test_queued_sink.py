"""A sink in a thread of its own: late, slow, failing or gone, and nobody waits for it."""

from __future__ import annotations

import threading
import time

import pytest

from edge.sinks import SinkBase
from edge.sinks import queued as module
from edge.sinks.group import SinkGroup
from edge.sinks.queued import QueuedSink
from edge.stream.decision import Decision
from edge.stream.status import Status


def decision(n: int) -> Decision:
    return Decision(n, n + 1.0, "quiet", None, None, None, -90.0)


class Held(SinkBase):
    """Takes nothing until it is let go, and says in which thread it runs."""

    def __init__(self, held: bool = True) -> None:
        self.told: list[object] = []
        self.threads: set[str] = set()
        self.free = threading.Event()
        self.has_begun = threading.Event()
        if not held:
            self.free.set()

    def _note(self, what: object) -> None:
        self.threads.add(threading.current_thread().name)
        self.told.append(what)

    def open(self) -> None:
        self._note("open")

    def emit(self, decision: Decision) -> None:
        self.has_begun.set()
        assert self.free.wait(10)
        self._note(decision.start_s)

    def status(self, status: Status) -> None:
        self._note(status.kind)

    def warn(self, sentence: str) -> None:
        self._note(sentence)

    def summary(self, summary) -> None:
        self._note(dict(summary))

    def close(self) -> None:
        self._note("close")


def test_everything_reaches_it_in_order_and_in_one_thread():
    inner, said = Held(held=False), []
    sink = QueuedSink(inner, "toy", warn=said.append)
    sink.open()
    for n in range(50):
        sink.emit(decision(n))
    sink.status(Status("lost", "away"))
    sink.warn("odd")
    sink.summary({"decisions": 50})
    sink.close()
    assert inner.told == ["open", *range(50), "lost", "odd", {"decisions": 50}, "close"]
    assert inner.threads == {"sink toy"}
    assert said == []


def test_one_that_stands_still_delays_nobody_and_loses_the_oldest():
    inner, said = Held(), []
    sink = QueuedSink(inner, "toy", warn=said.append, n_most=8)
    sink.open()
    sink.emit(decision(0))
    assert inner.has_begun.wait(10)
    began_s = time.monotonic()
    for n in range(1, 101):
        sink.emit(decision(n))
    assert time.monotonic() - began_s < 5
    assert sink.n_dropped == 92
    assert said == [
        "the sink toy is too slow or stands still: the oldest of what it is told is left out"
    ]
    inner.free.set()
    sink.close()
    assert inner.told == ["open", 0, *range(93, 101), "close"]
    assert said[1:] == ["the sink toy keeps up again: 92 records did not reach it"]


def test_a_source_that_is_patient_waits_and_nothing_is_lost():
    inner, said = Held(), []
    sink = QueuedSink(inner, "toy", warn=said.append, is_patient=True, n_most=4)
    sink.open()
    threading.Timer(0.2, inner.free.set).start()
    for n in range(40):
        sink.emit(decision(n))
    sink.close()
    assert inner.told == ["open", *range(40), "close"]
    assert sink.n_dropped == 0
    assert said == []


def test_it_waits_no_longer_for_one_that_takes_nothing(monkeypatch):
    monkeypatch.setattr(module, "_STUCK_S", 0.1)
    monkeypatch.setattr(module, "_POLL_S", 0.02)
    inner = Held()
    sink = QueuedSink(inner, "toy", warn=lambda _sentence: None, is_patient=True, n_most=2)
    sink.open()
    for n in range(6):
        sink.emit(decision(n))
    assert sink.n_dropped > 0
    inner.free.set()
    sink.close()


def test_its_error_comes_with_the_next_call_and_the_others_go_on():
    class Failing(Held):
        def emit(self, decision: Decision) -> None:
            super().emit(decision)
            if decision.start_s == 1:
                raise RuntimeError("ouch")

    failing, other, said = Failing(held=False), Held(held=False), []
    queued = QueuedSink(failing, "toy", warn=said.append)
    with SinkGroup([queued, QueuedSink(other, "other", warn=said.append)], said.append) as group:
        group.emit(decision(0))
        group.emit(decision(1))
        queued._thread.join(10)
        group.emit(decision(2))
        group.emit(decision(3))
    assert said == ["the sink toy failed and is closed (RuntimeError: ouch)"]
    assert failing.told == ["open", 0, 1, "close"]
    assert other.told == ["open", 0, 1, 2, said[0], 3, "close"]


def test_an_error_of_opening_is_one_of_opening():
    class Shut(SinkBase):
        def open(self) -> None:
            raise OSError("the disk is away")

    sink = QueuedSink(Shut(), "toy", warn=print)
    with pytest.raises(OSError, match="the disk is away"):
        sink.open()
    sink.close()


def test_one_that_never_ends_is_left_behind_and_named(monkeypatch):
    monkeypatch.setattr(module, "_CLOSE_S", 0.1)
    inner, said = Held(), []
    sink = QueuedSink(inner, "toy", warn=said.append)
    sink.open()
    for n in range(3):
        sink.emit(decision(n))
    assert inner.has_begun.wait(10)
    sink.close()
    assert said == [
        "the sink toy did not end in 0.1 s, 2 records that it was told did not reach it"
    ]
    inner.free.set()
    sink._thread.join(10)
    assert inner.told == ["open", 0, "close"]
