"""Reading an artifact refuses whatever is not whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from artifact_fakes import LABELS, manifest_fields

from edge.artifact import Artifact, Manifest, read_artifact, write_artifact
from edge.artifact.seal import SEAL
from edge.errors import ArtifactError, ParameterError

MODEL = b"any bytes will do here"


def edit(artifact: Artifact, change: Callable[[dict[str, Any]], Any]) -> None:
    path = artifact.path / "manifest.json"
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))


def test_what_is_written_is_read_back(artifact: Artifact) -> None:
    again = read_artifact(artifact.path)
    assert again == artifact
    assert again.manifest.labels == LABELS
    assert again.model_path.read_bytes() == again.read_model()
    assert Manifest.from_dict(again.manifest.to_dict()) == again.manifest


def test_written_folder_holds_two_files_with_the_usual_permissions(artifact: Artifact) -> None:
    assert sorted(os.listdir(artifact.path)) == ["manifest.json", "model.npz"]
    assert os.listdir(artifact.path.parent) == [artifact.path.name]
    plain = artifact.path.parent / "plain"
    plain.mkdir()
    assert artifact.path.stat().st_mode == plain.stat().st_mode


def test_manifests_from_before_frames_were_stacked_are_read(artifact: Artifact) -> None:
    edit(artifact, lambda fields: fields.pop(SEAL))
    edit(artifact, lambda fields: fields["architecture"].pop("frame_stack", None))
    sizes = read_artifact(artifact.path).manifest.architecture
    assert (sizes.frame_stack, sizes.step_width) == (1, sizes.n_features)
    edit(artifact, lambda fields: fields["architecture"].pop("hidden"))
    with pytest.raises(ArtifactError, match="architecture lacks hidden"):
        read_artifact(artifact.path)


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields["labels"].reverse(),
        lambda fields: fields.update(labels=["other", *fields["labels"][1:]]),
        lambda fields: fields["normalisation"]["mean"].__setitem__(0, 1.5),
        lambda fields: fields.update(temperature=0.5),
        lambda fields: fields.update(licence="none"),
        lambda fields: fields.update({SEAL: "0" * 64}),
        lambda fields: fields.update({SEAL: 1}),
    ],
)
def test_a_manifest_that_was_changed_is_refused(
    artifact: Artifact, change: Callable[[dict[str, Any]], Any]
) -> None:
    edit(artifact, change)
    with pytest.raises(ArtifactError, match=r"manifest\.json is not as it was written, its"):
        read_artifact(artifact.path)
    # Whoever means it says so.
    edit(artifact, lambda fields: fields.pop(SEAL))
    read_artifact(artifact.path)


def test_a_manifest_may_be_laid_out_anew(artifact: Artifact) -> None:
    path = artifact.path / "manifest.json"
    fields = json.loads(path.read_text())
    assert list(fields)[-1] == SEAL
    path.write_text(json.dumps(dict(sorted(fields.items())), indent=8, ensure_ascii=True))
    assert read_artifact(artifact.path) == artifact


def test_path_may_be_text_and_relative(artifact: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(artifact.path.parent)
    assert read_artifact("model").manifest == artifact.manifest
    write_artifact("deep/er", manifest_fields(), MODEL)
    assert read_artifact("deep/er").read_model() == MODEL


def test_manifest_arrays_are_float32(artifact: Artifact) -> None:
    manifest = artifact.manifest
    assert manifest.mean.dtype == manifest.std.dtype == np.float32
    assert manifest.mean.shape == manifest.std.shape == (34,)


def test_corpus_id_of_names_and_of_none(artifact: Artifact) -> None:
    assert artifact.manifest.corpus_id() == 4
    assert artifact.manifest.corpus_id("savee") == 1
    with pytest.raises(ParameterError, match="'klingon', this model knows ravdess, savee"):
        artifact.manifest.corpus_id("klingon")


# -- what lies on the disk ---------------------------------------------------------------


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="nowhere does not exist: an artifact is a folder"):
        read_artifact(tmp_path / "nowhere")


def test_file_instead_of_a_folder(artifact: Artifact) -> None:
    with pytest.raises(ArtifactError, match="is not a folder: an artifact is a folder"):
        read_artifact(artifact.model_path)


@pytest.mark.parametrize("name", ["manifest.json", "model.npz"])
def test_missing_file(artifact: Artifact, name: str) -> None:
    (artifact.path / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name} is missing; copy the artifact folder again"):
        read_artifact(artifact.path)


def test_a_run_folder_is_told_from_an_artifact(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.safetensors").touch()
    with pytest.raises(ArtifactError, match=r"folder of a training.*edge-ser-quantize export"):
        read_artifact(tmp_path)


@pytest.mark.parametrize("name", ["manifest.json", "model.npz"])
def test_folder_instead_of_a_file(artifact: Artifact, name: str) -> None:
    (artifact.path / name).unlink()
    (artifact.path / name).mkdir()
    with pytest.raises(ArtifactError, match=name):
        read_artifact(artifact.path)


def test_one_flipped_bit(artifact: Artifact) -> None:
    content = bytearray(artifact.read_model())
    content[len(content) // 2] ^= 1
    artifact.model_path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"SHA-256 .* the model was changed or damaged"):
        read_artifact(artifact.path)


@pytest.mark.parametrize("n_bytes", [0, 1, -1])
def test_truncated_model(artifact: Artifact, n_bytes: int) -> None:
    artifact.model_path.write_bytes(artifact.read_model()[:n_bytes])
    with pytest.raises(ArtifactError, match=r"bytes?, its manifest says \d+: it is truncated"):
        read_artifact(artifact.path)


def test_model_changed_after_it_was_read(artifact: Artifact) -> None:
    read = read_artifact(artifact.path)
    artifact.model_path.write_bytes(bytes(len(artifact.read_model())))
    with pytest.raises(ArtifactError, match="changed or damaged"):
        read.read_model()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe{}", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"name": NaN}', "NaN is not a JSON number"),
        (b'{"name": 1, "name": 2}', "name is there twice"),
        (b"[]", "a JSON object is wanted"),
        (b"{}", "schema_version is None"),
        (b" " * 5_000_000, "larger than"),
    ],
)
def test_manifest_that_is_no_manifest(artifact: Artifact, text: bytes, match: str) -> None:
    (artifact.path / "manifest.json").write_bytes(text)
    with pytest.raises(ArtifactError, match=match) as caught:
        read_artifact(artifact.path)
    assert "manifest.json" in str(caught.value)
    assert "\n" not in str(caught.value)


# -- what the manifest says --------------------------------------------------------------

REFUSALS: list[tuple[str, Any, str]] = [
    ("schema_version", 2, "schema_version is 2, this edge-ser reads 1"),
    ("name", "", "name is '', a text is wanted"),
    ("name", 3, "name is 3"),
    ("licence", None, "licence is None"),
    ("backend", "cuda", "backend is 'cuda', one of numpy, onnx, tflite, torchscript"),
    ("model_file", "../model.npz", "a bare name"),
    ("model_file", "/etc/passwd", "a bare name"),
    ("model_file", "manifest.json", "a bare name"),
    ("model_file", "model.npz\n", "a bare name"),
    ("model_sha256", "A" * 64, "64 digits"),
    ("model_bytes", 0, "model_bytes is 0"),
    ("model_bytes", True, "model_bytes is True"),
    ("labels", list(LABELS[:7]), "labels has 7 entries, 8 are wanted"),
    ("labels", [*LABELS[:7], "neutral"], "labels names one entry twice"),
    ("labels", "neutral", "labels is 'neutral', a list is wanted"),
    ("languages", ["unknown"], "languages has 1 entries, 5 are wanted"),
    ("default_language", "latin", "default_language is 'latin'"),
    ("feature_fingerprint", "0" * 64, "one of them was edited"),
    ("window_frames", 0, "window_frames is 0, a whole number of at least 1"),
    ("window_frames", 61.0, "window_frames is 61.0"),
    ("window_hop", 62, "window_hop 62 is more than window_frames 61"),
    ("temperature", 0, "temperature is 0.0, above 0 is wanted"),
    ("temperature", "1", "temperature is '1', a number is wanted"),
    ("temperature", 10**400, "a finite number is wanted"),
    ("training", [], "training is \\[\\], a JSON object"),
    ("accuracy", {}, "accuracy is {}, a list is wanted"),
    ("accuracy", [{"split": "paper"}], r"accuracy\[0\] lacks metric, value, n, command, commit"),
    ("inputs", [], "inputs are named \\[\\]"),
    ("outputs", [{"name": "logits"}], r"outputs\[0\] lacks shape, dtype, layout"),
]


@pytest.mark.parametrize(("key", "value", "match"), REFUSALS)
def test_refused_value(artifact: Artifact, key: str, value: Any, match: str) -> None:
    edit(artifact, lambda fields: fields.update({key: value}))
    with pytest.raises(ArtifactError, match=match) as caught:
        read_artifact(artifact.path)
    assert str(caught.value).startswith(f"{artifact.path}/manifest.json: ")


NESTED: list[tuple[tuple[str | int, ...], Any, str]] = [
    (("architecture", "type"), "simple-rnn", "one of claf-ser is wanted"),
    (("architecture", "hidden"), -8, "architecture.hidden is -8"),
    (("architecture", "n_heads"), 3, "n_heads 3 must divide 2 \\* hidden = 16"),
    (("architecture", "conv_kernel"), 4, "conv_kernel 4 must be odd"),
    (("architecture", "n_labels"), 9, "width|ending in 9|are wanted"),
    (("architecture", "n_features"), 33, "33"),
    (("architecture", "frame_stack"), 0, "architecture.frame_stack is 0"),
    (("architecture", "extra"), 1, "architecture has unknown keys: extra"),
    (("inputs", 0, "shape"), [None, 34, None], "inputs 'features' is float32 \\[None, 34, None\\]"),
    (("inputs", 0, "dtype"), "float64", "float32 of rank 3 ending in 34"),
    (("inputs", 0, "layout"), "batch,feature,time", "'batch,time,feature' is wanted"),
    (("inputs", 0, "name"), "x", "inputs are named \\['x', 'language'\\]"),
    (("inputs", 1, "dtype"), "float32", "int64 or int32"),
    (("outputs", 0, "shape"), [None, 7], "ending in 8"),
    (("outputs", 0, "shape"), [0, 8], "outputs\\[0\\].shape is 0"),
    (("normalisation", "mean"), [0.0] * 33, "normalisation.mean has 33 numbers, 34 are wanted"),
    (("normalisation", "std", 5), 0.0, "normalisation.std holds 0.0"),
    (("normalisation", "std", 5), -1.0, "normalisation.std holds -1.0"),
    (("normalisation", "mean", 5), "0", "normalisation.mean is '0'"),
    (("normalisation", "mean", 5), None, "normalisation.mean is None"),
    (("quantization", "recipe"), "", "quantization.recipe is ''"),
    (("quantization", "weight_bits"), 64, "at most 32"),
    (("quantization", "float_layers"), "conv", "quantization.float_layers"),
    (("quantization", "calibration_fingerprint"), 7, "calibration_fingerprint is 7"),
    (("feature_spec", "hop_length"), 256, "one of them was edited"),
    (("feature_spec", "hop_length"), "512", "feature_spec cannot be used: hop_length"),
    (("feature_spec", "novelty"), 1, "feature_spec cannot be used: .*unknown key"),
    (("reference", "features"), [], "reference.features is empty"),
    (("reference", "features", 3), [0.0], "reference.features has 1 number, 34 are wanted"),
    (("reference", "language"), 5, "reference.language is 5, less than 5"),
    (("reference", "logits"), [0.0] * 7, "reference.logits has 7 numbers"),
    (("reference", "tolerance"), 1, "between 0 and 1"),
]


@pytest.mark.parametrize(("path", "value", "match"), NESTED)
def test_refused_nested_value(
    artifact: Artifact, path: tuple[str | int, ...], value: Any, match: str
) -> None:
    def change(fields: dict[str, Any]) -> None:
        place: Any = fields
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    edit(artifact, change)
    with pytest.raises(ArtifactError, match=match):
        read_artifact(artifact.path)


@pytest.mark.parametrize("key", sorted(manifest_fields()))
def test_missing_key(artifact: Artifact, key: str) -> None:
    edit(artifact, lambda fields: fields.pop(key))
    with pytest.raises(ArtifactError, match=rf"lacks {key}|schema_version is None"):
        read_artifact(artifact.path)


def test_unknown_key(artifact: Artifact) -> None:
    edit(artifact, lambda fields: fields.update(on_load="import os"))
    with pytest.raises(ArtifactError, match="unknown keys: on_load; copy the artifact folder"):
        read_artifact(artifact.path)
