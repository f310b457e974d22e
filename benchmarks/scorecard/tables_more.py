"""Tables of the scorecard beyond the headline: other corpora, noise, segments, ablations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantize.data.corpora import DOMAINS
from quantize.measure.figures.bars import KIND, RECIPE, figures_of
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
from quantize.measure.protocols.trials import MOSTLY_SPEECH

__all__ = ["ablations", "across_corpora", "noise", "segments"]

_OTHERS = "the others"
_SNRS_DB = (20, 15, 10, 5, 0)
_NOISES = ("white", "pink", "babble")
_ROOMS = {"small-room": "a small room", "far-microphone": "a far microphone"}

Scorecard = Mapping[str, Any]


def across_corpora(scorecard: Scorecard) -> str:
    """Corpora that nothing was trained on, with and without the adversary."""
    columns = [("claf-ser-alone", KIND), ("claf-ser-alone", "torch"), ("no-grl", "torch")]
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
        f"classes that both sides have, not calibrated, no teachers. Published: {said}."
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


def noise(scorecard: Scorecard) -> str:
    """RAVDESS strangers in noise and rooms."""
    figures = figures_of(scorecard, RECIPE, "noise/speaker-5fold", KIND)
    if figures is None:
        return ""
    parts = {n: f["by_corpus"]["ravdess"] for n, f in figures["conditions"].items()}
    rows = [
        [kind, *(_with_drop(parts.get(f"{kind}-{snr_db}dB")) for snr_db in _SNRS_DB)]
        for kind in _NOISES
    ]
    rooms = " and ".join(
        f"{_with_drop(parts[name])} in {words}" for name, words in _ROOMS.items() if name in parts
    )
    about = prose(
        "**In noise**: RAVDESS, `speaker-5fold`, NumPy int8; UAR, in brackets the points lost "
        f"against {percent(parts['clean']['uar'])} clean" + (f"; {rooms}" if rooms else "") + "."
    )
    head = ["noise", *(f"{snr_db} dB" for snr_db in _SNRS_DB)]
    return f"{about}\n\n{table(head, rows, n_left=1)}"


def _with_drop(part: Mapping[str, Any] | None) -> str:
    return "-" if part is None else f"{percent(part['uar'])} ({points(part['uar_drop'])})"


def segments(scorecard: Scorecard) -> str:
    """Single windows as a device judges them."""
    found = {
        name: figures["conditions"]
        for name in ("paper", "speaker-5fold")
        if (figures := figures_of(scorecard, RECIPE, f"segments/{name}", KIND))
    }
    if not found:
        return ""
    windows = list(dict.fromkeys(window for each in found.values() for window in each))
    corpora = [
        c
        for c in DOMAINS
        if any(c in f["by_corpus"] for f in found.get("speaker-5fold", {}).values())
    ]
    head = ["window", "`paper`, accuracy", *(f"{corpus_name(c)}, UAR" for c in corpora)]
    rows = []
    for window in windows:
        paper = found.get("paper", {}).get(window)
        speaker = found.get("speaker-5fold", {}).get(window)
        cells = [percent(paper["accuracy"]) if paper else "-"]
        cells += [figure(speaker["by_corpus"][c], "uar") if speaker else "-" for c in corpora]
        rows.append([window, *cells])
    full = [[f"{w} of speech", *_of_speech(found, w, corpora)] for w in windows]
    rows += [cells for cells in full if set(cells[1:]) != {"-"}]
    told = (
        " Of speech: windows that are speech for nine tenths, as the gate tells it."
        if len(rows) > len(windows)
        else ""
    )
    about = prose(
        "**Single windows**, each judged for itself as on a device: NumPy int8, UAR on "
        f"`speaker-5fold`.{told}"
    )
    return f"{about}\n\n{table(head, rows, n_left=1)}"


def _of_speech(
    found: Mapping[str, Mapping[str, Any]], window: str, corpora: Sequence[str]
) -> list[str]:
    """Cells of the windows of one length that hold hardly anything but speech."""
    parts = {
        name: conditions[window].get("by_speech", {}).get(MOSTLY_SPEECH, {})
        for name, conditions in found.items()
        if window in conditions
    }
    paper, speaker = (parts.get(name, {}) for name in ("paper", "speaker-5fold"))
    by_corpus = speaker.get("by_corpus", {})
    return [
        percent(paper["accuracy"]) if paper.get("n") else "-",
        *(figure(by_corpus[c], "uar") if c in by_corpus else "-" for c in corpora),
    ]


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
