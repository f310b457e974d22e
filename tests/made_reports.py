"""Reports of a benchmark in the form of docs/benchmark.schema.json, made up."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge.benchmark.timings import timings

#: Milliseconds by stage of a decision.
STAGES = {
    "capture_copy": 0.05, "resample": 0.2, "front_end": 0.02, "features_segment": 5.0,
    "features_increment": 1.2, "gate": 0.15, "model": 1.4, "decision": 0.06,
}  # fmt: skip


#: What a board tells that tells nothing.
BOARD = {
    "time": "2026-11-27T19:30:00Z", "governors": [], "clock_mhz": None, "limit_mhz": None,
    "hardware_mhz": None, "pace_ms": 1.0, "degrees_celsius": {}, "power_mw": {}, "cpu_quota": None,
    "load_average": [0.0, 0.0, 0.0],
    "throttling": {"bits": None, "now": [], "since_start": [], "voltage_low": None, "cooling": {},
                   "n_times": None},
}  # fmt: skip


def times(middle: float, rng: np.random.Generator, n: int = 200) -> dict[str, Any]:
    """Times around a median, with the few slow ones that every machine has."""
    values = middle * rng.lognormal(0, 0.03, n)
    values[:: max(2, n // 10)] *= 1.3
    return timings(values.tolist())


def measured(
    name: str,
    seed: int,
    factor: float = 1.0,
    backend: str = "numpy",
    n: int = 200,
    pace: float = 1.0,
) -> dict[str, Any]:
    """What was measured of one artifact.

    The program takes ``factor`` as long; the machine takes ``pace`` as long for anything.
    """
    rng = np.random.default_rng(seed)
    factor *= pace
    rounds = [n // 2, n - n // 2]
    work_ms = times(0.2 * pace, np.random.default_rng(seed + 1000), n)
    stages = {key: times(factor * value, rng, n) for key, value in STAGES.items()}
    return {
        "artifact": {
            "name": name, "backend": backend, "recipe": "numpy_weight_only_wi8",
            "model_bytes": 498_228, "folder_bytes": 560_000, "model_sha256": "ab" * 32,
            "accuracy": {
                "split": "speaker-5fold",
                "mean_uar": 0.62,
                "figures": [{"split": "speaker-5fold, ravdess", "metric": "uar", "value": 0.62}],
            },
        },
        "installed_bytes": 43_000_000,
        "runs": n,
        "round_runs": rounds,
        "processes": 2,
        "pace": {"work": 1, "work_ms": work_ms, "round_ms": [0.2 * pace] * len(rounds),
                 "spread_percent": 0.0, "drift_percent": None},
        "warm_up": {"runs": 5, "hop_ms": times(4.0 * factor, rng, 5)},
        "cold_start": {
            "runs": 5,
            **{
                key: times(factor * value, rng, 5)
                for key, value in (
                    ("total_ms", 400.0), ("python_ms", 60.0), ("import_ms", 200.0),
                    ("verify_ms", 20.0), ("load_ms", 100.0), ("first_decision_ms", 20.0),
                )
            },
            "pace_ms": [0.15 * pace] * 5,
            "peak_rss_mb": 48.0,
        },
        "stages": stages,
        "segment": {
            "audio_s": 1.984,
            "frames": 61,
            "whole_ms": times(6.6 * factor, rng, n),
            "features_ms": times(5.0 * factor, rng, n),
            "model_ms": times(1.4 * factor, rng, n),
        },
        "hop": {
            "audio_s": 0.512,
            "frames": 16,
            "whole_ms": times(2.9 * factor, rng, n),
            "latency_ms": times(1.8 * factor, rng, n),
            "features_ms": times(1.2 * factor, rng, n),
            "model_ms": times(1.4 * factor, rng, n),
            "processor_ms": times(2.9 * factor, rng, n),
            "capture_processor_ms": times(1.1 * factor, rng, n),
        },
        "real_time_factor": 0.0057 * factor,
        "core_share": 0.0057 * factor,
        "memory": {"peak_rss_mb": 52.0, "steady_rss_mb": 50.0},
        "live": None, "sustained": None, "stable_label": None, "agreement": None,
    }  # fmt: skip


def report(*artifacts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Lay out a whole report."""
    return {
        "type": "benchmark",
        "version": 1,
        "edge_ser": "0.1.0",
        "started": "2026-11-27T19:30:00Z",
        "machine": {
            "board": "Raspberry Pi 4 Model B Rev 1.4", "cpu": "Cortex-A72",
            "architecture": "aarch64", "cpus": 4, "usable_cpus": 4, "governor": "ondemand",
            "system": "Linux-6.1.0-rpi-aarch64-with-glibc2.36", "python": "3.11.2",
            "numpy": "2.4.6", "threads": {"OMP_NUM_THREADS": "1"},
            "load_average": [0.0, 0.01, 0.0],
        },
        "state": {
            "before": BOARD, "after": BOARD, "valid": True, "reasons": [], "notes": [],
            "between": {"cpus": 4, "own_s": 9.0, "others_share": 0.01, "swapped_pages": 0,
                        "n_held_back": None},
        },
        "method": {
            "duration_s": 30.0, "threads": 1, "warm_up": 5, "cold_starts": 5, "block_samples": 512,
            "capture_rate_hz": 48_000, "capture_block_s": 0.032,
            "clip": "bundled dialogue without its pauses",
        },
        "installed": {"bytes": {"edge-ser": 3_000_000, "numpy": 40_000_000},
                      "total_bytes": 43_000_000},
        "left_out": [],
        "artifacts": list(artifacts),
        **changes,
    }  # fmt: skip
