"""Every kind of artifact computes what torch computes, and says what it is."""

from __future__ import annotations

import dataclasses
import io
import logging
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from edge.artifact import Artifact, read_artifact
from edge.backends import Backend, open_backend
from edge.backends.base import reference_difference
from edge.errors import ArtifactError, BackendError, MissingDependencyError, ParameterError
from edge.feature_spec import FeatureSpec
from quantize.export import KINDS, ExportFacts, export_artifact
from quantize.export.common import torch_logits
from quantize.export.numpy import pack_weights, quantize_rows, weights_of
from quantize.models.claf_ser import CLAFSER, ClafSerConfig
from quantize.models.twin import ExportTwin

SIZES = {
    "default": ClafSerConfig(),
    "small": ClafSerConfig(hidden=32, n_heads=2, conv_channels=8, conv_kernel=5, classifier=24),
    "odd": ClafSerConfig(hidden=5, n_heads=2, conv_channels=1, conv_kernel=1, classifier=3),
}
FP32 = [kind for kind in KINDS if kind.endswith("fp32")]
INT8 = [kind for kind in KINDS if kind.endswith("int8")]


def random_model(config: ClafSerConfig, seed: int = 0) -> CLAFSER:
    """Draw weights large enough that labels depend on the input."""
    torch.manual_seed(seed)
    model = CLAFSER(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith(("lstm", "attention", "language", "fc")):
                parameter.mul_(2.5)
        model.norm.bias.normal_(std=0.3)
        model.norm.weight.add_(torch.randn_like(model.norm.weight) * 0.3)
    return model


def facts(**changes: object) -> ExportFacts:
    generator = np.random.default_rng(3)
    settings: dict[str, object] = {
        "name": "a model",
        "spec": FeatureSpec(),
        "mean": generator.standard_normal(34).astype(np.float32),
        "std": np.full(34, 0.1, dtype=np.float32),
        "training": {"corpora": ["tess"], "split": "paper", "seed": 0, "commit": "abc"},
        "licence": "CC-BY-NC-SA-4.0",
    }
    return ExportFacts(**{**settings, **changes})  # type: ignore[arg-type]


def rows(n_batch: int, n_frames: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng((seed, n_batch, n_frames))
    return generator.standard_normal((n_batch, n_frames, 34)).astype(np.float32)


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
def backends(artifacts: dict[tuple[str, str], Artifact]) -> dict[tuple[str, str], Backend]:
    return {key: open_backend(read_artifact(a.path)) for key, a in artifacts.items()}


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
    backends: dict[tuple[str, str], Backend],
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
    models: dict[str, CLAFSER], backends: dict[tuple[str, str], Backend], size: str, kind: str
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


def test_int8_differs_from_fp32(backends: dict[tuple[str, str], Backend]) -> None:
    """Else the tests above would not see a recipe that rounds nothing."""
    for runtime in ("numpy", "onnx"):
        fp32 = backends["default", f"{runtime}-fp32"].infer(rows(1, 16), 4)
        int8 = backends["default", f"{runtime}-int8"].infer(rows(1, 16), 4)
        assert not np.allclose(fp32, int8, atol=1e-4)


@pytest.mark.parametrize("kind", INT8)
def test_int8_of_the_default_size_fits(
    artifacts: dict[tuple[str, str], Artifact], kind: str
) -> None:
    artifact = artifacts["default", kind]
    assert sum(f.stat().st_size for f in artifact.path.iterdir()) <= 540_000
    assert artifact.manifest.model_bytes <= 530_000


# -- the manifest ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_manifest_says_what_it_is(artifacts: dict[tuple[str, str], Artifact], kind: str) -> None:
    manifest = read_artifact(artifacts["small", kind].path).manifest
    config = SIZES["small"]
    assert manifest.backend == kind.partition("-")[0]
    assert manifest.quantization.weight_bits == (8 if kind.endswith("int8") else 32)
    assert manifest.architecture.hidden == config.hidden
    assert manifest.architecture.conv_kernel == config.conv_kernel
    assert manifest.languages == ("ravdess", "savee", "emo-db", "tess", "unknown")
    assert manifest.language_id() == config.unknown_language == manifest.reference.language
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
    backends: dict[tuple[str, str], Backend],
    kind: str,
) -> None:
    for size in SIZES:
        manifest = artifacts[size, kind].manifest
        assert reference_difference(backends[size, kind], manifest) <= 1e-5
        assert max(posterior(np.array(manifest.reference.logits))) < 0.9


def test_every_recipe_has_a_name_of_its_own() -> None:
    assert len({kind.recipe for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_same_checkpoint_same_bytes(tmp_path: Path, kind: str) -> None:
    first, second = (
        export_artifact(kind, random_model(SIZES["odd"]), facts(), tmp_path / name)
        for name in ("a", "b")
    )
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


# -- the files ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["onnx-fp32", "onnx-int8"])
def test_onnx_is_what_old_runtimes_load(
    artifacts: dict[tuple[str, str], Artifact], kind: str
) -> None:
    graph = onnx.load_from_string(artifacts["default", kind].read_model())
    assert graph.ir_version <= 8
    versions = {entry.domain: entry.version for entry in graph.opset_import}
    assert versions.pop("") == 17
    assert set(versions) <= {"ai.onnx.ml", "com.microsoft"}
    operators = {node.op_type for node in graph.graph.node}
    assert "ConvInteger" not in operators
    assert ("DynamicQuantizeLSTM" in operators) == (kind == "onnx-int8")
    assert not {"Loop", "Scan"} & operators


def test_onnx_int8_cannot_saturate_16_bits(artifacts: dict[tuple[str, str], Artifact]) -> None:
    """Two products of a weight and an activation (0 to 255) fit a signed 16-bit sum."""
    graph = onnx.load_from_string(artifacts["default", "onnx-int8"].read_model())
    weights = [
        onnx.numpy_helper.to_array(entry)
        for entry in graph.graph.initializer
        if entry.data_type == onnx.TensorProto.INT8 and len(entry.dims) > 1
    ]
    n_weights = sum(w.size for w in weights)
    assert n_weights > 460_000
    assert max(int(np.abs(w.astype(np.int16)).max()) for w in weights) * 255 * 2 < 2**15


def test_onnx_uses_one_thread_and_does_not_spin(
    backends: dict[tuple[str, str], Backend],
) -> None:
    options = backends["odd", "onnx-fp32"]._session.get_session_options()  # type: ignore[attr-defined]
    assert options.intra_op_num_threads == options.inter_op_num_threads == 1
    for pool in ("intra", "inter"):
        assert options.get_session_config_entry(f"session.{pool}_op.allow_spinning") == "0"


def test_onnx_backend_checks_names_and_input(
    artifacts: dict[tuple[str, str], Artifact], backends: dict[tuple[str, str], Backend]
) -> None:
    with pytest.raises(ParameterError, match=r"shape \(1, 5, 33\)"):
        backends["odd", "onnx-fp32"].infer(rows(1, 5)[..., :33], 4)
    artifact = artifacts["odd", "onnx-fp32"]
    language = dataclasses.replace(artifact.manifest.inputs[1], dtype="int32")
    inputs = (artifact.manifest.inputs[0], language)
    manifest = dataclasses.replace(artifact.manifest, inputs=inputs)
    with pytest.raises(ArtifactError, match=r"model.onnx: the model's inputs are .*int64"):
        open_backend(dataclasses.replace(artifact, manifest=manifest))


def test_int8_rounds_within_half_a_step() -> None:
    weight = np.random.default_rng(0).standard_normal((2, 5, 7)).astype(np.float32)
    weight[0, 0] = 0
    whole, scale = quantize_rows(weight)
    assert whole.dtype == np.int8
    assert scale.shape == (2, 5)
    error = np.abs(whole * scale[..., None] - weight)
    assert (error <= scale[..., None] * 0.5001).all()
    assert np.abs(whole).max(axis=-1).ravel().tolist() == [0] + [127] * 9


def test_npz_holds_no_time_and_no_pickle(models: dict[str, CLAFSER]) -> None:
    content = pack_weights(weights_of(models["odd"]), 8)
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        assert stored["lstm.weight_hh:int8"].dtype == np.int8
        assert stored["lstm.weight_hh:scale"].dtype == np.float32
        assert stored["conv.weight"].dtype == np.float32
    with pytest.raises(ParameterError, match="bits is 4, 8 or 32 is wanted"):
        pack_weights({}, 4)


# -- refusals ----------------------------------------------------------------------------


def test_unknown_kind_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="'tflite-int4', one of numpy-fp32, numpy-int8, onnx"):
        export_artifact("tflite-int4", random_model(SIZES["odd"]), facts(), tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_are_not_finite(tmp_path: Path, kind: str) -> None:
    model = random_model(SIZES["odd"])
    with torch.no_grad():
        model.lstm.weight_hh_l0[0, 0] = float("nan")
    with pytest.raises(ParameterError, match=r"weight lstm.weight_hh_l0 .* not finite"):
        export_artifact(kind, model, facts(), tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("config", "match"),
    [
        (ClafSerConfig(hidden=4, n_features=33), "has 33 features, 34 are wanted"),
        (ClafSerConfig(hidden=4, n_labels=7), "has 7 labels, 8 are wanted"),
        (ClafSerConfig(hidden=4, n_domains=3), "has 4 language rows, 5 are wanted"),
    ],
)
def test_sizes_that_do_not_fit(tmp_path: Path, config: ClafSerConfig, match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        export_artifact("numpy-fp32", CLAFSER(config), facts(), tmp_path / "a")


def test_export_that_computes_something_else_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = random_model(SIZES["odd"])
    export_artifact("numpy-fp32", model, facts(), tmp_path / "a")
    before = (tmp_path / "a" / "manifest.json").read_bytes()
    other = dataclasses.replace(
        KINDS["numpy-fp32"],
        build=lambda _: pack_weights(weights_of(random_model(SIZES["odd"], seed=1)), 32),
    )
    monkeypatch.setitem(KINDS, "numpy-fp32", other)
    with pytest.raises(BackendError, match=r"away from torch, at most 0.0001 .* nothing was"):
        export_artifact("numpy-fp32", model, facts(), tmp_path / "a")
    assert (tmp_path / "a" / "manifest.json").read_bytes() == before


def test_bad_facts_write_nothing(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"normalisation.std holds 0.0"):
        export_artifact(
            "numpy-fp32", random_model(SIZES["odd"]), facts(std=np.zeros(34)), tmp_path / "a"
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("package", ["onnx", "onnxruntime.quantization"])
def test_missing_package_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(MissingDependencyError, match=r'pip install "edge-ser\[workstation\]"'):
        export_artifact("onnx-int8", random_model(SIZES["odd"]), facts(), tmp_path / "a")


def test_exporters_are_quiet_and_leave_logging_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    export_artifact("onnx-int8", random_model(SIZES["odd"]), facts(), tmp_path / "a")
    assert root.handlers == []
    assert root.manager.disable == logging.NOTSET
    assert capfd.readouterr() == ("", "")
