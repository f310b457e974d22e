"""From run folders and the reports in them to one dictionary, ``scorecard.json``.

Shares, not percent; keys in a fixed order; nothing of the machine or the day, so that the
same reports give the same file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.scorecard.ledger import Ledger
from benchmarks.scorecard.plan import Places, plan, select
from benchmarks.scorecard.recipes import RECIPES, Measurement, Work
from quantize.basics.errors import TrainingError
from quantize.basics.json_files import load_json
from quantize.data.corpora import DOMAINS
from quantize.measure.figures.bars import RECIPE
from quantize.measure.figures.files import SCHEMA_VERSION
from quantize.measure.metrics import metrics
from quantize.runs.compared import model_sizes, shared_settings, training_facts
from quantize.runs.run import Run
from quantize.training.recipe import load_recipe

__all__ = ["collate", "collate_report"]

_MEANS = ("accuracy", "uar", "macro_f1", "ece")
_HEADLINE = ("n", "accuracy", "accuracy_ci95", "uar", "uar_ci95", "macro_f1", "ece")
#: Figures of a part each; those of shared sentences of corpora alone that have some.
_PARTS = ("by_corpus", "shared_sentences")
_CONDITION = (
    "n_utterances",
    "n",
    "n_left_out",
    "n_short",
    *(
        f"{metric}{end}"
        for metric in ("accuracy", "uar")
        for end in ("", "_ci95", "_sd", "_drop", "_drop_ci95", "_drop_sd")
    ),
    "ece",
)


def collate(places: Places) -> dict[str, Any]:
    """Gather everything that was measured and is up to date.

    Parameters
    ----------
    places : Places
        Where the run folders are.

    Returns
    -------
    dict
        ``schema_version``, ``commits`` (``trained`` and ``measured``),
        ``feature_fingerprint`` (of the device's recipe), ``learnt_from`` (``lessons``, and whether
        there were ``embeddings`` and ``sounds``), ``missing`` (names of steps whose figures are not
        here, of those that run without being named)
        and ``recipes``: for each with a figure its ``title``, ``settings``,
        ``n_parameters``, ``runs``, ``model_bytes`` and ``protocols``, name of the protocol
        to runtime to figures with their command.

    Raises
    ------
    TrainingError
        If a report or a run folder is not what the commands write.
    """
    ledger = Ledger(places.ledger)
    steps = {step.name: step for step in plan(places)}
    asked = {step.name for step in select(list(steps.values()), None, None)}
    typed = {step.name: step.command for step in plan(places.typed())}
    recipes: dict[str, Any] = {}
    missing: list[str] = []
    measured: set[str] = set()
    for recipe in RECIPES.values():
        protocols: dict[str, Any] = {}
        for measurement in recipe.measurements:
            name = f"{recipe.name}/{measurement.name}"
            if name not in steps:
                continue
            if not steps[name].is_done(ledger):
                # What runs only when it is named is not missed.
                missing += [name] if name in asked else []
                continue
            path = places.report(recipe, measurement)
            try:
                report = load_json(path)
                entry = {"command": typed[name], **collate_report(report)}
                measured.add(report["commit"])
            except (ValueError, KeyError, TypeError, IndexError) as error:
                raise TrainingError(
                    f"{path} is no report of edge-ser-quantize evaluate --output ({error!r}): "
                    "delete it, and the same command measures again"
                ) from error
            protocols.setdefault(_protocol(measurement), {})[measurement.kind] = entry
        if protocols:
            recipes[recipe.name] = _recipe_entry(places, recipe, protocols)
    return {
        "schema_version": SCHEMA_VERSION,
        "commits": {
            "trained": sorted(
                {run["commit"] for recipe in recipes.values() for run in recipe["runs"].values()}
            ),
            "measured": sorted(measured),
        },
        "feature_fingerprint": load_recipe(RECIPE).feature_spec().fingerprint,
        "learnt_from": {
            "lessons": list(places.lessons),
            "embeddings": bool(places.embeddings),
            "sounds": bool(places.sounds),
        },
        "missing": missing,
        "recipes": recipes,
    }


def _protocol(measurement: Measurement) -> str:
    name = "speaker-5fold" if measurement.group == "speaker" else measurement.group
    return name if measurement.protocol == "utterances" else f"{measurement.protocol}/{name}"


def _recipe_entry(places: Places, recipe: Work, protocols: dict[str, Any]) -> dict[str, Any]:
    folders = {job: places.run(recipe, job) for job in recipe.jobs}
    each = {job: Run(folder) for job, folder in folders.items()}
    here = {job: run for job, run in each.items() if run.files.checkpoint.is_file()}
    settings, differing = shared_settings(list(here.values()))
    runs = {job: training_facts(run) for job, run in here.items()}
    for job, run in here.items():
        if run.tempering.chosen_on:
            runs[job]["temperature"] = run.temperature
    return {
        "title": recipe.title,
        "settings": settings,
        "settings_that_differ": differing,
        "n_parameters": max(run.pop("n_parameters") for run in runs.values()),
        "model_bytes": model_sizes(list(here.values())),
        "runs": runs,
        "protocols": protocols,
    }


def collate_report(report: Mapping[str, Any]) -> dict[str, Any]:
    """Keep of one report what the scorecard shows.

    Parameters
    ----------
    report : mapping
        As ``evaluate --output`` writes it.

    Returns
    -------
    dict
        ``commit``, ``language``, ``runs`` (one entry a run: its split, fingerprint, hash of
        the model and figures) and ``figures``: those of one run, of pooled folds, or the
        mean of several seeds with ``…_sd``.
    """
    runs = report["runs"]
    if "conditions" in runs[0]:
        pooled = report.get("pooled") or report.get("mean") or runs[0]
        figures: dict[str, Any] = {
            "conditions": {n: _condition(f) for n, f in pooled["conditions"].items()}
        }
        each = [_split(run) for run in runs]
    else:
        # Each fold that leaves a corpus out is a test of another corpus: see its run.
        figures = _figures(report["pooled"] if "pooled" in report else _mean(runs))
        each = [{**_split(run), **_headline(run)} for run in runs]
    how = "pooled" if "pooled" in report else "mean" if len(runs) > 1 else "one run"
    return {
        "commit": report["commit"],
        "language": report["language"],
        "figures_are": how,
        "figures": figures,
        "runs": each,
    }


def _split(run: Mapping[str, Any]) -> dict[str, Any]:
    keys = ("run", "split", "split_fingerprint", "model_sha256", "answers")
    return {key: run[key] for key in keys}


def _headline(figures: Mapping[str, Any]) -> dict[str, Any]:
    result = {key: figures[key] for key in _HEADLINE}
    for parts in _PARTS:
        if parts in figures:
            result[parts] = {c: _headline(part) for c, part in figures[parts].items()}
    return result


def _figures(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **_with_spread(figures),
        **{
            parts: {corpus: _with_spread(part) for corpus, part in figures[parts].items()}
            for parts in _PARTS
            if parts in figures
        },
        "labels": figures["labels"],
        "per_class": figures["per_class"],
        "confusion": figures["confusion"],
    }


def _with_spread(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {k: figures[k] for key in _HEADLINE for k in (key, f"{key}_sd") if k in figures}


def _mean(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean over seeds; classes over the clips of all seeds together."""
    if len(runs) == 1:
        return dict(runs[0])
    labels = runs[0]["labels"]
    confusion = np.sum([run["confusion"] for run in runs], axis=0)
    truth, predicted = (index.ravel() for index in np.indices(confusion.shape))
    counts = confusion.ravel()
    pooled = metrics(np.repeat(truth, counts), np.repeat(predicted, counts), labels, n_bootstrap=1)
    return {
        **_averages(runs),
        **{
            parts: {
                corpus: _averages([run[parts][corpus] for run in runs])
                for corpus in DOMAINS
                if all(corpus in run[parts] for run in runs)
            }
            for parts in _PARTS
            if all(parts in run for run in runs)
        },
        "labels": labels,
        "per_class": pooled["per_class"],
        "confusion": pooled["confusion"],
    }


def _averages(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {"n": sum(part["n"] for part in parts)}
    for key in _MEANS:
        values = [part[key] for part in parts]
        result[key] = float(np.mean(values))
        result[f"{key}_sd"] = float(np.std(values, ddof=1))
    return result


def _condition(figures: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {key: figures[key] for key in _CONDITION if key in figures}
    for parts in ("by_corpus", "by_speech"):
        if parts in figures:
            result[parts] = {name: _condition(part) for name, part in figures[parts].items()}
    return result
