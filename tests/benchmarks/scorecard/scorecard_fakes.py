"""Run folders and reports as the commands leave them, made up and without any model."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scorecard.plan import Places, plan
from benchmarks.scorecard.recipe_check import recipe_settings
from benchmarks.scorecard.recipes import RECIPES, Work
from quantize.data.corpora import DOMAINS, LABELS
from quantize.data.features.conditions import EVERY_CONDITION
from quantize.measure.answers import Answers
from quantize.measure.crossfit import cross_fit
from quantize.measure.metrics import metrics
from quantize.runs.run import Run

#: Right answers of a hundred, by corpus.
RIGHT = {"ravdess": 66, "savee": 44, "emo-db": 74, "tess": 90}

#: TESS's speakers are too few to validate with.
_VALIDATED = ("ravdess", "savee", "emo-db")


def places(root: Path) -> Places:
    return Places(root / "data", root / "cache", root / "runs")


def part(right: int) -> dict[str, Any]:
    """Figures of 100 clips in two classes."""
    truth = np.arange(100) % 2
    posterior = np.full((100, len(LABELS)), 0.0)
    said = np.where(np.arange(100) < right, truth, 1 - truth)
    posterior[np.arange(100), said] = 0.75
    posterior[np.arange(100), 7] += 0.25
    return metrics(truth, posterior, LABELS, n_bootstrap=10)


def figures(shift: int = 0, corpora: tuple[str, ...] = tuple(DOMAINS)) -> dict[str, Any]:
    parts = {corpus: part(RIGHT[corpus] + shift) for corpus in corpora}
    total = part(sum(RIGHT[c] + shift for c in corpora) // len(corpora))
    shared = {c: part(RIGHT[c] + shift - 10) for c in corpora if c == "savee"}
    told = {"by_corpus": parts, "shared_sentences": shared}
    return {**total, "answers": list(LABELS), **told}


def condition(lost: float, corpora: Sequence[str] = DOMAINS) -> dict[str, Any]:
    def one(uar: float) -> dict[str, Any]:
        result = {"n_utterances": 100, "n": 100, "accuracy": uar, "accuracy_ci95": [uar, uar]}
        result |= {"uar": uar - lost, "uar_ci95": [uar - lost - 0.02, uar - lost + 0.02]}
        if lost:
            result |= {"uar_drop": lost, "uar_drop_ci95": [lost, lost]}
        return {**result, "recall": {}, "ece": 0.05}

    by_corpus = {c: one(RIGHT[c] / 100) for c in corpora}
    return {**one(0.7), "n_left_out": 0, "n_short": 0, "by_corpus": by_corpus}


def conditions(protocol: str) -> dict[str, Any]:
    if protocol == "segments":
        full = {k: v for k, v in condition(-0.05).items() if not k.startswith("n_")}
        spoken = {"by_speech": {"90-100": full | {"n_utterances": 100}}}
        return {f"{s} s": condition(0.0) | spoken for s in ("1.0", "1.5", "2.0")}
    if protocol == "reference":
        gains = {1: 0.005, 2: 0.01, 4: 0.02, 8: 0.03, 16: 0.045, 64: 0.05}
        shares = {"random": 1.0, "calm": -0.2, "three in four calm": 0.5}
        told = {
            f"{n} clip{'s' * (n > 1)}, {kind}": condition(-share * gain)
            for kind, share in shares.items()
            for n, gain in gains.items()
        }
        return {"0 clips": condition(0.0), **told}
    lost = {n: 0.08 if n.startswith("babble") else 0.03 for n in EVERY_CONDITION}
    heard = {n: condition(each, ("ravdess",)) for n, each in lost.items()}
    return {"clean": condition(0.0, ("ravdess",)), **heard}


def report(recipe: Work, group: str, kind: str, protocol: str) -> dict[str, Any]:
    jobs = recipe.group(group)
    runs: list[dict[str, Any]] = []
    for at, job in enumerate(jobs):
        own = {"run": job, "split": f"{group}-s0-f{at}", "split_fingerprint": f"{at}" * 64}
        own |= {"model_sha256": None, "answers": list(LABELS)}
        if protocol != "utterances":
            runs.append({**own, "conditions": conditions(protocol)})
        elif group == "leave-one-corpus-out":
            runs.append({**own, **figures(at, (DOMAINS[at],))})
        elif group == "german-to-english":
            runs.append({**own, **figures(at, ("ravdess", "savee", "tess"))})
        elif group == "validation":
            runs.append({**own, **figures(at, _VALIDATED)})
        else:
            runs.append({**own, **figures(at)})
    result = {"kind": kind, "language": "unknown", "commit": "b" * 12, "runs": runs}
    result["command"] = "edge-ser-quantize evaluate"
    pooled = {"conditions": conditions(protocol)} if protocol != "utterances" else figures()
    if group in ("speaker", "leave-one-corpus-out"):
        result["pooled"] = pooled
    elif group == "validation":
        result["pooled"] = figures(0, _VALIDATED)
    elif protocol != "utterances":
        result["mean"] = pooled
    return result


@functools.cache
def abstaining() -> str:
    """What calibrate says of three folds of made-up windows, four corpora in each."""
    rng = np.random.default_rng(0)
    parts = []
    for fold in range(3):
        logits = 2.0 * rng.standard_normal((800, len(LABELS)))
        posteriors = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        truth = np.array([rng.choice(len(LABELS), p=row) for row in posteriors])
        corpora = np.arange(800) % len(DOMAINS)
        speakers = np.array([f"{DOMAINS[c]}/{fold}" for c in corpora])
        parts.append(Answers(posteriors, truth, corpora, speakers, DOMAINS, LABELS))
    about = {"split": "speaker-5fold", "command": "edge-ser-quantize calibrate", "commit": "b" * 12}
    found = cross_fit(parts, [1.0] * 3).figures
    files = {"files": found["answered"], "files_without_bar": found["without_bar"]}
    return json.dumps({**about, "runs": [], **found, **files})


def _write_checkpoint(folder: Path, job: str, n_epochs: int) -> None:
    about = {"split": job, "commit": "a" * 12, "n_clips": 400, "epochs": n_epochs}
    header = {
        "__metadata__": {"training": json.dumps(about)},
        "fc.weight": {"dtype": "F32", "shape": [10, 200], "data_offsets": [0, 8000]},
        "normalisation.mean": {"dtype": "F32", "shape": [34], "data_offsets": [8000, 8136]},
    }
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + bytes(8136)
    (folder / "checkpoint.safetensors").write_bytes(content)


def train_longer(folder: Path) -> int:
    """Make a run one that was trained for an epoch more; returns how many those are."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["training"]["epochs"] += 1
    path.write_text(json.dumps(config))
    _write_checkpoint(folder, config["run"]["split"], config["training"]["epochs"])
    return int(config["training"]["epochs"])


