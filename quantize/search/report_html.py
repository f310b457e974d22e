"""The report of a search: one HTML file with its picture inside, for people."""

from __future__ import annotations

import base64
import html
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.benchmark.machine import describe_machine
from quantize.basics.files import atomic_path
from quantize.search.candidates import Candidate
from quantize.search.pareto import Choice, Constraints
from quantize.search.table import COLUMNS, cells, marks

__all__ = ["report_html", "write_report"]

_STYLE = """
:root { color-scheme: light dark; --line: #d0d0d0; --soft: #666; --chosen: #fdebdf;
  --edge: #d55e00; }
@media (prefers-color-scheme: dark) { :root { --line: #444; --soft: #aaa; --chosen: #4a2a14; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.lead { font-size: 1.15rem; border-left: .3rem solid var(--edge); padding-left: .8rem; }
.warning { border: 2px solid var(--edge); padding: .5rem .8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th:nth-child(-n+3), td:nth-child(-n+3) { text-align: left; }
tr.chosen { background: var(--chosen); font-weight: bold; }
tr.misses td { color: var(--soft); }
figure { margin: 0; } img { max-width: 100%; height: auto; background: #fff; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem .9rem; }
dt { font-weight: bold; } dd { margin: 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--line);
  padding: .6rem; }
.soft { color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; }
@media print { body { max-width: none; font-size: 10pt; } .wide { overflow: visible; }
  table { font-size: 7.5pt; } th, td { padding: .1rem .3rem; } tr, figure { break-inside: avoid; }
  tr.chosen { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def write_report(path: Path, content: str) -> None:
    """Write it, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(content, encoding="utf-8")


def report_html(
    reference: Candidate,
    candidates: Sequence[Candidate],
    choice: Choice,
    constraints: Constraints,
    failed: Sequence[Mapping[str, Any]],
    *,
    picture: bytes | None,
    about: Mapping[str, str],
    warning: str | None,
    export_command: Sequence[str] | None,
) -> str:
    """Write a search up: what was found first, then how it was measured.

    Parameters
    ----------
    reference : Candidate
    candidates : sequence of Candidate
        Artifacts.
    choice : Choice
    constraints : Constraints
    failed : sequence of mapping
        Contents of the files of trials that failed.
    picture : bytes or None
        PNG.
    about : mapping
        What else it shall say of how it was made, by name: split, command, commit.
    warning : str or None
        What the reader must know before believing a figure.
    export_command : sequence of str or None
        Words that export the chosen one.

    Returns
    -------
    str
        HTML that needs nothing else: no network, no script.
    """
    said = html.escape
    parts = [f'<p class="lead">{_unbroken(said(choice.sentence))}</p>']
    if warning:
        parts.append(f'<p class="warning">Caution: {said(warning)}.</p>')
    if picture:
        data = base64.b64encode(picture).decode()
        parts.append(
            '<figure><img alt="Size of the model file against accuracy, with time as colour; the '
            f'table has all the figures" src="data:image/png;base64,{data}"></figure>'
        )
    parts += ["<h2>All artifacts</h2>", _table(reference, candidates, choice), _failed(failed)]
    if choice.chosen and export_command:
        parts += [
            "<h2>Take the chosen one</h2>",
            f"<p>It lies in <code>artifacts/{said(choice.chosen.name)}</code> beside this file, "
            "ready to copy to a device. To export it anew:</p>",
            f"<pre>{said(shlex.join(export_command))}</pre>",
        ]
    parts += ["<h2>Constraints</h2>", _constraints(constraints)]
    parts += ["<h2>What the columns mean</h2>", _columns(reference)]
    machine = describe_machine()
    on = ", ".join(str(machine[k]) for k in ("cpu", "architecture", "system") if machine[k])
    told = {**about, "machine": f"{on}, Python {machine['python']}, NumPy {machine['numpy']}"}
    parts += ["<h2>How it was made</h2>", _definitions(told)]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>edge-ser: which artifact to take</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>Which artifact to take</h1>\n{body}\n</body>\n</html>\n"
    )


def _unbroken(text: str) -> str:
    """Keep figures and their units on one line."""
    return re.sub(r"(?<=\d) (?=(%|kB|ms|points|x)\b|%)", "&nbsp;", text)


def _table(reference: Candidate, candidates: Sequence[Candidate], choice: Choice) -> str:
    lines = ["<tr><th></th>" + "".join(f"<th>{html.escape(n)}</th>" for n in COLUMNS) + "</tr>"]
    for candidate in (reference, *candidates):
        mark = marks(candidate, choice).strip()
        classes = "chosen" if ">" in mark else "misses" if choice.missed.get(candidate.name) else ""
        inner = "".join(f"<td>{html.escape(cell)}</td>" for cell in (mark, *cells(candidate)))
        lines.append(f'<tr class="{classes}">{inner}</tr>' if classes else f"<tr>{inner}</tr>")
    return (
        '<div class="wide"><table>\n<thead>'
        + lines[0]
        + "</thead>\n<tbody>\n"
        + "\n".join(lines[1:])
        + "\n</tbody></table></div>\n"
        '<p class="soft">= reference, &gt; chosen, * on the Pareto front: no other is smaller, '
        "more accurate and faster at once. Grey ones miss a constraint.</p>"
    )


def _failed(failed: Sequence[Mapping[str, Any]]) -> str:
    if not failed:
        return ""
    lines = [
        f"<li>{html.escape(each['run'])} as {html.escape(each['kind'])}: "
        f"{html.escape(each['error'])}</li>"
        for each in failed
    ]
    return "<p>Failed, and tried again by the next call:</p>\n<ul>" + "\n".join(lines) + "</ul>"


def _constraints(constraints: Constraints) -> str:
    what = {"--max-kb": "model file", "--max-drop": "drop in accuracy", "--max-ms": "time"}
    lines = []
    for option, limit, unit in constraints.items():
        units = "point" if (limit, unit) == (1, "points") else unit
        lines.append(
            f"<li><code>{option} {limit:g}</code>: {what[option]} at most {limit:g} {units}</li>"
        )
    return f"<ul>{''.join(lines)}</ul>" if lines else "<p>None were set.</p>"


def _columns(reference: Candidate) -> str:
    one_clip = (
        f"One clip of the {reference.n} held-out ones is {100 / reference.n:.2f} points: a smaller "
        "difference is none."
    )
    terms = {**COLUMNS, "reference": f"{reference.run} in torch, float32"}
    return _definitions(terms) + f"<p>{one_clip}</p>"


def _definitions(terms: Mapping[str, str]) -> str:
    lines = [
        f'<dt>{html.escape(name)}</dt><dd class="soft">{html.escape(meaning)}</dd>'
        for name, meaning in terms.items()
    ]
    return "<dl>" + "\n".join(lines) + "</dl>"
