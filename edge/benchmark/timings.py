"""Times of many runs, as a report keeps them: percentiles to read, raw values to compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["PERCENTILES", "timings"]

#: Of a report, by their keys.
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0}


def timings(times_ms: Sequence[float], unit: str = "ms") -> dict[str, Any]:
    """Sum up the times of many runs.

    Parameters
    ----------
    times_ms : sequence of float
        In the order in which they were measured; at least one.
    unit : str
        What they are in, where it is not milliseconds.

    Returns
    -------
    dict
        ``unit``, ``n``, ``p50``, ``p90``, ``p95``, ``p99``, ``mean``, ``min`` and ``raw``, plain
        JSON types; every number is rounded to four digits behind the point.
    """
    percentiles = np.percentile(times_ms, list(PERCENTILES.values()))
    figures = {
        **dict(zip(PERCENTILES, percentiles, strict=True)),
        "mean": np.mean(times_ms),
        "min": np.min(times_ms),
    }
    return {
        "unit": unit,
        "n": len(times_ms),
        **{name: round(float(value), 4) for name, value in figures.items()},
        "raw": [round(float(value), 4) for value in times_ms],
    }
