"""What a spec refuses, in one sentence: numbers, combinations, keys and whatever JSON may hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spec_settings import FLOATS, INTEGERS

from edge import FeatureSpec, ParameterError
from edge.features.families import FAMILIES
from edge.features.families.base import Family
from edge.features.families.rms import Rms
from edge.features.spec import default_settings


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("value", [0, -1, 1.0, 16.5, True, "1024", None, np.nan, 10**400])
def test_counts_are_positive_whole_numbers(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=rf"^{name} is .*, a whole number from 1 to \d+ is"):
        FeatureSpec().with_settings(**{name: value})


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("value", [True, "50", None, [50.0], 1j])
def test_numbers_are_numbers(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=rf"^{name} is .*, a number is wanted$"):
        FeatureSpec().with_settings(**{name: value})


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("value", [-1e-9, -1, np.nan, np.inf, -np.inf, 1e7, 10**400])
def test_numbers_are_finite_and_not_negative(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=rf"^{name} is .*, a number from 0 to 1e\+06 is"):
        FeatureSpec().with_settings(**{name: value})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"window": "hamming"}, "^window is 'hamming', 'hann' is the only one known$"),
        ({"window": None}, "^window is None"),
        ({"pitch_method": "pyin"}, "^pitch_method is 'pyin', 'yin' is the only one known$"),
        (
            {"order": ("pitch", "pitch")},
            r"^order is \('pitch', 'pitch'\), each family at most once",
        ),
        (
            {"order": ("pitch", "mfc")},
            "^order names the unknown family 'mfc', 'mfcc' is the nearest",
        ),
        ({"order": ("pitch", 7)}, "^order names the unknown family 7"),
        ({"order": ()}, r"^order is \(\), a list of some of \('mfcc',"),
        ({"order": None}, r"^order is None, a list of some of \('mfcc',"),
        ({"order": "mfcc"}, r"^order is 'mfcc', a list of some of \('mfcc',"),
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
        FeatureSpec().with_settings(**change)


@pytest.mark.parametrize("change", [{"pitch_fmin_hz": 31.5}, {"pitch_fmin_hz": 590}])
def test_the_frame_that_the_message_asks_for_is_enough(change: dict[str, float]) -> None:
    FeatureSpec().with_settings(**change)
    FeatureSpec().with_settings(pitch_fmin_hz=31, n_fft=1038, win_length=1038)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            "n_mel",
            "^feature_spec has the unknown key 'n_mel', 'n_mels' is the nearest that there is$",
        ),
        ("pitch_min_hz", "'pitch_fmin_hz' is the nearest"),
        (
            "preemphasis",
            "^feature_spec has the unknown key 'preemphasis': it was written by another",
        ),
        ("\x1b[2J", r"^feature_spec has the unknown key '\\x1b\[2J': it was written by another"),
        (7, "^feature_spec has the unknown key 7: it was written by another version of edge-ser$"),
    ],
)
def test_unknown_keys_are_refused_by_the_nearest_name(key: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        FeatureSpec.from_dict({**FeatureSpec().to_dict(), key: 0.97})


@pytest.mark.parametrize("key", ["sample_rate", "hop_length", "window", "order"])
def test_the_frame_geometry_and_the_order_are_never_guessed(key: str) -> None:
    settings = FeatureSpec().to_dict()
    del settings[key]
    with pytest.raises(ParameterError, match=rf"^feature_spec lacks \['{key}'\]: it was written"):
        FeatureSpec.from_dict(settings)


@pytest.mark.parametrize(
    ("families", "message"),
    [
        ((), r"^families is \(\), one family or more is wanted$"),
        (None, "^families is None, one family or more"),
        (("mfcc",), "^families holds 'mfcc', one of mfcc, chroma,"),
        ((Family(),), r"^families holds Family\(\), one of mfcc, chroma,"),
        ((Rms(), Rms()), r"^order is \('rms', 'rms'\), each family at most once"),
    ],
)
def test_families_are_records_that_the_registry_knows(families: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        FeatureSpec(families=families)


@pytest.mark.parametrize("settings", [None, [], "hann", 34])
def test_anything_but_an_object_is_refused(settings: Any) -> None:
    with pytest.raises(ParameterError, match=r"^feature_spec is .*, an object of settings is wan"):
        FeatureSpec.from_dict(settings)


@pytest.mark.parametrize("name", [*INTEGERS, *FLOATS, "window", "pitch_method", "order"])
@pytest.mark.parametrize("value", [None, [], {}, "x", -1])
def test_a_tampered_value_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ParameterError, match=name):
        FeatureSpec.from_dict({**FeatureSpec().to_dict(), name: value})


@pytest.mark.parametrize(
    "change",
    [
        {"n_mels": 10**5000},
        {"fmin_hz": -(10**5000)},
        {"order": ["rms"] * 100_000},
        {"order": ["r" * 100_000]},
        {"k" * 100_000: 1},
        {"window": "hann" * 100_000},
    ],
)
def test_a_refusal_of_what_is_huge_is_one_short_sentence(change: dict[str, Any]) -> None:
    with pytest.raises(ParameterError) as refusal:
        FeatureSpec.from_dict({**FeatureSpec().to_dict(), **change})
    assert len(str(refusal.value)) < 300


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda each: (
        st.lists(each, max_size=4) | st.dictionaries(st.text(max_size=9), each, max_size=3)
    ),
    max_leaves=6,
)

KEYS = st.sampled_from([*default_settings(), "n_mel", ""]) | st.text(max_size=12)

ORDERS = st.lists(st.sampled_from([*FAMILIES, "mfc"]), max_size=6)


@given(changes=st.dictionaries(KEYS, VALUES, max_size=3), order=st.none() | ORDERS)
def test_any_json_is_a_spec_or_a_sentence(changes: dict[str, Any], order: list[str] | None) -> None:
    settings = {**FeatureSpec().to_dict(), **changes}
    if order is not None:
        settings["order"] = order
    try:
        spec = FeatureSpec.from_dict(settings)
    except ParameterError:
        return
    assert FeatureSpec.from_dict(spec.to_dict()).fingerprint == spec.fingerprint
