"""What a decision rests on, as arrays."""

from __future__ import annotations

import dataclasses
import types

import numpy as np
import pytest
from runtime_fakes import LABELS, LinearModel, fake_classifier, heard_rows, voice

from edge.artifact import Artifact
from edge.errors import BackendError, ParameterError
from edge.explain.attention import attention_over_time, attentive
from edge.explain.explain import envelope, explain, stretches
from edge.runtimes.base import AttentiveSession
from edge.runtimes.open import open_model
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision, Timing
from edge.stream.loading import load

UNKNOWN = 4


@pytest.fixture(scope="module")
def classifier(tiny_artifact: Artifact) -> Classifier:
    return load(tiny_artifact.path)


def rows(n_batch: int, n_frames: int) -> np.ndarray:
    generator = np.random.default_rng((n_batch, n_frames))
    return generator.standard_normal((n_batch, n_frames, 34)).astype(np.float32)


def decision(
    start_s: float, end_s: float, label: str = "calm", level_db: float = -20.0
) -> Decision:
    posterior = {name: float(name == label) for name in LABELS}
    return Decision(start_s, end_s, "speech", label, posterior, label, level_db)


def test_a_rate_of_no_recorder_is_refused(classifier: Classifier) -> None:
    with pytest.raises(ParameterError, match="within 2000 to 768000 Hz"):
        explain(classifier, np.zeros(20_000, np.float32), 63)


# -- the backend -------------------------------------------------------------------------


@pytest.mark.parametrize(("n_batch", "n_frames"), [(1, 1), (1, 61), (3, 7), (16, 5), (35, 5)])
def test_attention_comes_with_the_very_logits_of_infer(
    tiny_artifact: Artifact, n_batch: int, n_frames: int
) -> None:
    backend = open_model(tiny_artifact).session()
    assert isinstance(backend, AttentiveSession)
    features = rows(n_batch, n_frames)
    logits, attention = backend.infer_with_attention(features, UNKNOWN)
    assert np.array_equal(logits, backend.infer(features, UNKNOWN))
    assert attention.shape == (n_batch, 2, n_frames)
    assert attention.dtype == np.float32
    assert (attention > 0).all()
    np.testing.assert_allclose(attention.sum(axis=2), 1, atol=1e-6)
    alone = backend.infer_with_attention(features[-1:], UNKNOWN)[1]
    np.testing.assert_allclose(attention[-1:], alone, atol=1e-6)


def test_attention_is_a_new_array(tiny_artifact: Artifact) -> None:
    backend = open_model(tiny_artifact).session()
    assert isinstance(backend, AttentiveSession)
    _, attention = backend.infer_with_attention(rows(1, 9), UNKNOWN)
    before = attention.copy()
    backend.infer(rows(1, 9)[:, ::-1] * np.float32(3), UNKNOWN)
    assert np.array_equal(attention, before)


def test_attention_refuses_what_infer_refuses(tiny_artifact: Artifact) -> None:
    backend = open_model(tiny_artifact).session()
    assert isinstance(backend, AttentiveSession)
    with pytest.raises(ParameterError, match="a float32 array is wanted"):
        backend.infer_with_attention(rows(1, 9).astype(float), UNKNOWN)


def test_backend_without_attention_is_one_sentence() -> None:
    with pytest.raises(BackendError, match=r"'linear' gives no attention .* 'numpy'"):
        attentive(LinearModel())
    with pytest.raises(BackendError, match="no attention weights"):
        explain(fake_classifier(), voice(32_000), 16_000)


# -- the data of the picture -------------------------------------------------------------


def test_decisions_are_those_of_classify(classifier: Classifier) -> None:
    samples = voice(60_000)
    found = explain(classifier, samples, 16_000, segment_s=1.0, hop_s=0.3, corpus="tess")
    wanted = classifier.classify(samples, 16_000, segment_s=1.0, hop_s=0.3, corpus="tess")

    def without_times(each: Decision) -> Decision:
        return dataclasses.replace(each, timing=Timing())

    assert list(map(without_times, found.decisions)) == list(map(without_times, wanted))
    assert found.posteriors.tolist() == [list(d.posterior.values()) for d in wanted]
    assert found.posterior.sum() == pytest.approx(1)


