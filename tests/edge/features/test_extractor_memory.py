"""A stream may run for days: a push leaves nothing behind, and needs what the last needed."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from edge import FeatureExtractor, FeatureSpec

SPEC = FeatureSpec()
HOP_ROWS = 16  # of one decision
LENGTH = HOP_ROWS * SPEC.hop_length
#: For arrays smaller than 1 kB, of which NumPy keeps some; the smallest row of each of 100
#: pushes would be 13600 bytes.
SLACK_BYTES = 8192


@pytest.fixture
def traced() -> Iterator[None]:
    # What other tests left is not traced: nor need it be looked through each time.
    gc.freeze()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.unfreeze()


def voice(n_blocks: int) -> list[np.ndarray]:
    """Blocks of a buzz in noise."""
    rng = np.random.default_rng(3)
    phase = 2 * np.pi * 140 * np.arange(n_blocks * LENGTH) / SPEC.sample_rate
    wave = 0.2 * np.sin(phase) + 0.1 * np.sin(2 * phase) + 0.01 * rng.standard_normal(phase.size)
    return list(wave.astype(np.float32).reshape(n_blocks, LENGTH))


def live_bytes() -> int:
    """Memory of arrays; Python's caches of tuples and numbers fill over thousands of calls."""
    gc.collect()
    arrays = tracemalloc.DomainFilter(True, np.lib.tracemalloc_domain)
    traces = tracemalloc.take_snapshot().filter_traces([arrays])
    return sum(found.size for found in traces.statistics("filename"))


@pytest.mark.parametrize("n_samples", [LENGTH, 8000, 160])
@pytest.mark.usefixtures("traced")
def test_pushes_leave_no_memory_behind(n_samples: int) -> None:
    samples, streaming = np.concatenate(voice(4)), FeatureExtractor(SPEC)

    def push(n_pushes: int) -> None:
        for i in range(n_pushes):
            streaming.push(samples[37 * i : 37 * i + n_samples])

    push(200)
    before = live_bytes()
    push(100)
    assert live_bytes() - before <= SLACK_BYTES


@pytest.mark.usefixtures("traced")
def test_every_push_needs_the_same_memory() -> None:
    blocks, streaming = voice(25), FeatureExtractor(SPEC)
    for block in blocks[:5]:
        streaming.push(block)
    needed = []
    for block in blocks[5:]:
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        assert streaming.push(block).shape == (HOP_ROWS, SPEC.n_features)
        needed.append(tracemalloc.get_traced_memory()[1] - before)
    assert max(needed) - min(needed) <= 0.01 * max(needed)
    assert max(needed) <= 2e6


@pytest.mark.usefixtures("traced")
def test_extract_leaves_no_memory_behind() -> None:
    samples, extractor = np.concatenate(voice(4)), FeatureExtractor(SPEC)
    for _ in range(20):
        extractor.extract(samples)
    before = live_bytes()
    for _ in range(50):
        extractor.extract(samples)
    assert live_bytes() - before <= SLACK_BYTES
