"""Tables of the scorecard beyond the headline: other corpora, other models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from quantize.data.corpora import DOMAINS
from quantize.measure.figures.bars import ALONE, KIND, RECIPE, TINY, figures_of
from quantize.measure.figures.cells import (
    corpus_name,
    figure,
    footnotes,
    percent,
    points,
    prose,
    table,
)
from quantize.measure.figures.references import REFERENCES

__all__ = ["ablations", "across_corpora", "choices", "tiny"]

_OTHERS = "the others"

Scorecard = Mapping[str, Any]


def across_corpora(scorecard: Scorecard) -> str:
    """Corpora that nothing was trained on, with and without the adversary."""
    columns = [(ALONE, KIND), (ALONE, "torch"), ("no-grl", "torch")]
    found = [_tests(scorecard, recipe, kind) for recipe, kind in columns]
    names = list(dict.fromkeys(name for each in found for name in each))
    if not names:
        return ""
    rows = []
    for name in names:
        parts = [each.get(name) for each in found]
        first = next(part for part in parts if part)
        cells = [figure(part, "uar") if part else "-" for part in parts]
        rows.append([name, str(first["n_classes"]), str(first["n"]), *cells])
    head = ["trained on → tested on", "classes", "clips", "NumPy int8", "torch", "torch, no GRL"]
    theirs = [r for r in REFERENCES if r.protocol == "leave-one-corpus-out"]
    said = "; ".join(f"{r.who} {r.value} {{{r.key}}}" for r in theirs)
    lines = prose(
        "**A corpus never heard**: `leave-one-corpus-out` and `german-to-english`, UAR over the "
        f"classes that both sides have, not calibrated, no runs as teachers. Published: {said}."
    )
    lines += "\n\n" + table(head, rows, n_left=1)
    both = [
        (found[1][n]["uar"], found[2][n]["uar"])
        for n in names
        if n in found[1] and n in found[2] and n.startswith(_OTHERS)
    ]
    if both:
        gain = sum(with_grl - without for with_grl, without in both) / len(both)
        better = sum(with_grl > without for with_grl, without in both)
        lines += "\n\n" + prose(
            f"The adversary (GRL) changes UAR by {100 * gain:+.1f} points on average over "
            f"these {len(both)} tests that leave one corpus out and is better in {better} of them, "
            "one seed each. Trained on EMO-DB alone it has one domain and nothing to tell apart: "
            "those rows differ by chance."
        )
    return footnotes(lines, theirs)


def _tests(scorecard: Scorecard, recipe: str, kind: str) -> dict[str, dict[str, Any]]:
    """Figures by what was trained on and tested on; each fold is a test of its own."""
    protocols = scorecard["recipes"].get(recipe, {}).get("protocols", {})
    result: dict[str, dict[str, Any]] = {}
    for protocol, trained in (
        ("leave-one-corpus-out", _OTHERS),
        ("german-to-english", "EMO-DB"),
    ):
        for run in protocols.get(protocol, {}).get(kind, {}).get("runs", ()):
            for corpus, part in run["by_corpus"].items():
                name = f"{trained} → {corpus_name(corpus)}"
                result[name] = {**part, "n_classes": len(run["answers"])}
    return result


def ablations(scorecard: Scorecard) -> str:
    """Every recipe in torch on the same two protocols."""
    rows = []
    for name, recipe in scorecard["recipes"].items():
        paper = recipe["protocols"].get("paper", {}).get("torch")
        speaker = figures_of(scorecard, name, "speaker-5fold", "torch")
        if not (paper or speaker):
            continue
        seed = paper and next((r for r in paper["runs"] if r["run"] == "paper-s0"), None)
        rows.append(
            [
                recipe["title"],
                f"{recipe['n_parameters'] / 1000:.0f}k",
                _minutes(recipe),
                figure(seed, "accuracy") if seed else "-",
                *(
                    percent(speaker["by_corpus"][c]["uar"])
                    if speaker and c in speaker["by_corpus"]
                    else "-"
                    for c in DOMAINS
                ),
            ]
        )
    if not rows:
        return ""
    head = ["model", "parameters", "minutes", "`paper` seed 0, accuracy"]
    head += [f"{corpus_name(c)}, UAR" for c in DOMAINS]
    lines = prose(
        "**Baseline and ablations**: torch fp32, `paper` with one seed and `speaker-5fold`; "
        "parameters with the adversary's, minutes of a training (median)."
    )
    lines += "\n\n" + table(head, rows, n_left=1)
    theirs = [r for r in REFERENCES if r.protocol == "paper" and r.corpus != "all"]
    if "baseline" not in scorecard["recipes"]:
        return lines
    said = ", ".join(f"{corpus_name(r.corpus)} {r.value}" for r in theirs)
    mark = theirs[0].key
    return footnotes(f"{lines}\n\nThe paper's RNN as published: {said} {{{mark}}}.", theirs)


def tiny(scorecard: Scorecard) -> str:
    """The tiny student beside the full model."""
    rows = []
    for protocol, metric, corpora in (
        ("paper", "accuracy", ("all",)),
        ("speaker-5fold", "uar", DOMAINS),
    ):
        full, small = (figures_of(scorecard, name, protocol, KIND) for name in (RECIPE, TINY))
        if full is None or small is None:
            continue
        for corpus in corpora:
            parts = [f if corpus == "all" else f["by_corpus"].get(corpus) for f in (full, small)]
            if None in parts:
                continue
            name = "accuracy" if corpus == "all" else f"{corpus_name(corpus)}, UAR"
            below = points(parts[0][metric] - parts[1][metric])
            rows.append([f"`{protocol}`, {name}", *(figure(p, metric) for p in parts), below])
    if not rows:
        return ""
    sizes = [scorecard["recipes"][name].get("model_bytes", {}).get(KIND) for name in (RECIPE, TINY)]
    heads = [
        name if n_bytes is None else f"{name}, {n_bytes / 1000:.0f} kB"
        for name, n_bytes in zip(("full", "tiny"), sizes, strict=True)
    ]
    about = "**The tiny student**: NumPy int8; points that it stays below the full model."
    return f"{about}\n\n{table(['protocol', *heads, 'below'], rows, n_left=1)}"


def choices(scorecard: Scorecard) -> str:
    """Recipes on the speakers that they were chosen by."""
    found = [
        (recipe["title"], entry["figures"])
        for recipe in scorecard["recipes"].values()
        if (entry := recipe["protocols"].get("validation", {}).get("torch"))
    ]
    if not found:
        return ""
    corpora = [c for c in DOMAINS if any(c in figures["by_corpus"] for _, figures in found)]
    rows = [
        [
            title,
            figure(figures, "accuracy"),
            *(figure(figures["by_corpus"][c], "uar") for c in corpora),
        ]
        for title, figures in found
    ]
    clips = ", ".join(f"{corpus_name(c)} {found[0][1]['by_corpus'][c]['n']}" for c in corpora)
    lines = prose(
        "**What the recipe was chosen by**: speakers of the training sides of two folds, held out "
        f"of them in their turn (clips: {clips}); torch fp32, not calibrated. No test side was "
        "looked at."
    )
    head = ["model", "accuracy", *(f"{corpus_name(c)}, UAR" for c in corpora)]
    return f"{lines}\n\n{table(head, rows, n_left=1)}"


def _minutes(recipe: Mapping[str, Any]) -> str:
    seconds = sorted(run["seconds"] for run in recipe["runs"].values())
    return f"{seconds[len(seconds) // 2] / 60:.1f}"
