"""A manifest and a model small enough to reason about."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

from edge.features import FeatureExtractor
from edge.features.front_end import DcBlocker
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceReference
from edge.stream.classifier import Classifier

REPOSITORY = Path(__file__).resolve().parents[2]

LABELS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
CORPORA = ("ravdess", "savee", "emo-db", "tess", "unknown")


class LinearModel:
    """Logits are a fixed linear map of the mean and the last row; it is its own session."""

    name = "linear"

    def __init__(self, n_features: int = 34) -> None:
        drawn = np.random.default_rng(7).normal(0, 0.3, (n_features, 8))
        self.weights = drawn.astype(np.float32)
        self.seen: list[np.ndarray] = []
        self.corpus: int | None = None

    def session(self) -> LinearModel:
        return self

    def infer(self, features: np.ndarray, corpus: int) -> np.ndarray:
        self.seen.append(features.copy())
        self.corpus = corpus
        return (features.mean(axis=1) + 0.5 * features[:, -1]) @ self.weights


def fake_classifier(
    window_frames: int = 61, window_hop: int = 16, voice_reference: VoiceReference | None = None
) -> Classifier:
    """Classifier over :class:`LinearModel`; features are scaled to about 1."""
    model = LinearModel(34 if voice_reference is None else 35)
    rng = np.random.default_rng(3)
    std = np.ones(34)
    std[:13], std[13], std[14], std[27:] = 100.0, 200.0, 0.2, 40.0
    manifest = types.SimpleNamespace(
        name="fake",
        architecture=types.SimpleNamespace(n_features=len(model.weights)),
        feature_spec=FeatureSpec(),
        feature_fingerprint=FeatureSpec().fingerprint,
        labels=LABELS,
        corpora=CORPORA,
        default_corpus="unknown",
        window_frames=window_frames,
        window_hop=window_hop,
        temperature=1.0,
        abstention=None,
        gate=None,
        voice_reference=voice_reference,
        mean=rng.normal(0, 0.1, 34).astype(np.float32),
        std=std.astype(np.float32),
        corpus_id=lambda name: CORPORA.index("unknown" if name is None else name),
    )
    return Classifier(types.SimpleNamespace(manifest=manifest), model)


def heard_rows(classifier: Classifier, samples: np.ndarray) -> np.ndarray:
    """Rows that a stream computes, the blocker of a constant offset before them; not normalised."""
    spec = classifier.spec
    return FeatureExtractor(spec).extract(DcBlocker(spec.sample_rate).process(samples))


def voice(n_samples: int, f0_hz: float = 140.0, level: float = 0.2, seed: int = 0) -> np.ndarray:
    """Speech-like: a gliding harmonic complex in syllables, and a little noise."""
    rng = np.random.default_rng(seed)
    t_s = np.arange(n_samples) / 16_000
    phase = 2 * np.pi * f0_hz * (t_s + 0.05 * np.sin(2 * np.pi * 0.7 * t_s))
    tone = sum(np.sin(k * phase) / k for k in range(1, 9))
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 3.1 * t_s)
    samples = level * (tone * syllables / 2 + 0.02 * rng.normal(size=n_samples))
    return samples.astype(np.float32)


# Buffered as it is for everybody, whatever the tests run under.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def run_cli(*args: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``edge-ser`` in its own process; output is text unless ``text=False``."""
    settings: dict[str, Any] = {
        "capture_output": True, "text": True, "timeout": 100, "env": ENVIRONMENT, **options,
    }  # fmt: skip
    command = [sys.executable, "-m", "edge.cli.main", *map(str, args)]
    return subprocess.run(command, check=False, cwd=REPOSITORY, **settings)


def start_cli(*args: object, **options: Any) -> subprocess.Popen[str]:
    """Start ``edge-ser`` with pipes on all three streams."""
    return _start(["-m", "edge.cli.main", *map(str, args)], options)


def start_python(code: str, *args: object, **options: Any) -> subprocess.Popen[str]:
    """Start Python on a program, with pipes on all three streams."""
    return _start(["-c", code, *map(str, args)], options)


def _start(args: list[str], options: dict[str, Any]) -> subprocess.Popen[str]:
    command = [sys.executable, *args]
    settings: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    settings.update(text=True, env=ENVIRONMENT)
    return subprocess.Popen(command, cwd=REPOSITORY, **{**settings, **options})


def records(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def complaint(text: str) -> str:
    """The one error line on standard error, which holds nothing else."""
    (line,) = text.splitlines()
    assert line.startswith("edge-ser: error: ")
    assert "Traceback" not in text
    return line
