"""A search's candidates as an aligned table, as JSON objects and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quantize.basics.files import atomic_path
from quantize.basics.tables import aligned
from quantize.data.corpora import DOMAINS, in_order
from quantize.search.candidates import Candidate
from quantize.search.pareto import Choice

__all__ = ["COLUMNS", "cells", "format_table", "json_entries", "marks", "write_csv"]

#: Header, and what it means, of every column that people see.
COLUMNS = {
    "#": "its number in a picture of many",
    "model": "the run's folder and that one's parent",
    "kind": "runtime and weights; torch is the checkpoint itself, which is no artifact",
    "kB": "model file, in 1000 bytes",
    "accuracy": "share of held-out clips with the right label, in percent, language unknown",
    "drop": "points of accuracy below the reference; negative: above it",
    "UAR": "mean over the emotions of the share that was recognised, in percent",
    "same": "share of clips with the label of its own run in torch, in percent",
    "ms": "median processor time of one window of 2 s, with one thread, all models taking turns: "
    "the latency where nothing else runs",
    "p90": "what nine of ten windows stay below, in ms",
    "x ref": "times as fast as the reference in torch",
    "x kind": "times as fast as the reference's artifact of the same kind",
}

_FIGURES = (
    "model_bytes",
    "folder_bytes",
    "n",
    "accuracy",
    "uar",
    "drop",
    "uar_drop",
    "agreement",
    "ms",
    "ms_p90",
    "ms_wall",
    "times_faster",
    "times_faster_same_kind",
)


def marks(candidate: Candidate, choice: Choice) -> str:
    """``>`` for the chosen one and ``*`` for those on the front; ``=`` for the reference."""
    if candidate.model_bytes is None:
        return "= "
    on_front = any(each.name == candidate.name for each in choice.front)
    is_chosen = choice.chosen is not None and choice.chosen.name == candidate.name
    return (">" if is_chosen else " ") + ("*" if on_front else " ")


def cells(candidate: Candidate, number: int) -> list[str]:
    """What stands below :data:`COLUMNS`; the reference, which is no point, has the number 0."""

    def shown(value: float | None, digits: int) -> str:
        return "-" if value is None else f"{value:.{digits}f}"

    return [
        str(number or "-"),
        candidate.run,
        candidate.kind,
        "-" if candidate.model_bytes is None else f"{candidate.kb:.1f}",
        f"{100 * candidate.accuracy:.2f}",
        # No minus before a zero.
        f"{candidate.drop + 0.0:.2f}",
        f"{100 * candidate.uar:.2f}",
        "-" if candidate.agreement is None else f"{100 * candidate.agreement:.1f}",
        shown(candidate.ms, 2),
        shown(candidate.ms_p90, 2),
        shown(candidate.times_faster, 2),
        shown(candidate.times_faster_same_kind, 2),
    ]


def format_table(
    reference: Candidate,
    candidates: Sequence[Candidate],
    choice: Choice,
    failed: Sequence[Mapping[str, Any]],
) -> str:
    """Aligned text: the reference, then the artifacts, then what failed and what is concluded."""
    header = ["", *COLUMNS]
    body = [
        [marks(candidate, choice), *cells(candidate, number)]
        for number, candidate in enumerate((reference, *candidates))
    ]
    lines = aligned([header, *body], n_left=4)
    lines += [f"failed: {each['run']} as {each['kind']}: {each['error']}" for each in failed]
    lines += ["", "= reference   > chosen   * no other is smaller, better and faster"]
    return "\n".join([*lines, choice.sentence])


def json_entries(
    reference: Candidate,
    candidates: Sequence[Candidate],
    choice: Choice,
    failed: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """One object a trial, all with the same keys.

    Returns
    -------
    list of dict
        ``run``, ``kind``, ``name`` (of the trial and its artifact's folder), ``status``
        (``"reference"``, ``"measured"`` or ``"failed"``), ``error`` (None, or why it failed),
        ``chosen``, ``front``, ``meets`` (all constraints), ``misses`` (by option, how far beyond
        its limit), ``hidden``, ``model_bytes``, ``folder_bytes``, ``n``, ``accuracy`` and
        ``uar`` (shares), ``drop`` and ``uar_drop`` (points), ``agreement`` (share), ``ms``,
        ``ms_p90``, ``ms_wall`` (median by the clock), ``times_faster``,
        ``times_faster_same_kind`` and ``by_corpus``; figures are None where nothing was measured.
    """
    found = []
    for candidate in (reference, *candidates):
        mark = marks(candidate, choice)
        missed = choice.missed.get(candidate.name, {})
        found.append(
            {
                "run": candidate.run,
                "kind": candidate.kind,
                "name": candidate.name,
                "status": "reference" if candidate is reference else "measured",
                "error": None,
                "chosen": mark.startswith(">"),
                "front": mark.endswith("*"),
                "meets": candidate is not reference and not missed,
                # JSON knows no infinity: what could not be timed misses by an unknown amount.
                "misses": {k: v if v < float("inf") else None for k, v in missed.items()},
                "hidden": candidate.hidden,
                **{name: getattr(candidate, name) for name in _FIGURES},
                "by_corpus": {corpus: dict(one) for corpus, one in candidate.by_corpus.items()},
            }
        )
    nothing: dict[str, Any] = dict.fromkeys(_FIGURES)
    for each in failed:
        found.append(
            {
                **{key: each[key] for key in ("run", "kind", "name", "status", "error")},
                **{"chosen": False, "front": False, "meets": False, "misses": {}},
                "hidden": each["hidden"],
                **nothing,
                "by_corpus": {},
            }
        )
    return found


def write_csv(path: Path, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write what :func:`json_entries` gave as CSV, whole or not at all.

    ``misses`` is ``OPTION=EXCESS`` words without the option's dashes, ``by_corpus`` is
    ``accuracy_CORPUS`` and ``uar_CORPUS`` of the paper's four corpora and of all others measured.
    """
    found = (corpus for entry in entries for corpus in entry["by_corpus"])
    corpora = in_order((*DOMAINS, *found), DOMAINS)
    flat = [_flat(entry, corpora) for entry in entries]
    with (
        atomic_path(path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, list(flat[0]))
        writer.writeheader()
        writer.writerows(flat)


def _flat(entry: Mapping[str, Any], corpora: Sequence[str]) -> dict[str, Any]:
    flat = {key: value for key, value in entry.items() if key != "by_corpus"}
    flat["misses"] = " ".join(
        f"{option.lstrip('-')}={'?' if by is None else format(by, '.4g')}"
        for option, by in flat["misses"].items()
    )
    for metric in ("accuracy", "uar"):
        for corpus in corpora:
            flat[f"{metric}_{corpus}"] = entry["by_corpus"].get(corpus, {}).get(metric)
    return {key: _cell(value) for key, value in flat.items()}


def _cell(value: Any) -> Any:
    """Write a value so that a spreadsheet shows it and does not compute it.

    A run's folder may be called ``=HYPERLINK(...)``; numbers keep their minus.
    """
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str) and value.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return "" if value is None else value
