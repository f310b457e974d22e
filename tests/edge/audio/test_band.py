"""The band meter: what ends early or mirrors is told once, what is wide never."""

from __future__ import annotations

import functools
import re
import tracemalloc

import numpy as np
import pytest

from edge.audio.band import BandMeter
from edge.audio.resample import resample

RATE = 16_000


@functools.lru_cache
def speech_like(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Pulses through a falling spectrum, hissing now and then, and faint noise."""
    rng = np.random.default_rng(seed)
    n = int(seconds * rate)
    time_s = np.arange(n) / rate
    pitch_hz = 130 + 25 * np.sin(2 * np.pi * 0.7 * time_s) + rng.standard_normal(n).cumsum() * 0.003
    phase = 2 * np.pi * np.cumsum(pitch_hz) / rate
    harmonics = range(1, int(rate / 2 / 190))
    voice = sum(np.cos(k * phase + k * k) / k**1.5 for k in harmonics)
    hiss = np.diff(rng.standard_normal(n + 1))
    syllables = np.clip(np.sin(2 * np.pi * 3.1 * time_s), 0, 1)
    hissing = np.clip(-np.sin(2 * np.pi * 3.1 * time_s), 0, 1) ** 3
    mixed = 0.1 * syllables * voice + 0.02 * hissing * hiss + 1e-4 * rng.standard_normal(n)
    samples = mixed.astype(np.float32)
    samples.flags.writeable = False
    return samples


def rounded(samples: np.ndarray, seed: int = 1) -> np.ndarray:
    """To 16 bits, with dither."""
    dither = np.random.default_rng(seed).triangular(-1, 0, 1, samples.size)
    return (np.round(samples * 32768 + dither) / 32768).astype(np.float32)


def cut_off(samples: np.ndarray, hz: float) -> np.ndarray:
    spectrum = np.fft.rfft(samples)
    spectrum[np.arange(spectrum.size) * RATE / samples.size > hz] = 0
    return np.fft.irfft(spectrum, samples.size).astype(np.float32)


def told(samples: np.ndarray, block: int = 4096, rate: int = RATE) -> list[str]:
    meter = BandMeter(rate)
    said = [meter.push(samples[at : at + block]) for at in range(0, samples.size, block)]
    return [each for each in said if each is not None]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_wide_speech_is_not_spoken_of(seed: int, gain: float) -> None:
    assert told(rounded(gain * speech_like(8, seed=seed))) == []


@pytest.mark.parametrize("hz", [3400, 4000, 5512, 6600])
@pytest.mark.parametrize("dithered", [False, True])
def test_a_spectrum_that_ends_early_is_told_once(hz: float, dithered: bool) -> None:
    samples = cut_off(speech_like(8), hz)
    said = told(rounded(samples) if dithered else samples)
    assert len(said) == 1
    assert re.match(r"nothing above \d\.\d kHz was heard: the recording comes from a tele", said[0])
    # Within a band of 125 Hz, and rounding.
    assert float(said[0].split()[2]) == pytest.approx(hz / 1000, abs=0.17)


def test_a_spectrum_that_ends_at_7_khz_or_above_is_wide() -> None:
    assert told(cut_off(speech_like(8), 7300)) == []


@pytest.mark.parametrize("rate", [8000, 11_025])
def test_what_the_devices_own_resampler_makes_of_a_low_rate_is_told(rate: int) -> None:
    said = told(resample(rounded(speech_like(8, rate)), rate, RATE))
    assert len(said) == 1
    assert said[0].startswith("nothing above ")
    assert 0.8 * rate < 2000 * float(said[0].split()[2]) < 1.1 * rate


@pytest.mark.parametrize(("rate", "mirror"), [(8000, "4.0"), (11_025, "5.5"), (12_000, "6.0")])
def test_the_mirror_of_a_poor_resampler_is_told(rate: int, mirror: str) -> None:
    low = speech_like(8, rate)
    at = np.arange(0, low.size - 1, rate / RATE)
    linear = np.interp(at, np.arange(low.size), low).astype(np.float32)
    said = told(rounded(linear))
    assert len(said) == 1
    assert said[0].startswith(f"what was heard above {mirror} kHz mirrors what is below: the rec")


def test_an_offset_and_a_silence_before_change_nothing() -> None:
    samples = cut_off(speech_like(6), 4000)
    quiet = 1e-4 * np.random.default_rng(3).standard_normal(40_000).astype(np.float32)
    assert len(told(np.concatenate((quiet, samples)) + np.float32(0.05))) == 1


@pytest.mark.parametrize("samples", [np.zeros(90_000, "f4"), np.full(90_000, 0.3, "f4")])
def test_silence_is_never_judged(samples: np.ndarray) -> None:
    assert told(samples) == []
    noise = 5e-4 * np.random.default_rng(0).standard_normal(90_000).astype(np.float32)
    assert told(cut_off(noise, 4000)) == []


@pytest.mark.parametrize("block", [1, 160, 5000, 200_000])
def test_no_split_into_blocks_shows(block: int) -> None:
    samples = cut_off(speech_like(3, seed=5), 5000)
    assert told(samples, block) == told(samples, 4096) != []


def test_a_long_block_takes_no_more_memory_than_a_short_one() -> None:
    quiet = 5e-4 * np.random.default_rng(0).standard_normal(300 * RATE).astype(np.float32)
    tracemalloc.start()
    assert BandMeter(RATE).push(quiet) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6


@pytest.mark.parametrize("n_shown", [1, 7, 61, 200])
def test_spectra_say_what_their_samples_say_however_they_are_shown(n_shown: int) -> None:
    """Those of somebody else, times 16: the same loud frames, and the same fall."""
    samples = speech_like(3, seed=6)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1024) / 1024)
    frames = np.lib.stride_tricks.sliding_window_view(samples, 1024)[::512]
    power = (16 * np.abs(np.fft.rfft(frames * hann)) ** 2).astype(np.float32)
    heard, seeing = BandMeter(RATE), BandMeter(RATE)
    assert BandMeter.fits(RATE, 1024, 512)
    heard.push(samples)
    for at in range(0, len(power), n_shown):
        assert seeing.see(power[at : at + n_shown], 16.0) is None
    assert seeing.n_loud == heard.n_loud > 24
    assert seeing.steepest_fall() == pytest.approx(heard.steepest_fall(), abs=1e-3)


@pytest.mark.parametrize("rate", [8000, 11_025])
def test_a_model_of_a_low_rate_has_nothing_to_miss(rate: int) -> None:
    assert told(speech_like(4, rate), rate=rate) == []


@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_other_rates_hear_the_same(rate: int) -> None:
    narrow = cut_off(speech_like(8), 4000)
    assert told(resample(narrow, RATE, rate), rate=rate)[0].startswith("nothing above 4.")
    assert told(rounded(speech_like(8, rate)), rate=rate) == []


def test_it_ends_after_some_seconds_of_speech() -> None:
    """What is done costs nothing: it holds no samples and says no more."""
    meter = BandMeter(RATE)
    assert meter.push(speech_like(12)) is None
    assert meter.n_loud == 0
    assert meter.push(cut_off(speech_like(8), 4000)) is None
