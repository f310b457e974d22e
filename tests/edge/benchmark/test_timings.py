from __future__ import annotations

import json

import pytest

from edge.benchmark.timings import timings


def test_times_are_summed_up_and_kept_in_their_order() -> None:
    times_ms = [float(i) for i in range(101)][::-1]
    found = timings(times_ms)
    assert (found["unit"], found["n"], found["raw"]) == ("ms", 101, times_ms)
    assert [found[name] for name in ("min", "p50", "p90", "p95", "p99")] == [0, 50, 90, 95, 99]
    assert found["mean"] == 50
    json.dumps(found, allow_nan=False)


def test_numbers_have_four_digits() -> None:
    found = timings([1.23456789, 1.23456789], "J")
    assert found["raw"] == [1.2346, 1.2346]
    assert (found["unit"], found["mean"]) == ("J", pytest.approx(1.2346, abs=1e-12))
