from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.ring_buffer import RingBuffer
from edge.errors import ParameterError


def ramp(first: int, n_samples: int) -> np.ndarray:
    return np.arange(first, first + n_samples, dtype=np.float32)


def test_samples_come_out_in_order_and_once():
    buffer = RingBuffer(10)
    buffer.write(ramp(0, 4))
    buffer.write(ramp(4, 3))
    assert len(buffer) == 7
    assert buffer.read(5).tolist() == [0, 1, 2, 3, 4]
    assert buffer.read(5).tolist() == [5, 6]
    assert buffer.read(5, timeout_s=0).size == 0
    assert buffer.dropped_samples == 0


def test_what_is_read_is_a_copy():
    buffer = RingBuffer(4)
    block = ramp(0, 2)
    buffer.write(block)
    block[:] = 9
    got = buffer.read(2)
    buffer.write(ramp(5, 4))
    assert got.tolist() == [0, 1]
    assert got.dtype == np.float32


def test_the_oldest_make_room():
    buffer = RingBuffer(4)
    assert buffer.write(ramp(0, 3)) == 0
    assert buffer.write(ramp(3, 3)) == 2
    assert buffer.dropped_samples == 2
    assert buffer.read(9).tolist() == [2, 3, 4, 5]


def test_a_block_larger_than_the_buffer_keeps_its_end():
    buffer = RingBuffer(4)
    buffer.write(ramp(0, 2))
    assert buffer.write(ramp(2, 9)) == 7
    assert buffer.read(9).tolist() == [7, 8, 9, 10]


@settings(deadline=None, max_examples=200)
@given(
    capacity=st.integers(1, 12),
    steps=st.lists(st.tuples(st.sampled_from("wr"), st.integers(0, 15)), max_size=60),
)
def test_it_behaves_as_a_list_that_forgets_its_front(capacity, steps):
    buffer, model, n_written, n_dropped = RingBuffer(capacity), [], 0, 0
    for action, n in steps:
        if action == "w":
            model += range(n_written, n_written + n)
            lost = max(0, len(model) - capacity)
            assert buffer.write(ramp(n_written, n)) == lost
            n_written, n_dropped = n_written + n, n_dropped + lost
            del model[:lost]
        elif n > 0:
            assert buffer.read(n, timeout_s=0).tolist() == model[:n]
            del model[:n]
        assert len(buffer) == len(model)
        assert buffer.dropped_samples == n_dropped


def test_a_closed_buffer_is_drained_and_takes_nothing_more():
    buffer = RingBuffer(8)
    buffer.write(ramp(0, 3))
    assert not buffer.closed
    buffer.close()
    assert buffer.closed
    assert buffer.write(ramp(3, 3)) == 0
    assert buffer.read(2).tolist() == [0, 1]
    assert buffer.read(2).tolist() == [2]
    assert buffer.read(2).size == 0


def test_read_waits_no_longer_than_it_may():
    begin = time.monotonic()
    assert RingBuffer(4).read(4, timeout_s=0.05).size == 0
    assert 0.04 < time.monotonic() - begin < 2


@pytest.mark.parametrize("wake", ["write", "close"])
def test_a_waiting_reader_is_woken(wake):
    buffer = RingBuffer(4)
    got: list[np.ndarray] = []
    reader = threading.Thread(target=lambda: got.append(buffer.read(4)), daemon=True)
    reader.start()
    time.sleep(0.02)
    if wake == "write":
        buffer.write(ramp(0, 1))
    else:
        buffer.close()
    reader.join(5)
    assert not reader.is_alive()
    assert got[0].tolist() == ([0] if wake == "write" else [])


@pytest.mark.parametrize("capacity", [50, 100_000])
def test_two_threads_lose_and_double_nothing_but_what_is_counted(capacity):
    buffer = RingBuffer(capacity)
    n_samples = 60_000
    sizes = np.random.default_rng(7).integers(0, 80, n_samples)

    def produce() -> None:
        first = 0
        for size in sizes:
            if first >= n_samples:
                break
            buffer.write(ramp(first, min(int(size), n_samples - first)))
            first += int(size)
        buffer.close()

    producer = threading.Thread(target=produce, daemon=True)
    producer.start()
    parts = []
    while not (buffer.closed and len(buffer) == 0):
        parts.append(buffer.read(64, timeout_s=1))
    producer.join()
    got = np.concatenate(parts)
    assert (np.diff(got) > 0).all()
    assert got[-1] == n_samples - 1
    assert got.size + buffer.dropped_samples == n_samples
    if capacity >= n_samples:
        assert buffer.dropped_samples == 0


def test_the_writer_does_not_wait_for_a_reader_that_never_comes():
    buffer = RingBuffer(1_000)
    begin = time.monotonic()
    for _ in range(1_000):
        buffer.write(np.zeros(500, dtype=np.float32))
    assert time.monotonic() - begin < 2
    assert buffer.dropped_samples == 499_000


@pytest.mark.parametrize("capacity", [0, -1])
def test_no_capacity(capacity):
    with pytest.raises(ParameterError, match=f"capacity is {capacity}"):
        RingBuffer(capacity)


def test_nothing_to_read():
    with pytest.raises(ParameterError, match="max_samples is 0"):
        RingBuffer(1).read(0)


# Holes


def taken(buffer: RingBuffer) -> list[tuple[list[float], int, int]]:
    pieces = []
    while (piece := buffer.take(99, timeout_s=0)).samples.size:
        pieces.append((piece.samples.tolist(), piece.n_overrun, piece.n_lost))
    return pieces


