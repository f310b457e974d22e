"""A report as a table for a person: artifacts side by side, in at most 100 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from edge.benchmark.boards import boards_line
from edge.benchmark.stored import artifacts_of, is_number, is_timing, stage_title
from edge.benchmark.table_besides import besides
from edge.benchmark.timings import PERCENTILES
from edge.errors import printable

__all__ = ["FIGURES", "format_report"]

_LABEL, _CELL = 24, 18
_N_ACROSS = (100 - _LABEL) // (_CELL + 1)
#: Of several artifacts, these alone.
_OF_SEVERAL = ("p50", "p95")

#: Of a block, in this order; the others behind them.
_FIRST = ("whole_ms", "latency_ms", "features_ms", "model_ms")

Part = Mapping[str, Any]


def format_report(report: Part) -> str:
    """Lay a report out as a table for a person.

    Parameters
    ----------
    report : mapping
        As docs/benchmark.schema.json has it.
    """
    measured = artifacts_of(report)
    lines = [*_about(report), ""]
    if len(measured) == 1:
        lines += [_single(measured[0]), *_block(measured, list(PERCENTILES), 8)]
    else:
        for start in range(0, len(measured), _N_ACROSS):
            lines += _block(measured[start : start + _N_ACROSS], _OF_SEVERAL, _CELL // 2)
            lines.append("")
        lines.pop()
    return "\n".join([*lines, "", *_foot(report)])


def _about(report: Part) -> Iterator[str]:
    machine, method = report["machine"], report["method"]
    yield (
        f"{printable(machine['board'] or machine['cpu'] or machine['architecture'])}, "
        f"{machine['usable_cpus']} CPUs, load {machine['load_average'][0]}, "
        f"Python {machine['python']}, NumPy {machine['numpy']}, threads {method['threads']}"
    )
    state = report.get("state") or {}
    if state.get("valid") is False:
        for reason in state.get("reasons") or ["it was disturbed"]:
            yield f"NOT VALID         {printable(str(reason))}"
        yield "                  Measure again on a cool machine where nothing else runs."


def _single(each: Part) -> str:
    about = each["artifact"]
    return (
        f"{printable(about['name'])} on {about['backend']}, {about['recipe']}, "
        f"SHA-256 {about['model_sha256'][:12]}"
    )


def _block(measured: Sequence[Part], heads: Sequence[str], width: int) -> Iterator[str]:
    """Give the rows of as many artifacts as there is room for."""
    if heads == _OF_SEVERAL:
        names = [printable(str(each["artifact"]["name"])) for each in measured]
        yield _line("", [f"{_cut(name):>{_CELL}}" for name in names])
        yield _line("", [f"{'on ' + each['artifact']['backend']:>{_CELL}}" for each in measured])
    heading = "".join(f"{head:>{width}}" for head in heads)
    yield _line("milliseconds", [heading] * len(measured))
    for title, rows in _timing_rows(measured):
        yield title
        for label, timings in rows:
            cells = [
                "".join(f"{_ms(timing[head]):>{width}}" for head in heads) if timing else "-"
                for timing in timings
            ]
            yield _line(f"  {label}", [f"{cell:>{width * len(heads)}}" for cell in cells])
    yield ""
    for label, cell_of in FIGURES:
        cells = [cell_of(each) for each in measured]
        if any(cells):
            yield _line(label, [f"{cell or '-':>{width * len(heads)}}" for cell in cells])


def _timing_rows(measured: Sequence[Part]) -> Iterator[tuple[str, list[tuple[str, list[Any]]]]]:
    first = measured[0]
    for key, title in (
        ("hop", f"a decision, every {first['hop']['audio_s']:.3g} s"),
        ("segment", f"a segment of {first['segment']['audio_s']:.3g} s, from nothing"),
        ("stages", "every stage by itself"),
        ("cold_start", "start of the program"),
    ):
        parts = [each.get(key) or {} for each in measured]
        names = list(
            dict.fromkeys(name for part in parts for name, t in part.items() if is_timing(t))
        )
        if names:
            yield (
                title,
                [(stage_title(name), [_timing(part, name) for part in parts]) for name in names],
            )


def _timing(part: Part, name: str) -> Any:
    return timing if is_timing(timing := part.get(name)) else None


def _kilobytes(each: Part) -> str:
    about = each["artifact"]
    return f"{about['model_bytes'] / 1000:.0f} / {about['folder_bytes'] / 1000:.0f}"


def _memory(each: Part) -> str:
    memory = each["memory"]
    steady = memory.get("steady_rss_mb")
    least = f" / {steady:.0f}" if is_number(steady) else ""
    return f"{memory['peak_rss_mb']:.0f}{least}"


def _first_memory(each: Part) -> str:
    cold = each.get("cold_start")
    return f"{cold['peak_rss_mb']:.0f}" if cold else ""


def _accuracy(each: Part) -> str:
    accuracy = each["artifact"].get("accuracy") or {}
    uar = accuracy.get("mean_uar")
    return f"{100 * uar:.1f} %" if is_number(uar) else ""


def _agreement(each: Part, key: str) -> str:
    share = (each.get("agreement") or {}).get(key)
    value = share.get("value") if isinstance(share, dict) else None
    return f"{100 * value:.1f} %" if is_number(value) else ""


def _runs(each: Part) -> str:
    return f"{each['runs']}" if "runs" in each else ""


#: What is one figure an artifact, with how to write it; "" where it was not measured.
FIGURES: tuple[tuple[str, Callable[[Part], str]], ...] = (
    ("share of a core", lambda each: f"{100 * each['core_share']:.2f} %"),
    ("real-time factor", lambda each: f"{each['real_time_factor']:.4f}"),
    ("MB at most / steady", _memory),
    ("MB, a first decision", _first_memory),
    ("MB installed", lambda each: _megabytes(each.get("installed_bytes"))),
    ("kB model / folder", _kilobytes),
    ("mean UAR, by manifest", _accuracy),
    ("right on your clips", lambda each: _agreement(each, "accuracy")),
    ("as the first says", lambda each: _agreement(each, "with_first")),
    ("runs", _runs),
)


def _megabytes(n_bytes: object) -> str:
    return f"{n_bytes / 1e6:.1f}" if is_number(n_bytes) else ""


def _foot(report: Part) -> Iterator[str]:
    packages = ", ".join(f"{k} {v / 1e6:.1f}" for k, v in report["installed"]["bytes"].items())
    total_mb = report["installed"]["total_bytes"] / 1e6
    yield from textwrap.wrap(
        f"installed         {total_mb:.1f} MB: {packages}", 100, subsequent_indent=" " * 18
    )
    yield f"listened to       {report['method']['clip']}"
    yield from besides(report)
    for each in report.get("left_out") or ():
        yield f"left out          {printable(str(dict(each).get('reason')))}"
    yield "for docs/boards.md:"
    yield boards_line(report)


def _line(label: str, cells: Sequence[str]) -> str:
    return f"{label:<{_LABEL}} {' '.join(cells)}".rstrip()


def _cut(word: str) -> str:
    return word if len(word) <= _CELL else f"{word[: _CELL - 3]}..."


def _ms(value: float) -> str:
    """Three digits that mean something, never more than there is room for."""
    digits = 3 if value < 1 else 2 if value < 100 else 1 if value < 1000 else 0
    return f"{value:.{digits}f}"
