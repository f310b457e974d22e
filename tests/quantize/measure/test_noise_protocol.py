"""Conditions: known by name, cached one by one, the same whatever else is measured."""

from __future__ import annotations

import numpy as np
import pytest
from protocol_fakes import SPEC, clip, rows_of, runner

from edge.errors import AudioFileError, ParameterError
from edge.features import FeatureExtractor
from quantize.data.corpora import LABELS
from quantize.measure.protocols import noise
from quantize.measure.protocols.conditions import CONDITIONS
from quantize.measure.protocols.noise import NoiseCache, degraded, utterance_trials
from quantize.measure.protocols.tables import mean_conditions, noise_table

CLIPS = [clip(i, "sad", speaker=f"{i:02d}") for i in range(3)]


def speech(one, sample_rate):
    """A tone of the speaker's own, as a stand-in for its file."""
    hz = 150 + 50 * int(one.speaker[-2:])
    return (0.1 * np.sin(2 * np.pi * hz * np.arange(sample_rate // 2) / sample_rate)).astype("f4")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(noise, "read_clip", speech)
    return NoiseCache(tmp_path, SPEC, CLIPS)


def test_the_conditions_are_those_of_the_protocol():
    assert len(CONDITIONS) == 17
    assert {"white-20dB", "pink-15dB", "babble-0dB", "small-room", "far-microphone"} < set(
        CONDITIONS
    )


@pytest.mark.parametrize("condition", ["pink-5dB", "babble-5dB", "far-microphone"])
def test_rows_are_the_features_of_the_degraded_clip(cache, condition):
    rows = cache.load(condition)
    assert set(rows) == {c.clip_id for c in CLIPS}
    one = CLIPS[1]
    voices = noise.noise_and_rooms.VoiceBank(CLIPS, lambda c: speech(c, 16_000), 16_000)
    heard = degraded(speech(one, 16_000), one, condition, 16_000, voices)
    expected = FeatureExtractor(SPEC).extract(heard).astype("f2")
    assert np.array_equal(rows[one.clip_id], expected)


def test_a_condition_that_is_cached_is_not_computed_again(cache, monkeypatch):
    first = cache.load("white-0dB")
    monkeypatch.setattr(noise, "_rows", None)
    again = cache.load("white-0dB")
    assert all(np.array_equal(first[k], again[k]) for k in first)
    with pytest.raises(TypeError):
        cache.load("white-5dB")
    assert [p.name[:9] for p in cache.folder.iterdir()] == ["white-0dB"]


def test_noise_hangs_on_the_clip_alone_and_is_the_same_at_every_snr(cache, tmp_path):
    few = NoiseCache(tmp_path, SPEC, CLIPS[:1]).load("white-10dB")
    name = CLIPS[0].clip_id
    assert np.array_equal(cache.load("white-10dB")[name], few[name])
    clean = speech(CLIPS[0], 16_000)
    ten, twenty = (degraded(clean, CLIPS[0], f"white-{n}dB", 16_000) - clean for n in (10, 20))
    np.testing.assert_allclose(ten, np.sqrt(10) * twenty, atol=1e-6)
    other = degraded(clean, CLIPS[1], "white-10dB", 16_000) - clean
    assert abs(np.corrcoef(ten, other)[0, 1]) < 0.1


def test_what_cannot_be_measured_is_one_sentence(cache, tmp_path, monkeypatch):
    with pytest.raises(ParameterError, match="the condition is 'rain', one of white-20dB, "):
        cache.load("rain")
    with pytest.raises(ParameterError, match="babble needs two speakers"):
        NoiseCache(tmp_path, SPEC, CLIPS[:1]).load("babble-10dB")
    with pytest.raises(ParameterError, match="babble needs the voices"):
        degraded(speech(CLIPS[0], 16_000), CLIPS[0], "babble-0dB", 16_000)
    monkeypatch.setattr(noise, "read_clip", lambda *_: np.zeros(9, "f4"))
    with pytest.raises(AudioFileError, match="has 9 samples at 16000 Hz, one frame needs 1024"):
        cache.load("pink-0dB")
    assert not list(tmp_path.rglob("*.npz"))


def test_an_utterance_is_one_trial():
    happy, sad = LABELS.index("happy"), LABELS.index("sad")
    rows = {c.clip_id: rows_of([happy if i else sad] * 100) for i, c in enumerate(CLIPS)}
    trials = utterance_trials(runner(), CLIPS, rows)
    assert trials.utterance.tolist() == [0, 1, 2]
    assert trials.posteriors.argmax(axis=1).tolist() == [sad, happy, happy]
    only = utterance_trials(runner(), CLIPS, rows, labels=("sad", "calm"))
    assert only.posteriors[:, happy].tolist() == [0, 0, 0]


def test_the_table_shows_drops_and_the_mean_of_runs():
    def figures(uar, **drop):
        part = {"n": 9, "n_utterances": 9, "accuracy": uar + 0.1, "uar": uar, **drop}
        return {**part, "n_left_out": 0, "n_short": 0, "by_corpus": {"savee": part}}

    runs = [
        {"clean": figures(0.6), "white-0dB": figures(0.4, accuracy_drop=0.2, uar_drop=0.2)},
        {"clean": figures(0.7), "white-0dB": figures(0.4, accuracy_drop=0.3, uar_drop=0.3)},
    ]
    mean = mean_conditions(runs)
    assert mean["clean"]["uar"] == pytest.approx(0.65)
    assert mean["white-0dB"]["uar_drop_sd"] == pytest.approx(0.0707, abs=1e-4)
    assert mean["clean"]["n"] == 18
    lines = noise_table(mean).splitlines()
    assert lines[0].split() == ["savee"]
    assert lines[2].split() == ["clean", "75.0", "65.0"]
    assert lines[3].split() == ["white-0dB", "50.0", "40.0", "25.0"]
