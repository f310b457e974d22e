"""One line of docs/boards.md: what a report says of a board, to be pasted there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from edge.benchmark.stored import artifacts_of
from edge.errors import printable

__all__ = ["COLUMNS", "boards_line"]

#: Of the page's table.
COLUMNS = (
    "board",
    "processor",
    "system",
    "version",
    "measured",
    "artifact",
    "decision, ms",
    "core",
    "start, s",
    "MB",
    "state",
)

#: What would end a cell or begin a link, an image or a tag.
_MARKS = re.compile(r"[|`<>\[\]*\\&]")
_BREAK = "<br>"


def boards_line(report: Mapping[str, Any]) -> str:
    """Sum a report up as one row of a Markdown table.

    Parameters
    ----------
    report : mapping
        As docs/benchmark.schema.json has it.

    Returns
    -------
    str
        A cell for each of :data:`COLUMNS`; figures of several artifacts stand below each other in
        a cell.  Nothing in it tells who measured: no name of a user, a host or a file.
    """
    machine, measured = report["machine"], artifacts_of(report)
    cells = [
        _plain(machine.get("board")) or _plain(machine.get("cpu")) or "not named",
        ", ".join(filter(None, (_processor(machine), _plain(machine.get("architecture"))))),
        _system(machine),
        f"{_plain(report.get('edge_ser'))}, Python {_plain(machine.get('python'))}, "
        f"NumPy {_plain(machine.get('numpy'))}",
        _plain(report.get("started"))[:10],
        _each(f"{_plain(m['artifact']['name'])}, {m['artifact']['backend']}" for m in measured),
        _each(_decision(m["hop"]["whole_ms"]) for m in measured),
        _each(f"{100 * m['core_share']:.2f} %" for m in measured),
        _each(_start(m.get("cold_start")) for m in measured),
        _each(f"{m['memory']['peak_rss_mb']:.0f}" for m in measured),
        _state(report.get("state")),
    ]
    return f"| {' | '.join(cells)} |"


def _each(words: Any) -> str:
    return _BREAK.join(words)


def _plain(value: object) -> str:
    """Take out of a stranger's word what means something in a table."""
    return "" if value is None else _MARKS.sub(" ", printable(str(value))).strip()


def _processor(machine: Mapping[str, Any]) -> str:
    cpus = machine.get("usable_cpus")
    name = _plain(machine.get("cpu")) if machine.get("board") else ""
    return f"{cpus} × {name}" if name else f"{cpus} CPUs"


def _system(machine: Mapping[str, Any]) -> str:
    """Name and version of the kernel; the rest of it is the same on every board."""
    parts = _plain(machine.get("system")).split("-")
    return " ".join(parts[:2])


def _decision(timing: Mapping[str, Any]) -> str:
    return f"{timing['p50']:.2f} ({timing['p95']:.2f})"


def _start(cold: Mapping[str, Any] | None) -> str:
    return f"{cold['total_ms']['p50'] / 1000:.2f}" if cold else "-"


def _state(state: Mapping[str, Any] | None) -> str:
    valid = (state or {}).get("valid")
    if valid is None:
        return "not watched"
    reasons: Sequence[object] = (state or {}).get("reasons") or ()
    return "undisturbed" if valid else "not valid: " + _plain("; ".join(map(str, reasons)))
