"""``scorecard.json`` as Markdown tables, and those tables within a file.

The text depends on the scorecard alone: the same figures give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scorecard.abstaining import abstaining, activation
from benchmarks.scorecard.tables_heard import conditions, noise, references, segments
from benchmarks.scorecard.tables_more import ablations, across_corpora, choices, tiny
from quantize.basics.errors import TrainingError
from quantize.basics.files import atomic_path
from quantize.data.corpora import DOMAINS
from quantize.measure.figures.bars import (
    FURTHER_BARS,
    HEADLINE_BARS,
    KIND,
    RECIPE,
    figures_of,
    recipe_for,
)
from quantize.measure.figures.cells import (
    corpus_name,
    figure,
    footnotes,
    joined,
    percent,
    prose,
    table,
)
from quantize.measure.figures.references import REFERENCES, Reference

__all__ = ["BEGIN", "END", "put_between", "render_into", "render_tables"]

BEGIN = "<!-- scorecard:begin -->"
END = "<!-- scorecard:end -->"

_KINDS = {"torch": "torch fp32", "numpy-int8": "NumPy int8", "onnx-int8": "ONNX int8"}


def render_tables(scorecard: Mapping[str, Any], unsaid: Mapping[str, Any] | None = None) -> str:
    """All tables of a scorecard as Markdown; what was not measured is left out and named.

    ``unsaid`` is what :func:`benchmarks.scorecard.abstaining.collate_abstaining` gives.
    """
    sections = [
        _about(scorecard),
        _headline(scorecard),
        _further_bars(scorecard),
        _strangers(scorecard),
        references(scorecard),
        across_corpora(scorecard),
        conditions(scorecard),
        noise(scorecard),
        segments(scorecard),
        tiny(scorecard),
        abstaining(unsaid),
        activation(unsaid),
        ablations(scorecard),
        choices(scorecard),
        _missing(scorecard),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def render_into(
    path: Path, scorecard: Mapping[str, Any], unsaid: Mapping[str, Any] | None = None
) -> bool:
    """Write the tables between the two marks of a file.

    Parameters
    ----------
    path : path
        A text file with :data:`BEGIN` and :data:`END`, once each, on lines of their own.
    scorecard : mapping
        As :func:`benchmarks.scorecard.collate.collate` gives it.
    unsaid : mapping, optional
        As :func:`benchmarks.scorecard.abstaining.collate_abstaining` gives it.

    Returns
    -------
    bool
        Whether the file changed; it is not written when not.

    Raises
    ------
    TrainingError
        If the file has not both marks once, in order.
    """
    return put_between(path, (BEGIN, END), render_tables(scorecard, unsaid))


def put_between(path: Path, marks: tuple[str, str], tables: str) -> bool:
    """Write tables between two marks of a file; see :func:`render_into`."""
    text = path.read_text(encoding="utf-8")
    first, last = marks
    before, begin, rest = text.partition(f"{first}\n")
    old, end, after = rest.partition(f"{last}\n")
    if not (begin and end) or any(mark in before + old + after for mark in marks):
        raise TrainingError(
            f"{path} must hold the lines {first} and {last} once each, in this order: the tables "
            "are written between them"
        )
    new = f"{before}{first}\n\n{tables}\n{last}\n{after}"
    if new == text:
        return False
    with atomic_path(path) as temporary:
        temporary.write_text(new, encoding="utf-8")
    return True


def _about(scorecard: Mapping[str, Any]) -> str:
    commits = scorecard["commits"]
    trained, measured = (
        joined(f"`{commit}`" for commit in commits[key]) or "-" for key in ("trained", "measured")
    )
    return prose(
        "All of this is written by `make scorecard DATA=CORPORA` from "
        "`benchmarks/results/scorecard.json`, which holds every number with the command that "
        "redoes it, splits by fingerprint and models by hash. Percent; whole utterances (the "
        "mean posterior of their 2 s segments, one every 0.256 s), language unknown as on a "
        "device; in brackets 95 % bootstrap intervals over clips, behind ± the standard "
        "deviation over seeds. "
        f"{_learnt_from(scorecard)}Trained at {trained}, measured at {measured}."
    )


def _learnt_from(scorecard: Mapping[str, Any]) -> str:
    """What there was beside the four corpora; nothing where a scorecard does not tell."""
    found = scorecard.get("learnt_from", {})
    told = [corpus_name(corpus) for corpus in found.get("lessons", ())]
    told += ["everyday sounds as noise"] if found.get("sounds") else []
    told += ["a large model's vectors of the clips"] if found.get("embeddings") else []
    return f"Learnt from beside the four corpora: {joined(told)}. " if told else ""


def _headline(scorecard: Mapping[str, Any]) -> str:
    rows: list[list[str]] = []
    shown: list[Reference] = []
    #: Protocol, corpus, metric, and the table of the figures that has the corpus.
    wanted: list[tuple[str, str, str, str]] = [
        ("paper", "all", "accuracy", ""),
        *(
            ("speaker-5fold", corpus, "uar", parts)
            for corpus in DOMAINS
            for parts in ("by_corpus", "shared_sentences")
        ),
        ("speaker-5fold", "all", "ece", ""),
    ]
    for protocol, corpus, metric, parts in wanted:
        found = [_part(scorecard, protocol, kind, corpus, parts) for kind in _KINDS]
        if not any(found):
            continue
        # Nobody else published figures of the sentences that are shared.
        whole = parts != "shared_sentences"
        bar = HEADLINE_BARS.get((protocol, corpus, metric)) if whole else None
        theirs = [
            r
            for r in REFERENCES
            if whole and (r.protocol, r.corpus, r.metric) == (protocol, corpus, metric)
        ]
        shown += theirs
        rows.append(
            [
                _headline_name(scorecard, protocol, corpus, metric, whole=whole),
                *(
                    _headline_cell(part, metric, bold=kind == KIND)
                    for kind, part in zip(_KINDS, found, strict=True)
                ),
                bar.verdict(bar.value(scorecard)) if bar else "",
                "; ".join(f"{r.who} {r.value} {{{r.key}}}" for r in theirs),
            ]
        )
    if not rows:
        return ""
    head = ["protocol", *_KINDS.values(), "bar, for NumPy int8", "published"]
    return "**Where it stands**\n\n" + footnotes(table(head, rows, n_left=1, left=(4, 5)), shown)


def _part(
    scorecard: Mapping[str, Any], protocol: str, kind: str, corpus: str = "all", parts: str = ""
) -> Mapping[str, Any] | None:
    """Figures of all, or of a corpus in a table of them; None where they are not there."""
    figures = figures_of(scorecard, recipe_for(scorecard, protocol), protocol, kind)
    if figures is None or corpus == "all":
        return figures
    part: Mapping[str, Any] | None = figures.get(parts, {}).get(corpus)
    return part


def _headline_name(
    scorecard: Mapping[str, Any], protocol: str, corpus: str, metric: str, *, whole: bool
) -> str:
    if protocol == "paper":
        recipe = recipe_for(scorecard, protocol)
        entry = next(iter(scorecard["recipes"][recipe]["protocols"]["paper"].values()))
        n = len(entry["runs"])
        whose = f" (`{recipe}`)" if recipe != RECIPE else ""
        return f"`paper`, accuracy, {n} seed{'s' if n > 1 else ''}{whose}"
    if metric == "ece":
        return f"`{protocol}`, calibration error (ECE), all clips (worst corpus)"
    which = "" if whole else ", sentences that are said in several emotions"
    return f"`{protocol}`, {corpus_name(corpus)}{which}, UAR"


def _headline_cell(part: Mapping[str, Any] | None, metric: str, *, bold: bool) -> str:
    if part is None:
        return "-"
    cell = _ece(part) if metric == "ece" else figure(part, metric)
    return f"**{cell}**" if bold else cell


def _ece(part: Mapping[str, Any]) -> str:
    # Corpora that err to opposite sides look right together, and half of all clips are TESS.
    worst = max(each["ece"] for each in part["by_corpus"].values())
    return f"{part['ece']:.3f} ({worst:.3f})"


def _further_bars(scorecard: Mapping[str, Any]) -> str:
    """Goals beyond the table of where it stands."""
    measured = [(bar, bar.value(scorecard)) for bar in FURTHER_BARS]
    rows = [
        [bar.name, f"**{bar.told(value)}**", bar.verdict(value)]
        for bar, value in measured
        if value is not None
    ]
    if not rows:
        return ""
    about = "**Further bars**: NumPy int8, `speaker-5fold` unless it is said."
    return f"{about}\n\n{table(['what', 'measured', 'bar'], rows, n_left=1, left=(2,))}"


def _strangers(scorecard: Mapping[str, Any]) -> str:
    kind = next((k for k in (KIND, "torch") if _part(scorecard, "speaker-5fold", k)), None)
    if kind is None:
        return ""
    figures = figures_of(scorecard, RECIPE, "speaker-5fold", kind) or {}
    parts = {corpus_name(c): part for c, part in figures["by_corpus"].items()}
    rows = [
        [
            title,
            str(part["n"]),
            figure(part, "accuracy"),
            figure(part, "uar"),
            percent(part["macro_f1"]),
            f"{part['ece']:.3f}",
        ]
        for title, part in {**parts, "all clips": figures}.items()
    ]
    entry = scorecard["recipes"][RECIPE]["protocols"]["speaker-5fold"][kind]
    head = ["corpus", "clips", "accuracy", "UAR", "macro F1", "ECE"]
    about = prose(
        f"**Strangers**: `speaker-5fold`, {_KINDS[kind]}. No speaker is on both sides; each fold's "
        "temperature was chosen on the other folds' speakers. TESS has two speakers: the model "
        "that is tested on one knows the other alone."
    )
    return f"{about}\n\n{table(head, rows, n_left=1)}\n\n`{entry['command']}`"


def _missing(scorecard: Mapping[str, Any]) -> str:
    names: Sequence[str] = scorecard["missing"]
    if not names:
        return ""
    return prose(f"Not measured yet: {joined(f'`{name}`' for name in names)}.")
