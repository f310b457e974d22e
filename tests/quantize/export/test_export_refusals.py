"""What cannot be exported is one sentence, and nothing is written."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from export_fakes import SIZES, facts, random_model

from edge.errors import ArtifactError, BackendError, MissingDependencyError, ParameterError
from quantize.export import KINDS, export_artifact
from quantize.export.numpy import pack_weights, weights_of
from quantize.models.claf_ser import CLAFSER, ClafSerConfig


def test_unknown_kind_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(
        ParameterError, match="'coreml-int4', one of numpy-fp32, numpy-int8, numpy-int4"
    ):
        export_artifact("coreml-int4", random_model(SIZES["odd"]), facts(), tmp_path / "a")
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
        build=lambda *_: pack_weights(weights_of(random_model(SIZES["odd"], seed=1))),
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
def test_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(MissingDependencyError, match=rf"pip install {package.partition('.')[0]}$"):
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
