"""The one table of honest figures that the README has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.scorecard.tables import put_between
from quantize.data.corpora import DOMAINS
from quantize.measure.figures.bars import (
    FURTHER_BARS,
    HEADLINE_BARS,
    KIND,
    RECIPE,
    TINY,
    figures_of,
    recipe_for,
)
from quantize.measure.figures.cells import corpus_name, figure, table

__all__ = ["MARKS", "headline", "headline_into"]

MARKS = "<!-- headline:begin -->", "<!-- headline:end -->"


def headline(scorecard: Mapping[str, Any]) -> str:
    """What strangers, short windows, noise and a reference come to, as Markdown."""
    rows = []
    for corpus in DOMAINS:
        cells = [_of_strangers(scorecard, recipe, corpus) for recipe in (RECIPE, TINY)]
        if cells[0] != "-":
            rows.append([f"{corpus_name(corpus)}, whole clips, UAR", *cells])
    for bar in FURTHER_BARS:
        value = bar.value(scorecard)
        if value is not None:
            rows.append([bar.name, bar.told(value), ""])
    paper = HEADLINE_BARS["paper", "all", "accuracy"]
    value = paper.value(scorecard)
    if value is not None:
        recipe = recipe_for(scorecard, "paper")
        rows.append(
            [f"`paper` (people whom `{recipe}` has heard), accuracy", paper.told(value), ""]
        )
    return table(["", "full", "tiny"], rows, n_left=1) + "\n"


def headline_into(path: Path, scorecard: Mapping[str, Any]) -> bool:
    """Write the table between its marks in a file; as ``render_into``."""
    return put_between(path, MARKS, headline(scorecard))


def _of_strangers(scorecard: Mapping[str, Any], recipe: str, corpus: str) -> str:
    figures = figures_of(scorecard, recipe, "speaker-5fold", KIND)
    part = None if figures is None else figures["by_corpus"].get(corpus)
    return "-" if part is None else figure(part, "uar")
