"""What a manifest asks for is reckoned first: nothing large is allocated, nothing long begun."""

from __future__ import annotations

import json
import resource
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from artifact_fakes import TINY, manifest_fields

from edge.artifact import Artifact, Manifest, read_artifact
from edge.artifact.checks import plain
from edge.artifact.seal import SEAL
from edge.bundled import MODELS_DIR
from edge.errors import ArtifactError
from edge.features.spec import FeatureSpec


def features(**settings: Any) -> Callable[[dict[str, Any]], None]:
    spec = FeatureSpec().with_settings(**settings)

    def change(fields: dict[str, Any]) -> None:
        fields |= {"feature_spec": spec.to_dict(), "feature_fingerprint": spec.fingerprint}

    return change


def sizes(**changes: int) -> Callable[[dict[str, Any]], None]:
    return lambda fields: fields["architecture"].update(changes)


def put(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(fields: dict[str, Any]) -> None:
        place: Any = fields
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return change


def reference_rows(count: int) -> Callable[[dict[str, Any]], None]:
    return put("reference", "features", value=[[0] * TINY.n_features] * count)


BIG_FRAMES = {"n_fft": 16_384, "win_length": 16_384, "n_mels": 512, "n_chroma": 512}

REFUSED: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (put("window_frames", value=10**8), "window_frames 100000000 would take"),
    (put("window_frames", value=10**20), "window_frames is 1000.*at most 2147483647"),
    (put("window_frames", value=10**900), "window_frames is 1000.*at most 2147483647"),
    (put("window_frames", value=3000), "window_frames 3000 would take .* MB, at most 64 MB"),
    (features(hop_length=1), "hop_length 1 and window_hop 16 ask for"),
    (features(**BIG_FRAMES), "feature_spec would take .* MB"),
    (reference_rows(5000), "reference.features with 5000 rows would take .* MB"),
    (reference_rows(30_000), "larger than|30000 rows would take"),
    (sizes(hidden=4000), r"the architecture has 3.85e\+08 weights, at most 4000000"),
    (sizes(hidden=10**400), "architecture.hidden is 1000.*, at most 100000"),
    (sizes(frame_stack=100_000), "weights, at most"),
    (put("model_bytes", value=10**11), "model_bytes is 100000000000, at most 24000000"),
    (put("normalisation", "std", 3, value=1e300), r"std holds 1e\+300|holds 1e\+300, at most"),
    (put("normalisation", "std", 3, value=1e-7), "numbers from 1e-06 to 1e"),
    (put("normalisation", "std", 3, value=1e7), "numbers from 1e-06 to 1e"),
    (put("normalisation", "mean", 3, value=-1e7), r"mean holds -1e\+07, -1e\+06 to 1e\+06"),
    (put("temperature", value=1e-300), "temperature is 1e-300, 0.01 to 100 is wanted"),
    (put("temperature", value=1e300), r"temperature is 1e\+300, 0.01 to 100 is wanted"),
    (put("reference", "features", 0, 0, value=1e30), r"holds 1e\+30, at most 1e\+09"),
    (put("reference", "logits", 0, value=-1e30), r"holds 1e\+30, at most"),
    (put("reference", "logits", 0, value=1e5), "holds 100000, at most 10000"),
    (put("labels", 0, value="a\x1b[31m"), r"an entry of labels is 'a\\x1b\[31m'"),
    (put("labels", 0, value="a\u202eb"), "an entry of labels is 'a"),
    (put("labels", 0, value="a\ud800"), "an entry of labels is 'a"),
    (put("labels", 0, value="   "), "an entry of labels is '   '"),
    (put("labels", 0, value="a" * 200), "an entry of labels has 200 letters, at most 120"),
    (put("languages", 0, value="a\nb"), "an entry of languages is"),
    (put("name", value="a\x00b"), "name is 'a"),
    (put("licence", value="free\r\x9b31m"), "licence is 'free"),
    (put("licence", value="a" * 3000), "licence has 3000 letters"),
    (put("model_file", value="model.onnx"), "a model for backend 'numpy' is called model.npz"),
    (put("backend", value="torchscript"), "a model for backend 'torchscript' is called model.pt"),
    (put("backend", value=[[]]), "backend is "),
    (put("training", value={"a": json.loads("[" * 30 + "]" * 30)}), "training is nested deeper"),
    (put("accuracy", value=[json.loads("[" * 500 + "]" * 500)]), "accuracy is nested deeper"),
    (put("temperature", value=json.loads("[" * 500 + "]" * 500)), "temperature is "),
]


