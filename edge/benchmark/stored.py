"""A report of ``edge-ser benchmark`` that lies in a file, and the parts of any report."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeGuard

from edge.errors import ParameterError, shown
from edge.files import read_file

__all__ = [
    "VERSION",
    "artifacts_of",
    "is_timing",
    "name_of",
    "part_of",
    "positives_in",
    "read_report",
    "stage_title",
    "timings_in",
    "title",
]

#: Of the report.  A key that is added leaves it as it is, one that is taken away or comes to
#: mean something else is another version.
VERSION = 1

#: A report of many artifacts has a few megabytes of raw values.
_MAX_BYTES = 200_000_000

#: Of no use: sizes are smaller, and so are times.
_LARGEST = 1e15

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
    "capture_processor_ms": "processor, capture",
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
    if (lack := _lack(report)) is not None:
        raise ParameterError(
            f"{shown(os.fspath(path))} is a report without {lack} as it should be: {measure}"
        )
    return report


def artifacts_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give what was measured, an artifact each; nothing where the report is damaged."""
    found = report.get("artifacts")
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def name_of(measured: Mapping[str, Any]) -> str:
    """Name an artifact and what ran it."""
    return f"{measured['artifact']['name']} on {measured['artifact']['backend']}"


def part_of(part: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """Give the part that keys lead to; an empty one where there is none."""
    for key in path:
        found = part.get(key)
        part = found if isinstance(found, dict) else {}
    return part


def positives_in(values: object) -> list[float]:
    """Give a list of numbers above 0; an empty one where it is anything else."""
    is_whole = isinstance(values, list) and all(is_number(x) and x > 0 for x in values)
    return list(values) if is_whole and isinstance(values, list) else []


def is_timing(part: object) -> TypeGuard[dict[str, Any]]:
    """Whether a part of a report is times of many runs with raw values."""
    if not isinstance(part, dict) or not isinstance(raw := part.get("raw"), list) or not raw:
        return False
    figures = [*raw, *(part.get(key) for key in ("p50", "p90", "p95", "p99"))]
    return all(is_number(x) and x >= 0 for x in figures)


def timings_in(part: Mapping[str, Any], *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give all times of many runs within a part, each with the keys that lead to it."""
    for key, value in part.items():
        if is_timing(value):
            yield (*path, key), value
        elif isinstance(value, dict):
            yield from timings_in(value, *path, key)


def stage_title(key: str) -> str:
    """Call a stage what a person calls it."""
    return _TITLES.get(key, key.removesuffix("_ms").removesuffix("_s").replace("_", " "))


def title(*path: str) -> str:
    """Call a part of a report what a person calls it, with the block that it is in."""
    return ": ".join(map(stage_title, path))


def is_number(value: object) -> TypeGuard[float]:
    """Whether a part of a report is a number that one can reckon with."""
    # Not what JSON alone can hold: NaN, infinity, numbers of a thousand digits.
    return isinstance(value, (int, float)) and abs(value) < _LARGEST


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_named(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_sizes(value: object) -> bool:
    return isinstance(value, dict) and all(map(is_number, value.values()))


def _is_block(value: object) -> bool:
    return value is None or isinstance(value, dict)


def _is_list(value: object) -> bool:
    return isinstance(value, list) and bool(value)


#: What is read without being asked for first, of a report and of each artifact.
_OF_REPORT: dict[str, Callable[[object], bool]] = {
    "artifacts": _is_list,
    "state": _is_block,
    "machine.load_average": _is_list,
    "installed.bytes": _is_sizes,
    **dict.fromkeys(("machine.board", "machine.cpu"), _is_named),
    **dict.fromkeys(
        ("edge_ser", "started", "machine.architecture", "machine.python", "machine.numpy",
         "method.clip"), _is_text,
    ),
    **dict.fromkeys(
        ("machine.usable_cpus", "method.threads", "method.duration_s", "installed.total_bytes"),
        is_number,
    ),
}  # fmt: skip
_OF_ARTIFACT: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(
        ("artifact.name", "artifact.backend", "artifact.recipe", "artifact.model_sha256"), _is_text
    ),
    **dict.fromkeys(
        ("artifact.model_bytes", "artifact.folder_bytes", "hop.audio_s", "segment.audio_s",
         "core_share", "real_time_factor", "memory.peak_rss_mb"), is_number,
    ),
    **dict.fromkeys(
        ("artifact.accuracy", "stages", "cold_start", "live", "sustained", "stable_label",
         "agreement"), _is_block,
    ),
    **dict.fromkeys(("hop.whole_ms", "segment.whole_ms"), is_timing),
}  # fmt: skip


def _lack(report: dict[str, Any]) -> str | None:
    """Name what a report lacks, if anything."""
    parts = [("", report, _OF_REPORT)]
    parts += [(f"artifacts.{i}.", each, _OF_ARTIFACT)
              for i, each in enumerate(report.get("artifacts") or ())]  # fmt: skip
    for where, part, wanted in parts:
        for path, is_right in wanted.items():
            value: Any = part
            for key in path.split("."):
                value = value.get(key) if isinstance(value, dict) else _MISSING
            if value is _MISSING or not is_right(value):
                return where + path
        cold = part.get("cold_start")
        if cold is not None and not (
            is_timing(cold.get("total_ms")) and is_number(cold.get("peak_rss_mb"))
        ):
            return f"{where}cold_start.total_ms"
    return None


#: What has no parent.
_MISSING = object()
