"""What a TorchScript artifact holds, and how its backend treats torch and its errors."""

from __future__ import annotations

import dataclasses
import io
import os
import re
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from export_fakes import SIZES, facts, random_model

from edge.artifact import Artifact, read_artifact
from edge.errors import ArtifactError, BackendError, MissingDependencyError, ParameterError
from edge.runtimes.base import reference_difference
from edge.runtimes.open import open_model
from edge.runtimes.torchscript import TorchScriptModel
from quantize.export import KINDS, export_artifact
from quantize.export.exporter import Kind
from quantize.export.torchscript.int8_conv import Int8Conv1d
from quantize.export.torchscript.kind import torchscript_model
from quantize.models.claf_ser import ClafSerConfig

ROOT = Path(__file__).resolve().parents[3]
WEIGHTS = ("fp32", "int8")


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Artifact]:
    folder, model = tmp_path_factory.mktemp("torchscript"), random_model(SIZES["small"])
    return {w: export_artifact(f"torchscript-{w}", model, facts(), folder / w) for w in WEIGHTS}


@pytest.fixture
def threads() -> Iterator[int]:
    """Two threads, which torch must still have in the end."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield 2
    torch.set_num_threads(before)


def rows(n_batch: int, n_frames: int) -> np.ndarray:
    return np.random.default_rng(5).standard_normal((n_batch, n_frames, 34)).astype(np.float32)


def records(model: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(model)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


# -- the archive -------------------------------------------------------------------------


@pytest.mark.parametrize("weights", WEIGHTS)
def test_archive_names_no_machine_and_no_process(
    artifacts: dict[str, Artifact], weights: str
) -> None:
    found = records(artifacts[weights].read_model())
    assert "archive/code/__torch__/quantize/export/twin.py" in found
    assert not [name for name in found if "debug" in name or "serialization" in name]
    for record in found.values():
        assert str(ROOT).encode() not in record
        assert b"mangle" not in record


def test_frozen_model_has_no_attributes_left(artifacts: dict[str, Artifact]) -> None:
    module = load(artifacts["fp32"].read_model())
    assert list(module.parameters()) == list(module.buffers()) == []


def load(model: bytes) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.load(io.BytesIO(model))


def test_int8_has_a_factor_for_every_channel_of_every_matrix(
    artifacts: dict[str, Artifact],
) -> None:
    found = records(artifacts["int8"].read_model())
    pickled = found["archive/constants.pkl"]
    # Two directions of two matrices, and five Linears.
    assert pickled.count(b"per_channel_affine") >= 1
    assert b"per_tensor_affine" not in pickled
    code = found["archive/code/__torch__/quantize/export/twin.py"].decode()
    assert len(re.findall(r"linear_dynamic\(\w+, CONSTANTS\.c\d+, True\)", code)) == 5
    assert code.count("quantized_lstm(") == 1
    assert "torch.lstm(" not in code


def test_int8_is_the_same_model_on_the_engine_of_arm(artifacts: dict[str, Artifact]) -> None:
    """qnnpack takes 8 bits of an activation where x86 takes 7."""
    engines = torch.backends.quantized.supported_engines
    if "qnnpack" not in engines:
        pytest.skip("this torch has no qnnpack")
    before = torch.backends.quantized.engine
    artifact = artifacts["int8"]
    try:
        torch.backends.quantized.engine = "qnnpack"
        difference = reference_difference(open_model(artifact).session(), artifact.manifest)
    finally:
        torch.backends.quantized.engine = before
    assert difference <= artifact.manifest.reference.tolerance


def test_layers_are_kept_in_float_on_request(tmp_path: Path) -> None:
    recipe = KINDS["torchscript-int8"].recipe.changed(float_layers=["lstm", "fc2"])
    model = random_model(SIZES["small"])
    whole, partly = (
        len(torchscript_model(model, r)) for r in (KINDS["torchscript-int8"].recipe, recipe)
    )
    # Its LSTM has the larger part of its weights.
    assert partly > 1.5 * whole
    artifact = export_artifact(Kind.of(recipe), model, facts(), tmp_path / "partly")
    assert {"lstm", "fc2"} <= set(artifact.manifest.quantization.float_layers)
    open_model(artifact)


def test_the_convolution_has_a_factor_for_every_output_channel() -> None:
    conv = torch.nn.Conv1d(5, 4, 3, padding=1)
    with torch.no_grad():
        conv.weight *= torch.tensor([0.01, 1.0, 10.0, 100.0])[:, None, None]
    whole = Int8Conv1d(conv)
    step = conv.weight.detach().abs().amax(dim=(1, 2)) / 127
    torch.testing.assert_close(whole.scale.flatten(), step)
    assert whole.whole.abs().amax(dim=(1, 2)).tolist() == [127] * 4
    off = (whole.whole * whole.scale - conv.weight).detach().abs().amax(dim=(1, 2))
    assert (off <= 0.501 * step).all()


def test_convolution_is_stored_in_a_quarter_of_its_room(tmp_path: Path) -> None:
    model = random_model(ClafSerConfig(hidden=8, n_heads=2, conv_channels=64, classifier=8))
    recipe = KINDS["torchscript-int8"].recipe
    stored = torchscript_model(model, recipe)
    whole = torchscript_model(model, recipe.changed(float_layers=["conv"]))
    # Of 6,528 weights three bytes each, less what deflate leaves of noise and one more record.
    assert len(whole) - len(stored) > 2.5 * 6528
    features, language = torch.from_numpy(rows(4, 31)), torch.full((4,), 4)
    with torch.inference_mode():
        difference = (load(stored)(features, language) - load(whole)(features, language)).abs()
    assert 0 < float(difference.max()) < 0.1


def test_torch_without_an_int8_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends, "quantized", type("none", (), {"engine": "none"}))
    with pytest.raises(BackendError, match=r"torch .* has no engine for int8"):
        torchscript_model(random_model(SIZES["odd"]), KINDS["torchscript-int8"].recipe)


# -- the backend -------------------------------------------------------------------------


@pytest.mark.parametrize("weights", WEIGHTS)
def test_threads_of_the_process_are_left_alone(
    artifacts: dict[str, Artifact], weights: str, threads: int
) -> None:
    seen = []
    session: Any = open_model(artifacts[weights]).session()
    module = session._module

    def watched(*inputs: torch.Tensor) -> torch.Tensor:
        seen.append((torch.get_num_threads(), torch.is_inference_mode_enabled()))
        return module(*inputs)

    session._module = watched
    session.infer(rows(1, 9), 4)
    assert seen == [(1, True)]
    assert torch.get_num_threads() == threads


def test_threads_side_by_side_leave_the_number_alone(
    artifacts: dict[str, Artifact], threads: int
) -> None:
    """Whoever ends first must not put back what another is computing with."""
    model = open_model(artifacts["fp32"])
    wanted = model.session().infer(rows(1, 61), 4)
    seen = []

    def work(_: int) -> None:
        session: Any = model.session()
        module = session._module

        def watched(*inputs: torch.Tensor) -> torch.Tensor:
            seen.append(torch.get_num_threads())
            logits = module(*inputs)
            seen.append(torch.get_num_threads())
            return logits

        session._module = watched
        for _ in range(10):
            assert np.array_equal(session.infer(rows(1, 61), 4), wanted)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert set(seen) == {1}
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("weights", WEIGHTS)
def test_nothing_is_kept_between_calls(artifacts: dict[str, Artifact], weights: str) -> None:
    backend = open_model(artifacts[weights]).session()
    first = backend.infer(rows(1, 16), 4)
    kept = first.copy()
    for shape in ((3, 7), (1, 1), (2, 61)):
        backend.infer(rows(*shape), 0)
    np.testing.assert_allclose(backend.infer(rows(1, 16), 4), kept, atol=1e-6)
    assert np.array_equal(first, kept)


def test_strided_and_read_only_features(artifacts: dict[str, Artifact]) -> None:
    backend = open_model(artifacts["fp32"]).session()
    view = rows(2, 20)[:, ::-2]
    view.flags.writeable = False
    wanted = backend.infer(np.ascontiguousarray(view), 1)
    np.testing.assert_allclose(backend.infer(view, 1), wanted, atol=1e-6)
    with pytest.raises(ParameterError, match=r"shape \(2, 10, 33\)"):
        backend.infer(view[..., :33], 1)


@pytest.mark.parametrize(
    "model", [b"", b"not a model", b"PK\x03\x04" + bytes(100)], ids=["empty", "text", "zip"]
)
def test_bytes_that_are_no_torchscript(artifacts: dict[str, Artifact], model: bytes) -> None:
    with pytest.raises(BackendError, match=r"^torch \S+ cannot load the model: .+") as caught:
        TorchScriptModel(artifacts["fp32"].manifest, model)
    assert "\n" not in str(caught.value)


def test_pickle_with_code_is_not_run(artifacts: dict[str, Artifact], tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "evil",)  # type: ignore[return-value]

    buffer = io.BytesIO()
    torch.save(Evil(), buffer)
    with pytest.raises(BackendError, match="cannot load the model"):
        TorchScriptModel(artifacts["fp32"].manifest, buffer.getvalue())
    assert not (tmp_path / "evil").exists()


def scripted(source: str) -> bytes:
    """A module with one method."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # torch keeps one compiled class for every Python class.
        module = torch.jit.script(type(f"Module{len(source)}", (torch.nn.Module,), {})())
        module.define(source)
        torch.jit.save(module, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (
            "def forward(self, rows):\n    return rows\n",
            r"the model takes \[\('rows', 'Tensor'\)\]",
        ),
        (
            "def forward(self, features, language):\n    return features, language\n",
            r"gives \['Tuple\[Tensor, Tensor\]'\]",
        ),
        ("def other(self, features):\n    return features\n", "has no forward to run"),
        (
            "def forward(self, features, language):\n    return features.sum(1)\n",
            r"gives float32 \(1, 34\), float32 \(1, 8\) is wanted",
        ),
    ],
)
def test_model_that_is_not_what_its_manifest_says(
    artifacts: dict[str, Artifact], source: str, match: str
) -> None:
    with pytest.raises(ArtifactError, match=match):
        TorchScriptModel(artifacts["fp32"].manifest, scripted(source))


