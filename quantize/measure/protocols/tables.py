"""Aligned text of a protocol's figures, and their mean over several runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from quantize.basics.tables import aligned
from quantize.data.corpora import DOMAINS, in_order
from quantize.data.sound.level import SPEECH_RANGE_DB
from quantize.measure.protocols.trials import SPEECH_SHARES

__all__ = [
    "lost_table",
    "mean_conditions",
    "noise_table",
    "reference_table",
    "segments_table",
    "speech_table",
    "worst_first",
]

_MEANS = ("accuracy", "uar", "accuracy_drop", "uar_drop")

#: Figures of every condition, by its name.
Conditions = Mapping[str, Mapping[str, Any]]


def mean_conditions(runs: Sequence[Conditions]) -> dict[str, Any]:
    """Mean and standard deviation over runs of every condition's figures.

    Counts are those of all runs together; a corpus or condition counts where a run has it.
    """
    result: dict[str, Any] = {}
    for name in dict.fromkeys(n for run in runs for n in run):
        of_runs = [run[name] for run in runs if name in run]
        result[name] = _mean_parts(of_runs)
        if all("by_speech" in run for run in of_runs):
            result[name]["by_speech"] = {
                part: _mean_parts([run["by_speech"][part] for run in of_runs])
                for part in SPEECH_SHARES
            }
    return result


def _mean_parts(of_runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    result = _mean(of_runs)
    result["by_corpus"] = {
        corpus: _mean([f["by_corpus"][corpus] for f in of_runs if corpus in f["by_corpus"]])
        for corpus in in_order((c for f in of_runs for c in f["by_corpus"]), DOMAINS)
    }
    return result


def _mean(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {
        key: sum(p[key] for p in parts)
        for key in ("n_utterances", "n", "n_left_out", "n_short")
        if key in parts[0]
    }
    for key in _MEANS:
        values = [p[key] for p in parts if key in p]
        if values:
            result[key] = float(np.mean(values))
            result[f"{key}_sd"] = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return result


def segments_table(conditions: Conditions) -> str:
    """One line a window and corpus, with intervals."""
    rows = [["window", "corpus", "clips", "windows", "accuracy", "UAR"]]
    for name, figures in conditions.items():
        parts = {**figures["by_corpus"], "all": figures}
        if len(figures["by_corpus"]) == 1:
            del parts["all"]
        for corpus, part in parts.items():
            counts = [str(part["n_utterances"]), str(part["n"])]
            rows.append([name, corpus, *counts, _spread(part, "accuracy"), _spread(part, "uar")])
    notes = [
        f"{name}: {figures['n_left_out']} windows too quiet to judge were left out, "
        f"{figures['n_short']} are shorter because their clip is"
        for name, figures in conditions.items()
    ]
    return "\n".join([*aligned(rows, n_left=2), "", *notes])


def speech_table(conditions: Conditions, told_by: str) -> str:
    """One line a window and corpus; windows, accuracy and UAR for each share of speech.

    Parameters
    ----------
    conditions : mapping
        Figures with ``by_speech``.
    told_by : {"gate", "level"}
        What told speech, see :func:`quantize.measure.protocols.segments.speech_told_by`.
    """
    heads = ["", "speech:", *(cell for name in SPEECH_SHARES for cell in ("", f"{name} %", ""))]
    rows = [heads, ["window", "corpus", *["n", "acc", "UAR"] * len(SPEECH_SHARES)]]
    for name, figures in conditions.items():
        corpora = list(figures["by_corpus"])
        for corpus in corpora if len(corpora) == 1 else [*corpora, "all"]:
            cells = [name, corpus]
            for share in SPEECH_SHARES:
                of_share = figures["by_speech"][share]
                part = of_share if corpus == "all" else of_share["by_corpus"].get(corpus, {})
                n = part.get("n", 0)
                cells += [str(n), *(f"{100 * part[m]:.1f}" if n else "-" for m in _MEANS[:2])]
            rows.append(cells)
    notes = {
        "gate": "frames of speech as the speech gate tells them",
        "level": "frames of speech are those within "
        f"{SPEECH_RANGE_DB:.0f} dB of their clip's loudest: there is no gate to tell them",
    }
    return "\n".join([*aligned(rows, n_left=2), "", f"percent; n: windows; {notes[told_by]}"])


def noise_table(conditions: Conditions) -> str:
    """One line a condition; accuracy, UAR and its drop from clean for each corpus."""
    return _table(conditions, "drop", -1, "drop: points of UAR lost against clean")


def worst_first(conditions: Conditions) -> list[str]:
    """Names of all conditions but the clean one, by the points of UAR that they cost."""
    lost = {name: f["uar_drop"] for name, f in conditions.items() if "uar_drop" in f}
    return sorted(lost, key=lambda name: -lost[name])


def lost_table(conditions: Conditions) -> str:
    """Clean clips, then one line a condition, the worst first; columns as of noise."""
    names = worst_first(conditions)
    first = [name for name in conditions if name not in names]
    in_rank = {name: conditions[name] for name in [*first, *names]}
    return _table(in_rank, "lost", -1, "lost: points of UAR against clean, the worst first")


def reference_table(conditions: Conditions) -> str:
    """One line a reference; accuracy, UAR and its gain over no reference for each corpus."""
    return _table(conditions, "gain", 1, "gain: points of UAR over no reference")


def _table(conditions: Conditions, change: str, sign: int, note: str) -> str:
    corpora = in_order((c for f in conditions.values() for c in f["by_corpus"]), DOMAINS)
    groups = corpora if len(corpora) == 1 else ("all", *corpora)
    heads = ["", *(cell for group in groups for cell in ("", group, ""))]
    rows = [heads, ["condition", *["acc", "UAR", change] * len(groups)]]
    for name, figures in conditions.items():
        cells = [name]
        for group in groups:
            part = figures if group == "all" else figures["by_corpus"][group]
            by = f"{0.0 - sign * 100 * part['uar_drop']:.1f}" if "uar_drop" in part else ""
            cells += [f"{100 * part['accuracy']:.1f}", f"{100 * part['uar']:.1f}", by]
        rows.append(cells)
    return "\n".join([*aligned(rows, n_left=1), "", f"percent; {note}"])


def _spread(figures: Mapping[str, Any], key: str) -> str:
    if f"{key}_ci95" in figures:
        low, high = figures[f"{key}_ci95"]
        return f"{100 * figures[key]:.1f} [{100 * low:.1f}, {100 * high:.1f}]"
    return f"{100 * figures[key]:.1f} ± {100 * figures[f'{key}_sd']:.1f}"
