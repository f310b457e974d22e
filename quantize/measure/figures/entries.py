"""A scorecard's figures of one recipe as a manifest keeps them: few, and small."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edge.errors import ParameterError
from quantize.measure.figures.bars import NOISE_AT
from quantize.measure.figures.cells import corpus_name
from quantize.runs.compared import shared_settings
from quantize.runs.run import Run

__all__ = ["check_same_settings", "scorecard_entries"]

_ACROSS = {
    "leave-one-corpus-out": "trained on the other corpora",
    "german-to-english": "trained on EMO-DB",
}


def scorecard_entries(scorecard: Mapping[str, Any], recipe: str, kind: str) -> list[dict[str, Any]]:
    """Figures of a recipe, in the runtime named where it was measured, else in torch.

    Parameters
    ----------
    scorecard : mapping
        As :func:`quantize.measure.figures.files.read_scorecard` gives it.
    recipe : str
        Name in the scorecard.
    kind : str
        Kind of artifact, one of :data:`quantize.export.KINDS`.

    Returns
    -------
    list of dict
        Of ``split``, ``metric``, ``value`` (a share), ``n``, ``of`` (whose it is), ``command``,
        ``commit``, ``kind``, ``language``, and ``ci95`` or ``sd``.

    Raises
    ------
    ParameterError
        If the scorecard has no such recipe.
    """
    entries: list[dict[str, Any]] = []
    for protocol, kinds in _recipe(scorecard, recipe)["protocols"].items():
        measured = next((k for k in (kind, "torch") if k in kinds), None)
        if measured is None:
            continue
        entry = kinds[measured]
        common = {
            "command": _command(recipe, protocol),
            "commit": entry["commit"],
            "kind": measured,
            "language": entry["language"],
        }
        common["of"] = _whose(len(entry["runs"]), protocol)
        entries += [{**each, **common} for each in _of_protocol(protocol, entry)]
    return entries


def check_same_settings(scorecard: Mapping[str, Any], recipe: str, run: Run) -> None:
    """Refuse a run that was trained otherwise than those the figures come from.

    Raises
    ------
    ParameterError
        If a setting differs, or the scorecard has no such recipe.
    """
    own, _ = shared_settings([run])
    for name, value in _recipe(scorecard, recipe)["settings"].items():
        if own.get(name) != value:
            raise ParameterError(
                f"{run.folder} has {name} {own.get(name)!r}, the scorecard's {recipe} has "
                f"{value!r}: its figures are not those of this model"
            )


def _recipe(scorecard: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    if name not in scorecard["recipes"]:
        raise ParameterError(
            f"the recipe is {name!r}, the scorecard has "
            f"{', '.join(scorecard['recipes']) or 'none'}: name one of these with --recipe"
        )
    found: Mapping[str, Any] = scorecard["recipes"][name]
    return found


def _whose(n_runs: int, protocol: str) -> str:
    """Say that it is no figure of the model itself, which heard all the clips."""
    if n_runs == 1 or protocol in _ACROSS:
        return "another run of the recipe, not this model"
    how = "mean of {} runs of the recipe" if protocol == "paper" else "{} runs of the recipe pooled"
    return f"{how.format(n_runs)}, not of this model"


def _command(recipe: str, protocol: str) -> str:
    group = protocol.rpartition("/")[2].replace("speaker-5fold", "speaker")
    return f'python -m benchmarks.scorecard --data "$CORPORA" --recipes {recipe} --only {group}'


def _of_protocol(protocol: str, entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    if protocol == "paper":
        n = len(entry["runs"])
        split = f"paper, mean of {n} seeds" if n > 1 else "paper, one seed"
        return [_entry(split, "accuracy", entry["figures"])]
    if protocol == "speaker-5fold":
        figures = entry["figures"]
        return [
            *(
                _entry(f"{protocol}, {corpus}", metric, part)
                for corpus, part in figures["by_corpus"].items()
                for metric in ("accuracy", "uar")
            ),
            _entry(protocol, "ece", figures),
        ]
    if protocol in _ACROSS:
        return [
            _entry(f"{corpus_name(corpus)}, {_ACROSS[protocol]}", "uar", part)
            for run in entry["runs"]
            for corpus, part in run["by_corpus"].items()
        ]
    if protocol == "noise/speaker-5fold":
        conditions = entry["figures"]["conditions"]
        return [
            _entry(
                f"speaker-5fold, ravdess, {kind} noise at 10 dB",
                "uar",
                conditions[name]["by_corpus"]["ravdess"],
            )
            for kind, name in NOISE_AT.items()
        ]
    return []


def _entry(split: str, metric: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    entry = {"split": split, "metric": metric, "value": figures[metric], "n": figures["n"]}
    for end in ("ci95", "sd"):
        if f"{metric}_{end}" in figures:
            entry[end] = figures[f"{metric}_{end}"]
    return entry
