from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.arrays import softmax, softmax_row
from edge.errors import ParameterError
from edge.stream.decision import Decision, State, Timing
from edge.stream.posterior import average_posterior, counted_segments

KEYS = [
    "version", "type", "time", "start_s", "end_s", "state", "label", "posterior", "raw_label",
    "activation", "speech", "speech_share", "level_db", "reference_s", "features_ms", "model_ms",
    "latency_ms", "dropped_samples", "skipped_hops", "warning",
]  # fmt: skip
GAP_KEYS = [
    "version", "type", "time", "start_s", "end_s", "dropped_samples", "skipped_hops", "reason",
    "warning",
]  # fmt: skip


def test_json_has_exactly_the_documented_keys_in_order() -> None:
    decision = Decision(
        start_s=0.5120000001, end_s=2.496, state="speech", label="sad",
        posterior={"sad": 2 / 3, "calm": 1 / 3}, raw_label="calm", level_db=-23.456,
        dropped_samples=0, timing=Timing(features_ms=1.23456, model_ms=2.0, latency_ms=3.5),
        speech_share=2 / 3,
    )  # fmt: skip
    record = json.loads(json.dumps(decision.to_dict()))
    assert list(record) == KEYS
    assert record["type"] == "decision"
    assert record["start_s"] == 0.512
    assert record["posterior"] == {"sad": 0.6667, "calm": 0.3333}
    assert (record["level_db"], record["speech_share"]) == (-23.46, 0.667)
    assert (record["state"], record["speech"], record["warning"]) == ("speech", True, None)
    assert record["features_ms"] == 1.235
    # The object itself is exact: rounding is for print alone.
    assert decision.posterior is not None
    assert decision.posterior["sad"] == 2 / 3


@pytest.mark.parametrize("state", ["quiet", "no-speech"])
def test_without_speech_the_json_has_the_same_keys_and_no_label(state: State) -> None:
    decision = Decision(0.0, 2.0, state, None, None, None, None, 32_000, "lost", skipped_hops=3)
    record = json.loads(json.dumps(decision.to_dict()))
    assert list(record) == KEYS
    assert (record["state"], record["speech"]) == (state, False)
    nothing = ("label", "posterior", "raw_label", "activation", "speech_share", "level_db", "time")
    for name in nothing:
        assert record[name] is None
    assert (record["dropped_samples"], record["warning"]) == (32_000, "lost")
    assert record["skipped_hops"] == 3


def test_uncertain_is_speech_without_a_label() -> None:
    posterior = {"sad": 0.52345678, "calm": 0.47654322}
    decision = Decision(
        0.0, 2.0, "uncertain", None, posterior, "sad", -20.0, activation=0.123456, time_s=0.0
    )
    record = json.loads(json.dumps(decision.to_dict()))
    assert (record["state"], record["speech"], record["label"]) == ("uncertain", True, None)
    assert record["posterior"] == {"sad": 0.5235, "calm": 0.4765}
    assert (record["raw_label"], record["activation"]) == ("sad", 0.1235)


def test_a_gap_is_a_record_of_its_own_and_says_why() -> None:
    decision = Decision(
        2.0, 4.0, "gap", None, None, None, None, 32_000, "2.000 s of sound are missing: a dog",
        reason="a dog",
    )  # fmt: skip
    record = json.loads(json.dumps(decision.to_dict()))
    assert list(record) == GAP_KEYS
    assert (record["type"], record["start_s"], record["end_s"]) == ("gap", 2.0, 4.0)
    assert (record["dropped_samples"], record["reason"]) == (32_000, "a dog")


def test_decision_says_what_it_is() -> None:
    speech = Decision(0.0, 1.984, "speech", "sad", {"sad": 0.75, "calm": 0.25}, "sad", -23.46)
    assert repr(speech) == "<Decision 0.000-1.984 s: sad 75 %, -23.5 dBFS>"
    quiet = Decision(0.0, 1.984, "quiet", None, None, None, -80.0)
    assert repr(quiet) == "<Decision 0.000-1.984 s: quiet, -80.0 dBFS>"
    gap = Decision(2.0, 3.0, "gap", None, None, None, None, 16_000)
    assert repr(gap) == "<Decision 2.000-3.000 s: gap of 16000 samples>"