def test_frames_carry_pitch_level_and_attention(classifier: Classifier) -> None:
    # A second of voice, then one of digital silence.
    samples = np.concatenate([voice(16_000, f0_hz=150), np.zeros(32_000, np.float32)])
    found = explain(classifier, samples, 16_000)
    assert found.duration_s == 3.0
    n_frames = classifier.spec.n_frames(48_000)
    for each in (found.frame_s, found.pitch_hz, found.level_db, found.attention):
        assert each.shape == (n_frames,)
        assert each.dtype == np.float64
    assert found.frame_s[0] == 0.032
    np.testing.assert_allclose(np.diff(found.frame_s), 0.032)
    extracted = heard_rows(classifier, samples)[:, 13].astype(float)
    assert np.array_equal(np.nan_to_num(found.pitch_hz), extracted)
    quiet = found.frame_s > 1.05
    assert np.isnan(found.pitch_hz[quiet]).all()
    assert np.nanmedian(found.pitch_hz[~quiet]) == pytest.approx(150, abs=30)
    # What the blocker of a constant offset had taken for one dies away.
    assert (found.level_db[quiet] < -60).all()
    assert (found.level_db[found.frame_s > 2.5] == -120).all()
    assert (found.level_db[found.frame_s < 0.9] > -40).all()
    # The model is not asked about the quiet end of 0.6 s that no segment with speech holds.
    heard = np.isfinite(found.attention)
    assert heard[found.frame_s < 2.2].all()
    assert (found.attention[heard] > 0).all()
    assert [s.label is None for s in found.stretches] == [not d.speech for d in found.decisions]


def test_one_segment_has_its_own_attention(classifier: Classifier) -> None:
    samples = voice(20_000)
    found = explain(classifier, samples, 16_000)
    features = heard_rows(classifier, samples)
    normalised = (features - classifier.mean) / classifier.std
    backend = classifier.model.session()
    assert isinstance(backend, AttentiveSession)
    wanted = backend.infer_with_attention(normalised[None], UNKNOWN)[1][0].mean(axis=0)
    np.testing.assert_allclose(found.attention, wanted * len(features), rtol=1e-5)
    assert found.attention.mean() == pytest.approx(1, abs=1e-5)


def test_other_rates_are_resampled(classifier: Classifier) -> None:
    found = explain(classifier, voice(44_100), 44_100)
    assert found.sample_rate == 16_000
    assert found.samples.size == 16_000


@pytest.mark.parametrize(
    ("samples", "rate", "match"),
    [(voice(1000), 16_000, "1000 samples at"), (voice(2000), 0, "sample_rate is 0")],
)
def test_clip_that_cannot_be_used_is_refused(
    classifier: Classifier, samples: np.ndarray, rate: int, match: str
) -> None:
    with pytest.raises(ParameterError, match=match):
        explain(classifier, samples, rate)


def test_even_attention_is_one_wherever_segments_overlap() -> None:
    even = [np.full(4, 1 / 4), np.full(4, 1 / 4), np.full(6, 1 / 6)]
    found = attention_over_time(even, [0, 2, 3], 10)
    np.testing.assert_allclose(found[:9], 1)
    assert np.isnan(found[9])


def test_attention_is_the_mean_over_the_segments_that_hold_a_frame() -> None:
    found = attention_over_time([[1.0, 0.0], [0.25, 0.75]], [0, 1], 3)
    assert found.tolist() == [2.0, 0.25, 1.5]


def test_hop_as_long_as_the_window_leaves_a_gap(classifier: Classifier) -> None:
    """Such windows lie side by side as samples, with a frame between them."""
    found = explain(classifier, voice(2 * 31_744), 16_000, segment_s=2.0, hop_s=2.0)
    assert np.flatnonzero(np.isnan(found.attention)).tolist() == [61]


def test_stretches_lie_side_by_side_over_the_whole_clip() -> None:
    found = stretches([decision(0, 2), decision(0.5, 2.5, "sad"), decision(0.9, 2.9)], 3.0)
    assert [(s.start_s, s.end_s) for s in found] == [
        (0, 1.25), (1.25, pytest.approx(1.7)), (pytest.approx(1.7), 3.0),
    ]  # fmt: skip
    assert [s.label for s in found] == ["calm", "sad", "calm"]
    assert all(s.counted for s in found)


def test_quiet_stretch_does_not_count() -> None:
    found = stretches([decision(0, 1), decision(1, 2, level_db=-46)], 2.0)
    assert [s.counted for s in found] == [True, False]


@pytest.mark.parametrize(("size", "n_columns"), [(1, 5), (10, 3), (10, 10), (7, 100), (1000, 7)])
def test_envelope_holds_every_sample(size: int, n_columns: int) -> None:
    samples = np.random.default_rng(size).standard_normal(size).astype(np.float32)
    first, low, high = envelope(samples, n_columns)
    assert len(first) == len(low) == len(high) <= n_columns
    for start, end, lowest, highest in zip(first, [*first[1:], size], low, high, strict=True):
        assert samples[start:end].min() == lowest
        assert samples[start:end].max() == highest


def test_recorder_leaves_the_classifier_alone(classifier: Classifier) -> None:
    model = classifier.model
    explain(classifier, voice(20_000), 16_000)
    assert classifier.model is model
    assert not isinstance(types.SimpleNamespace(name="x", infer=None), AttentiveSession)
