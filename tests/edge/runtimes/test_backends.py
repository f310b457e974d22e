"""Opening a backend, and the NumPy runtime against a slow float64 CLAF-SER."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifact_fakes import TINY, UNKNOWN, draw_weights, manifest_fields, pack, rows, session_of
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.artifact import Artifact, read_artifact, write_artifact
from edge.artifact.seal import SEAL
from edge.bundled import MODELS_DIR
from edge.errors import ArtifactError, BackendError, MissingDependencyError, ParameterError
from edge.models.claf_ser import ClafSerSizes
from edge.runtimes.base import Session
from edge.runtimes.open import open_model
from edge.runtimes.registry import RUNTIMES


def posterior(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def claf_ser(
    weights: dict[str, np.ndarray], sizes: ClafSerSizes, features: np.ndarray, language: int
) -> np.ndarray:
    """One example, equation by equation, in float64 and without a trick."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    x, n = features.astype(np.float64), sizes.hidden

    def sigmoid(values: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-values))

    def lstm(sequence: np.ndarray, direction: int) -> np.ndarray:
        h, c, states = np.zeros(n), np.zeros(n), []
        for row in sequence:
            sums = w["lstm.weight_ih"][direction] @ row + w["lstm.weight_hh"][direction] @ h
            i, f, g, o = np.split(sums + w["lstm.bias"][direction], 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            states.append(h)
        return np.array(states)

    h = np.concatenate([lstm(x, 0), lstm(x[::-1], 1)[::-1]], axis=1)
    query = h @ w["attention.query.weight"].T + w["attention.query.bias"]
    key = h @ w["attention.key.weight"].T
    value = h @ w["attention.value.weight"].T + w["attention.value.bias"]
    attended = []
    for q, k, v in zip(
        *(np.split(part, sizes.n_heads, axis=1) for part in (query, key, value)), strict=True
    ):
        attended.append(posterior(q @ k.T / np.sqrt(q.shape[1])) @ v)
    z = np.concatenate(attended, axis=1) @ w["attention.output.weight"].T
    pooled = (z + w["attention.output.bias"]).mean(axis=0)
    half = sizes.conv_kernel // 2
    padded = np.pad(x, ((half, half), (0, 0)))
    convolved = [
        np.einsum("cfk,kf->c", w["conv.weight"], padded[t : t + sizes.conv_kernel])
        for t in range(len(x))
    ]
    phonetic = np.maximum(np.array(convolved) + w["conv.bias"], 0).mean(axis=0)
    final = np.concatenate([pooled + w["language.weight"][language], phonetic])
    hidden = w["fc1.weight"] @ final + w["fc1.bias"]
    hidden = (hidden - hidden.mean()) / np.sqrt(hidden.var() + 1e-5)
    hidden = np.maximum(hidden * w["norm.weight"] + w["norm.bias"], 0)
    return w["fc2.weight"] @ hidden + w["fc2.bias"]


@pytest.fixture(scope="module")
def tiny() -> Session:
    return session_of()


# -- opening -----------------------------------------------------------------------------


def test_artifact_chooses_its_backend(tiny_artifact: Artifact) -> None:
    for name in (None, "numpy"):
        model = open_model(tiny_artifact, name)
        assert model.name == "numpy"
        assert model.session().infer(rows(1, 61), UNKNOWN).shape == (1, 8)


def test_unknown_backend_lists_the_known(tiny_artifact: Artifact) -> None:
    known = ", ".join(RUNTIMES)
    with pytest.raises(ParameterError, match=f"'cuda', one of {known} is wanted"):
        open_model(tiny_artifact, "cuda")


def test_session_of_another_artifact(tiny_artifact: Artifact) -> None:
    with pytest.raises(
        ArtifactError, match="exported for backend 'numpy' and cannot run on 'onnx'"
    ):
        open_model(tiny_artifact, "onnx")


def test_artifact_for_a_backend_that_is_not_built_in(
    tiny_artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(RUNTIMES, "torchscript")
    manifest = dataclasses.replace(tiny_artifact.manifest, backend="torchscript")
    with pytest.raises(BackendError, match="needs backend 'torchscript', this edge-ser has numpy"):
        open_model(dataclasses.replace(tiny_artifact, manifest=manifest))


def test_missing_runtime_names_its_own_package(
    tiny_artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = dataclasses.replace(tiny_artifact.manifest, backend="onnx", model_file="model.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingDependencyError, match=r"pip install onnxruntime$"):
        open_model(dataclasses.replace(tiny_artifact, manifest=manifest))


def test_bytes_that_are_no_onnx(tiny_artifact: Artifact) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(BackendError, match=r"onnxruntime .* cannot load the model"):
        RUNTIMES["onnx"].load(tiny_artifact.manifest, b"")


def test_reference_that_is_not_reached(tmp_path: Path, tiny_artifact: Artifact) -> None:
    shutil.copytree(tiny_artifact.path, tmp_path / "a")
    path = tmp_path / "a" / "manifest.json"
    fields = json.loads(path.read_text())
    fields["reference"]["logits"][3] += 0.01
    del fields[SEAL]
    path.write_text(json.dumps(fields))
    with pytest.raises(ArtifactError, match=r"away from its reference .* at most 0.0001"):
        open_model(read_artifact(tmp_path / "a"))
    fields["reference"]["tolerance"] = 0.01
    path.write_text(json.dumps(fields))
    open_model(read_artifact(tmp_path / "a"))


def test_model_that_overflows_is_refused(tmp_path: Path) -> None:
    """Finite weights whose logits are not: caught when it is opened, not on the street."""
    weights = draw_weights(TINY)
    weights["fc2.weight"][:] = weights["norm.bias"][:] = 3e38
    artifact = write_artifact(tmp_path / "a", manifest_fields(), pack(weights))
    with pytest.raises(ArtifactError, match="posterior inf away from its reference"):
        open_model(artifact)


def test_opening_numpy_imports_no_runtime(tiny_artifact: Artifact) -> None:
    script = (
        "import sys\n"
        "for name in ('ai_edge_litert', 'onnxruntime', 'tflite_runtime', 'torch', 'onnx'):\n"
        "    sys.modules[name] = None\n"
        "from edge.artifact import read_artifact\n"
        "from edge.runtimes.open import open_model\n"
        f"open_model(read_artifact({str(tiny_artifact.path)!r})).session()\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


# -- what infer refuses ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("features", "match"),
    [
        (rows(1, 5).astype(np.float64), "features are float64, a float32 array is wanted"),
        (rows(1, 5).tolist(), "features are list, a float32 array"),
        (rows(1, 5)[0], r"shape \(5, 34\), \(batch, time, 34\)"),
        (rows(1, 5)[..., :33], r"shape \(1, 5, 33\)"),
        (rows(1, 5)[:, :0], r"shape \(1, 0, 34\)"),
        (rows(1, 5)[:0], r"shape \(0, 5, 34\)"),
    ],
)
def test_refused_features(tiny: Session, features: Any, match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        tiny.infer(features, UNKNOWN)


@pytest.mark.parametrize(
    ("language", "match"),
    [(5, "corpus is 5, 0 to 4"), (-1, "is -1, 0 to 4"), (True, "is True"), ("ravdess", "whole")],
)
def test_refused_language(tiny: Session, language: Any, match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        tiny.infer(rows(1, 5), language)


# -- the forward pass --------------------------------------------------------------------

SIZES = [
    TINY,
    dataclasses.replace(TINY, hidden=32, n_heads=2, conv_channels=8, conv_kernel=5),
    dataclasses.replace(TINY, hidden=3, n_heads=1, conv_channels=1, conv_kernel=1, classifier=2),
    dataclasses.replace(TINY, hidden=6, n_heads=4, conv_kernel=9, classifier=5),
]


@pytest.mark.parametrize("sizes", SIZES, ids=lambda s: f"h{s.hidden}k{s.conv_kernel}")
@pytest.mark.parametrize("n_frames", [1, 2, 3, 16, 61])
@pytest.mark.parametrize("n_batch", [1, 3])
def test_equations(sizes: ClafSerSizes, n_frames: int, n_batch: int) -> None:
    weights, features = draw_weights(sizes), rows(n_batch, n_frames)
    logits = session_of(sizes, weights).infer(features, 2)
    assert logits.dtype == np.float32
    assert logits.shape == (n_batch, 8)
    wanted = [claf_ser(weights, sizes, example, 2) for example in features]
    assert np.abs(posterior(logits) - posterior(np.array(wanted))).max() < 1e-5


@pytest.mark.parametrize("n_batch", [1, 2, 16, 17, 40])
def test_a_batch_is_its_examples(tiny: Session, n_batch: int) -> None:
    features = rows(n_batch, 9)
    alone = [tiny.infer(features[k : k + 1], 0)[0] for k in range(n_batch)]
    np.testing.assert_allclose(tiny.infer(features, 0), alone, atol=2e-6)


@settings(max_examples=25, deadline=None)
@given(
    order=st.lists(
        st.tuples(st.integers(1, 3), st.integers(1, 12), st.integers(0, 4)), min_size=1, max_size=6
    )
)
def test_nothing_is_kept_between_calls(order: list[tuple[int, int, int]]) -> None:
    used = session_of()
    for n_batch, n_frames, language in order:
        features = rows(n_batch, n_frames)
        expected = session_of().infer(features, language)
        assert np.array_equal(used.infer(features, language), expected)


def test_onnx_is_told_the_language_and_the_batch_of_every_call() -> None:
    pytest.importorskip("onnxruntime")
    model = open_model(read_artifact(MODELS_DIR / "claf-ser-tiny-onnx"), "onnx")
    used, features = model.session(), np.resize(rows(1, 9), (2, 9, 35))
    calls = [(1, 0), (1, 2), (2, 2), (2, 0), (1, 0)]
    logits = [used.infer(features[:n_batch], language) for n_batch, language in calls]
    for found, (n_batch, language) in zip(logits, calls, strict=True):
        wanted = model.session().infer(features[:n_batch], language)
        np.testing.assert_array_equal(found, wanted)
    assert not np.array_equal(logits[0], logits[1])


def test_onnx_sessions_that_take_turns_answer_as_alone() -> None:
    pytest.importorskip("onnxruntime")
    model = open_model(read_artifact(MODELS_DIR / "claf-ser-tiny-onnx"), "onnx")
    # Of one shape several in a row, each with other features and mostly another corpus.
    calls = [
        (np.resize(rows(n_batch, n_frames, seed), (n_batch, n_frames, 35)), corpus)
        for n_batch, n_frames in ((1, 61), (1, 7), (2, 61))
        for seed, corpus in enumerate((1, 1, 5, 1, 0))
    ]
    wanted = [model.session().infer(*call) for call in calls]
    sessions = [model.session() for _ in range(3)]
    found = [session.infer(*call) for _ in range(2) for session in sessions for call in calls]
    # Compared at the end: no answer may be written over by the calls that follow.
    for index, logits in enumerate(found):
        np.testing.assert_array_equal(logits, wanted[index % len(wanted)])
    assert len({each.tobytes() for each in wanted}) == len(wanted)


def test_result_is_not_overwritten_by_the_next_call(tiny: Session) -> None:
    features = rows(1, 7)
    before = features.copy()
    first = tiny.infer(features, UNKNOWN)
    kept = first.copy()
    tiny.infer(rows(1, 7, seed=1), UNKNOWN)
    assert np.array_equal(first, kept)
    assert np.array_equal(features, before)


def test_strided_and_read_only_features(tiny: Session) -> None:
    wide = rows(2, 20)
    view = wide[:, ::2]
    view.flags.writeable = False
    assert np.array_equal(tiny.infer(view, 1), tiny.infer(view.copy(), 1))


@pytest.mark.parametrize("scale", [0.0, 1e-38, 1e3, 1e6, 3e37])
def test_extreme_rows_stay_finite_without_a_warning(tiny: Session, scale: float) -> None:
    features = rows(1, 12) * np.float32(scale / 4)
    logits = tiny.infer(features, UNKNOWN)
    assert np.isfinite(logits).all()


def test_language_matters(tiny: Session) -> None:
    logits = [tiny.infer(rows(1, 7), language) for language in range(5)]
    assert all(np.abs(a - logits[4]).max() > 1e-3 for a in logits[:4])
