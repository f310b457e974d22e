"""The contract of a feature row: what is allowed, and its fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spec_settings import FLOATS

from edge import FeatureSpec, ParameterError
from edge.features.families import FAMILIES
from edge.features.front_end import FrontEnd
from edge.features.spec import default_settings

#: Every artifact carries it.  Another value here is another feature: all models are to be
#: trained again.
DEFAULT_FINGERPRINT = "9d99a401e10213f77137f234fa38b21930034fe4916d68d2448bf880efa85156"


def test_the_default_is_what_models_were_trained_on() -> None:
    assert FeatureSpec().fingerprint == DEFAULT_FINGERPRINT


def test_the_fingerprint_is_the_hash_of_the_canonical_json() -> None:
    text = FeatureSpec().canonical_json()
    assert hashlib.sha256(text.encode("utf-8")).hexdigest() == DEFAULT_FINGERPRINT
    assert " " not in text
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_a_row_is_the_papers_34() -> None:
    spec = FeatureSpec()
    assert spec.n_features == 34
    assert len(spec.feature_names) == len(set(spec.feature_names)) == 34
    assert spec.feature_names[:2] == ("mfcc_0", "mfcc_1")
    assert spec.feature_names[12:16] == ("mfcc_12", "pitch_hz", "rms", "chroma_0")
    assert spec.feature_names[26:28] == ("chroma_11", "contrast_0")
    assert spec.feature_names[-1] == "contrast_6"


def test_names_follow_the_counts() -> None:
    spec = FeatureSpec().with_settings(n_mfcc=20, n_chroma=24, n_contrast_bands=4)
    assert len(spec.feature_names) == spec.n_features == 20 + 1 + 1 + 24 + 5


def test_two_seconds_are_61_frames() -> None:
    spec = FeatureSpec()
    assert spec.n_frames(32_000) == 61
    assert spec.n_samples(61) == 31_744


@given(n_frames=st.integers(1, 10_000), extra=st.integers(0, 511))
def test_frames_and_samples_are_inverse(n_frames: int, extra: int) -> None:
    spec = FeatureSpec()
    assert spec.n_frames(spec.n_samples(n_frames) + extra) == n_frames


@pytest.mark.parametrize("n_samples", [-5, 0, 1, 1023])
def test_too_few_samples_are_no_frame(n_samples: int) -> None:
    assert FeatureSpec().n_frames(n_samples) == 0


@pytest.mark.parametrize("n_frames", [-1, 0])
def test_no_frames_span_no_samples(n_frames: int) -> None:
    assert FeatureSpec().n_samples(n_frames) == 0


def test_it_is_frozen_and_hashable() -> None:
    spec = FeatureSpec()
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.mfcc.n_mels = 80  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.hop_length = 80  # type: ignore[misc]
    assert {spec: 1}[FeatureSpec()] == 1


def test_it_survives_json() -> None:
    spec = FeatureSpec().with_settings(hop_length=256, pitch_fmax_hz=500)
    again = FeatureSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert again.fingerprint == spec.fingerprint != DEFAULT_FINGERPRINT


def test_to_dict_is_the_callers_own() -> None:
    spec = FeatureSpec()
    spec.to_dict()["order"].append("more")
    assert spec.fingerprint == DEFAULT_FINGERPRINT


@pytest.mark.parametrize("name", FLOATS)
def test_every_number_counts_in_the_fingerprint(name: str) -> None:
    value = FeatureSpec().to_dict()[name]
    nearly = value * (1 - 1e-9)
    assert FeatureSpec().with_settings(**{name: nearly}).fingerprint != DEFAULT_FINGERPRINT


@pytest.mark.parametrize(
    "change",
    [
        {"sample_rate": 16_002},
        {"n_fft": 1026, "win_length": 1026},
        {"hop_length": 511},
        {"n_mels": 41},
        {"n_mfcc": 14},
        {"n_chroma": 24},
        {"n_contrast_bands": 5},
    ],
)
def test_every_count_counts_in_the_fingerprint(change: dict[str, int]) -> None:
    assert FeatureSpec().with_settings(**change).fingerprint != DEFAULT_FINGERPRINT


def test_a_whole_number_is_the_same_as_its_float() -> None:
    spec = FeatureSpec().with_settings(
        fmin_hz=50, fmax_hz=8000, contrast_fmin_hz=100, pitch_fmax_hz=600
    )
    assert spec.fingerprint == DEFAULT_FINGERPRINT
    assert isinstance(spec.mfcc.fmin_hz, float)


def test_minus_zero_is_zero() -> None:
    assert (
        FeatureSpec().with_settings(fmin_hz=-0.0).fingerprint
        == FeatureSpec().with_settings(fmin_hz=0).fingerprint
    )


def test_order_may_be_a_list() -> None:
    order = ["mfcc", "pitch", "rms", "chroma", "spectral_contrast"]
    assert FeatureSpec().with_settings(order=order).fingerprint == DEFAULT_FINGERPRINT


def test_a_missing_setting_of_a_family_is_its_default() -> None:
    settings = FeatureSpec().with_settings(n_mels=64, pitch_fmax_hz=500).to_dict()
    del settings["n_mels"]
    assert FeatureSpec.from_dict(settings) == FeatureSpec().with_settings(pitch_fmax_hz=500)


def test_a_family_that_the_order_does_not_name_is_absent() -> None:
    spec = FeatureSpec().with_settings(order=["rms", "mfcc"])
    assert spec.feature_names == ("rms", *(f"mfcc_{i}" for i in range(13)))
    assert spec.columns == {"rms": slice(0, 1), "mfcc": slice(1, 14)}
    text = spec.canonical_json()
    assert not {key for key in json.loads(text) if key.startswith(("pitch", "contrast"))}
    assert FeatureSpec.from_dict(json.loads(text)) == spec
    assert spec.fingerprint != DEFAULT_FINGERPRINT
    with pytest.raises(
        ParameterError, match=r"^the features are rms, mfcc: there is no 'pitch' among them$"
    ):
        _ = spec.pitch
    with pytest.raises(
        ParameterError, match=r"^feature_spec sets n_chroma, but its order .* is without 'chroma'$"
    ):
        FeatureSpec.from_dict({**spec.to_dict(), "n_chroma": 12})


def test_a_family_comes_back_with_its_defaults() -> None:
    order = FeatureSpec().order
    spec = FeatureSpec().with_settings(n_mels=64, order=["mfcc"]).with_settings(order=order)
    assert spec == FeatureSpec().with_settings(n_mels=64)


def test_every_setting_has_a_key_of_its_own() -> None:
    keys = [
        key for kind in (FeatureSpec, FrontEnd, *FAMILIES.values()) for key in settings_of(kind)
    ]
    assert len(keys) == len(set(keys))
    assert set(keys) | {"order"} == set(default_settings())


def settings_of(kind: type[Any]) -> list[str]:
    return [f.metadata["key"] for f in dataclasses.fields(kind) if "key" in f.metadata]