def write_run(folder: Path, job: str, settings: dict[str, Any]) -> None:
    folder.mkdir(parents=True)
    _write_checkpoint(folder, job, settings.get("training", {}).get("epochs", 3))
    (folder / "history.json").write_text(json.dumps([{"seconds": 60.0}, {"seconds": 30.04}]))
    config = {"run": {"split": job, "seed": 0, "fold": 1}, "commit": job}
    config |= {"model": {}, "batches": {}, "training": {"seed": 0}, "feature_spec": {"n_mels": 40}}
    for table, values in settings.items():
        config[table] = {**config.get(table, {}), **values}
    (folder / "config.json").write_text(json.dumps(config))
    manifest = folder / "artifacts" / "numpy-int8" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    training = {"run_digest": Run(folder).digest}
    manifest.write_text(json.dumps({"model_bytes": 503896, "training": training}))


def settings_of(recipe: Work) -> dict[str, Any]:
    """A few settings, as the recipe has them."""
    if recipe.command != "train":
        return {"run": {"n_variants": 0}, "training": {"epochs": 100}}
    found = recipe_settings(recipe.name)
    return {
        "run": {"n_variants": found["run"]["n_variants"]},
        "training": {"epochs": found["training"]["epochs"]},
        "augment": found["augment"],
        "feature_spec": found["feature_spec"],
    }


def write_runs(at: Places, names: tuple[str, ...] = tuple(RECIPES)) -> None:
    """Everything that the steps of some recipes make, each newer than what came before."""
    recipes = [RECIPES[name] for name in names]
    for recipe in recipes:
        for job in recipe.jobs:
            write_run(at.run(recipe, job), job, settings_of(recipe))
            if recipe.calibrated and job.startswith(("speaker", "all")):
                entry = {"temperature": 1.25, "chosen_on": ["speaker-5fold-s0-f0"]}
                path = at.run(recipe, job) / "calibration.json"
                entry["run_digest"] = Run(path.parent).digest
                path.write_text(json.dumps({**entry, "n_utterances": 9}))
        if recipe.calibrated:
            path = at.abstaining(recipe)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(abstaining())
        for each in recipe.measurements:
            path = at.report(recipe, each)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(report(recipe, each.group, each.kind, each.protocol)))
    for second, step in enumerate(plan(at, recipes)):
        for path in step.outputs:
            os.utime(path, (1_000_000 + second, 1_000_000 + second))
