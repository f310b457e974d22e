"""Pieces of Markdown tables."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quantize.measure.figures.references import Reference

__all__ = ["corpus_name", "figure", "footnotes", "joined", "percent", "points", "prose", "table"]

_MARKS = "abcdefghijklmnopqrstuvwxyz"


def corpus_name(corpus: str) -> str:
    """Short name as people write it: "EMO-DB" of "emo-db"."""
    return corpus.upper()


def percent(share: float) -> str:
    """Share as percent with one decimal."""
    return f"{100 * share:.1f}"


def points(share: float) -> str:
    """Difference of shares in points; never "-0.0"."""
    return f"{round(100 * share, 1) + 0.0:.1f}"


def figure(part: Mapping[str, Any], metric: str) -> str:
    """Percent with its interval or deviation, whichever there is."""
    cell = percent(part[metric])
    if f"{metric}_sd" in part:
        return f"{cell} ± {percent(part[f'{metric}_sd'])}"
    if f"{metric}_ci95" in part:
        low, high = part[f"{metric}_ci95"]
        return f"{cell} [{percent(low)}, {percent(high)}]"
    return cell


def joined(words: Iterable[str]) -> str:
    """Words with commas between them."""
    return ", ".join(words)


def prose(text: str) -> str:
    """Paragraph in lines of 100 characters, as the README has them."""
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, n_left: int, left: Sequence[int] = ()
) -> str:
    """Markdown table.

    Parameters
    ----------
    head : sequence of str
    rows : sequence of sequence of str
    n_left : int
        Columns from the first that are text; the others are numbers, to the right.
    left : sequence of int
        More columns of text.
    """
    rules = ["---" if i < n_left or i in left else "--:" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rules, *rows])


def footnotes(text: str, references: Sequence[Reference]) -> str:
    """Turn each ``{key}`` into the letter of its note, and write the notes below."""
    notes = list(dict.fromkeys(reference.note for reference in references))
    for reference in references:
        mark = _MARKS[notes.index(reference.note)]
        text = text.replace(f"{{{reference.key}}}", f"({mark})")
    lines = [prose(f"({mark}) {note}") for mark, note in zip(_MARKS, notes, strict=False)]
    return "\n\n".join([text, *lines])