def test_failure_within_the_model_is_one_sentence(artifacts: dict[str, Artifact]) -> None:
    model = scripted("def forward(self, features, language):\n    return features @ features\n")
    with pytest.raises(BackendError, match=r"^torch could not run the model: .*size") as caught:
        TorchScriptModel(artifacts["fp32"].manifest, model)
    assert "\n" not in str(caught.value)


def test_model_of_another_manifest(artifacts: dict[str, Artifact], tmp_path: Path) -> None:
    other = export_artifact("torchscript-fp32", random_model(SIZES["odd"]), facts(), tmp_path)
    manifest = dataclasses.replace(
        artifacts["fp32"].manifest,
        model_sha256=other.manifest.model_sha256,
        model_bytes=other.manifest.model_bytes,
    )
    with pytest.raises(ArtifactError, match="away from its reference"):
        open_model(dataclasses.replace(read_artifact(tmp_path), manifest=manifest))


def test_missing_torch_names_its_own_package(
    artifacts: dict[str, Artifact], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"pip install torch$"):
        open_model(artifacts["fp32"])


def test_a_process_of_its_own_hears_nothing_of_torch(artifacts: dict[str, Artifact]) -> None:
    """Neither the warnings of Python nor what torch's libraries write themselves."""
    script = (
        "import os, sys\n"
        "from edge.artifact import read_artifact\n"
        "from edge.runtimes.open import open_model\n"
        "open_model(read_artifact(sys.argv[1])).session()\n"
        "assert 'TORCH_CPP_LOG_LEVEL' not in os.environ\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "TORCH_CPP_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(artifacts["int8"].path)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
