"""The page's benchmark counts what it says it counts."""

from __future__ import annotations

import argparse

from benchmarks.web_page import __main__ as module


def test_a_short_run_with_few_readers_loses_nothing(monkeypatch):
    monkeypatch.setattr(module, "SETTLE_S", 1.0)
    result = module.measure(
        argparse.Namespace(clients=4, stalled=1, minutes=0.06, priority="usual")
    )
    assert result["with"]["lost_samples"] == result["without"]["lost_samples"] == 0
    assert result["readers"]["connections"] >= 3
    assert result["readers"]["missed_events"] == 0
    assert result["said"] == []
    assert set(result["resident_mb"]) == {"cold", "before", "with_readers", "after"}
