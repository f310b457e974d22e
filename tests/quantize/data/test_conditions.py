"""Conditions: known by name, kept one by one, the same whatever else is measured."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from protocol_fakes import SPEC, clip

from edge.audio.file import write_wav
from edge.errors import AudioFileError, ParameterError
from edge.features import FeatureExtractor
from quantize.data.features.cache import FeatureCache
from quantize.data.features.conditions import CONDITIONS
from quantize.data.features.degraded import degraded
from quantize.data.sound.noise_and_rooms import VoiceBank
from quantize.data.sound.reading import read_clip


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A tone of its own for every speaker."""
    folder = tmp_path_factory.mktemp("tones")
    made = []
    for i in range(3):
        tone = 0.1 * np.sin(2 * np.pi * (150 + 50 * i) * np.arange(8_000) / 16_000)
        write_wav(folder / f"{i}.wav", tone, 16_000)
        made.append(
            dataclasses.replace(clip(i, "sad", speaker=f"{i:02d}"), path=folder / f"{i}.wav")
        )
    return made


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path, SPEC)


def test_the_conditions_are_those_of_the_protocol():
    assert len(CONDITIONS) == 17
    assert {"white-20dB", "pink-15dB", "babble-0dB", "small-room", "far-microphone"} < set(
        CONDITIONS
    )


@pytest.mark.parametrize("condition", ["pink-5dB", "babble-5dB", "far-microphone"])
def test_rows_are_the_features_of_the_degraded_clip(cache, clips, condition):
    rows = cache.load_condition(clips, condition)
    assert set(rows) == {c.clip_id for c in clips}
    one = clips[1]
    voices = VoiceBank(clips, lambda c: read_clip(c, 16_000), 16_000)
    heard = degraded(read_clip(one, 16_000), one, condition, 16_000, voices)
    expected = FeatureExtractor(SPEC).extract(heard).astype("f2")
    assert np.array_equal(rows[one.clip_id], expected)
    again = FeatureCache(cache.folder / "other", SPEC).load_condition(clips[::-1], condition)
    assert all(np.array_equal(rows[k], again[k]) for k in rows)


def test_a_condition_that_is_kept_is_not_computed_again(cache, clips, monkeypatch):
    first = cache.load_condition(clips, "white-0dB")
    monkeypatch.setattr("quantize.data.features.cache.compute_rows", None)
    again = cache.load_condition(clips, "white-0dB")
    assert all(np.array_equal(first[k], again[k]) for k in first)
    with pytest.raises(TypeError):
        cache.load_condition(clips, "white-5dB")


def test_babble_is_of_these_voices_alone(cache, clips, tmp_path):
    """One voice of the bank was recorded anew: everybody else is heard in another babble."""
    first = cache.load_condition(clips, "babble-0dB")
    path = tmp_path / "other.wav"
    write_wav(path, 0.1 * np.sin(2 * np.pi * 500 * np.arange(8_000) / 16_000), 16_000)
    changed = [*clips[:2], dataclasses.replace(clips[2], path=path)]
    again = cache.load_condition(changed, "babble-0dB")
    assert not any(np.array_equal(first[k], again[k]) for k in first)
    assert all(
        np.array_equal(first[k], rows)
        for k, rows in cache.load_condition(clips, "babble-0dB").items()
    )


def test_noise_hangs_on_the_clip_alone_and_is_the_same_at_every_snr(cache, clips, tmp_path):
    few = FeatureCache(tmp_path / "few", SPEC).load_condition(clips[:1], "white-10dB")
    name = clips[0].clip_id
    assert np.array_equal(cache.load_condition(clips, "white-10dB")[name], few[name])
    clean = read_clip(clips[0], 16_000)
    ten, twenty = (degraded(clean, clips[0], f"white-{n}dB", 16_000) - clean for n in (10, 20))
    np.testing.assert_allclose(ten, np.sqrt(10) * twenty, atol=1e-6)
    other = degraded(clean, clips[1], "white-10dB", 16_000) - clean
    assert abs(np.corrcoef(ten, other)[0, 1]) < 0.1


def test_what_cannot_be_measured_is_one_sentence(cache, clips, tmp_path):
    with pytest.raises(ParameterError, match="the condition is 'rain', one of white-20dB, "):
        cache.load_condition(clips, "rain")
    with pytest.raises(ParameterError, match="babble needs two speakers"):
        cache.load_condition(clips[:1], "babble-10dB")
    with pytest.raises(ParameterError, match="babble needs the voices"):
        degraded(read_clip(clips[0], 16_000), clips[0], "babble-0dB", 16_000)
    write_wav(tmp_path / "short.wav", np.zeros(9), 16_000)
    short = dataclasses.replace(clips[0], path=tmp_path / "short.wav")
    with pytest.raises(AudioFileError, match="has 9 samples at 16000 Hz, one frame needs 1024"):
        cache.load_condition([short], "pink-0dB")
    assert not list(tmp_path.rglob("*.rows"))
