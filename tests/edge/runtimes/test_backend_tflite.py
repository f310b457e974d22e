"""The TensorFlow Lite runtime against the NumPy one on the same drawn weights."""

from __future__ import annotations

import dataclasses
import os
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifact_fakes import TINY, draw_weights, manifest_fields, pack
from runtime_fakes import REPOSITORY, run_cli

from edge.artifact import Artifact, Manifest, read_artifact, write_artifact
from edge.errors import ArtifactError, BackendError, MissingDependencyError, ParameterError
from edge.runtimes.base import Session
from edge.runtimes.numpy.model import NumpyModel
from edge.runtimes.open import open_model
from edge.runtimes.registry import RUNTIMES
from edge.runtimes.tflite import _without_notices

interpreter = pytest.importorskip("ai_edge_litert.interpreter")

UNKNOWN = 4


def rows(n_batch: int, n_frames: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng((seed, n_batch, n_frames))
    return generator.standard_normal((n_batch, n_frames, 34)).astype(np.float32)


def fields_of_tflite() -> dict[str, Any]:
    """Fill in a manifest: one segment at a time, and a language of 32 bits."""
    fields = manifest_fields(backend="tflite", model_file="model.tflite")
    fields["inputs"][0]["shape"][0] = fields["outputs"][0]["shape"][0] = 1
    fields["inputs"][1] |= {"shape": [1], "dtype": "int32"}
    return fields


def model_bytes(weights: str = "fp32") -> bytes:
    from quantize.export.tflite.kind import claf_ser_graph

    return claf_ser_graph(draw_weights(TINY), TINY.n_heads, weights)


@pytest.fixture(scope="module")
def numpy_session() -> Session:
    return NumpyModel(Manifest.from_dict(manifest_fields()), pack(draw_weights(TINY))).session()


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory, numpy_session: Session) -> Artifact:
    fields = fields_of_tflite()
    reference = fields["reference"]
    features = np.array(reference["features"], dtype=np.float32)[None]
    reference["logits"] = numpy_session.infer(features, reference["language"])[0].tolist()
    return write_artifact(tmp_path_factory.mktemp("tflite") / "a", fields, model_bytes())


@pytest.fixture(scope="module")
def session(artifact: Artifact) -> Session:
    return open_model(read_artifact(artifact.path)).session()


@pytest.fixture
def manifest(artifact: Artifact) -> Manifest:
    return artifact.manifest


# -- what it computes --------------------------------------------------------------------


@pytest.mark.parametrize("n_frames", [1, 2, 16, 61, 62, 126])
@pytest.mark.parametrize("n_batch", [1, 3])
def test_same_logits_as_numpy(
    session: Session, numpy_session: Session, n_batch: int, n_frames: int
) -> None:
    features = rows(n_batch, n_frames)
    for language in (0, UNKNOWN):
        logits = session.infer(features, language)
        assert logits.dtype == np.float32
        np.testing.assert_allclose(logits, numpy_session.infer(features, language), atol=2e-5)


@pytest.mark.parametrize("weights", ["fp32", "fp16", "int8"])
def test_nothing_is_kept_between_calls(manifest: Manifest, weights: str) -> None:
    """The LSTM's variables outlive an invocation, and the buffers a change of length."""
    content = model_bytes(weights)
    segments = [rows(1, n_frames, seed) for seed in range(2) for n_frames in (61, 9, 126, 1, 9)]
    model = RUNTIMES["tflite"].load(manifest, content)
    alone = [model.session().infer(s, UNKNOWN) for s in segments]
    used = model.session()
    order = np.random.default_rng(0).permutation(np.repeat(np.arange(len(segments)), 2))
    for index in [*range(len(segments)), *order]:
        assert np.array_equal(used.infer(segments[index], UNKNOWN), alone[index])
    together = used.infer(np.concatenate([s for s in segments if s.shape[1] == 9]), UNKNOWN)
    assert np.array_equal(together, np.concatenate([alone[k] for k in (1, 4, 6, 9)]))


