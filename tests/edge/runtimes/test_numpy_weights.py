"""``model.npz``: weights that are brought back, and files that are refused."""

from __future__ import annotations

import dataclasses
import io
import time
import tracemalloc
import warnings
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
from edge.runtimes.numpy.weights import read_weights
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


def npy(shape: tuple[int, ...], dtype: str, data: bytes = b"", tail: str = "") -> bytes:
    """One array whose header says what it likes."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, {tail}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


def raw_header(header: bytes, version: bytes = b"\x01\x00") -> bytes:
    return b"\x93NUMPY" + version + len(header).to_bytes(2, "little") + header


def lzma_archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("fc1.bias.npy", npy((16,), "<f4", bytes(64)))
    return file.getvalue()


def many_members() -> bytes:
    return archive({f"{number}.npy": b"" for number in range(200)})


def twice() -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w") as archive:
        warnings.simplefilter("ignore")
        for _ in range(2):
            archive.writestr("fc1.bias.npy", npy((16,), "<f4", bytes(64)))
    return file.getvalue()


def encrypted() -> bytes:
    content = bytearray(archive({"fc1.bias.npy": npy((16,), "<f4", bytes(64))}))
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def lying_directory() -> bytes:
    """A member that unpacks to more than the directory says."""
    data = npy((500_000,), "<f4", bytes(2_000_000))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("fc1.bias.npy", data)
    content = bytearray(file.getvalue())
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = (300).to_bytes(4, "little")
    return bytes(content)


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "text": b"no archive",
    "header": b"PK\x03\x04",
    "cut array": archive({"fc1.bias.npy": b"\x93NUMPY"}),
    "no array": archive({"lstm.weight_ih": b"text"}),
    "pickle": pickled(),
    "truncated": pack(draw_weights(TINY))[:-40],
    "a shape of 10^20": archive({"fc1.bias.npy": npy((10**20,), "<f4")}),
    "a shape of 400 digits": archive({"fc1.bias.npy": npy((10**400,), "<f4")}),
    "a shape of 40 GB": archive({"fc1.bias.npy": npy((10**10,), "<f4")}),
    "a negative shape": archive({"fc1.bias.npy": npy((-1,), "<f4", bytes(64))}),
    "records": archive({"fc1.bias.npy": npy((1,), "|V64", bytes(64))}),
    "text in numbers": archive({"fc1.bias.npy": npy((1,), "<U16", bytes(64))}),
    "a broken token": archive({"fc1.bias.npy": raw_header(b"{'descr': (((((\n")}),
    "deep nesting": archive({"fc1.bias.npy": raw_header(b"(" * 900 + b")" * 100 + b"\n")}),
    "minus for ever": archive({"fc1.bias.npy": raw_header(b"-" * 1000 + b"1\n")}),
    "a header of 60 kB": archive({"fc1.bias.npy": raw_header(b" " * 60_000 + b"\n")}),
    "another version": archive({"fc1.bias.npy": raw_header(b"{}\n", b"\x09\x00")}),
    "data behind the array": archive({"fc1.bias.npy": npy((2,), "<f4", bytes(64))}),
    "lzma": lzma_archive(),
    "200 members": many_members(),
    "twice": twice(),
    "encrypted": encrypted(),
    "a directory that lies": lying_directory(),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_one_sentence_at_no_cost(name: str) -> None:
    manifest = Manifest.from_dict(manifest_fields())
    tracemalloc.start()
    started_s = time.process_time()
    try:
        with pytest.raises(ArtifactError) as caught:
            NumpyModel(manifest, HOSTILE[name])
        assert time.process_time() - started_s < 1
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)


def test_archive_that_unpacks_to_too_much() -> None:
    """0.2 MB that become 200 MB: refused by its directory, before anything is inflated."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("fc1.bias.npy", bytes(200_000_000))
    manifest, content = Manifest.from_dict(manifest_fields()), file.getvalue()
    tracemalloc.start()
    with pytest.raises(ArtifactError, match="unpacks to 200000000 bytes, more than"):
        NumpyModel(manifest, content)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("name", ["hidden", "classifier", "conv_channels", "frame_stack"])
def test_an_architecture_that_is_too_large(name: str) -> None:
    sizes = dataclasses.replace(TINY, **{name: 10**6})
    with pytest.raises(ArtifactError, match="weights, at most 4000000 are taken"):
        read_weights(pack(draw_weights(TINY)), sizes)


def test_errors_name_the_model_file(tiny_artifact: Artifact, tmp_path: Path) -> None:
    written = write_artifact(tmp_path / "a", manifest_fields(), b"no archive")
    with pytest.raises(ArtifactError, match=r"a/model\.npz: the model is not a readable NumPy"):
        open_model(written)
