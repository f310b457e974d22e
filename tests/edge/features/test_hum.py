"""Mains hum is taken away, wherever the mains wanders; a voice is not, nor anything else."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge import ParameterError
from edge.features.hum import HumFilter, hum_filter
from edge.features.mains_tones import mains_tones

RATE = 16_000

#: Formants of vowels and of a closed mouth, in Hz.
FORMANTS = {"a": (700, 1100, 2400), "i": (290, 2200, 2900), "u": (310, 800, 2250), "m": (250,)}


def room(n: int, level: float = 3e-4, seed: int = 0) -> np.ndarray:
    return level * np.random.default_rng(seed).standard_normal(n)


def hum(n: int, mains_hz: float, n_partials: int, level: float = 0.005, at: int = 0) -> np.ndarray:
    numbers = np.arange(1, n_partials + 1)[:, np.newaxis]
    times_s = (at + np.arange(n)) / RATE
    return level * (np.sin(2 * np.pi * mains_hz * numbers * times_s) / numbers).sum(axis=0)


@functools.cache
def vowel(
    pitch_hz: float, kind: str, duration_s: float, level: float = 0.1, unsteady: float = 0.0
) -> np.ndarray:
    """A held vowel whose pitch wanders by a share of itself, over a tenth of a second or so."""
    rng = np.random.default_rng(1)
    n = round(duration_s * RATE)
    wander = np.convolve(rng.standard_normal(n // 160 + 62), np.ones(60) / 60**0.5, "valid")
    moved = 1 + unsteady * np.interp(np.arange(n) / 160, np.arange(wander.size), wander)
    phase = 2 * np.pi * np.cumsum(pitch_hz * moved) / RATE
    out = np.zeros(n)
    for k in range(1, int(4000 / pitch_hz)):
        far = [(k * pitch_hz - f) / (60 + 0.05 * f) for f in FORMANTS[kind]]
        out += sum(1 / (1 + x * x) ** 0.5 for x in far) / k * np.sin(k * phase + k * k)
    out *= level / out.std()
    out[:480] *= np.linspace(0, 1, 480)
    out[-480:] *= np.linspace(1, 0, 480)
    out.flags.writeable = False
    return out


def talk(n: int) -> np.ndarray:
    """Something like speech: vowels of 0.7 s, 0.3 s of pause behind each, from 1 s on."""
    out, rng = np.zeros(n), np.random.default_rng(2)
    for start in range(RATE, n - RATE, RATE):
        kind = "aiu"[int(rng.integers(3))]
        said = vowel(float(rng.uniform(90, 220)), kind, 0.7, 0.05, unsteady=0.01)
        out[start : start + said.size] += said
    return out


def left_db(samples: np.ndarray, unwanted: np.ndarray, start_s: float) -> float:
    """How much of what is unwanted is left, in dB."""
    taken = samples - HumFilter(RATE).process_checked(samples)
    part = slice(round(start_s * RATE), None)
    return 10 * np.log10(np.mean((unwanted - taken)[part] ** 2) / np.mean(unwanted[part] ** 2))


@pytest.mark.parametrize("speed", [1.0, 1.0002, 0.999, 1.001])
@pytest.mark.parametrize(("mains_hz", "n_partials"), [(50, 1), (60, 3), (100, 4), (120, 4)])
def test_hum_under_speech_is_gone_after_half_a_second(
    mains_hz: float, n_partials: int, speed: float
) -> None:
    n = 8 * RATE
    unwanted = hum(n, mains_hz * speed, n_partials)
    samples = (talk(n) + room(n) + unwanted).astype(np.float32)
    assert left_db(samples, unwanted, 0.5) < -30


def test_a_mains_that_wanders_is_followed() -> None:
    n = 30 * RATE
    moved = 1 + 4e-4 * np.sin(2 * np.pi * np.arange(n) / RATE / 30)
    unwanted = 0.005 * np.sin(2 * np.pi * 100 * np.cumsum(moved) / RATE)
    samples = (talk(n) + room(n) + unwanted).astype(np.float32)
    assert left_db(samples, unwanted, 0.5) < -20


@pytest.mark.parametrize("unsteady", [0.0, 0.0005, 0.001, 0.002, 0.01])
@pytest.mark.parametrize("lead_s", [0.0, 0.7])
def test_a_held_vowel_is_left_alone(unsteady: float, lead_s: float) -> None:
    """Three seconds at the very pitch of a hum, and steadier than any singer."""
    for pitch_hz in (100, 120, 150, 240):
        for kind in FORMANTS:
            said = vowel(pitch_hz, kind, 3.0, unsteady=unsteady)
            silence = np.zeros(round(lead_s * RATE))
            samples = np.concatenate((silence, said, np.zeros(RATE)))
            samples = (samples + room(samples.size, 1e-4)).astype(np.float32)
            assert HumFilter(RATE).process_checked(samples) is samples, (pitch_hz, kind)


def test_hum_that_begins_later_is_gone_once_it_has_outlasted_a_voice() -> None:
    n = 12 * RATE
    late = hum(n, 100, 4)
    late[: 2 * RATE] = 0
    samples = (room(n) + late).astype(np.float32)
    left = HumFilter(RATE).process_checked(samples)
    assert np.array_equal(left[: 7 * RATE], samples[: 7 * RATE])
    assert np.std((left - samples + late)[8 * RATE :]) < 0.03 * np.std(late[8 * RATE :])


def test_what_ends_is_given_up_within_half_a_second() -> None:
    n = 6 * RATE
    ends = hum(n, 50, 2)
    ends[3 * RATE :] = 0
    samples = (room(n) + ends).astype(np.float32)
    split = HumFilter(RATE)
    left = split.process_checked(samples)
    assert split.tones_hz == ()
    assert np.array_equal(left[round(3.6 * RATE) :], samples[round(3.6 * RATE) :])


@pytest.mark.parametrize("level", [0.02, 0.2])
def test_hum_as_loud_as_a_voice_is_gone_if_it_stands_still_from_the_first_sample_on(
    level: float,
) -> None:
    n = 4 * RATE
    unwanted = hum(n, 120, 4, level)
    assert left_db((room(n) + unwanted).astype(np.float32), unwanted, 0.5) < -30


def test_it_says_what_it_takes() -> None:
    samples = (room(2 * RATE) + hum(2 * RATE, 120, 2)).astype(np.float32)
    used = HumFilter(RATE)
    used.process_checked(samples)
    assert used.tones_hz == (120.0, 240.0)
    used.reset()
    assert used.tones_hz == ()
    again = HumFilter(RATE).process_checked(samples)
    assert used.process_checked(samples).tobytes() == again.tobytes()


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(0, 9000), min_size=1, max_size=12))
def test_no_split_into_blocks_shows(lengths: list[int]) -> None:
    n, split = sum(lengths), HumFilter(RATE)
    samples = (room(n) + hum(n, 100, 3)).astype(np.float32)
    ends = np.cumsum(lengths)
    parts = [
        split.process_checked(samples[end - n : end]) for n, end in zip(lengths, ends, strict=True)
    ]
    whole = HumFilter(RATE).process_checked(samples)
    assert np.concatenate(parts).tobytes() == whole.tobytes()


def test_what_it_is_given_is_not_written_to() -> None:
    samples = (room(2 * RATE) + hum(2 * RATE, 100, 4)).astype(np.float32)
    before = samples.copy()
    assert HumFilter(RATE).process_checked(samples) is not samples
    assert np.array_equal(samples, before)


@pytest.mark.parametrize("sound", ["noise", "silence", "offset", "talk", "glide"])
def test_without_hum_the_samples_themselves_go_on(sound: str) -> None:
    n = 5 * RATE
    times_s = np.arange(n) / RATE
    sounds = {
        "noise": room(n, 0.1),
        "silence": np.zeros(n),
        "offset": np.full(n, 0.2) + room(n),
        "talk": talk(n) + room(n),
        "glide": 0.01 * np.sin(2 * np.pi * (95 + times_s) * times_s),
    }
    samples = sounds[sound].astype(np.float32)
    assert HumFilter(RATE).process_checked(samples) is samples


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
@pytest.mark.parametrize("offset", [0.0, 0.02, 0.6])
@pytest.mark.parametrize("level", [1e-4, 0.01, 0.3])
def test_a_block_that_tones_may_hold_is_never_ruled_out(
    rate: int, offset: float, level: float
) -> None:
    tones = mains_tones(rate)
    at = np.arange(rate // 10)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        hz = rng.choice(tones.tones_hz, rng.integers(1, 6), replace=False)[:, np.newaxis]
        wanted = np.sin(2 * np.pi * (hz * at / rate + rng.random(hz.shape))).sum(axis=0)
        noise = rng.standard_normal(at.size)
        noise -= noise.mean()
        noise *= (0.3 * wanted.var() / noise.var()) ** 0.5
        block = (offset + level * (wanted + noise)).astype(np.float32)
        assert tones.may_hold(0.75, block)


@pytest.mark.parametrize("sound", ["noise", "silence", "vowel"])
def test_most_blocks_are_ruled_out(sound: str) -> None:
    sounds = {
        "noise": room(1600),
        "silence": np.zeros(1600),
        "vowel": vowel(137, "a", 1.0)[800:2400],
    }
    assert not mains_tones(RATE).may_hold(0.75, sounds[sound].astype(np.float32))


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000])
def test_any_rate_of_whole_blocks_will_do(rate: int) -> None:
    made = hum_filter(rate)
    if rate % 10:
        assert made is None
        with pytest.raises(ParameterError, match="sample_rate is 11025, a multiple of 10 Hz"):
            HumFilter(rate)
        return
    times_s = np.arange(3 * rate) / rate
    samples = (0.01 * np.sin(2 * np.pi * 100 * times_s) + room(times_s.size)).astype(np.float32)
    assert made is not None
    left = made.process_checked(samples)
    assert np.std(left[2 * rate :]) < 2 * np.std(room(rate))