def test_result_is_not_overwritten_by_the_next_call(session: Session) -> None:
    features = rows(1, 7)
    first = session.infer(features, UNKNOWN)
    kept = first.copy()
    session.infer(rows(1, 7, seed=1), UNKNOWN)
    assert np.array_equal(first, kept)


def test_strided_and_read_only_features(session: Session) -> None:
    view = rows(2, 20)[:, ::2]
    view.flags.writeable = False
    assert np.array_equal(session.infer(view, 1), session.infer(view.copy(), 1))


def test_refused_input(session: Session) -> None:
    with pytest.raises(ParameterError, match=r"shape \(1, 5, 33\)"):
        session.infer(rows(1, 5)[..., :33], UNKNOWN)
    with pytest.raises(ParameterError, match="corpus is 5, 0 to 4 is wanted"):
        session.infer(rows(1, 5), 5)


def test_one_thread(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Spy(interpreter.Interpreter):  # type: ignore[name-defined,misc]
        def __init__(self, **settings: Any) -> None:
            asked.append(settings["num_threads"])
            super().__init__(**settings)

    monkeypatch.setattr(interpreter, "Interpreter", Spy)
    RUNTIMES["tflite"].load(manifest, model_bytes()).session().infer(rows(1, 5), UNKNOWN)
    assert asked
    assert set(asked) == {1}


# -- files that are something else -------------------------------------------------------


def test_file_that_was_damaged(artifact: Artifact, tmp_path: Path) -> None:
    content = bytearray(artifact.read_model())
    content[len(content) // 2] ^= 1
    copy = write_artifact(tmp_path / "a", artifact.manifest.to_dict(), artifact.read_model())
    copy.model_path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"model\.tflite"):
        open_model(read_artifact(copy.path))


@pytest.mark.parametrize(
    "content",
    [b"", b"not a model", pack(draw_weights(TINY)), model_bytes()[:-40], model_bytes()[:5000]],
    ids=["empty", "text", "numpy", "short", "half"],
)
def test_bytes_that_are_no_model(manifest: Manifest, content: bytes) -> None:
    with pytest.raises(BackendError, match=r"^ai-edge-litert cannot load the model: [^\n]+$"):
        RUNTIMES["tflite"].load(manifest, content)


def test_model_that_is_not_the_manifests(artifact: Artifact) -> None:
    language = dataclasses.replace(artifact.manifest.inputs[1], dtype="int64")
    features = dataclasses.replace(artifact.manifest.inputs[0], shape=(None, None, 34))
    for inputs in (
        (artifact.manifest.inputs[0], language),
        (features, artifact.manifest.inputs[1]),
    ):
        other = dataclasses.replace(artifact.manifest, inputs=inputs)
        with pytest.raises(ArtifactError, match=r"model.tflite: the model's inputs are .*int32"):
            open_model(dataclasses.replace(artifact, manifest=other))
    logits = dataclasses.replace(artifact.manifest.outputs[0], shape=(1, 9))
    other = dataclasses.replace(artifact.manifest, outputs=(logits,))
    with pytest.raises(ArtifactError, match=r"the model's outputs are .*\[1, 8\]"):
        open_model(dataclasses.replace(artifact, manifest=other))


def test_other_weights_are_not_the_reference(artifact: Artifact, tmp_path: Path) -> None:
    from quantize.export.tflite.kind import claf_ser_graph

    other = claf_ser_graph(draw_weights(TINY, seed=1), TINY.n_heads, "fp32")
    with pytest.raises(ArtifactError, match="away from its reference"):
        open_model(write_artifact(tmp_path / "a", artifact.manifest.to_dict(), other))


# -- runtimes that are missing or fail ---------------------------------------------------


def fake_runtime(monkeypatch: pytest.MonkeyPatch, interpreter_class: Any) -> None:
    """Let there be tflite-runtime alone."""
    module = types.ModuleType("tflite_runtime.interpreter")
    module.Interpreter = interpreter_class  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setitem(sys.modules, "tflite_runtime", types.ModuleType("tflite_runtime"))
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", module)


def test_no_runtime_names_its_own_package(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ai_edge_litert.interpreter", "tflite_runtime", "tflite_runtime.interpreter"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingDependencyError, match=r"pip install ai-edge-litert$"):
        RUNTIMES["tflite"].load(manifest, b"")


def test_tflite_runtime_is_the_second_choice(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_runtime(monkeypatch, interpreter.Interpreter)
    content = model_bytes()
    session = RUNTIMES["tflite"].load(manifest, content).session()
    assert session.infer(rows(1, 5), UNKNOWN).shape == (1, 8)
    with pytest.raises(BackendError, match=r"^tflite-runtime cannot load the model: "):
        RUNTIMES["tflite"].load(manifest, b"not a model")


def test_tflite_runtime_beside_a_newer_numpy(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The import succeeds, the first interpreter does not, after pages on standard error."""

    def fail(**_: Any) -> None:
        os.write(2, b"A module that was compiled using NumPy 1.x cannot be run in\nNumPy 2\n")
        raise SystemError("<built-in method> returned a result with an exception set")

    fake_runtime(monkeypatch, fail)
    with pytest.raises(MissingDependencyError, match=r'pip install "numpy<2".* ai-edge-litert$'):
        RUNTIMES["tflite"].load(manifest, model_bytes())
    assert capfd.readouterr() == ("", "")


def test_every_interpreter_has_one_thread(
    manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def watched(**options: Any) -> Any:
        asked.append(options.get("num_threads"))
        return interpreter.Interpreter(**options)

    fake_runtime(monkeypatch, watched)
    session = RUNTIMES["tflite"].load(manifest, model_bytes()).session()
    session.infer(rows(1, 5), UNKNOWN)
    assert len(asked) >= 3
    assert set(asked) == {1}


def test_failure_of_the_runtime_is_one_sentence(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    session: Any = open_model(artifact).session()
    session.infer(rows(1, 5), UNKNOWN)

    def fail() -> None:
        raise RuntimeError("node 3 failed to invoke\nand much more")

    monkeypatch.setattr(session._interpreter, "invoke", fail)
    with pytest.raises(
        BackendError, match=r"^ai-edge-litert could not run the model: node 3 failed to invoke$"
    ):
        session.infer(rows(1, 5), UNKNOWN)


# -- standard error ----------------------------------------------------------------------


def test_threads_that_open_sessions_leave_standard_error_as_it_was(
    manifest: Manifest, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each turns it aside for a moment; what others write meanwhile comes through."""
    model = RUNTIMES["tflite"].load(manifest, model_bytes())
    before = os.fstat(2)

    def work(number: int) -> None:
        for _ in range(5):
            model.session()
            os.write(2, f"line {number}\n".encode())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert os.path.samestat(os.fstat(2), before)
    lines = capfd.readouterr().err.splitlines()
    assert sorted(lines) == sorted(f"line {n}" for n in range(8) for _ in range(5))


def test_the_command_line_says_nothing_of_its_runtime(artifact: Artifact) -> None:
    clip = REPOSITORY / "edge" / "bundled" / "demo" / "dialogue.wav"
    done = run_cli("classify", clip, "--artifact", artifact.path, "--backend", "tflite")
    assert (done.returncode, done.stderr) == (0, "")
    assert "dialogue.wav" in done.stdout


def test_only_notices_are_kept_back(capfd: pytest.CaptureFixture[str]) -> None:
    with _without_notices():
        os.write(2, b"INFO: Created a delegate\nERROR: out of memory\n")
    os.write(2, b"INFO: after\n")
    assert capfd.readouterr().err == "ERROR: out of memory\nINFO: after\n"
