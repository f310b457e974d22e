"""Single windows: the device's own, each a trial, silence left out."""

from __future__ import annotations

import numpy as np
import pytest
from protocol_fakes import RMS, clip, rows_of, runner

from edge.errors import ParameterError
from edge.features import FeatureExtractor
from edge.features.front_end import DcBlocker
from edge.runtimes.open import open_model
from edge.stream.classifier import Classifier
from quantize.data.corpora import LABELS
from quantize.measure.evaluate import artifact_runner
from quantize.measure.protocols.segments import WINDOWS_S, segment_trials

HAPPY, SAD = LABELS.index("happy"), LABELS.index("sad")


@pytest.mark.parametrize("window_s", WINDOWS_S)
def test_trials_are_the_decisions_of_the_device(tiny_artifact, window_s):
    classifier = Classifier(tiny_artifact, open_model(tiny_artifact))
    samples = 0.1 * np.random.default_rng(0).standard_normal(70_000).astype("f4")
    one = clip(0, "sad")
    heard = DcBlocker(16_000).process(samples)
    rows = {one.clip_id: FeatureExtractor(classifier.spec).extract(heard)}
    trials = segment_trials(artifact_runner(tiny_artifact.path), [one], rows, window_s)
    decisions = classifier.classify(samples, 16_000, segment_s=window_s, hop_s=0.512)
    assert len(decisions) > 4
    expected = [list(d.posterior.values()) for d in decisions]
    np.testing.assert_allclose(trials.posteriors, expected, atol=1e-5)


def test_each_window_is_a_trial_of_its_utterance():
    clips = [clip(0, "happy"), clip(1, "sad")]
    # 46 rows: windows of 30 rows begin at 0 and 16.
    rows = {
        clips[0].clip_id: rows_of([HAPPY] * 16 + [SAD] * 30),
        clips[1].clip_id: rows_of([SAD] * 20),
    }
    trials = segment_trials(runner(), clips, rows, 1.0)
    assert trials.utterance.tolist() == [0, 0, 1]
    assert trials.posteriors.argmax(axis=1).tolist() == [HAPPY, SAD, SAD]
    assert trials.n_short == 1
    assert trials.figures()["accuracy"] == pytest.approx(2 / 3)


def test_quiet_windows_are_left_out():
    clips = [clip(0, "happy"), clip(1, "sad")]
    loud_then_quiet = rows_of([HAPPY] * 62)
    loud_then_quiet[30:, RMS] = 0.1 * 10 ** (-30 / 20)
    below_the_gate = rows_of([SAD] * 30, rms=10 ** (-70 / 20))
    rows = {clips[0].clip_id: loud_then_quiet, clips[1].clip_id: below_the_gate}
    trials = segment_trials(runner(), clips, rows, 1.0)
    # Windows begin at 0, 16 and 32; the last lies 30 dB below the first.
    assert trials.utterance.tolist() == [0, 0]
    assert trials.n_left_out == 2
    with pytest.raises(ParameterError, match="none of 1 windows is loud enough"):
        segment_trials(runner(), clips[1:], rows, 1.0)


def test_only_common_classes_are_answered():
    one = clip(0, "sad")
    rows = {one.clip_id: rows_of([HAPPY] * 30)}
    trials = segment_trials(runner(), [one], rows, 1.0, labels=("sad", "angry"))
    assert trials.posteriors[0, HAPPY] == 0
    assert trials.posteriors[0, SAD] == pytest.approx(0.5)


def test_a_window_without_a_frame_is_refused():
    with pytest.raises(ParameterError, match=r"window_s is 0\.01"):
        segment_trials(runner(), [clip(0, "sad")], {}, 0.01)
