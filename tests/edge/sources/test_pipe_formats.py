"""Raw samples of every format, rate and channel count, in any pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipe_bytes import RATE, VOICE, heard, int16, int24, packed24

from edge.audio.resample import resample
from edge.errors import AudioFileError, ParameterError
from edge.sources.pipe_decoder import RawSettings

BYTES = {
    "s16le": int16().tobytes(),
    "s24le": packed24(),
    "s24_32le": int24().tobytes(),
    "s32le": np.round(VOICE * (2**31 - 1)).astype("<i4").tobytes(),
    "f32le": VOICE.astype("<f4").tobytes(),
}


@pytest.mark.parametrize("name", BYTES)
def test_every_format_gives_the_same_sound(name: str) -> None:
    samples, said = heard(BYTES[name], input_format=name)
    np.testing.assert_allclose(samples, VOICE, atol=4e-5 if name == "s16le" else 2e-7)
    assert said == []


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("S16_LE", "s16le"), ("S24_3LE", "s24le"), ("S24_LE", "s24_32le"), ("S32_LE", "s32le"),
     ("FLOAT_LE", "f32le")],
)  # fmt: skip
def test_arecords_names_mean_what_arecord_writes(theirs: str, ours: str) -> None:
    samples, said = heard(BYTES[ours], input_format=theirs)
    np.testing.assert_array_equal(samples, heard(BYTES[ours], input_format=ours)[0])
    assert said == []


def test_24_bits_in_four_bytes_need_no_sign() -> None:
    data = (int24() & 0xFFFFFF).astype("<u4").tobytes()
    np.testing.assert_allclose(heard(data, input_format="S24_LE")[0], VOICE, atol=2e-7)


def test_what_is_not_said_is_as_ever() -> None:
    samples, said = heard(BYTES["s16le"])
    np.testing.assert_array_equal(samples, int16() / np.float32(32768))
    assert said == []


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000, 192_000])
def test_any_rate_becomes_the_models(rate: int) -> None:
    source = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    samples, said = heard(int16(source).tobytes(), input_rate=rate)
    np.testing.assert_array_equal(samples, resample(int16(source) / np.float32(32768), rate, RATE))
    assert samples.size == RATE
    assert len(said) == (rate == 8000 and 0)


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from(sorted(BYTES)),
    rate=st.sampled_from([8000, 16_000, 44_100, 48_000]),
    n_channels=st.integers(1, 3),
    channel=st.sampled_from(["auto", "mix", 0]),
    cuts=st.lists(st.integers(1, 40_000), max_size=12),
    n_odd=st.integers(0, 5),
)
def test_no_cut_of_the_bytes_changes_a_sample(
    name: str, rate: int, n_channels: int, channel: Any, cuts: list[int], n_odd: int
) -> None:
    data = BYTES[name][: 40_000 - n_odd]
    raw = {"input_format": name, "input_rate": rate, "n_channels": n_channels}
    whole, said = heard(data, channel=channel, **raw)
    cut, said_cut = heard(data, cuts, channel=channel, **raw)
    np.testing.assert_array_equal(whole, cut)
    assert said == said_cut


@pytest.mark.parametrize(
    ("n_channels", "n_bytes", "sentence"),
    [
        (1, 1, "half a sample: its last byte was left out"),
        (2, 1, "half a PCM frame: its last byte was left out"),
        (2, 2, "half a PCM frame: its last 2 bytes were left out"),
    ],
)
def test_half_a_pcm_frame_at_the_end_is_one_sentence(
    n_channels: int, n_bytes: int, sentence: str
) -> None:
    samples, said = heard(BYTES["s16le"] + bytes(n_bytes), n_channels=n_channels)
    assert samples.size == VOICE.size // n_channels
    assert said == [f"standard input ended with {sentence}"]


def interleaved(*channels: np.ndarray) -> bytes:
    return np.stack([int16(one) for one in channels], axis=1).tobytes()


def test_a_dead_channel_costs_nothing() -> None:
    voice = np.tile(VOICE, 4)
    samples, said = heard(interleaved(0 * voice, voice), n_channels=2)
    # The first quarter of a second has gone by before it is known.
    np.testing.assert_array_equal(samples[RATE // 4 :], (int16(voice) / 32768.0)[RATE // 4 :])
    assert said == []


@pytest.mark.parametrize("n", [1, 4])
def test_an_inverted_pair_does_not_cancel_and_is_named(n: int) -> None:
    voice = np.tile(VOICE, n)
    samples, said = heard(interleaved(voice, -voice), n_channels=2)
    np.testing.assert_array_equal(samples, int16(voice) / np.float32(32768))
    (sentence,) = said
    assert "channel 2 is channel 1 turned upside down" in sentence


def test_a_channel_is_taken_by_its_number_and_all_are_mixed() -> None:
    data = interleaved(VOICE, -0.5 * VOICE, 0 * VOICE)
    second, _ = heard(data, n_channels=3, channel=1)
    np.testing.assert_allclose(second, -0.5 * VOICE, atol=4e-5)
    mean, _ = heard(data, n_channels=3, channel="mix")
    np.testing.assert_allclose(mean, VOICE / 6, atol=4e-5)
    with pytest.raises(AudioFileError, match=r"has no channel 4: it has 3 channels"):
        heard(data, n_channels=3, channel=3)


@pytest.mark.parametrize(
    ("settings_", "match"),
    [
        ({"input_format": "s24_le"}, r"format is 's24_le', one of s16le, s24le, .* S24_LE"),
        ({"input_format": ""}, "format is ''"),
        ({"input_rate": 0}, "rate of raw samples is 0 Hz, 2000 to"),
        ({"input_rate": 10**9}, "is 1000000000 Hz"),
        ({"n_channels": 0}, "have 0 channels, 1 to 256"),
        ({"n_channels": 300}, "have 300 channels"),
    ],
)
def test_settings_that_cannot_be_used_are_one_sentence(
    settings_: dict[str, Any], match: str
) -> None:
    with pytest.raises(ParameterError, match=match):
        RawSettings(**settings_)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 20.0, 32_000.0])
def test_floats_that_are_no_sound_are_one_sentence(value: float) -> None:
    samples = VOICE.astype("<f4")
    samples[1600] = value
    with pytest.raises(AudioFileError, match=r"standard input h(olds|as)") as told:
        heard(samples.tobytes(), input_format="f32le")
    assert "\n" not in str(told.value)
    if not np.isfinite(value):
        assert "at 0.100 s" in str(told.value)


def test_floats_a_little_over_full_scale_are_cut() -> None:
    samples, _ = heard((4 * VOICE).astype("<f4").tobytes(), input_format="f32le")
    np.testing.assert_allclose(samples, np.clip(4 * VOICE, -1, 1), atol=1e-6)


NAMES = ("s16le", "s24le", "s24_32le", "s32le", "f32le")


@pytest.mark.parametrize("given_", NAMES)
@pytest.mark.parametrize("right", NAMES)
def test_a_wrong_format_is_told_of_and_a_right_one_never(given_: str, right: str) -> None:
    data = BYTES[right] * 2
    try:
        said = heard(data, input_format=given_)[1]
    except AudioFileError as error:
        said = [str(error)]
    if given_ == right:
        assert said == []
    elif {given_, right} == {"s24_32le", "s32le"}:
        # Off by 48 dB, which is too soft or cut off, and no noise.
        return
    elif (given_, right) == ("s32le", "s16le"):
        # Every other sample: sound of half the rate.
        return
    else:
        assert f"give --format {right}" in said[0]


def test_bytes_the_wrong_way_round_are_told_of() -> None:
    (sentence,) = heard(int16(np.tile(VOICE, 3)).byteswap().tobytes())[1]
    assert "the other way round" in sentence


def test_two_channels_alike_that_are_read_as_one_are_told_of() -> None:
    (sentence,) = heard(interleaved(VOICE, VOICE))[1]
    assert "--channels 2" in sentence


@pytest.mark.parametrize("name", ["s16le", "f32le", "s32le", "s24le"])
def test_loud_noise_silence_and_offsets_are_no_wrong_format(name: str) -> None:
    rng = np.random.default_rng(1)
    scale = {"s16le": 2.0**15, "s32le": 2.0**31, "s24le": 2.0**23, "f32le": 1.0}[name]
    for sound in (
        rng.uniform(-0.99, 0.99, 60_000),
        np.clip(rng.normal(0, 0.4, 60_000), -0.99, 0.99),
        np.zeros(60_000),
        np.full(60_000, 0.24),
        np.sign(np.sin(np.arange(60_000) * 2.0)) * 0.9,
        rng.normal(0, 1e-3, 60_000),
    ):
        values = sound * scale
        if name == "f32le":
            data = values.astype("<f4").tobytes()
        elif name == "s24le":
            data = packed24(sound)
        else:
            data = (
                np.round(values * (1 - 1e-9)).astype("<i2" if name == "s16le" else "<i4").tobytes()
            )
        assert heard(data, input_format=name)[1] == []
