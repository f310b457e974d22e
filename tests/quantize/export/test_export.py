"""Every kind of artifact computes what torch computes, and says what it is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from export_fakes import SIZES, facts, random_model, rows

from edge.artifact import Artifact, read_artifact
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceReference
from edge.runtimes.base import Session, reference_difference
from edge.runtimes.open import open_model
from quantize.export import KINDS, export_artifact
from quantize.export.common import torch_logits
from quantize.export.twin import ExportTwin
from quantize.models.claf_ser import CLAFSER
from quantize.training.recipe import load_recipe

FP32 = [kind for kind in KINDS if kind.endswith("fp32")]
BITS = {"fp32": 32, "fp16": 16, "int8": 8, "int4": 4}
INT8 = [kind for kind in KINDS if kind.endswith("int8")]


def posterior(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def models() -> dict[str, CLAFSER]:
    return {name: random_model(config) for name, config in SIZES.items()}


@pytest.fixture(scope="module")
def artifacts(
    models: dict[str, CLAFSER], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], Artifact]:
    folder = tmp_path_factory.mktemp("exports")
    return {
        (size, kind): export_artifact(kind, model, facts(), folder / size / kind)
        for size, model in models.items()
        for kind in KINDS
    }


@pytest.fixture(scope="module")
def backends(artifacts: dict[tuple[str, str], Artifact]) -> dict[tuple[str, str], Session]:
    return {key: open_model(read_artifact(a.path)).session() for key, a in artifacts.items()}


# -- the same model ----------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_twin_is_the_model(models: dict[str, CLAFSER], size: str) -> None:
    model = models[size]
    twin = ExportTwin(model)
    features, languages = torch.from_numpy(rows(5, 23)), torch.arange(5)
    with torch.inference_mode():
        wanted = model(features, languages).logits
        torch.testing.assert_close(twin(features, languages), wanted, atol=1e-5, rtol=0)


def test_twin_keeps_its_own_weights() -> None:
    model = random_model(SIZES["odd"])
    twin = ExportTwin(model)
    features, language = torch.from_numpy(rows(1, 9)), torch.tensor([4])
    with torch.inference_mode():
        before = twin(features, language)
        for parameter in model.parameters():
            parameter.zero_()
        assert torch.equal(twin(features, language), before)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", FP32)
@pytest.mark.parametrize("n_frames", [1, 3, 16, 61, 126])
def test_fp32_equals_torch(
    models: dict[str, CLAFSER],
    backends: dict[tuple[str, str], Session],
    size: str,
    kind: str,
    n_frames: int,
) -> None:
    for n_batch, language in ((1, 4), (3, 1)):
        features = rows(n_batch, n_frames)
        logits = backends[size, kind].infer(features, language)
        assert logits.shape == (n_batch, 8)
        assert logits.dtype == np.float32
        wanted = posterior(torch_logits(models[size], features, language))
        assert np.abs(posterior(logits) - wanted).max() <= 1e-4


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", INT8)
def test_int8_names_the_same_label(
    models: dict[str, CLAFSER], backends: dict[tuple[str, str], Session], size: str, kind: str
) -> None:
    features = rows(150, 31)
    wanted = torch_logits(models[size], features, 4)
    # One at a time: dynamic quantization takes one range for a whole batch.
    logits = np.concatenate([backends[size, kind].infer(row[None], 4) for row in features])
    assert len(set(wanted.argmax(axis=1))) > 1, "the labels must depend on the input"
    # Where the model is torn between two labels, rounding may choose the other.
    ordered = np.sort(posterior(wanted), axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 0.05
    assert clear.mean() > 0.5
    assert np.array_equal(logits.argmax(axis=1)[clear], wanted.argmax(axis=1)[clear])
    assert np.abs(posterior(logits) - posterior(wanted)).max() < 0.1


def test_int8_differs_from_fp32(backends: dict[tuple[str, str], Session]) -> None:
    """Else the tests above would not see a recipe that rounds nothing."""
    for runtime in ("numpy", "onnx", "tflite", "torchscript"):
        fp32 = backends["default", f"{runtime}-fp32"].infer(rows(1, 16), 4)
        int8 = backends["default", f"{runtime}-int8"].infer(rows(1, 16), 4)
        assert not np.allclose(fp32, int8, atol=1e-4)


MOST_BYTES = {"fp16": 960_000, "int8": 530_000, "int4": 300_000}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.endswith("fp32")])
def test_default_size_fits(artifacts: dict[tuple[str, str], Artifact], kind: str) -> None:
    artifact = artifacts["default", kind]
    most = MOST_BYTES[kind.rpartition("-")[2]]
    assert artifact.manifest.model_bytes <= most
    assert sum(f.stat().st_size for f in artifact.path.iterdir()) <= most + 10_000


@pytest.mark.parametrize("kind", INT8)
def test_tiny_student_fits_in_100_kb(kind: str, tmp_path: Path) -> None:
    recipe = load_recipe("claf-ser-tiny")
    spec, model = recipe.feature_spec(), random_model(recipe.config())
    about = dataclasses.replace(facts(), spec=spec)
    if recipe.knows_references:
        reference = VoiceReference((0.0,) * spec.n_features, 3.0)
        about = dataclasses.replace(about, voice_reference=reference)
    artifact = export_artifact(kind, model, about, tmp_path)
    assert artifact.manifest.model_bytes <= 100_000


@pytest.mark.parametrize("size", SIZES)
def test_fp16_and_int4_stay_near_torch(
    models: dict[str, CLAFSER], backends: dict[tuple[str, str], Session], size: str
) -> None:
    """Drawn weights are harder to round than trained ones, and 5 units hold little."""
    features = rows(40, 31)
    wanted = posterior(torch_logits(models[size], features, 4))
    for kind, most in (("onnx-fp16", 0.01), ("numpy-int4", 0.5)):
        found = posterior(
            np.concatenate([backends[size, kind].infer(row[None], 4) for row in features])
        )
        assert 1e-6 < np.abs(found - wanted).max() < most


# -- the manifest ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_manifest_says_what_it_is(artifacts: dict[tuple[str, str], Artifact], kind: str) -> None:
    manifest = read_artifact(artifacts["small", kind].path).manifest
    config = SIZES["small"]
    assert manifest.backend == kind.partition("-")[0]
    assert manifest.quantization.weight_bits == BITS[kind.rpartition("-")[2]]
    assert manifest.architecture.hidden == config.hidden
    assert manifest.architecture.conv_kernel == config.conv_kernel
    assert manifest.corpora == ("ravdess", "savee", "emo-db", "tess", "unknown")
    assert manifest.corpus_id() == config.unknown_language == manifest.reference.corpus
    assert manifest.labels[0] == "neutral"
    assert manifest.labels[7] == "surprised"
    assert manifest.training["split"] == "paper"
    assert (manifest.window_frames, manifest.window_hop) == (61, 16)
    assert manifest.feature_spec == FeatureSpec()
    # Exactly the float32 numbers of training, in decimals that people can read.
    assert np.array_equal(manifest.mean, facts().mean)
    assert manifest.normalisation.std[0] == 0.1
    assert len(manifest.reference.features) == 16
    assert all(round(v, 4) == v for row in manifest.reference.features for v in row)


@pytest.mark.parametrize("kind", KINDS)
def test_reference_is_the_artifacts_own(
    artifacts: dict[tuple[str, str], Artifact],
    backends: dict[tuple[str, str], Session],
    kind: str,
) -> None:
    for size in SIZES:
        manifest = artifacts[size, kind].manifest
        assert reference_difference(backends[size, kind], manifest) <= 1e-5
        assert max(posterior(np.array(manifest.reference.logits))) < 0.9


def test_every_recipe_has_a_name_of_its_own() -> None:
    assert len({kind.recipe for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_same_checkpoint_same_bytes(
    artifacts: dict[tuple[str, str], Artifact], tmp_path: Path, kind: str
) -> None:
    first = artifacts["odd", kind]
    second = export_artifact(kind, random_model(SIZES["odd"]), facts(), tmp_path)
    assert first.manifest == second.manifest
    assert first.read_model() == second.read_model()


def test_facts_reach_the_manifest(tmp_path: Path) -> None:
    entry = {"split": "paper", "metric": "accuracy", "value": 0.5, "n": 10, "command": "c",
             "commit": "d", "language": "unknown"}  # fmt: skip
    given = facts(accuracy=[entry], temperature=1.5, window_frames=30, window_hop=8)
    manifest = export_artifact("numpy-fp32", random_model(SIZES["odd"]), given, tmp_path).manifest
    assert manifest.accuracy == (entry,)
    assert (manifest.temperature, manifest.window_frames, manifest.window_hop) == (1.5, 30, 8)


def test_exporting_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    model = random_model(SIZES["odd"]).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for kind in KINDS:
        export_artifact(kind, model, facts(), tmp_path / kind)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
