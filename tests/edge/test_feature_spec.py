"""The contract of a feature row: what is allowed, and its fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import FeatureSpec, ParameterError

#: Every artifact carries it.  Another value here is another feature: all models are to be
#: trained again.
DEFAULT_FINGERPRINT = "9d99a401e10213f77137f234fa38b21930034fe4916d68d2448bf880efa85156"

INTEGERS = (
    "sample_rate",
    "n_fft",
    "win_length",
    "hop_length",
    "n_mels",
    "n_mfcc",
    "n_chroma",
    "n_contrast_bands",
)
FLOATS = (
    "fmin_hz",
    "fmax_hz",
    "contrast_fmin_hz",
    "contrast_quantile",
    "pitch_fmin_hz",
    "pitch_fmax_hz",
    "pitch_trough_threshold",
    "pitch_trough_margin",
    "pitch_voicing_threshold",
    "pitch_silence_rms",
)


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
    spec = FeatureSpec(n_mfcc=20, n_chroma=24, n_contrast_bands=4)
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
        spec.n_mels = 80  # type: ignore[misc]
    assert {spec: 1}[FeatureSpec()] == 1


def test_it_survives_json() -> None:
    spec = FeatureSpec(hop_length=256, pitch_fmax_hz=500)
    again = FeatureSpec.from_dict(json.loads(json.dumps(spec.to_dict())))
    assert again == spec
    assert again.fingerprint == spec.fingerprint != DEFAULT_FINGERPRINT


def test_to_dict_is_the_callers_own() -> None:
    spec = FeatureSpec()
    spec.to_dict()["order"].append("more")
    assert spec.fingerprint == DEFAULT_FINGERPRINT


@pytest.mark.parametrize("name", FLOATS)
def test_every_number_counts_in_the_fingerprint(name: str) -> None:
    value = getattr(FeatureSpec(), name)
    nearly = value * (1 - 1e-9)
    assert dataclasses.replace(FeatureSpec(), **{name: nearly}).fingerprint != DEFAULT_FINGERPRINT


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
    assert FeatureSpec(**change).fingerprint != DEFAULT_FINGERPRINT


def test_a_whole_number_is_the_same_as_its_float() -> None:
    spec = FeatureSpec(fmin_hz=50, fmax_hz=8000, contrast_fmin_hz=100, pitch_fmax_hz=600)
    assert spec.fingerprint == DEFAULT_FINGERPRINT
    assert isinstance(spec.fmin_hz, float)


def test_minus_zero_is_zero() -> None:
    assert FeatureSpec(fmin_hz=-0.0).fingerprint == FeatureSpec(fmin_hz=0).fingerprint


def test_order_may_be_a_list() -> None:
    order = ["mfcc", "pitch", "rms", "chroma", "spectral_contrast"]
    assert FeatureSpec(order=order).fingerprint == DEFAULT_FINGERPRINT  # type: ignore[arg-type]


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("value", [0, -1, 1.0, 16.5, True, "1024", None, np.nan, 10**400])
def test_counts_are_positive_whole_numbers(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=rf"^{name} is .*, a whole number from 1 to \d+ is"):
        FeatureSpec(**{name: value})


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("value", [True, "50", None, [50.0], 1j])
def test_numbers_are_numbers(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=rf"^{name} is .*, a number is wanted$"):
        FeatureSpec(**{name: value})


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("value", [-1e-9, -1, np.nan, np.inf, -np.inf, 1e7, 10**400])
def test_numbers_are_finite_and_not_negative(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=rf"^{name} is .*, a number from 0 to 1e\+06 is"):
        FeatureSpec(**{name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": "hamming"}, "^window is 'hamming', 'hann' is the only one known$"),
        ({"window": None}, "^window is None"),
        ({"pitch_method": "pyin"}, "^pitch_method is 'pyin', 'yin' is the only one known$"),
        ({"order": ("pitch", "mfcc")}, r"^order is \('pitch', 'mfcc'\), \('mfcc', 'pitch',"),
        ({"order": None}, r"^order is None, \('mfcc',"),
        ({"order": "mfcc"}, r"^order is 'mfcc', \('mfcc',"),
        ({"n_fft": 2048}, "^win_length 1024 and n_fft 2048 must be equal and even$"),
        ({"n_fft": 1023, "win_length": 1023}, "must be equal and even$"),
        ({"hop_length": 1025}, "^hop_length 1025 is more than win_length 1024: samples between"),
        ({"n_mfcc": 41}, "^n_mfcc 41 is more than n_mels 40$"),
        ({"fmin_hz": 8000}, "^fmin_hz 8000.0 and fmax_hz 8000.0 must rise within 0 and 8000.0 Hz$"),
        ({"fmax_hz": 8001}, "^fmin_hz 50.0 and fmax_hz 8001.0 must rise within 0 and 8000.0 Hz$"),
        ({"contrast_fmin_hz": 0}, "^contrast_fmin_hz 0.0 must be at least one bin, 15.625 Hz"),
        ({"contrast_fmin_hz": 15}, "^contrast_fmin_hz 15.0 must be at least one bin, 15.625 Hz"),
        ({"contrast_quantile": 0}, "contrast_quantile 0.0 above 0 and at most 0.5$"),
        ({"contrast_quantile": 0.6}, "contrast_quantile 0.6 above 0 and at most 0.5$"),
        (
            {"contrast_fmin_hz": 125},
            "^6 octaves above contrast_fmin_hz 125.0 pass the Nyquist freq",
        ),
        (
            {"n_contrast_bands": 16},
            "^16 octaves above contrast_fmin_hz 100.0 pass the Nyquist freq",
        ),
        ({"pitch_fmin_hz": 0}, "^pitch_fmin_hz 0.0 and pitch_fmax_hz 600.0 must rise within 0 and"),
        ({"pitch_fmin_hz": 600}, "^pitch_fmin_hz 600.0 and pitch_fmax_hz 600.0 must rise within 0"),
        ({"pitch_fmax_hz": 8001}, "^pitch_fmin_hz 60.0 and pitch_fmax_hz 8001.0 must rise within"),
        (
            {"pitch_fmin_hz": 31},
            "^pitch_fmin_hz 31.0 needs a frame of at least 1036.3 samples, win_l",
        ),
        ({"pitch_fmin_hz": 31.3}, "^pitch_fmin_hz 31.3 needs a frame of at least 1026.4 samples"),
        ({"pitch_fmin_hz": 5e-324}, "^pitch_fmin_hz 5e-324 needs a frame of at least"),
        ({"pitch_fmin_hz": 599}, "^pitch_fmin_hz 599.0 and pitch_fmax_hz 600.0 span less than two"),
    ],
)
def test_combinations_that_cannot_be_computed(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        FeatureSpec(**change)


@pytest.mark.parametrize("change", [{"pitch_fmin_hz": 31.5}, {"pitch_fmin_hz": 590}])
def test_the_frame_that_the_message_asks_for_is_enough(change: dict[str, float]) -> None:
    FeatureSpec(**change)
    FeatureSpec(pitch_fmin_hz=31, n_fft=1038, win_length=1038)


def test_unknown_keys_are_refused() -> None:
    settings = {**FeatureSpec().to_dict(), "preemphasis": 0.97}
    with pytest.raises(
        ParameterError, match=r"unknown keys \['preemphasis'\] and lacks \[\]: it was written by"
    ):
        FeatureSpec.from_dict(settings)


def test_missing_keys_are_refused() -> None:
    settings = FeatureSpec().to_dict()
    del settings["n_mels"]
    with pytest.raises(ParameterError, match=r"unknown keys \[\] and lacks \['n_mels'\]: it was"):
        FeatureSpec.from_dict(settings)


@pytest.mark.parametrize("settings", [None, [], "hann", 34])
def test_anything_but_an_object_is_refused(settings: Any) -> None:
    with pytest.raises(ParameterError, match=r"^feature_spec is .*, an object of settings is wan"):
        FeatureSpec.from_dict(settings)


@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS, "window", "pitch_method", "order"])
@pytest.mark.parametrize("value", [None, [], {}, "x", -1])
def test_a_tampered_value_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=name):
        FeatureSpec.from_dict({**FeatureSpec().to_dict(), name: value})
