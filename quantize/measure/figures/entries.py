"""A scorecard's figures of one recipe as a manifest keeps them: few, and small."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from edge.errors import ParameterError
from quantize.export.card_facts import (
    OF_CONDITION,
    OF_CORPUS,
    OF_LABEL,
    OF_REFERENCE,
    OF_UNHEARD,
    ROLE,
)
from quantize.measure.figures.bars import ALONE, NOISE_AT, REFERENCE_CLIPS
from quantize.measure.figures.cells import corpus_name
from quantize.measure.protocols.tables import worst_first
from quantize.measure.protocols.trials import MOSTLY_SPEECH
from quantize.runs.compared import shared_settings
from quantize.runs.run import Run

__all__ = ["check_same_settings", "scorecard_entries"]

_RAVDESS = "speaker-5fold, ravdess"
#: Conditions that are kept with a model, by name; another one only where it is the worst.
_HEARD_AS = {
    **{name: f"{kind} noise at 10 dB" for kind, name in NOISE_AT.items()},
    "far-microphone": "far microphone",
}
_UNHEARD = "leave-one-corpus-out"
_ACROSS = {
    _UNHEARD: "trained on the other corpora",
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
    for name, protocol, kinds in _measured(scorecard, recipe):
        measured = next((k for k in (kind, "torch") if k in kinds), None)
        if measured is None:
            continue
        entry = kinds[measured]
        common = {
            "command": _command(name, protocol),
            "commit": entry["commit"],
            "kind": measured,
            "language": entry["language"],
        }
        whose = "the recipe" if name == recipe else name
        common["of"] = _whose(len(entry["runs"]), protocol, whose)
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


def _measured(
    scorecard: Mapping[str, Any], recipe: str
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Recipe, protocol and figures by kind; what is measured of the one that it learns from alone.

    How a corpus is heard of which nothing was is measured without other runs as teachers.
    """
    own = _recipe(scorecard, recipe)["protocols"]
    for protocol, kinds in own.items():
        yield recipe, protocol, kinds
    alone = scorecard["recipes"].get(ALONE, {}).get("protocols", {})
    if _UNHEARD not in own and _UNHEARD in alone:
        yield ALONE, _UNHEARD, alone[_UNHEARD]


def _whose(n_runs: int, protocol: str, whose: str) -> str:
    """Say that it is no figure of the model itself, which heard all the clips."""
    if n_runs == 1 or protocol in _ACROSS:
        return f"another run of {whose}, not this model"
    how = "mean of {} runs of {}" if protocol == "paper" else "{} runs of {} pooled"
    return f"{how.format(n_runs, whose)}, not of this model"


def _command(recipe: str, protocol: str) -> str:
    group = protocol.rpartition("/")[2].replace("speaker-5fold", "speaker")
    return f'python -m benchmarks.scorecard --data "$CORPORA" --recipes {recipe} --only {group}'


def _of_protocol(protocol: str, entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    figures = entry["figures"]
    if protocol == "paper":
        n = len(entry["runs"])
        split = f"paper, mean of {n} seeds" if n > 1 else "paper, one seed"
        return [_entry(split, "accuracy", figures)]
    if protocol == "speaker-5fold":
        return _of_strangers(protocol, figures)
    if protocol in _ACROSS:
        return [
            _entry(f"{corpus_name(corpus)}, {_ACROSS[protocol]}", "uar", part, OF_UNHEARD)
            for run in entry["runs"]
            for corpus, part in run["by_corpus"].items()
        ]
    what, _, split = protocol.partition("/")
    if split == "speaker-5fold" and what in _UNDER_CONDITIONS:
        return _UNDER_CONDITIONS[what](figures["conditions"])
    return []


def _of_strangers(protocol: str, figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = [
        _entry(f"{protocol}, {corpus}", metric, part, OF_CORPUS)
        for corpus, part in figures["by_corpus"].items()
        for metric in ("accuracy", "uar")
    ]
    found += [
        _entry(f"{protocol}, {corpus} on sentences said in several emotions", "uar", part)
        for corpus, part in figures.get("shared_sentences", {}).items()
    ]
    recalls = {
        label: row
        for label, row in figures["per_class"].items()
        if row.get("support") and row["recall"] is not None
    }
    if recalls:
        worst = min(recalls, key=lambda label: float(recalls[label]["recall"]))
        row = {"recall": recalls[worst]["recall"], "n": recalls[worst]["support"]}
        found.append(_entry(f"{protocol}, {worst}", "recall", row, OF_LABEL))
    return [*found, _entry(protocol, "ece", figures)]


def _of_noise(conditions: Mapping[str, Any]) -> list[dict[str, Any]]:
    """RAVDESS in noise, in a large room, and under whatever is worst."""
    parts = {name: figures["by_corpus"]["ravdess"] for name, figures in conditions.items()}
    worst = worst_first(parts)[:1]
    return [
        _entry(f"{_RAVDESS}, {_HEARD_AS.get(name, name)}", "uar", part, OF_CONDITION)
        for name, part in parts.items()
        if name in _HEARD_AS or name in worst
    ]


def _of_references(conditions: Mapping[str, Any]) -> list[dict[str, Any]]:
    name = f"{REFERENCE_CLIPS} clips, random"
    return [
        _entry(f"speaker-5fold, {corpus}, {REFERENCE_CLIPS} clips", "uar", part, OF_REFERENCE)
        for corpus, part in conditions.get(name, {"by_corpus": {}})["by_corpus"].items()
        # Two speakers say nothing of others.
        if corpus != "tess"
    ]


def _of_windows(conditions: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Single windows of RAVDESS, all of two seconds, and those that are a second of speech."""
    spoken = conditions.get("1.0 s", {}).get("by_speech", {}).get(MOSTLY_SPEECH, {})
    parts = {"2.0 s": conditions.get("2.0 s", {}), "1.0 s of speech": spoken}
    return [
        _entry(f"{_RAVDESS}, windows of {name}", "uar", found["ravdess"])
        for name, part in parts.items()
        if "ravdess" in (found := part.get("by_corpus", {}))
    ]


_UNDER_CONDITIONS: dict[str, Callable[[Mapping[str, Any]], list[dict[str, Any]]]] = {
    "noise": _of_noise,
    "conditions": _of_noise,
    "reference": _of_references,
    "segments": _of_windows,
}


def _entry(
    split: str, metric: str, figures: Mapping[str, Any], role: str | None = None
) -> dict[str, Any]:
    entry = {"split": split, "metric": metric, "value": figures[metric], "n": figures["n"]}
    for end in ("ci95", "sd"):
        if f"{metric}_{end}" in figures:
            entry[end] = figures[f"{metric}_{end}"]
    return entry | ({ROLE: role} if role else {})
