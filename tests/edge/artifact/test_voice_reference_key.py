"""The reference for a voice in a manifest: checked, and not there in models of before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from artifact_fakes import make_artifact, make_voice_artifact, manifest_fields, voice_fields

from edge.artifact import Manifest, read_artifact
from edge.artifact.parts import read_voice_reference
from edge.errors import ArtifactError
from edge.features.families.rms import Rms
from edge.features.spec import FeatureSpec


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    artifact = make_voice_artifact(tmp_path / "voice")
    manifest = read_artifact(artifact.path).manifest
    assert manifest == artifact.manifest
    assert Manifest.from_dict(json.loads(manifest.to_json())) == manifest
    assert manifest.voice_reference is not None
    assert manifest.voice_reference.prior_s == 5.0
    assert len(manifest.voice_reference.centre) == manifest.feature_spec.n_features == 34
    assert manifest.architecture.n_features == 35
    assert manifest.mean.shape == manifest.std.shape == (34,)


def test_what_a_device_adds_has_values_of_its_own() -> None:
    fields = voice_fields()
    for name in ("least_s", "most_s"):
        del fields["voice_reference"][name]
    reference = Manifest.from_dict(fields).voice_reference
    assert reference is not None
    assert (reference.least_s, reference.most_s) == (8.0, 120.0)


def test_it_belongs_to_the_model() -> None:
    fields = voice_fields()
    other = {**fields, "voice_reference": {**fields["voice_reference"], "prior_s": 6.0}}
    one, two = Manifest.from_dict(fields), Manifest.from_dict(other)
    assert one.model_identity != two.model_identity
    assert one.digest != two.digest


def test_a_model_of_before_is_written_without_it(tmp_path: Path) -> None:
    artifact = make_artifact(tmp_path / "old")
    assert "voice_reference" not in (artifact.path / "manifest.json").read_text()
    assert read_artifact(artifact.path).manifest.voice_reference is None


def _changed(**changes: Any) -> dict[str, Any]:
    fields = voice_fields()
    return {**fields, "voice_reference": {**fields["voice_reference"], **changes}}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"centre": [0.0] * 33}, "voice_reference.centre has 33 numbers, 34 are wanted"),
        ({"centre": [0.0] * 33 + [float("nan")]}, "voice_reference.centre is nan, a finite"),
        ({"centre": [2e6] + [0.0] * 33}, "centre holds 2e\\+06 for mfcc_0, -1e\\+06 to 1e\\+06"),
        ({"centre": [0.0] * 13 + [200.0] + [0.0] * 20}, "holds 200 for pitch_hz, -12 to 12"),
        ({"centre": [0.0] * 14 + [-300.0] + [0.0] * 19}, "holds -300 for rms, -140 to 140"),
        ({"prior_s": 0}, "voice_reference.prior_s is 0, 0.1 to 86400 is wanted"),
        ({"prior_s": "5"}, "voice_reference.prior_s is '5', a number is wanted"),
        ({"most_s": 1e6}, "voice_reference.most_s is 1e\\+06, 0.1 to 86400"),
        ({"least_s": 200}, "least_s is 200, more than the 120 of most_s"),
        ({"forget_s": 1}, "voice_reference has unknown keys: forget_s"),
    ],
)
def test_refused_value(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(ArtifactError, match=match):
        Manifest.from_dict(_changed(**changes))


def test_the_width_tells_of_it() -> None:
    fields = voice_fields()
    del fields["voice_reference"]
    with pytest.raises(ArtifactError, match="gives 34 features, the model takes 35"):
        Manifest.from_dict(fields)
    with pytest.raises(ArtifactError, match=r"34 features, voice_reference 1 more, .* takes 34"):
        Manifest.from_dict({**manifest_fields(), "voice_reference": _changed()["voice_reference"]})


def test_features_without_a_level_have_no_voice() -> None:
    spec = FeatureSpec(families=tuple(f for f in FeatureSpec().families if not isinstance(f, Rms)))
    value = {"centre": [0.0] * spec.n_features, "prior_s": 5.0}
    with pytest.raises(ArtifactError, match=r"cannot be used: .* wants the column 'rms' among"):
        read_voice_reference(value, spec)
