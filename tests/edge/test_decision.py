from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.arrays import softmax
from edge.errors import ParameterError
from edge.stream.decision import Decision, average_posterior, speech_segments

KEYS = [
    "type", "start_s", "end_s", "label", "posterior", "raw_label", "rms_db", "features_ms",
    "model_ms", "latency_ms", "dropped_samples",
]  # fmt: skip


def test_json_has_exactly_the_documented_keys_in_order() -> None:
    decision = Decision(
        start_s=0.5120000001, end_s=2.496, label="sad", posterior={"sad": 2 / 3, "calm": 1 / 3},
        raw_label="calm", rms_db=-23.456, features_ms=1.23456, model_ms=2.0, latency_ms=3.5,
        dropped_samples=512, speech=False,
    )  # fmt: skip
    record = json.loads(json.dumps(decision.to_dict()))
    assert list(record) == KEYS
    assert record["type"] == "decision"
    assert record["start_s"] == 0.512
    assert record["posterior"] == {"sad": 0.6667, "calm": 0.3333}
    assert record["rms_db"] == -23.46
    assert record["features_ms"] == 1.235
    # The object itself is exact: rounding is for print alone.
    assert decision.posterior["sad"] == 2 / 3


def test_softmax_of_known_odds() -> None:
    np.testing.assert_allclose(softmax(np.log([1.0, 2.0, 5.0])), [0.125, 0.25, 0.625])


def test_temperature_divides_the_logits() -> None:
    np.testing.assert_allclose(softmax([0.0, math.log(9.0)], temperature=2.0), [0.25, 0.75])


@given(
    st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=9),
    st.floats(0.05, 20.0),
    st.floats(-1e4, 1e4),
)
@settings(deadline=None, max_examples=60)
def test_softmax_is_a_posterior_and_ignores_an_offset(
    logits: list[float], temperature: float, offset: float
) -> None:
    posterior = softmax(logits, temperature)
    assert posterior.min() >= 0
    assert posterior.sum() == pytest.approx(1)
    np.testing.assert_allclose(
        softmax(np.array(logits) + offset, temperature), posterior, atol=1e-9
    )


def test_softmax_works_on_the_last_axis() -> None:
    logits = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_allclose(softmax(logits)[1, 2], softmax(logits[1, 2]))


@pytest.mark.parametrize(
    ("logits", "temperature", "match"),
    [
        ([0.0, np.nan], 1.0, "logits hold NaN or infinite"),
        ([0.0, np.inf], 1.0, "logits hold NaN or infinite"),
        ([0.0, 1.0], 0.0, "temperature is 0.0"),
        ([0.0, 1.0], math.inf, "temperature is inf"),
        (np.zeros((2, 0)), 1.0, r"shape \(2, 0\)"),
        (0.5, 1.0, r"shape \(\)"),
    ],
)
def test_softmax_refuses(logits: object, temperature: float, match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        softmax(logits, temperature)


def test_segments_far_below_the_loudest_do_not_count() -> None:
    mask = speech_segments([-20.0, -45.0, -45.1, -90.0])
    assert mask.dtype == np.bool_
    assert mask.tolist() == [True, True, False, False]


def test_silence_alone_counts_whole() -> None:
    assert speech_segments([-120.0, -120.0]).all()
    assert speech_segments([-np.inf, -np.inf]).all()


def test_average_leaves_out_silent_segments() -> None:
    posteriors = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    np.testing.assert_allclose(average_posterior(posteriors, [-30.0, -28.0, -80.0]), [0.75, 0.25])


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(-120, 0)), min_size=1, max_size=12),
    st.floats(-60, 60),
)
@settings(deadline=None, max_examples=60)
def test_average_is_a_posterior_and_ignores_the_gain(
    segments: list[tuple[float, float]], gain_db: float
) -> None:
    p = np.array([first for first, _ in segments])
    posteriors = np.stack([p, 1 - p], axis=1)
    levels = np.round([level for _, level in segments])
    mean = average_posterior(posteriors, levels)
    assert mean.sum() == pytest.approx(1)
    np.testing.assert_allclose(average_posterior(posteriors, levels + round(gain_db)), mean)


@pytest.mark.parametrize(
    ("posteriors", "levels", "match"),
    [
        (np.ones((2, 8)), [-20.0], r"shape \(2, 8\), \(1, n_labels\) is wanted"),
        (np.ones(8), [-20.0] * 8, r"shape \(8,\)"),
        (np.ones((0, 8)), [], "at least one is wanted"),
        (np.ones((1, 8)), [np.nan], "rms_db holds NaN"),
    ],
)
def test_average_refuses_shapes_that_do_not_fit(
    posteriors: object, levels: object, match: str
) -> None:
    with pytest.raises(ParameterError, match=match):
        average_posterior(posteriors, levels)
