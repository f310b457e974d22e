"""``--threads``: what a child, NumPy and every runtime may use."""

from __future__ import annotations

import types
from typing import Any

import pytest

import edge.runtimes.onnx
from edge.artifact import Artifact
from edge.benchmark.child import open_rig
from edge.benchmark.workers import child_environment
from edge.runtimes import threads
from edge.runtimes.threads import allow_threads, n_threads


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_allowed", {"threads": 1})


def test_a_child_is_told_before_numpy_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "8")
    environment = child_environment(3)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        assert environment[name] == "3"


def test_a_rig_allows_them_to_the_runtimes(tiny_artifact: Artifact) -> None:
    open_rig(str(tiny_artifact.path), 3)
    assert n_threads() == 3


@pytest.mark.parametrize("wanted", [1, 2])
def test_onnxruntime_gets_what_is_allowed(wanted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []

    class Options(types.SimpleNamespace):
        def add_session_config_entry(self, name: str, value: str) -> None:
            pass

    fake = types.SimpleNamespace(
        SessionOptions=Options,
        ExecutionMode=types.SimpleNamespace(ORT_SEQUENTIAL=0),
        InferenceSession=lambda content, options, providers: opened.append(options),
    )
    monkeypatch.setattr(edge.runtimes.onnx, "import_onnxruntime", lambda: fake)
    if wanted > 1:
        allow_threads(wanted)
    edge.runtimes.onnx.open_onnx(b"")
    assert opened[0].intra_op_num_threads == wanted
    assert opened[0].inter_op_num_threads == 1
