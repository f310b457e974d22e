"""WAV through a pipe: the header is obeyed, its length believed where the stream bears it out."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipe_bytes import (
    RATE,
    VOICE,
    chunk,
    extensible,
    fmt,
    heard,
    int16,
    int24,
    packed24,
    riff,
)

from edge.audio.file import write_wav
from edge.errors import AudioFileError

PCM = int16().tobytes()
HEARD = int16() / np.float32(32768)
LIST = chunk(b"LIST", b"INFOISFT\x0e\0\0\0Lavf59.27.100\0")
DS64 = chunk(b"ds64", struct.pack("<QQQI", 0, len(PCM), 0, 0))
ENDLESS_DS64 = chunk(b"ds64", struct.pack("<QQQI", 2**64 - 1, 2**64 - 1, 0, 0))
F32 = VOICE.astype("<f4").tobytes()

#: As programs write them into a pipe, and how far from the voice what is heard may be.
STREAMS = {
    "ffmpeg": (riff(fmt(), LIST, chunk(b"data", PCM, 0xFFFFFFFF), size=0xFFFFFFFF), 0),
    "arecord": (riff(fmt(), chunk(b"data", PCM, 0x80000000), size=0x80000024), 0),
    "sox": (riff(fmt(), chunk(b"data", PCM, 0x7FFFF000), size=0x7FFFF024), 0),
    "espeak": (riff(fmt(), chunk(b"data", PCM, 0x7FFFF000 + 36), size=0x7FFFF000), 0),
    "gstreamer": (riff(fmt(), chunk(b"data", PCM, 0), size=0), 0),
    "a file": (riff(fmt(), chunk(b"data", PCM)), 0),
    "a file with a tail": (riff(fmt(), chunk(b"data", PCM), LIST, chunk(b"id3 ", b"ID3\3")), 0),
    "RF64": (riff(DS64, fmt(), chunk(b"data", PCM, 0xFFFFFFFF), form=b"RF64"), 0),
    "RF64 without an end": (
        riff(ENDLESS_DS64, fmt(), chunk(b"data", PCM, 0xFFFFFFFF), form=b"RF64"), 0,
    ),
    "odd chunks": (
        riff(b"odd1\x03\x00\x00\x00abc", b"odd2\x03\x00\x00\x00abc\0", fmt(),
             chunk(b"data", PCM, 0)), 0,
    ),
    "extensible": (riff(extensible(1, 1, RATE, 16, 16), chunk(b"data", PCM, 0)), 0),
    "24 bits": (riff(fmt(n_bits=24), chunk(b"data", packed24(), 0)), 2e-7),
    "24 of 32 bits, extensible": (
        riff(extensible(1, 1, RATE, 32, 24),
             chunk(b"data", (int24() << 8).astype("<i4").tobytes(), 0)), 2e-7,
    ),
    "32 bits": (
        riff(fmt(n_bits=32), chunk(b"data", np.round(VOICE * (2**31 - 1)).astype("<i4").tobytes())),
        2e-7,
    ),
    "float": (riff(fmt(3, n_bits=32), chunk(b"data", F32, 0)), 2e-7),
    "double": (riff(fmt(3, n_bits=64), chunk(b"data", VOICE.astype("<f8").tobytes(), 0)), 2e-7),
    "8 bits": (
        riff(fmt(n_bits=8), chunk(b"data", np.round(VOICE * 127 + 128).astype("u1").tobytes())),
        1e-2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_a_header_is_obeyed_however_it_comes(name: str, step: int) -> None:
    data, tolerance = STREAMS[name]
    # A byte at a time through the header and a little more.
    samples, said = heard(data, range(1, 300, step))
    np.testing.assert_allclose(samples, VOICE if tolerance else HEARD, atol=tolerance, rtol=0)
    assert said == []


@settings(deadline=None, max_examples=60)
@given(
    name=st.sampled_from(sorted(STREAMS)),
    cuts=st.lists(st.integers(1, 70_000), max_size=10),
    n_lost=st.integers(0, 40),
)
def test_no_cut_of_a_stream_changes_a_sample(name: str, cuts: list[int], n_lost: int) -> None:
    data = STREAMS[name][0]
    data = data[: len(data) - n_lost]
    whole, said = heard(data)
    cut, said_cut = heard(data, cuts)
    np.testing.assert_array_equal(whole, cut)
    assert said == said_cut


@pytest.mark.parametrize("with_sign", [True, False])
@pytest.mark.parametrize("header", [fmt(n_bits=24, block=4), fmt(n_bits=32)])
def test_24_bits_in_the_low_three_bytes_as_arecord_writes_them(
    header: bytes, with_sign: bool
) -> None:
    values = int24() if with_sign else int24() & 0xFFFFFF
    if header == fmt(n_bits=32) and not with_sign:
        return  # Never written: the newer arecord has both, the bits and the sign.
    data = riff(header, chunk(b"data", values.astype("<u4").tobytes(), 0x80000000))
    for cuts in ((), range(0, len(data), 999)):
        samples, said = heard(data, cuts)
        np.testing.assert_allclose(samples, VOICE, atol=2e-7)
        (sentence,) = said
        assert "24 bits in the low three bytes of four" in sentence


@pytest.mark.parametrize("n_bits", [24, 32])
def test_24_bits_at_the_top_stay_there_also_in_a_quiet_room(n_bits: int) -> None:
    room = np.random.default_rng(0).normal(0, 10 ** (-80 / 20), 3 * RATE)
    for sound in (VOICE, np.concatenate((room, VOICE))):
        data = (int24(sound) << 8).astype("<i4").tobytes()
        if n_bits == 24 and sound is not VOICE:
            continue  # See the next test.
        stream = riff(fmt(n_bits=n_bits, block=4), chunk(b"data", data, 0))
        samples, said = heard(stream, range(0, len(data), 4096))
        np.testing.assert_allclose(samples, sound, atol=2e-7)
        assert said == []


def test_a_sample_of_more_than_24_bits_ends_a_wrong_guess() -> None:
    room = np.random.default_rng(0).normal(0, 10 ** (-80 / 20), RATE)
    sound = np.concatenate((room, VOICE))
    values = (int24(sound) << 8).astype("<i4")
    stream = riff(fmt(n_bits=24, block=4), chunk(b"data", values.tobytes(), 0))
    for cuts in ((), range(0, len(stream), 998)):
        samples, said = heard(stream, cuts)
        first = int(np.flatnonzero((values >> 24 != 0) & (values >> 24 != -1))[0])
        np.testing.assert_allclose(samples[first:], sound[first:], atol=2e-7)
        assert "larger than 24 bits" in said[-1]


def test_silence_of_four_bytes_is_silence_and_not_kept_back_for_ever() -> None:
    header = riff(fmt(n_bits=24, block=4), chunk(b"data", b"", 0))
    samples, said = heard(header + bytes(4 * 3 * RATE))
    assert samples.size == 3 * RATE
    assert not samples.any()
    assert said == []


def test_a_length_that_is_too_small_does_not_end_the_sound() -> None:
    data = riff(fmt(), chunk(b"data", PCM[:32_000], 32_000)) + PCM[32_000:]
    samples, said = heard(data, range(0, len(data), 777))
    np.testing.assert_array_equal(samples, HEARD)
    assert said == [
        "standard input: its header promises 1.0 s of sound and more came: what follows was taken "
        "for sound, too"
    ]


def test_a_length_that_is_too_large_is_said_at_the_end() -> None:
    samples, said = heard(riff(fmt(), chunk(b"data", PCM, 2 * len(PCM))))
    np.testing.assert_array_equal(samples, HEARD)
    (sentence,) = said
    assert "promises 4.0 s of sound and 2.0 s came (64000 bytes are missing)" in sentence


def test_a_padding_of_zeros_is_not_worth_a_word() -> None:
    samples, said = heard(riff(fmt(), chunk(b"data", PCM)) + bytes(4096))
    np.testing.assert_array_equal(samples[: HEARD.size], HEARD)
    assert said == []


def test_files_behind_each_other_are_heard_in_turn() -> None:
    first = riff(fmt(), chunk(b"data", PCM[:-1]), LIST)
    second = riff(
        fmt(3, n_channels=2, n_bits=32), chunk(b"data", np.repeat(VOICE, 2).astype("<f4").tobytes())
    )
    data = first + second + riff(fmt(), chunk(b"data", PCM, 0))
    for cuts in ((), range(0, len(data), 1001)):
        samples, said = heard(data, cuts)
        wanted = np.concatenate((HEARD[:-1], VOICE, HEARD))
        np.testing.assert_allclose(samples, wanted, atol=2e-7)
        assert said == ["standard input ended with half a sample: its last byte was left out"]


def test_what_contradicts_the_header_is_said_once_and_left_out() -> None:
    data = riff(fmt(), chunk(b"data", PCM, 0))
    samples, said = heard(data, input_format="f32le", input_rate=48_000, n_channels=1)
    np.testing.assert_array_equal(samples, HEARD)
    (sentence,) = said
    assert "says 16000 Hz, 1 channel of 16-bit integer samples and is obeyed" in sentence
    assert "--format f32le and --rate 48000 are left out" in sentence
    assert heard(data, input_format="S16_LE", input_rate=RATE, n_channels=1)[1] == []


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (riff(fmt())[:30], "ended inside its WAV header, before the samples"),
        (riff(fmt(), LIST), "ended inside its WAV header"),
        (riff(chunk(b"data", PCM), fmt()), "its data chunk comes before a fmt chunk"),
        (riff(chunk(b"fmt ", bytes(10)), chunk(b"data", PCM)), "fmt chunk has 10 bytes"),
        (riff(chunk(b"JUNK", b"", 0x7FFFFFFF), fmt()), "first 64 MiB of chunks hold no samples"),
        (riff(fmt(rate=1), chunk(b"data", PCM)), "sample rate of 1 Hz, 2000 to"),
        (riff(fmt(n_channels=0), chunk(b"data", PCM)), "has 0 channels"),
        (riff(fmt(3, n_bits=16), chunk(b"data", PCM)), "float samples of 16 bits"),
        (riff(fmt(7, n_bits=8), chunk(b"data", PCM)),
         r"coded as mu-law .* `ffmpeg -loglevel error -i - -f s16le -ac 1 -ar 16000 -`"),
        (riff(fmt(0x55, n_bits=0, block=1), chunk(b"data", PCM)), r"coded as MP3 .* `ffmpeg"),
        (riff(fmt(n_bits=32), chunk(b"data", F32, 0)), "holds floats"),
        (riff(fmt(3, n_bits=32), chunk(b"data", int16().astype("<i4").tobytes(), 0)),
         "which nobody hears|holds nan|float samples up to"),
        (riff(fmt(3, n_bits=32), chunk(b"data", (VOICE * 32768).astype("<f4").tobytes())),
         "float samples up to"),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_used_is_one_sentence(data: bytes, match: str) -> None:
    for cuts in ((), range(1, 200)):
        with pytest.raises(AudioFileError, match=match) as told:
            heard(data, cuts)
        assert "\n" not in str(told.value)


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 16_000, 48_000])
@pytest.mark.parametrize("program", ["ffmpeg", "sox"])
@pytest.mark.parametrize("n_bits", [16, 24, 32])
def test_what_programs_really_write_into_a_pipe(
    tmp_path: Path, program: str, rate: int, n_channels: int, n_bits: int
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    clip = tmp_path / "clip.wav"
    write_wav(clip, np.stack([VOICE] * n_channels, axis=1), RATE)
    if program == "ffmpeg":
        command = ["ffmpeg", "-loglevel", "error", "-i", str(clip), "-ar", str(rate),
                   "-c:a", f"pcm_s{n_bits}le", "-f", "wav", "-"]  # fmt: skip
    else:
        command = ["sox", "-V1", str(clip), "-b", str(n_bits), "-r", str(rate), "-t", "wav", "-"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60)
    samples, said = heard(done.stdout, range(1, 5000, 61))
    assert abs(samples.size - VOICE.size) <= 1
    if rate == RATE:
        np.testing.assert_allclose(samples, VOICE, atol=5e-5)
    else:
        low = slice(RATE // 2, RATE)
        error = samples[low] - VOICE[low]
        assert np.sqrt(np.mean(error**2)) < 0.1 * np.sqrt(np.mean(VOICE[low] ** 2))
    assert [sentence for sentence in said if "4.0 kHz" not in sentence] == []


@pytest.mark.parametrize(
    ("n_bits", "data", "sentence"),
    [
        (16, PCM[1:-1] * 2, "its first one was half a sample: nothing said of it is right"),
        (16, int16().byteswap().tobytes() * 2, "stand the other way round"),
        (16, packed24() * 2, "are noise as its header has them and sound as s24le"),
        (24, PCM * 3, "are noise as its header has them and sound as s16le"),
    ],
)
def test_a_header_that_makes_noise_of_sound_is_told_of(
    n_bits: int, data: bytes, sentence: str
) -> None:
    data = data[: len(data) // 6 * 6]
    (said,) = heard(riff(fmt(n_bits=n_bits), chunk(b"data", data, 0)))[1]
    assert sentence in said
    assert "--format" not in said
