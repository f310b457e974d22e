"""Tables of what a device hears: noise, rooms, lines, single windows, a voice that it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quantize.data.corpora import DOMAINS
from quantize.measure.figures.bars import KIND, RECIPE, figures_of
from quantize.measure.figures.cells import corpus_name, figure, percent, points, prose, table
from quantize.measure.protocols.tables import worst_first
from quantize.measure.protocols.trials import MOSTLY_SPEECH, SPEECH_SHARES

__all__ = ["conditions", "noise", "references", "segments"]

_SNRS_DB = (20, 15, 10, 5, 0)
_NOISES = ("white", "pink", "babble")
_ROOMS = {"small-room": "a small room", "far-microphone": "a far microphone"}

Scorecard = Mapping[str, Any]


def references(scorecard: Scorecard) -> str:
    """Strangers of whose voices some clips were heard before."""
    figures = figures_of(scorecard, RECIPE, "reference/speaker-5fold", KIND)
    if figures is None:
        return ""
    found = figures["conditions"]
    corpora = [c for c in DOMAINS if any(c in part["by_corpus"] for part in found.values())]
    rows = [
        [name, *(_with_gain(part["by_corpus"].get(c)) for c in corpora)]
        for name, part in found.items()
    ]
    about = prose(
        "**With a reference for the voice**: `speaker-5fold`, NumPy int8, UAR, in brackets the "
        "points that it adds. Clips of the same voice, unlabelled and never those that are scored, "
        "are drawn at random, from calm and neutral ones alone, or three of these in four."
    )
    head = ["reference", *(corpus_name(c) for c in corpora)]
    return f"{about}\n\n{table(head, rows, n_left=1)}"


def _with_gain(part: Mapping[str, Any] | None) -> str:
    if part is None:
        return "-"
    gain = f" ({-round(100 * part['uar_drop'], 1) + 0.0:+.1f})" if "uar_drop" in part else ""
    return percent(part["uar"]) + gain


def conditions(scorecard: Scorecard) -> str:
    """RAVDESS strangers in rooms and through lines that are no studio's, the worst first."""
    figures = figures_of(scorecard, RECIPE, "conditions/speaker-5fold", KIND)
    if figures is None:
        return ""
    parts = {
        name: part["by_corpus"]["ravdess"]
        for name, part in figures["conditions"].items()
        if "ravdess" in part["by_corpus"]
    }
    rows = [[name, figure(parts[name], "uar"), _lost(parts[name])] for name in worst_first(parts)]
    clean = next((part for part in parts.values() if "uar_drop" not in part), None)
    against = f"{percent(clean['uar'])} clean" if clean else "clean clips"
    about = prose(
        "**Not in a studio**: RAVDESS, `speaker-5fold`, NumPy int8, whole clips; points of UAR "
        f"lost against {against}, the worst first."
    )
    return f"{about}\n\n{table(['condition', 'UAR', 'lost'], rows, n_left=1)}"


def _lost(part: Mapping[str, Any]) -> str:
    cell = points(part["uar_drop"])
    if "uar_drop_ci95" not in part:
        return cell
    low, high = part["uar_drop_ci95"]
    return f"{cell} [{points(low)}, {points(high)}]"


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
    parts = [
        f"{about}\n\n{table(head, rows, n_left=1)}",
        _by_speech(found.get("speaker-5fold", {})),
    ]
    return "\n\n".join(part for part in parts if part)


def _by_speech(windows: Mapping[str, Any]) -> str:
    """Windows of RAVDESS strangers by how much of them is speech."""
    rows = []
    for window, figures in windows.items():
        shares = figures.get("by_speech", {})
        parts = [shares.get(name, {}).get("by_corpus", {}).get("ravdess") for name in SPEECH_SHARES]
        if any(parts):
            cells = [f"{percent(p['uar'])} ({p['n']})" if p else "-" for p in parts]
            rows.append([window, *cells])
    if not rows:
        return ""
    about = "RAVDESS strangers by the share of speech in a window, percent: UAR (windows)."
    return f"{about}\n\n{table(['window', *SPEECH_SHARES], rows, n_left=1)}"


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
