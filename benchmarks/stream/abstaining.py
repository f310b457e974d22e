"""Measure what a bar leaves unsaid while listening: coverage, accuracy and flicker.

    python -m benchmarks.stream.abstaining --data ../shared/corpora [--turns 140] [--output FILE]

EMOVO (Italian) and nEMO (Polish) hold voices and languages that the bundled model never heard.
Clips of one speaker and one emotion are joined to turns of some ten seconds and listened to with
the bundled NumPy model, with every decision alone and smoothed as `listen` smooths. Of the
smoothed it also counts how often what is said comes and goes, and what a margin that a label
must rise above before it is said again would change.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared.git_state import git_state
from edge.audio.file import read_audio
from edge.audio.resample import resample
from edge.benchmark.machine import describe_machine
from edge.stream.activation import AROUSED, CALM
from edge.stream.classifier import Classifier
from edge.stream.loading import load

MEASURED_FILES = ["edge", "benchmarks/stream/abstaining.py"]
BARS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
#: What a label must exceed the bar by, once it was not said.
MARGINS = (0.0, 0.05, 0.1)
CLIPS_A_TURN = 4
EMOVO = {"dis": "disgust", "gio": "happy", "neu": "neutral", "pau": "fearful", "rab": "angry",
         "sor": "surprised", "tri": "sad"}  # fmt: skip
NEMO = {"anger": "angry", "fear": "fearful", "happiness": "happy", "neutral": "neutral",
        "sadness": "sad", "surprised": "surprised", "surprise": "surprised"}  # fmt: skip

#: Probability of the label that would be said, whether it is right, and the activation, a row for
#: each decision with speech; NaN where nobody speaks.
Heard = NDArray[np.float64]


def find_turns(data: Path, n_turns: int) -> list[tuple[str, list[Path]]]:
    """Draw turns: a label and clips of one speaker with it."""
    groups: dict[tuple[str, str, str], list[Path]] = collections.defaultdict(list)
    for path in sorted(data.glob("EMOVO/*/*.*")):
        word, speaker = path.stem.split("-")[:2]
        groups["emovo", speaker, EMOVO[word]].append(path)
    for path in sorted(data.glob("nEMO/samples/*.*")):
        speaker, word = path.stem.split("_")[:2]
        groups["nemo", speaker, NEMO[word]].append(path)
    generator = np.random.default_rng(0)
    keys = sorted(groups)
    turns = []
    for index in generator.permutation(len(keys))[:n_turns]:
        paths = groups[keys[index]]
        chosen = generator.permutation(len(paths))[:CLIPS_A_TURN]
        turns.append((keys[index][2], [paths[i] for i in chosen]))
    return turns


def listen(classifier: Classifier, label: str, paths: list[Path], smooth: bool) -> Heard:
    """Decisions of one turn."""
    rate = classifier.spec.sample_rate
    clip = np.concatenate([resample(*read_audio(path), rate) for path in paths])
    stream = classifier.stream(smooth=smooth, min_probability=0.0)
    rows = []
    for each in stream.push(clip) + stream.flush():
        if each.label is None or each.posterior is None or each.activation is None:
            rows.append([np.nan] * 3)
        else:
            rows.append([each.posterior[each.label], each.label == label, each.activation])
    return np.array(rows).reshape(-1, 3)


def said(probability: NDArray[np.float64], bar: float, margin: float) -> NDArray[np.bool_]:
    """Tell which decisions name their label; after one that does not, the bar is higher."""
    states, is_said = [], True
    for share in probability:
        is_said = bool(share >= (bar if is_said else bar + margin))
        states.append(is_said)
        if np.isnan(share):
            # A pause: whoever speaks next is heard afresh.
            is_said = True
    return np.array(states)


def flicker(turns: list[Heard], bar: float, margin: float, hop_s: float) -> dict[str, float]:
    """How often what is said comes and goes, for a minute of turns."""
    n_changes = n_single = n_said = n_speech = 0
    for heard in turns:
        states = said(heard[:, 0], bar, margin)
        changes = np.flatnonzero(np.diff(states.astype(int)))
        n_changes += changes.size
        n_single += int((np.diff(changes) == 1).sum())
        n_said += int(states.sum())
        n_speech += int(np.isfinite(heard[:, 0]).sum())
    minutes = sum(map(len, turns)) * hop_s / 60
    return {
        "bar": bar,
        "margin": margin,
        "answered": round(n_said / n_speech, 3),
        "changes_a_minute": round(n_changes / minutes, 1),
        "single_decisions_a_minute": round(n_single / minutes, 1),
    }


def coverage(turns: list[Heard]) -> list[dict[str, float | None]]:
    """What each bar leaves, and how much of it is right."""
    rows = np.concatenate(turns)
    rows = rows[np.isfinite(rows[:, 0])]
    table: list[dict[str, float | None]] = []
    for bar in (0.0, *BARS):
        answered = rows[rows[:, 0] >= bar]
        right = round(float(answered[:, 1].mean()), 3) if len(answered) else None
        table.append(
            {
                "bar": bar,
                "coverage": round(len(answered) / len(rows), 3),
                "accuracy": right,
                "n": len(answered),
            }
        )
    return table


def activation_recalls(labels: list[str], turns: list[Heard]) -> dict[str, float]:
    """Share of the decisions on aroused and on calm turns that activation puts on their side."""
    sides = {
        name: np.concatenate(
            [heard[:, 2] for label, heard in zip(labels, turns, strict=True) if label in names]
        )
        for name, names in (("aroused", AROUSED), ("calm", CALM))
    }
    aroused, calm = (side[np.isfinite(side)] for side in sides.values())
    high, low = float((aroused >= 0.5).mean()), float((calm < 0.5).mean())
    return {
        "aroused": round(high, 3),
        "calm": round(low, 3),
        "uar": round((high + low) / 2, 3),
        "n": int(aroused.size + calm.size),
    }


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Listen to every turn, alone and smoothed."""
    classifier = load(backend="numpy")
    hop_s = classifier.stream().hop_s
    turns = find_turns(args.data, args.turns)
    labels = [label for label, _ in turns]
    alone, smoothed = (
        [listen(classifier, label, paths, smooth) for label, paths in turns]
        for smooth in (False, True)
    )
    return {
        "benchmark": "what a bar leaves unsaid while listening",
        "command": f"python -m benchmarks.stream.abstaining --data CORPORA --turns {args.turns}",
        **git_state(*MEASURED_FILES),
        "model_sha256": classifier.artifact.manifest.model_sha256,
        "machine": describe_machine(),
        "load_average": [round(load_, 2) for load_ in os.getloadavg()],
        "turns": len(turns),
        "alone": coverage(alone),
        "smoothed": coverage(smoothed),
        "flicker": [flicker(smoothed, bar, margin, hop_s) for bar in BARS for margin in MARGINS],
        "activation": {
            "alone": activation_recalls(labels, alone),
            "smoothed": activation_recalls(labels, smoothed),
        },
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--data", type=Path, required=True, help="folder with EMOVO and nEMO")
    parser.add_argument("--turns", type=int, default=140, help="how many are drawn")
    parser.add_argument("--output", metavar="FILE", help="write the result there as well")
    args = parser.parse_args()
    text = json.dumps(measure(args), indent=2)
    print(text)
    if args.output:
        Path(args.output).write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
