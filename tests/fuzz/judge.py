"""What a right answer looks like, and the model that answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from artifact_fakes import make_artifact

import edge
from edge.artifact.seal import SEAL
from edge.stream.classifier import Classifier
from fuzz.target import UnsoundError

__all__ = [
    "check",
    "check_answer",
    "check_decision",
    "judge_file",
    "manifest_of",
    "tiny",
    "write_folder",
]


def tiny(seeds: Path) -> Classifier:
    """A classifier of drawn weights, whose artifact is made once."""
    folder = seeds / "tiny"
    if not (folder / "manifest.json").exists():
        make_artifact(folder)
    return edge.load(folder)


def check(fact: bool, what: object) -> None:
    """Raise :class:`UnsoundError` unless it is so."""
    if not fact:
        raise UnsoundError(what)


def _check_result(result: Any, labels: tuple[str, ...]) -> None:
    """What decisions and a file's answer have in common."""
    check(result.state in ("speech", "uncertain", "no-speech", "quiet", "gap"), result)
    check((result.label is not None) == (result.state == "speech"), result)
    spoken = result.state in ("speech", "uncertain")
    check((result.posterior is not None) == spoken, result)
    if result.state == "speech":
        check(result.label in labels, result)
    if spoken:
        check_posterior(result.posterior, labels)
    activation = result.activation
    check(activation is None or (spoken and 0 <= activation <= 1), result)
    json.loads(json.dumps(result.to_dict(), allow_nan=False))


def check_posterior(posterior: Mapping[str, float], labels: tuple[str, ...]) -> None:
    """Finite, not negative, one a label, and one in sum."""
    values = list(posterior.values())
    check(tuple(posterior) == labels, posterior)
    check(all(math.isfinite(v) and v >= 0 for v in values), posterior)
    check(abs(sum(values) - 1) < 1e-4, posterior)


def check_decision(decision: Any, labels: tuple[str, ...]) -> None:
    """A decision that can be right."""
    _check_result(decision, labels)
    check(0 <= decision.start_s <= decision.end_s < 1e9, decision)


def check_answer(answer: Any, labels: tuple[str, ...]) -> None:
    """A file's answer that can be right."""
    _check_result(answer, labels)
    check(math.isfinite(answer.duration_s) and answer.duration_s >= 0, answer)
    check(0 <= answer.n_speech_segments <= answer.n_segments, answer)
    check(all(isinstance(w, str) and w.strip() and "\n" not in w for w in answer.warnings), answer)


def manifest_of(folder: Path) -> dict[str, Any]:
    """What the manifest of an artifact says, without the seal that no change would get past."""
    fields: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    fields.pop(SEAL, None)
    return fields


def write_folder(folder: Path, manifest: bytes, model_file: str | None, model: bytes) -> None:
    """Write an artifact's two files as they are, without the checks of the writer."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_bytes(manifest)
    if model_file is not None:
        (folder / model_file).write_bytes(model)


def judge_file(classifier: Classifier, path: Path) -> None:
    """A file's answer, or the sentence that says why there is none."""
    if hasattr(classifier, "classify_file"):
        check_answer(classifier.classify_file(path), classifier.labels)
        return
    from edge.audio.file import read_audio

    for decision in classifier.classify(*read_audio(path)):
        check_decision(decision, classifier.labels)
