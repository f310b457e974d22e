"""The figures of levers as Markdown; the text depends on these alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.levers.answers import ALL_TOGETHER, MEMBERS
from benchmarks.levers.levers import BASES, LEVERS, SCORED
from benchmarks.scorecard.tables import put_between
from edge.errors import how_many
from quantize.measure.figures.cells import corpus_name, joined, percent, points, prose, table

__all__ = ["MARKS", "render", "render_into"]

MARKS = "<!-- levers:begin -->", "<!-- levers:end -->"

_WITHOUT = "none"
_WITH = ("16 random", "16 three in four calm")
_SPLITS = {
    "speaker-5fold": "validation speakers of `speaker-5fold`",
    "paper": "validation clips of `paper`, whose speakers are known",
}
#: Fewer than these, and an interval over them says nothing.
_LEAST_SPEAKERS = 5

_WORDS = {"uar": "UAR", "accuracy": "accuracy"}


def render(result: Mapping[str, Any]) -> str:
    """All tables of ``levers.json``.

    Parameters
    ----------
    result : mapping
        ``runs``: what :func:`benchmarks.levers.answers.figures` gives, each; the first is told
        first.
    """
    parts = [prose(_about(result["runs"]))]
    for number, run in enumerate(result["runs"]):
        for protocol, told in run["protocols"].items():
            parts += _protocol(protocol, told, run, number)
    return "\n\n".join(parts) + "\n"


def render_into(path: Path, result: Mapping[str, Any]) -> bool:
    """Write the tables between :data:`MARKS`, and tell whether the file changed."""
    return put_between(path, MARKS, render(result))


def _about(runs: Sequence[Mapping[str, Any]]) -> str:
    return (
        "Percent of validation clips, which are those of a quarter of a fold's training speakers "
        "(a quarter of its training clips on `paper`): no test side is in this. Answers are among "
        "the labels that the corpus has, language unknown, fp32, whole clips, pooled over the "
        "folds; in brackets points above the base, which is the mean of its seeds, and 95 % "
        f"bootstrap intervals over speakers, where there are {_LEAST_SPEAKERS} or more. All "
        "trainings of a run took equally many steps, so that who has fewer clips heard each more "
        f"often. Epochs of the runs: {joined(str(r['epochs']) for r in runs)}."
    )


def _protocol(
    protocol: str, told: Mapping[str, Any], run: Mapping[str, Any], number: int
) -> Iterator[str]:
    present = [corpus for corpus in SCORED if corpus in told["corpora"]]
    voices = joined(
        f"{corpus_name(c)} {how_many(told['corpora'][c]['n_clips'], 'clip')} of "
        f"{how_many(told['corpora'][c]['n_speakers'], 'speaker')}"
        for c in present
    )
    own = " **A run of its own**, to be compared with its own base alone." if number else ""
    metric = told["metric"]
    yield prose(
        f"{_WORDS[metric]} on {_SPLITS[protocol]}, without a reference for the voice, "
        f"{how_many(run['epochs'], 'epoch')} ({voices}).{own}"
    )
    head = ["lever", *(corpus_name(corpus) for corpus in present)]
    levers = told["levers"]
    names = [name for name in LEVERS if name in levers]
    n_members = len(names)
    if n_members > 2:
        names += [MEMBERS, ALL_TOGETHER]
    enough = {c: told["corpora"][c]["n_speakers"] >= _LEAST_SPEAKERS for c in present}

    def cell(name: str, corpus: str) -> str:
        found = levers[name][_WITHOUT][corpus]
        if name in BASES[protocol]:
            return percent(found[metric])
        bracket = f" {_bracket(found, 'points')}" if enough[corpus] else ""
        return f"{percent(found[metric])} ({_signed(found)}{bracket})"

    rows = [[_title(name, n_members), *(cell(name, c) for c in present)] for name in names]
    yield table(head, rows, n_left=1)
    if n_members > 2:
        above = joined(
            f"{corpus_name(c)} {points(found['above_members'])}"
            + (f" {_bracket(found, 'above_members')}" if enough[c] else "")
            for c, found in levers[ALL_TOGETHER][_WITHOUT].items()
        )
        yield prose(f"All {n_members} together above the mean of them, in points: {above}.")
    if protocol == "paper":
        # These never learn what a reference is.
        return
    yield "The same after 16 clips of the voice, drawn at random / three in four of them calm."
    rows = [
        [
            _title(name, n_members),
            *(_pair(levers[name], c, metric, name in BASES[protocol]) for c in present),
        ]
        for name in names
    ]
    yield table(head, rows, n_left=1)


def _title(name: str, n_members: int) -> str:
    if name == MEMBERS:
        return f"mean of these {n_members}"
    if name == ALL_TOGETHER:
        return f"all {n_members} together (mean posterior)"
    return f"`{name}`: {LEVERS[name].title}"


def _pair(lever: Mapping[str, Any], corpus: str, metric: str, is_base: bool) -> str:
    cells = [lever[reference][corpus] for reference in _WITH]
    return " / ".join(percent(c[metric]) + ("" if is_base else f" ({_signed(c)})") for c in cells)


def _signed(cell: Mapping[str, Any]) -> str:
    told = points(cell["points"])
    return told if told.startswith("-") else f"+{told}"


def _bracket(cell: Mapping[str, Any], name: str) -> str:
    low, high = cell[f"{name}_ci95"]
    return f"[{points(low)}, {points(high)}]"
