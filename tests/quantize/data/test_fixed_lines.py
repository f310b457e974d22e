"""Conditions of the protocol ``conditions``: each is what its name says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from protocol_fakes import SPEC, clip

from edge.audio.file import write_wav
from edge.errors import ParameterError
from quantize.data.features.cache import FeatureCache
from quantize.data.features.conditions import (
    CODECS,
    EVERY_CONDITION,
    EVERYDAY,
    LINES,
    NOISES,
    ROOMS,
)
from quantize.data.features.degraded import condition_recipe, degraded
from quantize.data.sound import codecs, level
from quantize.data.sound.fixed_lines import FIXED_LINES
from quantize.data.sound.recordings import sounds_of
from quantize.data.sound.sound_bank import SoundBank

RATE = 16_000
ONE = clip(0, "sad")


def voice(seconds: float = 1.0) -> np.ndarray:
    t = np.arange(int(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * k * 150 * t + k * k) / k for k in range(1, 47))
    return (0.05 * tones * (0.55 - 0.45 * np.cos(6 * np.pi * t))).astype("f4")


def power_db(samples: np.ndarray, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(samples.size))) ** 2
    hz = np.fft.rfftfreq(samples.size, 1 / RATE)
    return 10 * np.log10(power[(hz >= low_hz) & (hz < high_hz)].sum() + 1e-20)


def heard(condition: str, samples: np.ndarray | None = None) -> np.ndarray:
    return degraded(voice() if samples is None else samples, ONE, condition, RATE)


@pytest.fixture
def sounds(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(6):
        path = tmp_path / "sounds" / "rain" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, rng.normal(0, 0.1, 8000).astype("f4"), RATE)
    return tmp_path / "sounds"


def test_every_condition_is_of_a_kind_and_has_a_recipe():
    assert (*LINES, *CODECS, *NOISES, *ROOMS) == EVERY_CONDITION
    assert set(LINES) == set(FIXED_LINES)
    assert set(CODECS) < set(codecs.CODECS)
    assert all(condition_recipe(name)["condition"] == name for name in EVERY_CONDITION)
    assert len(set(EVERY_CONDITION)) == len(EVERY_CONDITION)


@pytest.mark.parametrize("condition", LINES)
def test_a_line_is_the_same_every_time_and_as_long(condition):
    first = heard(condition)
    assert first.dtype == np.float32
    assert first.shape == voice().shape
    assert np.array_equal(first, heard(condition))
    assert not np.array_equal(first, voice())


@pytest.mark.parametrize(("condition", "cutoff_hz"), [("band-4000Hz", 4000), ("mu-law", 4000)])
def test_a_band_ends_where_it_says(condition, cutoff_hz):
    lost_db = power_db(voice(), cutoff_hz + 200, 8000) - power_db(
        heard(condition), cutoff_hz + 200, 8000
    )
    assert lost_db > 40


@pytest.mark.parametrize("mains_hz", [50, 100, 120])
def test_hum_is_of_its_mains_and_its_level(mains_hz):
    hum = heard(f"hum-{mains_hz}Hz") - voice()
    peak_hz = np.abs(np.fft.rfft(hum)).argmax()
    assert peak_hz == mains_hz
    over_db = 10 * np.log10((hum.astype(float) ** 2).mean() / level.speech_power(voice(), RATE))
    assert over_db == pytest.approx(-10 if mains_hz == 50 else -20, abs=0.1)


def test_gains_are_those_of_their_names():
    def rms(samples):
        return np.sqrt((samples.astype(float) ** 2).mean())

    for name, gain_db in (("gain-20dB-down", -20), ("gain-40dB-down", -40)):
        assert 20 * np.log10(rms(heard(name)) / rms(voice())) == pytest.approx(gain_db, abs=0.1)
    assert (np.abs(heard("gain-20dB-up")) > 0.999).any()
    assert np.abs(heard("gain-20dB-up")).max() <= 1
    assert heard("offset").mean() == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize("condition", ["brown-10dB", "music-10dB"])
def test_noise_lies_ten_db_below_the_speech(condition):
    noise = heard(condition) - voice()
    snr_db = 10 * np.log10(level.speech_power(voice(), RATE) / (noise.astype(float) ** 2).mean())
    assert snr_db == pytest.approx(10.0, abs=0.1)
    other = degraded(voice(), clip(1, "sad"), condition, RATE) - voice()
    assert not np.array_equal(noise, other)


def test_everyday_sounds_are_those_that_training_never_hears(sounds):
    measured = sounds_of([sounds], measuring=True)
    assert [one.path.name for one in measured] == ["4.wav", "5.wav"]
    with pytest.raises(ParameterError, match="needs recordings of everyday sounds"):
        heard(EVERYDAY)
    with pytest.raises(ParameterError, match="needs recordings"):
        degraded(voice(), ONE, EVERYDAY, RATE, sounds=SoundBank(()))


def test_rows_of_everyday_sounds_follow_the_recordings(sounds, tmp_path):
    path = tmp_path / "a.wav"
    write_wav(path, voice(), RATE)
    clips = [dataclasses.replace(ONE, path=path)]

    def rows(measured):
        cache = FeatureCache(tmp_path / "cache", SPEC, sounds=measured)
        return cache.load_condition(clips, EVERYDAY)[ONE.clip_id]

    everything = sounds_of([sounds], measuring=True)
    first = rows(everything)
    assert np.array_equal(first, rows(everything[::-1]))
    assert not np.array_equal(first, rows(sounds_of([sounds], measuring=False)))


def test_a_machine_with_other_codecs_is_refused(tmp_path, monkeypatch):
    """What a cluster computes is kept under the codecs of who asked for it."""
    path = tmp_path / "a.wav"
    write_wav(path, voice(), RATE)
    clips = [dataclasses.replace(ONE, path=path)]
    monkeypatch.setattr("quantize.data.features.cache.codecs_here", lambda: ("0.9", "gsm"))
    cache = FeatureCache(tmp_path / "cache", SPEC)
    assert cache.load_condition(clips, "mu-law")
    with pytest.raises(ParameterError, match=r"those of 0\.9, gsm are wanted: install the same"):
        cache.load_condition(clips, "gsm")


def test_a_line_is_kept_whatever_sounds_are_named(sounds, tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    write_wav(path, voice(), RATE)
    clips = [dataclasses.replace(ONE, path=path)]
    first = FeatureCache(tmp_path / "cache", SPEC).load_condition(clips, "mu-law")
    monkeypatch.setattr("quantize.data.features.cache.compute_rows", None)
    named = sounds_of([sounds], measuring=True)
    again = FeatureCache(tmp_path / "cache", SPEC, sounds=named).load_condition(clips, "mu-law")
    assert np.array_equal(first[ONE.clip_id], again[ONE.clip_id])
