"""A report of ``edge-ser benchmark`` that lies in a file, and the parts of any report."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from edge.errors import ParameterError, shown
from edge.files import read_file

__all__ = ["VERSION", "artifacts_of", "is_timing", "name_of", "read_report", "stage_title", "timings_in", "title"]

#: Of the reports, as in docs/benchmark.schema.json.
VERSION = 1

#: A report of many artifacts has a few megabytes of raw values.
_MAX_BYTES = 200_000_000

#: What a person calls the parts of a report; the others are called as they are written.
_TITLES = {
    "capture_copy": "callback's copy",
    "features_segment": "features, segment",
    "features_increment": "features, hop",
    "features_ms": "features",
    "model_ms": "model",
    "whole_ms": "whole",
    "gate": "speech gate",
    "latency_ms": "after its last block",
    "processor_ms": "processor's time",
    "python_ms": "Python",
    "import_ms": "imports",
    "verify_ms": "reading, hashes",
    "stages": "apart",
}


def read_report(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a report that ``edge-ser benchmark --output`` wrote.

    Raises
    ------
    ParameterError
        If it cannot be read, is no such report, or is one of another version of its form.
    """
    measure = "measure one with: edge-ser benchmark --output FILE"
    try:
        content = read_file(path, _MAX_BYTES)
    except OSError as error:
        raise ParameterError(
            f"the report {shown(os.fspath(path))} cannot be read: {error.strerror}"
        ) from error
    try:
        report = json.loads(content) if len(content) <= _MAX_BYTES else None
    except (ValueError, RecursionError):
        report = None
    if not isinstance(report, dict) or report.get("type") != "benchmark":
        raise ParameterError(
            f"{shown(os.fspath(path))} is no report of a benchmark, whole JSON is wanted: {measure}"
        )
    if report.get("version") != VERSION:
        was = report.get("version")
        raise ParameterError(
            f"{shown(os.fspath(path))} was written by edge-ser {shown(report.get('edge_ser'))} "
            f"in form {'0' if was is None else shown(was)} of the report, this edge-ser reads form "
            f"{VERSION}: {measure}"
        )
    if not artifacts_of(report) or not all(map(_is_measured, artifacts_of(report))):
        raise ParameterError(
            f"{shown(os.fspath(path))} lacks what was measured of an artifact: {measure}"
        )
    return report


def artifacts_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give what was measured, an artifact each; nothing where the report is damaged."""
    found = report.get("artifacts")
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def name_of(measured: Mapping[str, Any]) -> str:
    """Name an artifact and what ran it."""
    return f"{measured['artifact']['name']} on {measured['artifact']['backend']}"


def is_timing(part: object) -> TypeGuard[dict[str, Any]]:
    """Whether a part of a report is times of many runs with raw values."""
    if not isinstance(part, dict) or not isinstance(raw := part.get("raw"), list) or not raw:
        return False
    figures = [*raw, *(part.get(key) for key in ("p50", "p90", "p95", "p99"))]
    return all(type(x) in (int, float) and math.isfinite(x) and x >= 0 for x in figures)


def timings_in(part: Mapping[str, Any], *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give all times of many runs within a part, each with the keys that lead to it."""
    for key, value in part.items():
        if is_timing(value):
            yield (*path, key), value
        elif isinstance(value, dict):
            yield from timings_in(value, *path, key)


def stage_title(key: str) -> str:
    """Call a stage what a person calls it."""
    return _TITLES.get(key, key.removesuffix("_ms").replace("_", " "))


def title(*path: str) -> str:
    """Call a part of a report what a person calls it, with the block that it is in."""
    return ": ".join(map(stage_title, path))


def _is_measured(measured: dict[str, Any]) -> bool:
    about, hop = measured.get("artifact"), measured.get("hop")
    return (
        isinstance(about, dict)
        and all(isinstance(about.get(key), str) for key in ("name", "backend"))
        and isinstance(hop, dict)
        and is_timing(hop.get("whole_ms"))
    )
