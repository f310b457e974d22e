"""A report as one page that needs nothing else: no network, no script."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edge.benchmark.boards import boards_line
from edge.benchmark.compare import Comparison
from edge.benchmark.compare_table import format_comparison
from edge.benchmark.panels import panels_of
from edge.benchmark.picture import svg_of
from edge.benchmark.stored import artifacts_of, name_of, timings_in
from edge.benchmark.stored import title as title_of
from edge.benchmark.table import FIGURES
from edge.benchmark.table_besides import besides
from edge.benchmark.timings import PERCENTILES
from edge.errors import ParameterError, printable
from edge.files import atomic_path

__all__ = ["page_of", "write_page"]

Part = Mapping[str, Any]

_STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1c1c1c; --line: #d0d0d0; --soft: #666;
  --edge: #d55e00; }
@media (prefers-color-scheme: dark) { :root { --page: #161616; --ink: #e8e8e8; --line: #444;
  --soft: #aaa; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 0 auto; padding: 1rem;
  background: var(--page); color: var(--ink); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .3rem; }
ul.lead { font-size: 1.1rem; border-left: .3rem solid var(--edge); list-style: none;
  padding-left: .8rem; margin-left: 0; }
.warning { border: 2px solid var(--edge); padding: .5rem .8rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  gap: 0 2rem; }
figure { margin: 0; break-inside: avoid; } svg { width: 100%; max-width: 34rem; height: auto; }
svg text { font-family: inherit !important; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; } th:first-child { text-align: left; font-weight: normal; }
tr.block th { white-space: normal; padding-top: .7rem; }
thead th, tr.block th, thead th:first-child { font-weight: bold; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem .9rem; }
dt { font-weight: bold; } dd { margin: 0; color: var(--soft); }
pre { overflow-x: auto; border: 1px solid var(--line); padding: .6rem; font-size: .85rem; }
.soft { color: var(--soft); font-size: .9rem; }
@media print { body { max-width: none; font-size: 10pt; } .wide, pre { overflow: visible; }
  pre { white-space: pre-wrap; } table { font-size: 8pt; } }
""".strip()

_BLOCKS = (
    ("hop", "A decision, from one to the next"),
    ("segment", "A whole segment, from nothing"),
    ("stages", "Every stage by itself"),
    ("cold_start", "Start of the program"),
)


def write_page(
    report: Part, path: str | os.PathLike[str], comparison: Comparison | None = None
) -> None:
    """Write :func:`page_of`, whole or not at all.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    ParameterError
        If it cannot be written.
    """
    page = page_of(report, comparison)
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"{path} cannot be written: {error.strerror}") from error


