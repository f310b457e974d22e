"""How many streams a core serves: both ways to serve them, and what is held against the bars."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from benchmarks.stream.streams import bars
from benchmarks.stream.streams_child import (
    BLOCK_SAMPLES,
    Speaker,
    blocks_of,
    bundled,
    serve,
    serve_together,
)


@pytest.mark.parametrize("serving", [serve, serve_together])
def test_all_decisions_of_all_streams_are_timed(serving: Any) -> None:
    classifier = bundled("claf-ser-tiny", "numpy")
    blocks = blocks_of(classifier)
    speakers = [Speaker(classifier.stream(), blocks, first) for first in (0, 5, 40)]
    for speaker in speakers:
        # A segment of 1.984 s: the next decision comes with the 16th block.
        speaker.warm_up(62)
    block_s = BLOCK_SAMPLES / classifier.spec.sample_rate
    # All of it was due long ago.
    starts_s = time.perf_counter() - 10.0
    latencies_ms, idle_s = serving(speakers, np.array([0.1, 0.2, 0.9]), starts_s, 33, block_s)
    assert len(latencies_ms) == 3 * 2
    assert idle_s == 0.0
    assert min(latencies_ms) > 1000 * (10.0 - 33 * block_s)
    assert all(speaker.stream.position_s == (62 + 33) * block_s for speaker in speakers)


def test_the_best_use_of_one_thread_is_held_against_the_bars() -> None:
    def row(mode: str, backend: str, streams: int, n_bytes: int | None) -> dict[str, Any]:
        return {
            **{"model": "claf-ser-tiny", "backend": backend, "mode": mode},
            **{"streams": streams, "bytes_a_further_stream": n_bytes},
        }

    rows = [
        row("loop", "onnx", 640, 170_000),
        row("together", "numpy", 1024, 310_000),
        row("processes", "numpy", 2000, None),
    ]
    assert bars(rows, []) == {
        "streams, claf-ser-tiny on numpy, together": {"measured": 1024, "bar": 1000, "met": True},
        "bytes a further stream, claf-ser-tiny on numpy, together": {
            "measured": 310_000, "bar": 300_000, "met": False,
        },
    }  # fmt: skip
    assert not bars(rows[:1], [])["streams, claf-ser-tiny on onnx, loop"]["met"]
