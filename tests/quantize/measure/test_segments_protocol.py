"""Single windows: the device's own, each a trial, silence left out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from protocol_fakes import RMS, clip, rows_of, runner

from edge.artifact import read_artifact
from edge.bundled import MODELS_DIR
from edge.errors import ParameterError
from edge.features import FeatureExtractor
from edge.features.front_end import DcBlocker
from edge.runtimes.open import open_model
from edge.stream.classifier import Classifier
from quantize.data.corpora import LABELS
from quantize.measure.evaluate import artifact_runner
from quantize.measure.protocols.segments import (
    WINDOWS_S,
    segment_trials,
    speech_told_by,
)
from quantize.measure.protocols.tables import mean_conditions, speech_table
from quantize.measure.protocols.trials import SPEECH_SHARES, Trials

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


def half_full(number: int) -> np.ndarray:
    """Rows of 1 s with speech, 1 s at -40 dB, and 1 s with speech."""
    rows = rows_of([HAPPY] * 90)
    rows[30:60, RMS] = 0.1 * 10 ** (-40 / 20) * (1 + number)
    return rows


def test_each_window_tells_its_share_of_speech():
    one = clip(0, "happy")
    trials = segment_trials(runner(), [one], {one.clip_id: half_full(0)}, 1.0)
    # Windows begin at 0, 16, 32, 48 and 60.
    expected = [1.0, 14 / 30, 2 / 30, 18 / 30, 1.0]
    assert trials.speech_shares == pytest.approx(expected)
    parts = trials.figures()["by_speech"]
    assert list(parts) == list(SPEECH_SHARES)
    assert [parts[name]["n"] for name in SPEECH_SHARES] == [1, 1, 1, 2, 2]
    assert parts["90-100"]["by_corpus"]["ravdess"]["uar"] == 1.0


def test_shares_are_pooled_averaged_and_shown():
    clips = [clip(0, "happy"), clip(1, "sad")]
    rows = {c.clip_id: half_full(at) for at, c in enumerate(clips)}
    parts = [segment_trials(runner(), [c], rows, 1.0) for c in clips]
    pooled = Trials.pooled(parts)
    assert pooled.figures()["by_speech"]["75-100"]["n"] == 4
    mean = mean_conditions([{"1.0 s": part.figures()} for part in parts])
    assert mean["1.0 s"]["by_speech"]["90-100"]["n"] == 4
    assert mean["1.0 s"]["by_speech"]["90-100"]["by_corpus"]["ravdess"]["uar"] == 0.5
    for figures in ({"1.0 s": pooled.figures()}, mean):
        lines = speech_table(figures, "level").splitlines()
        cells = [*["2", "50.0", "50.0"] * 3, *["4", "50.0", "50.0"] * 2]
        assert lines[2].split() == ["1.0", "s", "ravdess", *cells]
        assert "within 30 dB of their clip's loudest" in lines[-1]


def test_a_share_without_a_window_is_shown_as_none():
    one = clip(0, "happy")
    figures = segment_trials(runner(), [one], {one.clip_id: rows_of([HAPPY] * 30)}, 1.0).figures()
    assert figures["by_speech"]["0-25"] == {"n_utterances": 0, "n": 0, "by_corpus": {}}
    assert speech_table({"1.0 s": figures}, "level").splitlines()[2].split()[3:6] == ["0", "-", "-"]
    mean = mean_conditions([{"1.0 s": figures}] * 2)
    assert mean["1.0 s"]["by_speech"]["0-25"] == {"n_utterances": 0, "n": 0, "by_corpus": {}}


def test_the_gate_of_an_artifact_tells_speech():
    folder = MODELS_DIR / "claf-ser-tiny"
    manifest = read_artifact(folder).manifest
    classifier = Classifier(read_artifact(folder), open_model(read_artifact(folder)))
    samples = 0.1 * np.random.default_rng(0).standard_normal(40_000).astype("f4")
    rows = FeatureExtractor(classifier.spec).extract(samples)
    gated = dataclasses.replace(runner(), gate=manifest.gate)
    assert speech_told_by(gated) == "gate"
    assert speech_told_by(runner()) == "level"
    one = clip(0, "neutral")
    rows[:, 0] = 0.0
    # Steady noise: every frame is nearly as loud as the loudest, and none is speech.
    by_level, by_gate = (
        segment_trials(each, [one], {one.clip_id: rows}, 1.0).speech_shares
        for each in (runner(), gated)
    )
    assert by_level.min() > 0.95
    assert by_gate.max() < 0.5
