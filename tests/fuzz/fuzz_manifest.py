"""Manifests: values, types and texts that nobody would write, and files that are none."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import edge
from edge.bundled import MODELS_DIR
from fuzz.fuzz_wav import demo_samples
from fuzz.judge import check_decision, manifest_of, tiny, write_folder
from fuzz.mutate import mutate_json, mutate_text
from fuzz.target import HUGE_BYTES, Trial

__all__ = ["ManifestTarget"]

_BACKENDS = (None, None, None, "numpy", "auto", "onnx", "tflite", "")

#: A key that a manifest may lack.
_MEASURED = {
    "min_probability": 0.3,
    "coverage": [[0.0, 1.0, 0.6, 400], [0.5, 0.6, 0.75, 240], [0.95, 0.0, None, 0]],
    "split": "speaker",
    "command": "calibrate",
    "commit": "abc",
    "activation": {"slope": 0.8, "offset": -0.1},
}


class ManifestTarget:
    """Through ``edge.load``, and a decision where it opens."""

    may_probe = True
    needs = ()
    has_short_road = False

    def prepare(self, seeds: Path) -> None:
        """Read the manifests and models that are changed."""
        tiny(seeds)
        self._clip = demo_samples()[20_000:60_000]
        folders = [seeds / "tiny", MODELS_DIR / "claf-ser-tiny"]
        self._seeds = [
            (
                {**manifest_of(f), "abstention": _MEASURED},
                (f / "model.npz").read_bytes(),
            )
            for f in folders
        ]

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Change a manifest, to open its folder and let it decide."""
        rng = trial.rng
        tree, model = self._seeds[rng.random() < 0.15]
        folder = trial.folder / "m"
        special = rng.random()
        changed = tree if special < 0.02 else mutate_json(rng, tree)
        if rng.random() < 0.05 and isinstance(changed, dict):
            changed["model_bytes"] = len(model)
            changed["model_sha256"] = hashlib.sha256(model).hexdigest()
        content = _text(rng, changed)
        write_folder(folder, content, "model.npz", model)
        if special < 0.02:
            _make_special(rng, folder)
        backend = rng.choice(_BACKENDS)
        return lambda: open_and_decide(folder, backend, self._clip)


def open_and_decide(folder: Path, backend: str | None, clip: Any) -> None:
    """Open an artifact as a program would, and have it decide once."""
    classifier = edge.load(folder, backend)
    n_wanted = classifier.spec.win_length + 20 * classifier.spec.hop_length
    samples = clip[: max(8000, min(n_wanted, len(clip)))].astype("float32")
    for decision in classifier.classify(samples, classifier.spec.sample_rate):
        check_decision(decision, classifier.labels)


def _text(rng: random.Random, tree: Any) -> bytes:
    text = json.dumps(tree, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.15:
        return mutate_text(rng, text)
    return text.encode("utf-8", "surrogatepass")


def _make_special(rng: random.Random, folder: Path) -> None:
    """Put something in a file's place that is no file."""
    path = folder / rng.choice(("manifest.json", "model.npz"))
    content = path.read_bytes()
    path.unlink()
    kind = rng.randrange(7)
    if kind == 0:
        os.mkfifo(path)
    elif kind == 1:
        path.symlink_to("/dev/zero")
    elif kind == 2:
        path.mkdir()
    elif kind == 3:
        path.symlink_to(path)
    elif kind == 4:
        path.symlink_to("/proc/self/mem")
    elif kind == 5:
        path.write_bytes(b"")
        os.truncate(path, HUGE_BYTES)
    else:
        (folder / "real").write_bytes(content)
        path.symlink_to(folder / "real")
