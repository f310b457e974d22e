"""What a line does to a voice: bands end, codes round, hum hums, gain clips."""

from __future__ import annotations

import numpy as np
import pytest

from edge.errors import ParameterError
from quantize.data.sound import channels, codecs, level

RATE = 16_000


def voice(seconds: float = 1.0, f0_hz: float = 150.0) -> np.ndarray:
    """Harmonics up to 7 kHz, in three syllables."""
    t = np.arange(int(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * k * f0_hz * t + k * k) / k for k in range(1, 47))
    return (0.1 * tones * (0.55 - 0.45 * np.cos(6 * np.pi * t / seconds))).astype("f4")


def band_db(samples: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Energy of a band against all of it."""
    power = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(samples.size))) ** 2
    hz = np.fft.rfftfreq(samples.size, 1 / RATE)
    return 10 * np.log10(power[(hz >= low_hz) & (hz < high_hz)].sum() / power.sum() + 1e-20)


def snr_db(heard: np.ndarray, meant: np.ndarray) -> float:
    return 10 * np.log10((meant**2).mean() / ((heard - meant) ** 2).mean())


@pytest.mark.parametrize("cutoff_hz", [3400.0, 4000.0, 5500.0])
def test_a_steep_band_has_nothing_above_and_all_below(cutoff_hz):
    clip = voice()
    heard = channels.narrow_band(clip, RATE, cutoff_hz)
    assert heard.dtype == np.float32
    assert heard.shape == clip.shape
    assert band_db(clip, cutoff_hz + 200, 8000) > -35
    assert band_db(heard, cutoff_hz + 200, 8000) < -80
    assert band_db(heard, 0, 3000) == pytest.approx(band_db(clip, 0, 3000), abs=0.1)


def test_a_telephone_has_no_bass():
    assert band_db(channels.narrow_band(voice(f0_hz=100.0), RATE, 3400.0, 300.0), 0, 150) < -25


def test_the_telephone_code_keeps_loud_and_faint_alike():
    slow = channels.narrow_band(voice(), RATE, 3400.0)
    for gain in (1.0, 0.03):
        assert 28 < snr_db(channels.mu_law(gain * slow, RATE), gain * slow) < 45
    assert not channels.mu_law(np.zeros(100, "f4"), RATE).any()


def test_a_clip_at_the_rate_of_a_line_or_below_is_not_resampled():
    clip = voice()
    assert np.array_equal(channels.through_rate(clip, 8_000, 8_000), clip)
    assert channels.mu_law(clip, 8_000).size == clip.size


def test_hum_has_its_level_and_its_frequencies():
    clip = voice()
    options = {
        "partials_hz": np.array([50.0, 150.0]),
        "amplitudes": np.array([1.0, 0.5]),
        "phases": np.array([0.0, 1.0]),
    }
    hum = channels.with_hum(clip, RATE, level_db=-20.0, **options) - clip
    over = 10 * np.log10((hum.astype(float) ** 2).mean() / level.speech_power(clip, RATE))
    assert over == pytest.approx(-20.0, abs=0.1)
    assert band_db(hum, 45, 55) == pytest.approx(10 * np.log10(0.8), abs=0.1)
    shifted = channels.with_hum(clip, RATE, level_db=-200.0, offset=0.1, **options)
    assert shifted.mean() - clip.mean() == pytest.approx(0.1, abs=1e-3)


def test_gain_clips_above_and_rounds_below():
    clip = voice()
    loud = channels.gained(clip, 20.0)
    assert (np.abs(loud) >= 0.999).mean() > 0.01
    assert np.abs(loud).max() <= 1.0
    quiet = channels.gained(clip, -40.0)
    assert snr_db(100 * quiet, clip) < 50 < snr_db(channels.gained(clip, 0.0), clip)
    assert np.array_equal(quiet, np.round(quiet * 2**15).astype("f4") / 2**15)
    coarse = channels.gained(clip, 0.0, n_bits=8)
    assert np.unique(coarse).size <= 256
    assert snr_db(coarse, clip) < snr_db(channels.gained(clip, 0.0), clip) - 30


def test_automatic_gain_lifts_pauses_and_holds_speech():
    quiet = 0.1 * voice(3.0)
    quiet[RATE : 2 * RATE] *= 0.05
    heard = channels.pumped(quiet, RATE, target_db=-20.0, most_db=40.0, release_s=0.1)

    def rise_db(a: int, b: int) -> float:
        before, after = (np.sqrt((x[a:b].astype(float) ** 2).mean()) for x in (quiet, heard))
        return 20 * np.log10(after / before)

    pause, speech = rise_db(24_000, 28_000), rise_db(4000, 12_000)
    assert pause > speech + 6
    assert speech > 6
    assert np.abs(heard).max() <= 1.0
    assert not channels.pumped(np.zeros(1000, "f4"), RATE).any()


@pytest.mark.parametrize("name", list(codecs.CODECS))
def test_a_codec_gives_the_same_voice_again_in_its_band(name):
    if not codecs.is_supported(name):
        pytest.skip(f"libsndfile {codecs.codec_version()} has no {name}")
    clip = voice(0.8)
    heard = codecs.coded(clip, RATE, name)
    assert heard.shape == clip.shape
    assert heard.dtype == np.float32
    assert np.array_equal(heard, codecs.coded(clip, RATE, name))
    assert not np.array_equal(heard, clip)
    # In its place: the decoder's delay is taken away.
    assert np.corrcoef(heard, clip)[0, 1] > 0.8
    if codecs.CODECS[name][0] == 8_000:
        assert band_db(heard, 4200, 8000) < -60


def test_a_codec_that_is_not_built_in_is_one_sentence(monkeypatch):
    monkeypatch.setitem(codecs.CODECS, "none", (8_000, "OGG", "NO SUCH", {}))
    assert not codecs.is_supported("none")
    with pytest.raises(ParameterError, match=r"'none' is not known to the libsndfile"):
        codecs.coded(voice(), RATE, "none")


def test_the_band_coder_is_whole_with_many_bits_and_coarse_with_few():
    clip = voice()
    assert snr_db(codecs.band_coded(clip, bitpool=128), clip) > 50
    usual, few = (snr_db(codecs.band_coded(clip, bitpool), clip) for bitpool in (26, 12))
    assert 8 < few < usual < 40
    assert codecs.band_coded(clip).shape == clip.shape
    assert not codecs.band_coded(np.zeros(500, "f4")).any()
