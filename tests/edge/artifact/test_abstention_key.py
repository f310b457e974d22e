"""The manifest's key `abstention` is checked, travels whole, and may be missing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from artifact_fakes import manifest_fields

from edge.artifact import Abstention, ActivationScale, Artifact, Manifest, read_artifact
from edge.errors import ArtifactError

MEASURED: dict[str, Any] = {
    "min_probability": 0.55,
    "coverage": [[0.0, 1.0, 0.61, 400], [0.5, 0.62, 0.75, 248], [0.95, 0.0, None, 0]],
    "split": "speaker-5fold",
    "command": "edge-ser-quantize calibrate runs/*",
    "commit": "abc",
    "activation": {"slope": 0.8, "offset": -0.1},
}


def with_key(**changes: Any) -> Manifest:
    fields = manifest_fields(abstention={**copy.deepcopy(MEASURED), **changes})
    return Manifest.from_dict(fields)


def test_it_is_read_and_written_back() -> None:
    manifest = with_key()
    found = manifest.abstention
    assert found is not None
    assert (found.min_probability, found.split) == (0.55, "speaker-5fold")
    assert [(row.bar, row.coverage, row.accuracy, row.n) for row in found.coverage] == [
        (0.0, 1.0, 0.61, 400), (0.5, 0.62, 0.75, 248), (0.95, 0.0, None, 0)
    ]  # fmt: skip
    assert found.activation == ActivationScale(0.8, -0.1)
    assert manifest.to_dict()["abstention"] == MEASURED
    assert Manifest.from_dict(json.loads(manifest.to_json())) == manifest


def test_without_activation_nothing_is_calibrated() -> None:
    fields = {key: value for key, value in MEASURED.items() if key != "activation"}
    assert Abstention.from_dict(fields).activation == ActivationScale(1.0, 0.0)


def test_a_manifest_of_before_has_none_and_is_written_without(artifact: Artifact) -> None:
    manifest = read_artifact(artifact.path).manifest
    assert manifest.abstention is None
    assert "abstention" not in manifest.to_dict()


def test_it_is_part_of_what_kinds_of_one_model_share() -> None:
    without = Manifest.from_dict(manifest_fields()).model_identity
    assert with_key().model_identity == with_key().model_identity != without
    assert with_key(min_probability=0.6).model_identity != with_key().model_identity


def _row(*values: Any) -> dict[str, Any]:
    return {"coverage": [list(values)]}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"min_probability": 1.2}, "abstention.min_probability is 1.2, 0 to 1 is wanted"),
        ({"min_probability": "0.5"}, "abstention.min_probability is '0.5', a number"),
        ({"min_probability": True}, "abstention.min_probability is True, a number"),
        ({"bar": 0.5}, "abstention has unknown keys: bar"),
        ({"split": "a\x1b[31m"}, "abstention.split is 'a"),
        ({"command": "a" * 500}, "abstention.command has 500 letters, at most 400"),
        ({"commit": None}, "abstention.commit is None, a text"),
        ({"coverage": {}}, "abstention.coverage is {}, a list"),
        ({"coverage": [[i / 500, 0, 0.5, 1] for i in range(200)]}, "200 rows, at most 101"),
        (_row(0.5, 0.5, 0.5), r"coverage\[0\] has 3 values, 4 are wanted: bar, coverage"),
        (_row(1.5, 0.5, 0.5, 9), r"bar of abstention.coverage\[0\] is 1.5, 0 to 1"),
        (_row(0.5, -0.5, 0.5, 9), r"coverage of abstention.coverage\[0\] is -0.5, 0 to 1"),
        (_row(0.5, 0.5, 7, 9), r"accuracy of abstention.coverage\[0\] is 7, 0 to 1"),
        (_row(0.5, 0.5, 0.5, -9), r"n of abstention.coverage\[0\] is -9"),
        (_row(0.5, 0.5, 0.5, 9.5), r"n of abstention.coverage\[0\] is 9.5, a whole number"),
        (_row(0.5, 0.5, None, 9), "accuracy None of 9 answers: null is wanted where"),
        (_row(0.5, 0.0, 0.5, 0), "accuracy 0.5 of 0 answers"),
        ({"coverage": [[0.5, 0.5, 0.5, 9], [0.4, 0.5, 0.5, 9]]}, r"coverage\[1\] does not follow"),
        ({"coverage": [[0.4, 0.5, 0.5, 9], [0.5, 0.6, 0.5, 9]]}, "no more answers"),
        ({"coverage": [[0.4, 0.5, 0.5, 9], [0.5, 0.5, 0.5, 10]]}, "no more answers"),
        ({"activation": {"slope": 0}}, "activation.slope is 0, above 0 and up to 100"),
        ({"activation": {"slope": 1e9}}, r"activation.slope is 1e\+09, above 0"),
        ({"activation": {"offset": -1e9}}, r"activation.offset is -1e\+09, -100 to 100"),
        ({"activation": {"scale": 1}}, "abstention.activation has unknown keys: scale"),
        ({"activation": None}, "abstention.activation is None, a JSON object"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(ArtifactError, match=match):
        with_key(**changes)


@pytest.mark.parametrize(
    "change",
    [lambda fields: fields.pop("coverage"), lambda fields: fields.pop("min_probability")],
)
def test_a_missing_key_is_named(change: Callable[[dict[str, Any]], object]) -> None:
    fields = copy.deepcopy(MEASURED)
    change(fields)
    with pytest.raises(ArtifactError, match=r"abstention lacks (coverage|min_probability)"):
        Abstention.from_dict(fields)


def test_null_is_not_a_missing_key() -> None:
    with pytest.raises(ArtifactError, match="abstention is None, a JSON object is wanted"):
        Manifest.from_dict(manifest_fields(abstention=None))
