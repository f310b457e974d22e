"""``model.npz``: weights that are brought back, and files that are refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifact_fakes import TINY, UNKNOWN, draw_weights, manifest_fields, pack, rows, session_of

from edge.artifact import Artifact, Manifest, write_artifact
from edge.errors import ArtifactError
from edge.runtimes.numpy.model import NumpyModel
from edge.runtimes.open import open_model


def quantized(weights: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    scale = np.abs(weights[name]).max(axis=-1) / 127
    whole = np.rint(weights[name] / scale[..., None]).astype(np.int8)
    others = {key: value for key, value in weights.items() if key != name}
    return {**others, f"{name}:int8": whole, f"{name}:scale": scale.astype(np.float32)}


@pytest.mark.parametrize("name", ["lstm.weight_hh", "attention.key.weight", "fc2.weight"])
def test_int8_weights_are_brought_to_float32(name: str) -> None:
    weights = draw_weights(TINY)
    stored = quantized(weights, name)
    rounded = stored[f"{name}:int8"] * stored[f"{name}:scale"][..., None]
    logits = session_of(weights=stored).infer(rows(1, 9), UNKNOWN)
    wanted = session_of(weights={**weights, name: rounded}).infer(rows(1, 9), UNKNOWN)
    assert np.array_equal(logits, wanted)
    assert not np.array_equal(logits, session_of().infer(rows(1, 9), UNKNOWN))


BAD_WEIGHTS: list[tuple[Callable[[dict[str, np.ndarray]], Any], str]] = [
    (lambda w: w.pop("fc1.bias"), "the model lacks fc1.bias"),
    (lambda w: w.update(code=np.zeros(1)), "unknown arrays: code"),
    (lambda w: w.update({"fc1.bias": w["fc1.bias"][:-1]}), r"fc1.bias is float32 \(15,\)"),
    (lambda w: w.update({"fc1.bias": w["fc1.bias"].astype("f8")}), "fc1.bias is float64"),
    (lambda w: w["conv.weight"].__setitem__((0, 0, 0), np.nan), "conv.weight holds numbers"),
    (lambda w: w["conv.weight"].__setitem__((0, 0, 0), np.inf), "conv.weight holds numbers"),
    (lambda w: w.update({"conv.weight:int8": np.zeros((4, 34, 3), np.int8)}), "unknown arrays"),
    (lambda w: w.update({"fc2.weight:int8": np.zeros((8, 16), np.int8)}), "lacks fc2.weight:scale"),
    (
        lambda w: w.update(
            {"fc2.weight:int8": np.zeros((8, 16), np.int8), "fc2.weight:scale": np.ones(7, "f4")}
        ),
        r"fc2.weight:scale is float32 \(7,\)",
    ),
]


@pytest.mark.parametrize(("spoil", "match"), BAD_WEIGHTS)
def test_refused_weights(spoil: Callable[[dict[str, np.ndarray]], Any], match: str) -> None:
    weights = draw_weights(TINY)
    spoil(weights)
    with pytest.raises(ArtifactError, match=match):
        session_of(weights=weights)


def archive(content: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return file.getvalue()


def pickled() -> bytes:
    file = io.BytesIO()
    np.savez(file, **{"fc1.bias": np.array([{"a": 1}], dtype=object)})
    return file.getvalue()


@pytest.mark.parametrize(
    "model",
    [b"", b"no archive", b"PK\x03\x04", archive({"fc1.bias.npy": b"\x93NUMPY"}),
     archive({"lstm.weight_ih": b"text"}), pickled(), pack(draw_weights(TINY))[:-40]],
    ids=["empty", "text", "header", "cut array", "no array", "pickle", "truncated"],
)  # fmt: skip
def test_refused_archives(model: bytes) -> None:
    with pytest.raises(
        ArtifactError, match=r"not a readable NumPy archive|lstm.weight_ih is .S4|lacks"
    ):
        NumpyModel(Manifest.from_dict(manifest_fields()), model)


def test_archive_that_unpacks_to_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("fc1.bias.npy", bytes(5_000_000))
    monkeypatch.setattr("edge.runtimes.numpy.weights._MAX_UNPACKED_BYTES", 4_999_999)
    with pytest.raises(ArtifactError, match="unpacks to 5000000 bytes, more than"):
        NumpyModel(Manifest.from_dict(manifest_fields()), file.getvalue())


def test_errors_name_the_model_file(tiny_artifact: Artifact, tmp_path: Path) -> None:
    written = write_artifact(tmp_path / "a", manifest_fields(), b"no archive")
    with pytest.raises(ArtifactError, match=r"a/model\.npz: the model is not a readable NumPy"):
        open_model(written)
