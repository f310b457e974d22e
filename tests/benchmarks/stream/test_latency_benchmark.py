from __future__ import annotations

import argparse

import numpy as np
import pytest

from benchmarks.stream import latency


def test_samples_are_written_as_they_are_said_to_be() -> None:
    samples = np.array([0.0, 0.5, -1.0], np.float32)
    assert latency.encode(samples, "f32le", 1) == samples.astype("<f4").tobytes()
    stereo = np.frombuffer(latency.encode(samples, "s16le", 2), "<i2")
    assert stereo.tolist() == [0, 0, 16384, 16384, -32768, -32768]


@pytest.mark.parametrize(("name", "rate", "n_channels"), [("f32le", 48_000, 2)])
def test_a_run_has_the_time_of_every_decision(name: str, rate: int, n_channels: int) -> None:
    args = argparse.Namespace(
        seconds=4.0, format=name, rate=rate, channels=n_channels, backend="numpy"
    )
    latency.WARM_UP_S, before = 2.0, latency.WARM_UP_S
    try:
        result = latency.measure(args)
    finally:
        latency.WARM_UP_S = before
    assert result["n_decisions"] >= 3
    beyond = result["beyond_the_block_ms"]
    assert 0 < beyond["p50"] <= beyond["max"] < 2000
    # The sound of a resampler comes a little later than that of the pipe.
    assert result["beyond_the_segment_ms"]["p50"] > 0
    assert result["dropped_samples"] == 0
