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