@pytest.mark.parametrize(("change", "match"), REFUSED)
def test_refused_before_anything_is_allocated(
    artifact: Artifact, change: Callable[[dict[str, Any]], None], match: str
) -> None:
    fields = json.loads((artifact.path / "manifest.json").read_text())
    change(fields)
    (artifact.path / "manifest.json").write_text(json.dumps(fields))
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    with pytest.raises(ArtifactError, match=match) as caught:
        read_artifact(artifact.path)
    assert time.process_time() - started < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_kb < 64_000
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


ACCEPTED = [
    put("window_frames", value=500),
    put("window_hop", value=1),
    features(hop_length=64),
    put("training", value={"a": [[[[1]]]]}),
    put("labels", 0, value="très fâché"),
    put("licence", value="a" * 2000),
    put("temperature", value=10),
    put("normalisation", "std", 3, value=1e-6),
    reference_rows(200),
]


@pytest.mark.parametrize("change", ACCEPTED)
def test_what_a_small_board_can_do_is_taken(change: Callable[[dict[str, Any]], None]) -> None:
    fields = json.loads(json.dumps(manifest_fields()))
    change(fields)
    assert Manifest.from_dict(fields).labels[1] == "calm"


@pytest.mark.parametrize("folder", sorted(p.parent.name for p in MODELS_DIR.glob("*/*.json")))
@pytest.mark.parametrize("factor", [1, 4])
def test_bundled_models_are_far_from_every_bound(folder: str, factor: int) -> None:
    fields = json.loads((MODELS_DIR / folder / "manifest.json").read_text())
    del fields[SEAL]
    fields["window_frames"] *= factor
    fields["model_bytes"] *= 10 * factor
    Manifest.from_dict(fields)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b'{"a": ' + b"9" * 5000 + b"}", "a number of 5000 digits"),
        (b'{"a": ' + b"9" * 900_000 + b"}", "a number of 900000 digits"),
        (b"{" + b",".join(b'"k%d": 1, "k%d": 2' % (n, n) for n in range(30_000)) + b"}",
         "k0, k1, k2, k3, k4, k5, ... is there twice"),
        (b"[" * 900_000, "not valid JSON"),
        (b'{"schema_version": "' + b"x" * 900_000 + b'"}', "schema_version is 'xxx"),
        (b'{"schema_version": 1, "' + b"x" * 900_000 + b'": 1}', "unknown keys: xxx"),
        (b'{"schema_version": 1, "\\u001b[31m": 1}', r"unknown keys: \\x1b\[31m"),
        (b"[" + b"[]," * 300_000 + b"[]]", "a JSON object is wanted"),
    ],
    ids=["digits", "many digits", "twice", "deep", "long value", "long key", "escape", "lists"],
)  # fmt: skip
def test_text_of_a_manifest_that_would_take_long(
    artifact: Artifact, text: bytes, match: str
) -> None:
    (artifact.path / "manifest.json").write_bytes(text)
    started = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactError, match=match) as caught:
            read_artifact(artifact.path)
        assert tracemalloc.get_traced_memory()[1] < 64_000_000
    finally:
        tracemalloc.stop()
    assert time.process_time() - started < 2
    assert len(str(caught.value)) < 1000
    assert "\x1b" not in str(caught.value)


def test_identity_is_of_the_model_and_not_of_its_kind(tmp_path: Path) -> None:
    fields = manifest_fields()
    first = Manifest.from_dict(fields)
    assert len(first.model_identity) == 64
    same = {"backend": "onnx", "model_file": "model.onnx", "name": "b", "model_bytes": 7}
    assert Manifest.from_dict({**fields, **same}).model_identity == first.model_identity
    others: dict[str, Any] = {
        "architecture": {**plain(TINY), "hidden": 10},
        "labels": [*fields["labels"][:7], "bored"],
        "languages": [*fields["languages"][1:], "other"],
        "window_frames": 60,
        "window_hop": 15,
        "normalisation": {**fields["normalisation"], "mean": [0.5] * TINY.n_features},
        "training": {"seed": 1},
    }
    found = {Manifest.from_dict({**fields, k: v}).model_identity for k, v in others.items()}
    assert len(found | {first.model_identity}) == len(others) + 1
