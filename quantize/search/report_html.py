"""The report of a search: one HTML file with its picture inside, for people."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.benchmark.machine import describe_machine
from quantize.basics.files import atomic_path
from quantize.basics.templates import render
from quantize.search.candidates import Candidate
from quantize.search.pareto import Choice, Constraints
from quantize.search.table import COLUMNS, cells, marks

__all__ = ["report_html", "write_report"]

_NO_BREAK = "\N{NO-BREAK SPACE}"


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
    machine = describe_machine()
    on = ", ".join(str(machine[k]) for k in ("cpu", "architecture", "system") if machine[k])
    return render(
        "quantize.search",
        "report.html.j2",
        sentence=_unbroken(choice.sentence),
        warning=warning,
        picture=base64.b64encode(picture).decode() if picture else None,
        columns=list(COLUMNS),
        entries=[
            _entry(candidate, choice, number)
            for number, candidate in enumerate((reference, *candidates))
        ],
        failed=failed,
        chosen=choice.chosen.name if choice.chosen else None,
        export_command=shlex.join(export_command) if choice.chosen and export_command else None,
        constraints=_constraints(constraints),
        terms={**COLUMNS, "reference": f"{reference.run} in torch, float32"},
        one_clip=f"One clip of the {reference.n} held-out ones is {100 / reference.n:.2f} points: "
        "a smaller difference is none.",
        about={**about, "machine": f"{on}, Python {machine['python']}, NumPy {machine['numpy']}"},
    )


def _unbroken(text: str) -> str:
    """Keep figures and their units on one line."""
    return re.sub(r"(?<=\d) (?=(%|kB|ms|points|x)\b|%)", _NO_BREAK, text)


def _entry(candidate: Candidate, choice: Choice, number: int) -> dict[str, Any]:
    mark = marks(candidate, choice).strip()
    kind = "chosen" if ">" in mark else "misses" if choice.missed.get(candidate.name) else ""
    return {"kind": kind, "cells": [mark, *cells(candidate, number)]}


def _constraints(constraints: Constraints) -> list[dict[str, str]]:
    what = {"--max-kb": "model file", "--max-drop": "drop in accuracy", "--max-ms": "time"}
    return [
        {
            "option": f"{option} {limit:g}",
            "meaning": f"{what[option]} at most {limit:g} "
            + ("point" if (limit, unit) == (1, "points") else unit),
        }
        for option, limit, unit in constraints.items()
    ]
