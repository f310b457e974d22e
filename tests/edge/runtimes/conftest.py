"""Artifacts of one model in several kinds, and times that are given."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from artifact_fakes import make_artifact

import edge
import edge.runtimes.probe
import edge.runtimes.timing
from edge.artifact import Artifact
from edge.errors import BackendError
from edge.runtimes.choice import Choice, open_artifact
from edge.runtimes.numpy.model import NumpyModel
from edge.runtimes.probe import Probe
from edge.runtimes.registry import RUNTIMES

Times = dict[str, float | str]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("one-model")
    make_artifact(folder / "numpy-fp32")
    quantization = {"recipe": "q", "weight_bits": 8, "granularity": "none", "float_layers": [],
                    "calibration_fingerprint": None}  # fmt: skip
    for name, backend in (("onnx-int8", "onnx"), ("tflite-int8", "tflite"),
                          ("numpy-int8", "numpy")):  # fmt: skip
        file = RUNTIMES[backend].model_file
        make_artifact(folder / name, backend=backend, quantization=quantization, model_file=file)
    return folder


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was tried in another test is remembered."""
    monkeypatch.setattr(edge.runtimes.probe, "_good", {})


@pytest.fixture
def gather(folders: Path, tmp_path: Path) -> Callable[..., Path]:
    """Lay some of the artifacts into a folder of their own."""

    def gather(*names: str) -> Path:
        target = Path(tempfile.mkdtemp(dir=tmp_path))
        for name in names:
            (target / name).symlink_to(folders / name)
        return target

    return gather


@pytest.fixture
def choose(gather: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Choice]:
    """Choose among artifacts whose times, or problems, are given."""
    for name in ("onnx", "tflite"):
        row = dataclasses.replace(RUNTIMES[name], packages=("numpy",), load=NumpyModel)
        monkeypatch.setitem(RUNTIMES, name, row)

    def choose(times: Times, backend: str | None = "auto", **options: bool) -> Choice:
        def probe(folder: Path) -> Probe:
            result = times[folder.name]
            if isinstance(result, str):
                return Probe(None, result, BackendError(f"{folder.name} {result}"))
            return Probe(result)

        def time_model(artifact: Artifact, _: object) -> float:
            result = times[artifact.path.name]
            assert isinstance(result, float), "it was not to be timed"
            return result

        monkeypatch.setattr(edge.runtimes.probe, "probe_artifact", probe)
        monkeypatch.setattr(edge.runtimes.timing, "time_model", time_model)
        return open_artifact(gather(*times), backend, **options)

    return choose
