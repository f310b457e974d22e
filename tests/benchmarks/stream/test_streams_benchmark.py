"""How many streams a core serves is looked for between what it serves and what it does not."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from benchmarks.stream import streams
from benchmarks.stream.streams_child import Speaker, serve


class Counting:
    """Stands for a stream: every second block completes a hop."""

    def __init__(self) -> None:
        self.arrived_s: list[float] = []

    def push(self, block: Any, arrived_s: float) -> list[Any]:
        self.arrived_s.append(arrived_s)

        class Decision:
            class timing:  # noqa: N801
                latency_ms = 1000 * (time.perf_counter() - arrived_s)

        return [Decision] if len(self.arrived_s) % 2 == 0 else []


def a_core_of(capacity: int, asked: list[int]) -> Any:
    def run(n_streams: int, task: dict[str, Any], mode: str) -> dict[str, Any]:
        asked.append(n_streams)
        load = n_streams / capacity
        late = {"p99_ms": 20.0 if load <= 1 else 900.0, "load": load}
        return {"n_streams": n_streams, **late, "bytes_a_further_stream": 150_000}

    return run


@pytest.mark.parametrize(
    ("capacity", "least", "most"), [(700, 576, 700), (1, 0, 1), (5000, 64, 64)]
)
def test_the_number_of_streams_is_found(
    monkeypatch: pytest.MonkeyPatch, capacity: int, least: int, most: int
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(streams, "run_streams", a_core_of(capacity, asked))
    limit = 64 if capacity == 5000 else 4096
    found = streams.saturate({"model": "claf-ser", "backend": "numpy"}, "loop", 512.0, limit)
    assert least <= found["streams"] <= most
    assert [run["n_streams"] for run in found["runs"]] == asked
    assert len(asked) == len(set(asked))


def test_what_is_late_or_takes_longer_than_the_sound_is_not_served() -> None:
    assert streams.is_served({"p99_ms": 511.0, "load": 0.9}, 512.0)
    assert not streams.is_served({"p99_ms": 513.0, "load": 0.9}, 512.0)
    # It is not late yet, and would be in a minute.
    assert not streams.is_served({"p99_ms": 100.0, "load": 1.02}, 512.0)


def test_the_bars_name_what_was_measured() -> None:
    loop = {"model": "claf-ser-tiny", "backend": "numpy", "mode": "loop", "streams": 900}
    hop = {"model": "claf-ser-tiny", "core_share": 0.002, "is_default": True}
    hops = [{**hop, "backend": "numpy", "p50_ms": 0.8}, {**hop, "backend": "onnx", "p50_ms": 0.5}]
    found = streams.bars([{**loop, "bytes_a_further_stream": 160_000}], hops)
    assert found["streams, claf-ser-tiny on numpy"] == {"measured": 900, "bar": 1000, "met": False}
    assert found["bytes a further stream, claf-ser-tiny on numpy"]["met"]
    assert found["numpy by onnx, claf-ser-tiny"]["measured"] == 1.6
    assert found["live share, claf-ser-tiny on onnx"]["met"]


def test_blocks_are_pushed_when_they_are_due() -> None:
    counting = [Counting(), Counting()]
    blocks = [np.zeros(512, np.float32)] * 3
    speakers = [Speaker(each, blocks, 0) for each in counting]  # type: ignore[arg-type]
    starts_s = time.perf_counter() + 0.01
    latencies_ms = serve(speakers, np.array([0.0, 0.5]), starts_s, 4, 0.01)
    assert len(latencies_ms) == 4
    assert min(latencies_ms) >= 0
    wanted = starts_s + 0.01 * np.arange(4)
    np.testing.assert_allclose(counting[0].arrived_s, wanted)
    np.testing.assert_allclose(counting[1].arrived_s, wanted + 0.005)
