"""What folds say of abstaining: gathered into one dictionary, and as tables.

It lies in a file of its own, ``abstention.json`` beside the scorecard, since a device's bar may
come from the folds of another recipe than its figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.scorecard.ledger import Ledger
from benchmarks.scorecard.plan import Places, plan
from benchmarks.scorecard.recipes import RECIPES
from quantize.basics.errors import TrainingError
from quantize.basics.json_files import load_json
from quantize.data.corpora import DOMAINS
from quantize.measure.figures.bars import RECIPE
from quantize.measure.figures.cells import corpus_name, figure, percent, prose, table
from quantize.measure.figures.files import SCHEMA_VERSION

__all__ = ["ABSTAINING_FILE", "abstaining", "activation", "collate_abstaining"]

#: Name of the file, in the scorecard's folder.
ABSTAINING_FILE = "abstention.json"

_PARTS = (
    "without_bar", "answered", "coverage", "activation", "runs", "min_probability", "files",
    "files_without_bar",
)  # fmt: skip

Abstaining = Mapping[str, Any]


def collate_abstaining(places: Places) -> dict[str, Any]:
    """Gather what every recipe's folds chose, and what it is worth, where that is up to date.

    Returns
    -------
    dict
        ``schema_version``, and ``recipes``, name to the report of ``calibrate --output``.

    Raises
    ------
    TrainingError
        If a report is not what the command writes.
    """
    ledger = Ledger(places.ledger)
    steps = {step.name: step for step in plan(places)}
    recipes: dict[str, Any] = {}
    for recipe in RECIPES.values():
        step = steps.get(f"{recipe.name}/calibrate")
        if step is None or not step.is_done(ledger):
            continue
        path = places.abstaining(recipe)
        try:
            report = load_json(path)
            recipes[recipe.name] = {**report, **{key: report[key] for key in _PARTS}}
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"{path} is no report of edge-ser-quantize calibrate --output ({error!r}): delete "
                "it, and the same command writes it again"
            ) from error
    return {"schema_version": SCHEMA_VERSION, "recipes": recipes}


def abstaining(found: Abstaining | None) -> str:
    """Coverage against accuracy: what is said and what is left unsaid."""
    report, about = _shown(found)
    if report is None:
        return ""
    bar = report["min_probability"]
    chosen = (
        f"the bar, {bar:g}, is the smallest at which {percent(report['goal'])} % and a margin of "
        f"{percent(report['margin'])} are right, of all windows and on average over the corpora"
        if bar is not None
        else f"no bar does for {percent(report['goal'])} %"
    )
    lead = prose(
        "**What it says and what it leaves unsaid**: `speaker-5fold`, single 2 s windows that a "
        f"device's level gate lets through, unsmoothed, torch fp32, {about}. A label is said where "
        f"its probability reaches a bar; {chosen}. Each fold is judged at the bar that the other "
        "folds chose, at the temperature that they chose; intervals are over speakers."
    )
    answered, before = report["answered"], report["without_bar"]
    rows = [
        [
            name,
            str(part["n_speakers"]),
            str(part["n"]),
            percent(without["accuracy"]),
            figure(part, "coverage"),
            "-" if part["accuracy"] is None else f"**{figure(part, 'accuracy')}**",
        ]
        for (name, part), without in zip(
            _parts(answered).items(), _parts(before).values(), strict=True
        )
    ]
    head = ["corpus", "speakers", "windows", "right of all", "answered", "right of these"]
    by_bar = [
        [
            f"{row['bar']:.1f}",
            *(
                "-"
                if part["accuracy"] is None
                else f"{percent(part['coverage'])} / {percent(part['accuracy'])}"
                for part in _parts(row).values()
            ),
        ]
        for row in report["coverage"]
    ]
    second = prose("The same at other bars, answered / right of these:")
    sections = [
        lead,
        table(head, rows, n_left=1),
        second,
        table(["bar", *_parts(answered)], by_bar, n_left=0),
        _files(report),
        f"`{report['command']}`",
    ]
    return "\n\n".join(section for section in sections if section)


def _files(report: Mapping[str, Any]) -> str:
    """Whole clips at the bar that was chosen on windows."""
    cells = {
        name: f"{percent(part['coverage'])} % answered, {percent(part['accuracy'])} % right"
        for name, part in (("mean", report["files"]["mean"]), ("all", report["files"]["pooled"]))
        if part["accuracy"] is not None
    }
    if not cells:
        return ""
    before = report["files_without_bar"]
    return prose(
        f"Whole clips, by their mean posterior as `classify` answers them, at the same bars: "
        f"{cells['mean']} on average over the corpora, {cells['all']} of all clips; without a bar "
        f"{percent(before['mean']['accuracy'])} % and {percent(before['pooled']['accuracy'])} %."
    )


def activation(found: Abstaining | None) -> str:
    """Calm against aroused, by corpus."""
    report, about = _shown(found)
    if report is None:
        return ""
    scale = report["activation_scale"]
    lead = prose(
        "**Activation**, 0 calm to 1 aroused: angry, happy, fearful and surprised against calm, "
        f"sad and neutral, of the same windows, {about}; its scale (slope {scale['slope']:g}, "
        f"offset {scale['offset']:g} of all folds) was chosen by the other folds. UAR and accuracy "
        "at 0.5; AUC is the chance that of two windows the aroused one has more; ECE with both "
        "sides counting alike."
    )
    parts = report["activation"]["by_corpus"]
    named = {corpus_name(c): parts[c] for c in DOMAINS if c in parts}
    rows = [
        [
            name,
            str(part["n_speakers"]),
            str(part["n"]),
            figure(part, "uar"),
            figure(part, "accuracy"),
            *("-" if part[key] is None else f"{part[key]:.3f}" for key in ("auc", "ece")),
        ]
        for name, part in {**named, "mean": report["activation"]["mean"]}.items()
    ]
    head = ["corpus", "speakers", "windows", "UAR", "accuracy", "AUC", "ECE"]
    return f"{lead}\n\n{table(head, rows, n_left=1)}"


def _shown(found: Abstaining | None) -> tuple[Mapping[str, Any] | None, str]:
    """The device's recipe where its folds are at hand, else the first one; and its title."""
    recipes = (found or {}).get("recipes", {})
    name = RECIPE if RECIPE in recipes else next(iter(recipes), None)
    if name is None:
        return None, ""
    title = RECIPES[name].title if name in RECIPES else name
    if name != RECIPE:
        title += f" (the folds of {RECIPES[RECIPE].title} were not measured so)"
    return recipes[name], title


def _parts(figures: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    by_corpus = figures["by_corpus"]
    named = {corpus_name(c): by_corpus[c] for c in DOMAINS if c in by_corpus}
    return {**named, "mean of these": figures["mean"], "all windows": figures["pooled"]}
