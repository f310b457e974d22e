"""The bundled models: both are there, of the sizes that are promised, and told apart by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edge
from edge.artifact import read_artifact
from edge.artifact.seal import sealed
from edge.bundled import MODELS_DIR
from edge.runtimes.open import open_model

NAMES = ("claf-ser-int8", "claf-ser-int8-onnx", "claf-ser-tiny", "claf-ser-tiny-onnx")


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_model_is_whole_and_says_how_good_it_is(name: str) -> None:
    manifest = read_artifact(MODELS_DIR / name).manifest
    assert manifest.quantization.weight_bits == 8
    assert manifest.training["split"] == "all"
    assert len(manifest.training["scorecard_sha256"]) == 64
    splits = {entry["split"] for entry in manifest.accuracy}
    # People who are known beforehand have a recipe of their own, which is not bundled.
    assert {"speaker-5fold, ravdess", "speaker-5fold, savee", "speaker-5fold, emo-db"} <= splits
    assert (MODELS_DIR / name / "MODEL_CARD.md").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_is_written_as_it_was_read(name: str) -> None:
    text = (MODELS_DIR / name / "manifest.json").read_text(encoding="utf-8")
    # And it is sealed: what was changed is refused.
    assert sealed(read_artifact(MODELS_DIR / name).manifest.to_json()) == text
    # The file keeps the words of schema 1.
    assert '"default_language": "unknown"' in text


def test_sizes() -> None:
    sizes = {name: read_artifact(MODELS_DIR / name).manifest.model_bytes for name in NAMES}
    assert max(sizes.values()) <= 530_000
    assert sizes["claf-ser-tiny"] <= 100_000
    assert sizes["claf-ser-tiny-onnx"] < 0.25 * sizes["claf-ser-int8-onnx"]


@pytest.mark.parametrize("name", ["claf-ser", "claf-ser-tiny"])
def test_a_bundled_model_is_loaded_by_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where no folder of that name could be meant.
    monkeypatch.chdir(tmp_path)
    classifier = edge.load(name)
    assert classifier.artifact.path.parent == MODELS_DIR
    assert (classifier.artifact.manifest.architecture.hidden > 100) == (name == "claf-ser")
    tone = np.sin(np.arange(48_000) / 20).astype(np.float32) / 4
    assert sum(
        classifier.classify(tone, 16_000, vad="energy")[0].posterior.values()
    ) == pytest.approx(1)


def test_both_runtimes_hear_the_same() -> None:
    pytest.importorskip("onnxruntime")
    rows = np.random.default_rng(0).standard_normal((1, 61, 35)).astype(np.float32)
    rows[:, :, 34] = 0.0  # nothing is known of the voice
    for pair in (NAMES[:2], NAMES[2:]):
        models = [open_model(read_artifact(MODELS_DIR / name)) for name in pair]
        one, other = (model.session().infer(rows, 4) for model in models)
        assert np.abs(one - other).max() < 0.5
