"""Candidates and results of searches that never ran."""

from __future__ import annotations

from typing import Any

from quantize.search.candidates import Candidate

N_CLIPS = 200


def candidate(
    name: str, kb: float | None, accuracy: float, ms: float | None, **changes: Any
) -> Candidate:
    """One of ``RUN--KIND``; the reference has 0.8."""
    run, _, kind = name.partition("--")
    fields: dict[str, Any] = {
        "run": run,
        "kind": kind or "numpy-int8",
        "name": name,
        "hidden": 16,
        "model_bytes": None if kb is None else int(1000 * kb),
        "folder_bytes": None if kb is None else int(1000 * kb) + 100,
        "n": N_CLIPS,
        "accuracy": accuracy,
        "uar": accuracy - 0.01,
        "by_corpus": {"tess": {"n": N_CLIPS, "accuracy": accuracy, "uar": accuracy - 0.01}},
        "drop": 100 * (0.8 - accuracy),
        "uar_drop": 100 * (0.8 - accuracy),
        "agreement": 0.99,
        "ms": ms,
        "ms_p90": None if ms is None else 2 * ms,
        "ms_wall": None if ms is None else 3 * ms,
        "times_faster": None if ms is None else 4.0 / ms,
        "times_faster_same_kind": None,
    }
    return Candidate(**{**fields, **changes})


def reference() -> Candidate:
    return candidate("full--torch", None, 0.8, 4.0)