def test_a_hole_lies_where_it_was_and_parts_what_is_read():
    buffer = RingBuffer(10)
    buffer.write(ramp(0, 2))
    buffer.write(ramp(2, 3), n_lost=7)
    buffer.write(ramp(5, 1))
    assert taken(buffer) == [([0, 1], 0, 0), ([2, 3, 4, 5], 0, 7)]
    buffer.write(ramp(6, 1), n_lost=2)
    assert taken(buffer) == [([6], 0, 2)]


def test_what_is_overwritten_takes_its_holes_along():
    buffer = RingBuffer(4)
    buffer.write(ramp(0, 2), n_lost=5)
    buffer.write(ramp(2, 2), n_lost=7)
    buffer.write(ramp(4, 3))
    # 0 1 2 and both holes are gone, before the 3.
    assert taken(buffer) == [([3, 4, 5, 6], 3, 12)]


def test_a_hole_that_is_found_out_later_is_put_where_it_was():
    buffer = RingBuffer(10)
    buffer.write(ramp(0, 2))
    buffer.hold()
    buffer.write(ramp(2, 2))
    assert taken(buffer) == [([0, 1], 0, 0)]
    buffer.write(ramp(4, 1))
    assert buffer.take(9, timeout_s=0).samples.size == 0
    buffer.release(6)
    assert taken(buffer) == [([2, 3, 4], 0, 6)]
    buffer.hold()
    buffer.write(ramp(5, 1))
    buffer.release()
    buffer.release(3)  # nothing is held: nothing is lost
    assert taken(buffer) == [([5], 0, 0)]


def test_a_hole_before_what_was_overwritten_is_not_forgotten():
    buffer = RingBuffer(4)
    buffer.write(ramp(0, 2))
    buffer.hold()
    buffer.write(ramp(2, 5))
    assert taken(buffer) == []
    buffer.release(6)
    assert taken(buffer) == [([3, 4, 5, 6], 3, 6)]


def test_closing_lets_go_of_what_is_held():
    buffer = RingBuffer(4)
    buffer.hold()
    buffer.write(ramp(0, 2))
    buffer.close()
    assert taken(buffer) == [([0, 1], 0, 0)]


@settings(deadline=None, max_examples=200)
@given(
    capacity=st.integers(1, 12),
    steps=st.lists(
        st.tuples(st.sampled_from("wlrh"), st.integers(0, 15), st.integers(1, 9)), max_size=60
    ),
)
def test_every_sample_and_every_hole_keeps_its_place(capacity, steps):
    """A sample's value is its place among all that there ever were."""
    buffer, place, told = RingBuffer(capacity), 0, 0
    for action, n, n_lost in steps:
        if action in "wlh" and n:
            if action == "h":
                buffer.hold()
                buffer.write(ramp(place + n_lost, n))
                buffer.release(n_lost)
            else:
                buffer.write(
                    ramp(place + n_lost * (action == "l"), n), n_lost=n_lost * (action == "l")
                )
            place += n + n_lost * (action != "w")
        elif action == "r" and n:
            piece = buffer.take(n, timeout_s=0)
            told += piece.n_overrun + piece.n_lost
            if piece.samples.size:
                assert piece.samples.tolist() == ramp(told, piece.samples.size).tolist()
                told += piece.samples.size
            else:
                assert len(buffer) == 0
    while (piece := buffer.take(5, timeout_s=0)).samples.size:
        told += piece.n_overrun + piece.n_lost
        assert piece.samples.tolist() == ramp(told, piece.samples.size).tolist()
        told += piece.samples.size
    assert told == place


# The lock


class SlowArray(np.ndarray):
    """Stops in the middle of a write, until somebody else has had a chance to read."""

    def __setitem__(self, index, value):
        super().__setitem__(index, value)
        if self.turn is not None:
            self.turn.set()
            time.sleep(0.05)


@pytest.mark.parametrize("n_written", [5, 3])
def test_nobody_reads_in_the_middle_of_a_write(n_written):
    buffer = RingBuffer(4)
    buffer.write(ramp(0, 4))
    slow = buffer._samples.view(SlowArray)
    slow.turn = turn = threading.Event()
    buffer._samples = slow
    writer = threading.Thread(target=lambda: buffer.write(ramp(4, n_written)), daemon=True)
    writer.start()
    assert turn.wait(5)
    # The oldest samples are overwritten by now, and not yet given up.
    got = np.asarray(buffer.read(9))
    writer.join(5)
    assert got.tolist() == ramp(n_written, 4).tolist()


@pytest.mark.parametrize("ask", ["__len__", "dropped_samples", "closed"])
def test_nobody_counts_in_the_middle_of_a_write(ask):
    buffer = RingBuffer(4)
    answered = threading.Event()

    def count() -> None:
        _ = len(buffer) if ask == "__len__" else getattr(buffer, ask)
        answered.set()

    with buffer._changed:
        thread = threading.Thread(target=count, daemon=True)
        thread.start()
        assert not answered.wait(0.05)
    assert answered.wait(5)
    thread.join()


def test_a_waiting_reader_is_woken_by_a_release():
    buffer = RingBuffer(4)
    buffer.hold()
    buffer.write(ramp(0, 2))
    timer = threading.Timer(0.05, buffer.release)
    timer.start()
    begin = time.monotonic()
    assert buffer.take(4, timeout_s=10).samples.size == 2
    assert time.monotonic() - begin < 5
    timer.join()