def test_a_slip_of_the_pen_is_no_attribute() -> None:
    decision = Decision(0.0, 2.0, "quiet", None, None, None, -80.0)
    assert not hasattr(decision, "lable")
    assert not hasattr(decision, "__dict__")


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
    np.testing.assert_allclose(softmax_row(logits, temperature), posterior, rtol=1e-12, atol=1e-300)
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
    if np.ndim(logits) == 1:
        with pytest.raises(ParameterError, match=match):
            softmax_row(logits, temperature)  # type: ignore[arg-type]


def test_segments_far_below_the_loudest_do_not_count() -> None:
    mask = counted_segments([-20.0, -45.0, -45.1, -90.0], [True] * 4)
    assert mask.dtype == np.bool_
    assert mask.tolist() == [True, True, False, False]


def test_only_speech_counts_and_only_speech_sets_the_loudest() -> None:
    mask = counted_segments([-40.0, -5.0, -60.0, -66.0], [True, False, True, True])
    assert mask.tolist() == [True, False, True, False]


def test_silence_has_no_answer() -> None:
    assert not counted_segments([-120.0, -120.0], [False, False]).any()
    assert average_posterior(np.full((2, 2), 0.5), [-70.0, -120.0], [False, False]) is None


def test_rows_without_speech_are_not_looked_at() -> None:
    posteriors = [[0.25, 0.75], [np.nan, np.nan]]
    mean = average_posterior(posteriors, [-30.0, -30.0], [True, False])
    np.testing.assert_array_equal(mean, [0.25, 0.75])


def test_average_leaves_out_silent_segments() -> None:
    posteriors = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    mean = average_posterior(posteriors, [-30.0, -28.0, -80.0], [True] * 3)
    np.testing.assert_allclose(mean, [0.75, 0.25])


def test_a_segment_weighs_as_much_as_it_holds_speech() -> None:
    posteriors = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    levels, speech = [-30.0, -28.0, -80.0], [True] * 3
    mean = average_posterior(posteriors, levels, speech, [0.25, 0.75, 1.0])
    np.testing.assert_allclose(mean, [0.25, 0.75])
    # Where none holds any, or all hold alike, it is the plain mean to the last bit.
    for shares in ([0.0, 0.0, 1.0], [0.3, 0.3, 1.0]):
        np.testing.assert_array_equal(
            average_posterior(posteriors, levels, speech, shares),
            average_posterior(posteriors, levels, speech),
        )
    with pytest.raises(ParameterError, match=r"speech_shares have shape \(2,\), \(3,\) is wanted"):
        average_posterior(posteriors, levels, speech, [1.0, 1.0])


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
    speech = [True] * len(segments)
    mean = average_posterior(posteriors, levels, speech)
    assert mean is not None
    assert mean.sum() == pytest.approx(1)
    np.testing.assert_allclose(average_posterior(posteriors, levels + round(gain_db), speech), mean)


@pytest.mark.parametrize(
    ("posteriors", "levels", "match"),
    [
        (np.ones((2, 8)), [-20.0], r"shape \(2, 8\), \(1, n_labels\) is wanted"),
        (np.ones(8), [-20.0] * 8, r"shape \(8,\)"),
        (np.ones((0, 8)), [], "at least one is wanted"),
        (np.ones((1, 8)), [np.nan], "levels_db holds NaN"),
    ],
)
def test_average_refuses_shapes_that_do_not_fit(
    posteriors: np.ndarray, levels: list[float], match: str
) -> None:
    with pytest.raises(ParameterError, match=match):
        average_posterior(posteriors, levels, [True] * len(levels))