def page_of(report: Part, comparison: Comparison | None = None) -> str:
    """Lay a report out as HTML.

    Parameters
    ----------
    report : mapping
        As docs/benchmark.schema.json has it.
    comparison : Comparison, optional
        With an older report.

    Returns
    -------
    str
        HTML of one file: its pictures are inside it, and it asks nobody for anything.
    """
    machine, measured = report["machine"], artifacts_of(report)
    on = _text(machine["board"] or machine["cpu"] or machine["architecture"])
    figures = "\n".join(
        f"<figure><h2>{title}</h2>{svg_of(title, report)}</figure>" for title in panels_of(report)
    )
    besides_text = _text("\n".join(besides(report)))
    compared = "" if comparison is None else (
        f"<h2>Next to an older report</h2>\n<pre>{_text(format_comparison(comparison))}</pre>"
    )  # fmt: skip
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>edge-ser on {on}</title>
<style>
{_STYLE}
</style>
</head>
<body>
<h1>What edge-ser costs on {on}</h1>
{_warning(report)}<ul class="lead">
{"".join(f"<li>{_text(_sentence(each))}</li>" for each in measured)}
</ul>
<div class="figures">
{figures}
</div>
{compared}
<h2>All times, in milliseconds where no unit stands</h2>
<div class="wide"><table>
<thead><tr><th></th>{"".join(f"<th>{key}</th>" for key in ("n", *PERCENTILES, "mean", "min"))}\
</tr></thead>
<tbody>
{"".join(_timing_rows(measured))}</tbody></table></div>
<h2>Memory, sizes, accuracy</h2>
<div class="wide"><table>
<thead><tr><th></th>{"".join(f"<th>{_text(name_of(each))}</th>" for each in measured)}</tr></thead>
<tbody>
{"".join(_figure_rows(measured))}</tbody></table></div>
<p class="soft">The accuracy is what the manifests claim, on the clips that they name: it was not
measured here.</p>
{f"<h2>The board, and listening</h2><pre>{besides_text}</pre>" if besides_text else ""}
{_besides(report)}<h2>How it was measured</h2>
<dl>
{"".join(f"<dt>{_text(key)}</dt><dd>{_text(value)}</dd>" for key, value in _method(report))}
</dl>
<h2>For docs/boards.md</h2>
<pre>{_text(boards_line(report))}</pre>
</body>
</html>
"""


def _text(value: object) -> str:
    return "\n".join(html.escape(printable(line)) for line in str(value).split("\n"))


def _sentence(each: Part) -> str:
    whole, audio_s = each["hop"]["whole_ms"], each["hop"]["audio_s"]
    return (
        f"{name_of(each)} works {whole['p50']:.2f} ms for a decision every {audio_s:.2g} s, "
        f"95 of 100 times at most {whole['p95']:.2f} ms: {100 * each['core_share']:.2f} % of one "
        "core."
    )


def _warning(report: Part) -> str:
    state = report.get("state") or {}
    if state.get("valid") is not False:
        return ""
    reasons = "; ".join(map(str, state.get("reasons") or ["it was disturbed"]))
    return f'<p class="warning">Not valid: {_text(reasons)}. Measure again.</p>\n'


def _besides(report: Part) -> str:
    lines = "\n".join(_text(line) for line in besides(report))
    title = "The board, listening, the label that stays, minutes on end"
    return f"<h2>{title}</h2>\n<pre>{lines}</pre>\n" if lines else ""


def _timing_rows(measured: Sequence[Part]) -> Iterator[str]:
    for each in measured:
        for key, title in _BLOCKS:
            rows = [(_title(path, timing), timing)
                    for path, timing in timings_in(each.get(key) or {})]  # fmt: skip
            if rows:
                yield (
                    f'<tr class="block"><th colspan="8">{_text(name_of(each))}: '
                    f"{title[0].lower()}{title[1:]}</th></tr>\n"
                )
            for name, timing in rows:
                cells = "".join(f"<td>{timing[p]:.3f}</td>" for p in (*PERCENTILES, "mean", "min"))
                yield (f"<tr><th>{_text(name)}</th><td>{len(timing['raw'])}</td>{cells}</tr>\n")


def _title(path: tuple[str, ...], timing: Part) -> str:
    unit = timing.get("unit", "ms")
    return title_of(*path) + ("" if unit == "ms" else f", {unit}")


def _figure_rows(measured: Sequence[Part]) -> Iterator[str]:
    for label, cell_of in FIGURES:
        cells = [cell_of(each) for each in measured]
        if any(cells):
            yield (
                f"<tr><th>{label}</th>"
                + "".join(f"<td>{_text(cell) or '–'}</td>" for cell in cells)
                + "</tr>\n"
            )


def _method(report: Part) -> Iterator[tuple[str, object]]:
    machine, method = report["machine"], report["method"]
    yield "edge-ser", report["edge_ser"]
    yield "started", report["started"]
    for key in ("board", "cpu", "architecture", "usable_cpus", "governor", "system", "python"):
        if machine.get(key) is not None:
            yield key.replace("_", " "), machine[key]
    yield "NumPy", machine["numpy"]
    yield "duration", f"{method['duration_s']:g} s, {method['threads']} thread(s)"
    yield "listened to", method["clip"]
    for each in artifacts_of(report):
        about = each["artifact"]
        yield name_of(each), f"{about['recipe']}, SHA-256 {about['model_sha256']}"
    sizes = report["installed"]["bytes"].items()
    yield "installed", ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes)
