"""Clips of a session stand in the same room, and the sounds there are those that were named."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from edge.audio.file import write_wav
from edge.errors import AudioFileError, ParameterError
from quantize.basics.errors import CorpusError
from quantize.data.corpora import load_corpora
from quantize.data.corpora.contents import file_digest
from quantize.data.features.cache import FeatureCache
from quantize.data.sound.augment import AugmentSettings, augment
from quantize.data.sound.reading import N_SESSIONS, session_of
from quantize.data.sound.recordings import sounds_of
from quantize.data.sound.session import LINES, Session
from quantize.data.sound.sound_bank import SoundBank

RATE = 16_000
EVEN = {f"{name}_share": 0.1 for name in LINES}
CLEAN = {
    "pitch": 0.0,
    "formants": 0.0,
    "tempo": 0.0,
    "channel_db": 0.0,
    "band_limit_share": 0.0,
    "room_share": 0.0,
    "noise_share": 0.0,
    "gaussian_sigma": 0.0,
}


def syllables(seed: int = 0, seconds: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    f0_hz = rng.uniform(120, 240)
    tones = sum(np.sin(2 * np.pi * k * f0_hz * t + k * k) / k for k in range(1, 30))
    return (0.05 * tones * (0.55 - 0.45 * np.cos(6 * np.pi * t))).astype("f4")


def variant(clip, session_seed, clip_seed=0, **settings):
    return augment(
        clip,
        RATE,
        np.random.default_rng(clip_seed),
        AugmentSettings(**{**CLEAN, **settings}),
        session=np.random.default_rng(session_seed),
    )


def by_octave_db(samples):
    """Power from 500 Hz to 8 kHz, octave by octave."""
    hz = np.fft.rfftfreq(samples.size, 1 / RATE)
    power = np.abs(np.fft.rfft(samples.astype(float))) ** 2
    return 10 * np.log10(
        [power[(hz >= low) & (hz < 2 * low)].sum() for low in (500, 1000, 2000, 4000)]
    )


@pytest.fixture(scope="module")
def clips(synthetic_root):
    return load_corpora(synthetic_root)[0]


@pytest.fixture
def sounds(tmp_path):
    rng = np.random.default_rng(0)
    for kind in ("rain", "birds"):
        for number in range(6):
            path = tmp_path / "sounds" / kind / f"{number}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_wav(path, rng.normal(0, 0.1, RATE).astype("f4"), RATE)
    return tmp_path / "sounds"


def test_a_speakers_clips_are_dealt_to_a_few_sessions_by_their_names(clips):
    by_speaker = Counter(clip.speaker for clip in clips)
    sessions = Counter(session_of(clip) for clip in clips)
    assert max(sessions.values()) > 1
    assert len({session_of(clip) for clip in clips}) <= N_SESSIONS * len(by_speaker)
    assert [session_of(clip) for clip in clips[::-1]] == [session_of(c) for c in clips][::-1]
    unknown = [
        dataclasses.replace(clip, speaker=clip.clip_id, speaker_known=False) for clip in clips
    ]
    assert len({session_of(clip) for clip in unknown}) == len(clips)


def test_clips_of_a_session_are_heard_through_one_microphone():
    wide = {"channel_db": 20.0}
    rng = np.random.default_rng(0)
    one, two = (rng.normal(0, 0.05, RATE).astype("f4") for _ in range(2))

    def response_db(clip, session_seed):
        return by_octave_db(variant(clip, session_seed, 1, **wide)) - by_octave_db(clip)

    assert np.abs(response_db(one, 5) - response_db(two, 5)).max() < 1
    assert np.abs(response_db(one, 5) - response_db(one, 6)).max() > 6


def test_clips_of_a_session_stand_in_one_room():
    """What a click leaves behind is the room's, whatever the clip's own chance."""
    click = np.zeros(RATE, "f4")
    click[100] = 0.5
    heard = [variant(click, 3, clip_seed, far_share=1.0) for clip_seed in (1, 2)]
    assert np.array_equal(heard[0], heard[1])
    assert (heard[0][400:3000] ** 2).sum() > 0.01 * 0.25 * 0.1
    assert not np.array_equal(heard[0], variant(click, 4, 1, far_share=1.0))


def test_a_voice_is_changed_alike_all_through_a_session():
    lengths = {
        variant(syllables(seed), 8, clip_seed=seed, tempo=0.2, pitch=0.2).size for seed in range(3)
    }
    assert len(lengths) == 1
    assert lengths != {RATE}


def test_noise_is_drawn_by_clip_and_its_kind_and_rough_level_by_session():
    settings = {"noise_share": 1.0, "babble_share": 0.0, "min_snr_db": 0.0, "max_snr_db": 40.0}
    clip = syllables()
    snrs_db, noises = [], []
    for seed in range(6):
        noise = variant(clip, 2, clip_seed=seed, **settings) - clip
        noises.append(noise)
        snrs_db.append(10 * np.log10((clip**2).mean() / (noise**2).mean()))
    assert 0.5 < np.ptp(snrs_db) < 6.5
    assert abs(np.corrcoef(noises[0], noises[1])[0, 1]) < 0.2
    # The same slope of the spectrum.
    tilts_db = [np.diff(by_octave_db(noise)) for noise in noises]
    assert np.ptp(tilts_db, axis=0).max() < 2


def test_half_of_the_sessions_stay_mild_and_no_clip_has_two_troubles():
    settings = AugmentSettings(**{name: 0.0625 for name in EVEN})
    drawn = [Session.draw(np.random.default_rng(seed), settings) for seed in range(600)]
    far = [one.room is not None and one.room.reverberation_s > 0.5 for one in drawn]
    lines = [one.line is not None for one in drawn]
    assert not any(a and b for a, b in zip(far, lines, strict=True))
    hard = np.mean(lines) + 0.0625
    assert hard == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("name", LINES)
def test_every_trouble_leaves_a_voice_of_the_same_length_in_range(name):
    clip = syllables()
    for seed in range(6):
        heard = variant(clip, seed, **{f"{name}_share": 1.0})
        assert heard.shape == clip.shape
        assert heard.dtype == np.float32
        assert np.isfinite(heard).all()
        assert np.abs(heard).max() <= 1.0
        assert not np.array_equal(heard, clip)
        assert np.array_equal(heard, variant(clip, seed, **{f"{name}_share": 1.0}))
    silence = np.zeros(8000, "f4")
    assert np.isfinite(variant(silence, 0, **{f"{name}_share": 1.0})).all()


def test_shares_of_what_excludes_each_other_are_at_most_one():
    with pytest.raises(ParameterError, match=r"exclude each other and add up to 1\.2"):
        AugmentSettings(codec_share=0.7, far_share=0.5)
    with pytest.raises(ParameterError, match=r"babble_share, music_share, sounds_share"):
        AugmentSettings(babble_share=0.7, music_share=0.5)


@pytest.mark.parametrize("kind", ["music", "sounds"])
def test_made_noise_has_the_snr(kind):
    settings = {"noise_share": 1.0, "babble_share": 0.0, f"{kind}_share": 1.0}
    clip = syllables(seconds=2.0)
    noise = variant(clip, 1, **settings, min_snr_db=12.0, max_snr_db=12.0) - clip
    snr_db = 10 * np.log10((clip**2).mean() / (noise**2).mean())
    # Over the loud quarter's level, which lies above the mean of a clip with pauses.
    assert snr_db == pytest.approx(12.0, abs=3.0)


def test_training_and_measuring_hear_different_recordings(sounds, tmp_path):
    train, test = (sounds_of([sounds], measuring=m) for m in (False, True))
    assert {one.path for one in train}.isdisjoint(one.path for one in test)
    assert len(train) + len(test) == 12
    assert len(test) == 4
    assert sounds_of([], measuring=True) == []
    (tmp_path / "few" / "one").mkdir(parents=True)
    write_wav(tmp_path / "few" / "one" / "a.wav", 0.1 * np.ones(800, "f4"), RATE)
    with pytest.raises(CorpusError, match=r"1 sound, none of them to measure on"):
        sounds_of([tmp_path / "few"], measuring=True)


def test_recordings_are_heard_wherever_they_lie_and_never_another_file(sounds):
    found = sounds_of([sounds], measuring=False)
    bank = SoundBank([(one, file_digest(one.path)) for one in found])
    again = SoundBank([(one, file_digest(one.path)) for one in found[::-1]])
    drawn = [b.sound(0.1, 3000, RATE, np.random.default_rng(4)) for b in (bank, again)]
    assert np.array_equal(drawn[0], drawn[1])
    stale = SoundBank([(one, "0" * 64) for one in found])
    with pytest.raises(AudioFileError, match="was changed while features were computed"):
        stale.sound(0.1, 3000, RATE, np.random.default_rng(4))


def test_rows_of_variants_follow_the_recordings_and_clean_rows_do_not(clips, sounds, tmp_path):
    few = clips[:2]
    settings = AugmentSettings(noise_share=1.0, babble_share=0.0, sounds_share=1.0, min_snr_db=0.0)
    recordings = sounds_of([sounds], measuring=False)

    def rows(*, sounds=(), variant=1):
        cache = FeatureCache(tmp_path / "cache", settings=settings, sounds=sounds)
        return cache.load(few, variant)

    without, with_sounds = rows(), rows(sounds=recordings)
    name = few[0].clip_id
    assert any(not np.array_equal(without[c.clip_id], with_sounds[c.clip_id]) for c in few)
    assert np.array_equal(rows(variant=0)[name], rows(sounds=recordings, variant=0)[name])
    deaf = FeatureCache(tmp_path / "cache", sounds=recordings).fingerprint
    assert deaf == FeatureCache(tmp_path / "cache").fingerprint
