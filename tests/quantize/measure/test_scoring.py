"""Workstation scores are the device's: same segments, same average."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.artifact import read_artifact
from edge.audio.file import read_audio
from edge.bundled import DEMO_CLIP, MODELS_DIR
from edge.features import FeatureExtractor
from edge.features.front_end import DcBlocker
from edge.features.spec import FeatureSpec
from edge.runtimes.open import open_model
from edge.stream.classifier import Classifier
from edge.stream.posterior import average_posterior
from quantize.data.features.windows import WINDOW_FRAMES, WINDOW_HOP, segment_bounds, window_of
from quantize.measure.evaluate import artifact_runner
from quantize.measure.scoring import score_segments, score_utterances, utterance_posterior


@given(n_rows=st.integers(1, 300), window=st.integers(1, 80), hop=st.integers(1, 80))
@settings(deadline=None, max_examples=100)
def test_segments_cover_the_end_and_are_no_longer_than_a_window(n_rows, window, hop):
    bounds = segment_bounds(n_rows, window, hop)
    assert bounds[-1][1] == n_rows
    assert all(0 <= first < end <= n_rows and end - first <= window for first, end in bounds)
    assert all(end - first == window for first, end in bounds) or n_rows < window


def test_known_segments():
    assert segment_bounds(61, 61, 16) == [(0, 61)]
    assert segment_bounds(100, 61, 16) == [(0, 61), (16, 77), (32, 93), (39, 100)]
    assert segment_bounds(10, 61, 16) == [(0, 10)]
    assert segment_bounds(0, 61, 16) == []


def test_scores_equal_those_of_the_device(tiny_artifact):
    classifier = Classifier(tiny_artifact, open_model(tiny_artifact))
    rng = np.random.default_rng(0)
    # From one frame to several windows, with a silent stretch that must not count.
    clips = [0.1 * rng.standard_normal(n).astype("f4") for n in (1024, 20_000, 60_000, 90_000)]
    clips[3][:45_000] *= 1e-4
    rows = [
        FeatureExtractor(classifier.spec).extract(DcBlocker(16_000).process(clip)) for clip in clips
    ]
    unknown = classifier.corpora.index("unknown")
    scored = score_utterances(
        classifier.model.session().infer,
        rows,
        [unknown] * len(clips),
        spec=classifier.spec,
        mean=np.asarray(classifier.mean),
        std=np.asarray(classifier.std),
        window_frames=classifier.window_frames,
        window_hop=classifier.window_hop,
        temperature=classifier.temperature,
    )
    for clip, posterior in zip(clips, scored, strict=True):
        decisions = classifier.classify(clip, 16_000, hop_s=classifier.file_hop_s)
        expected = average_posterior(
            [list(d.posterior.values()) if d.posterior else [0.0] * 8 for d in decisions],
            [d.level_db for d in decisions],
            [d.speech for d in decisions],
        )
        assert posterior == pytest.approx(expected, abs=1e-5)


def test_a_gate_weighs_segments_as_on_the_device():
    artifact = read_artifact(MODELS_DIR / "claf-ser-tiny")
    classifier = Classifier(artifact, open_model(artifact))
    samples = read_audio(DEMO_CLIP)[0][:80_000].copy()
    samples[16_000:40_000] *= 1e-3
    rows = FeatureExtractor(classifier.spec).extract(samples)  # the front end is part of them
    runner = artifact_runner(artifact.path)
    (scored,) = score_segments(
        runner.infer, [rows], [runner.unknown], window_frames=30, **runner.scoring()
    )
    decisions = classifier.classify(samples, 16_000, segment_s=1.0, hop_s=0.512)
    shares = [d.speech_share for d in decisions]
    assert len(set(shares)) > 2
    assert scored.speech_shares == shares
    weighed = average_posterior(scored.posteriors, scored.levels_db, scored.speech, shares)
    found = utterance_posterior(scored, scored.posteriors)
    assert found == pytest.approx(weighed, abs=1e-9)
    plain = average_posterior(scored.posteriors, scored.levels_db, scored.speech)
    assert np.abs(found - plain).max() > 1e-4


def a_model(rows: np.ndarray, language: int) -> np.ndarray:
    """Logits that follow the rows' first column, with class 1 far ahead of all others."""
    return np.stack([rows[:, 0, 0], rows[:, 0, 0] + 900, -rows[:, 0, 0], 0 * rows[:, 0, 0]], axis=1)


def test_only_the_classes_asked_for_can_be_answered():
    spec = FeatureSpec()
    rows = [np.full((40, 34), value, "f4") for value in (1.0, -1.0)]
    plain = {
        "spec": spec,
        "mean": np.zeros(34, "f4"),
        "std": np.ones(34, "f4"),
        "window_frames": 30,
        "window_hop": 16,
        "temperature": 2.0,
    }
    assert score_utterances(a_model, rows, [0, 0], **plain).argmax(axis=1).tolist() == [1, 1]
    scored = score_utterances(a_model, rows, [0, 0], **plain, classes=[0, 2])
    # The share of e^x and e^-x at temperature 2, however far ahead class 1 is.
    expected = 1 / (1 + np.exp(-1.0))
    assert scored[0] == pytest.approx([expected, 0, 1 - expected, 0])
    assert scored[1] == pytest.approx([1 - expected, 0, expected, 0])


def test_segments_come_with_bounds_and_levels():
    spec = FeatureSpec()
    rows = np.zeros((50, 34), "f4")
    rows[20:, spec.feature_names.index("rms")] = 0.1
    (segments,) = score_segments(
        a_model,
        [rows],
        [0],
        spec=spec,
        mean=np.zeros(34, "f4"),
        std=np.ones(34, "f4"),
        window_frames=20,
        window_hop=15,
    )
    assert segments.bounds == [(0, 20), (15, 35), (30, 50)]
    assert segments.posteriors.shape == (3, 4)
    assert segments.levels_db == pytest.approx([-120, -20 + 10 * np.log10(0.75), -20])


def test_a_window_lasts_as_long_at_every_hop():
    assert window_of(FeatureSpec()) == (WINDOW_FRAMES, WINDOW_HOP)
    coarse = FeatureSpec(hop_length=1024)
    window_frames, window_hop = window_of(coarse)
    assert coarse.n_samples(window_frames) == FeatureSpec().n_samples(WINDOW_FRAMES)
    assert window_hop * 1024 == WINDOW_HOP * 512
