"""Noise, babble and rooms: at the level they say, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from protocol_fakes import clip

from edge.errors import ParameterError
from quantize.data.sound.level import speech_power
from quantize.data.sound.noise_and_rooms import (
    N_VOICES,
    VoiceBank,
    add_noise,
    add_room,
    noise_of,
)

RATE = 16_000


def tone(n_samples: int, hz: float, amplitude: float = 0.1) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(n_samples) / RATE)).astype("f4")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_pauses_do_not_count_as_speech():
    speech = tone(RATE, 200)
    padded = np.concatenate([1e-4 * rng().standard_normal(2 * RATE), speech, np.zeros(RATE)])
    assert speech_power(speech, RATE) == pytest.approx(0.005, rel=1e-3)
    assert speech_power(padded, RATE) == pytest.approx(0.005, rel=1e-3)
    assert speech_power(np.zeros(RATE), RATE) == 0


@pytest.mark.parametrize("snr_db", [20, 0])
@pytest.mark.parametrize("kind", ["white", "pink"])
def test_noise_lies_below_the_speech_by_the_snr(kind, snr_db):
    speech = tone(RATE, 200)
    noise = noise_of(kind, speech.size, RATE, rng())
    added = add_noise(speech, noise, RATE, snr_db) - speech
    got_db = 10 * np.log10(speech_power(speech, RATE) / (added.astype(float) ** 2).mean())
    assert got_db == pytest.approx(snr_db, abs=0.01)


@pytest.mark.parametrize(("kind", "step_db"), [("pink", -3.01), ("brown", -6.02)])
def test_noise_falls_by_three_decibels_an_octave_and_by_six(kind, step_db):
    power = np.abs(np.fft.rfft(noise_of(kind, 20 * RATE, RATE, rng()))) ** 2
    hz = np.fft.rfftfreq(20 * RATE, 1 / RATE)
    octaves = [power[(hz >= f) & (hz < 2 * f)].mean() for f in (100, 200, 400, 800, 1600, 3200)]
    steps_db = np.diff(10 * np.log10(octaves))
    assert steps_db == pytest.approx(step_db, abs=0.3)
    with pytest.raises(ParameterError, match="noise is 'violet'"):
        noise_of("violet", 10, RATE, rng())


def test_a_sum_that_would_clip_is_scaled_as_a_whole():
    loud = tone(RATE, 200, 0.9)
    mixed = add_noise(loud, noise_of("white", RATE, RATE, rng()), RATE, 0)
    assert np.abs(mixed).max() == pytest.approx(1.0)


def test_digital_silence_stays_silent():
    assert not add_noise(np.zeros(RATE, "f4"), np.ones(RATE), RATE, 0).any()


def test_a_room_has_its_ratio_delay_and_decay():
    click = np.zeros(RATE, "f4")
    click[0] = 0.5
    room = {
        "reverberation_s": 0.4,
        "direct_to_reverberant_db": 3.0,
        "delay_s": 0.01,
        "gain_db": -6.0,
    }
    response = add_room(click, RATE, rng(), **room).astype(float)
    assert response.size == RATE
    assert response[0] == pytest.approx(0.5 * 10 ** (-6 / 20), rel=1e-4)
    assert np.abs(response[1:160]).max() < 1e-6
    tail = response[160:]
    assert 10 * np.log10(response[0] ** 2 / (tail**2).sum()) == pytest.approx(3.0, abs=0.01)
    halves = [(tail[a : a + 1600] ** 2).sum() for a in (0, 3200)]
    # 60 dB in 0.4 s are 30 dB in 0.2 s.
    assert 10 * np.log10(halves[0] / halves[1]) == pytest.approx(30, abs=2)
    assert np.array_equal(add_room(click, RATE, rng(), **room), response.astype("f4"))


class TestBabble:
    PITCHES_HZ = (300, 500, 700, 1100, 1300, 1700, 1900)

    def bank(self, n_speakers: int, order: int = 1) -> VoiceBank:
        """Each speaker is a tone of its own at a level of its own, silence around it."""
        clips = [clip(i, "sad", speaker=f"{s:02d}") for s in range(n_speakers) for i in range(3)]
        edge = np.zeros(RATE // 4, "f4")

        def read(one):
            speaker = int(one.speaker[-2:])
            sound = tone(RATE, self.PITCHES_HZ[speaker], 0.02 * (speaker + 1))
            return np.concatenate([edge, sound, edge])

        return VoiceBank(clips[::order], read, RATE)

    def levels_db(self, babble: np.ndarray) -> np.ndarray:
        spectrum = np.abs(np.fft.rfft(babble * np.hanning(babble.size))) ** 2
        hz = np.fft.rfftfreq(babble.size, 1 / RATE)
        bands = [spectrum[np.abs(hz - f) < 40].sum() for f in self.PITCHES_HZ]
        return 10 * np.log10(np.array(bands) / max(bands) + 1e-12)

    def test_it_is_made_of_all_others_equally_loud_and_never_of_oneself(self):
        levels_db = self.levels_db(self.bank(7).babble("ravdess/02", 2 * RATE, rng()))
        assert N_VOICES == 6
        assert levels_db[2] < -40
        assert (np.delete(levels_db, 2) > -3).all()

    def test_few_others_speak_more_than_once(self):
        levels_db = self.levels_db(self.bank(2).babble("ravdess/00", RATE, rng()))
        assert levels_db[1] == pytest.approx(0, abs=1e-6)
        assert (np.delete(levels_db, 1) < -40).all()

    def test_it_depends_on_the_seed_and_not_on_the_order_of_the_clips(self):
        first = self.bank(4).babble("ravdess/00", 5 * RATE, rng())
        assert first.size == 5 * RATE
        assert np.array_equal(first, self.bank(4, -1).babble("ravdess/00", 5 * RATE, rng()))
        assert not np.array_equal(first, self.bank(4).babble("ravdess/00", 5 * RATE, rng(1)))

    def test_one_speaker_is_no_babble(self):
        with pytest.raises(ParameterError, match="babble needs two speakers"):
            self.bank(1)

    def test_a_silent_speaker_is_named(self):
        clips = [clip(0, "sad"), clip(0, "sad", speaker="02")]
        with pytest.raises(ParameterError, match="clips of ravdess/01 are digital silence"):
            VoiceBank(clips, lambda _: np.zeros(RATE, "f4"), RATE)
