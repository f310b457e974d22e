"""How aroused a voice is, from a posterior."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runtime_fakes import LABELS

from edge.artifact import ActivationScale
from edge.errors import ParameterError
from edge.stream.activation import AROUSED, CALM, ActivationMeter, activation


def posterior(**shares: float) -> np.ndarray:
    row = np.array([shares.get(label, 0.0) for label in LABELS])
    assert row.sum() == pytest.approx(1)
    return row


def test_it_is_the_share_of_the_aroused_without_disgust() -> None:
    row = posterior(angry=0.2, happy=0.1, sad=0.05, neutral=0.05, disgust=0.6)
    assert activation(row, LABELS) == pytest.approx(0.75)


def test_every_label_but_disgust_counts_on_its_side() -> None:
    assert {*AROUSED, *CALM, "disgust"} == set(LABELS)
    for label in LABELS:
        rest = (1 - 0.7) / 2
        row = 0.7 * np.array([name == label for name in LABELS])
        row += rest * np.array([(name == "angry") + (name == "calm") for name in LABELS])
        wanted = {True: 0.85, False: 0.15}.get(
            label in AROUSED if label != "disgust" else None, 0.5
        )
        assert activation(row, LABELS) == pytest.approx(wanted)


def test_the_scale_is_of_the_log_odds() -> None:
    row = posterior(angry=0.8, sad=0.2)
    scale = ActivationScale(slope=0.5, offset=-1.0)
    wanted = 1 / (1 + math.exp(-(0.5 * math.log(4.0) - 1.0)))
    assert activation(row, LABELS, scale) == pytest.approx(wanted)
    assert activation(row, LABELS, ActivationScale()) == pytest.approx(0.8)


def test_certainty_is_a_number_and_disgust_alone_tells_neither() -> None:
    assert activation(posterior(angry=1.0), LABELS) == pytest.approx(1.0)
    assert activation(posterior(calm=1.0), LABELS) == pytest.approx(0.0, abs=1e-8)
    assert activation(posterior(disgust=1.0), LABELS) == 0.5
    steep = ActivationScale(slope=100.0, offset=100.0)
    assert activation(posterior(angry=1.0), LABELS, steep) == 1.0


@pytest.mark.parametrize(
    "labels", [("bored", "glad"), ("angry", "happy"), ("calm", "sad", "bored"), ("disgust",)]
)
def test_labels_that_do_not_tell_give_none(labels: tuple[str, ...]) -> None:
    row = np.full(len(labels), 1 / len(labels))
    assert activation(row, labels) is None
    assert ActivationMeter(labels).one(row) is None


def test_own_labels_that_tell_are_enough() -> None:
    assert activation([0.6, 0.2, 0.2], ("angry", "bored", "neutral")) == pytest.approx(0.75)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.1, 5), st.floats(-3, 3))
def test_many_at_once_are_one_by_one(seed: int, slope: float, offset: float) -> None:
    rows = np.random.default_rng(seed).dirichlet(np.full(8, 0.3), (3, 5))
    scale = ActivationScale(slope, offset)
    many = activation(rows, LABELS, scale)
    assert many is not None
    assert many.shape == (3, 5)
    assert ((many >= 0) & (many <= 1)).all()
    meter = ActivationMeter(LABELS, scale)
    ones = [meter.one(row) for row in rows.reshape(-1, 8).tolist()]
    np.testing.assert_allclose(many.ravel(), ones, rtol=0, atol=1e-12)


@pytest.mark.parametrize("rows", [0.5, [0.5, 0.5], np.ones((3, 7))])
def test_another_width_is_refused(rows: object) -> None:
    with pytest.raises(ParameterError, match=r"posteriors have shape .*, \(\.\.\., 8\) is wanted"):
        activation(rows, LABELS)  # type: ignore[arg-type]
