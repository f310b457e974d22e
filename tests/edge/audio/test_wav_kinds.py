"""WAV files as recorders, streams and failed copies leave them: read with a warning, or refused."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from edge.audio.file import open_audio, read_audio
from edge.errors import AudioFileError

RATE = 16_000
VOICE = (0.3 * np.sin(2 * np.pi * 220 * np.arange(RATE) / RATE)).astype(np.float64)
PCM_16 = np.round(VOICE * 32767).astype("<i2").tobytes()
HEARD = np.frombuffer(PCM_16, "<i2") / np.float32(32768)


def fmt(
    tag: int = 1, n_channels: int = 1, n_bits: int = 16, block: int | None = None,
    byte_rate: int | None = None,
) -> bytes:  # fmt: skip
    block = n_channels * ((n_bits + 7) // 8) if block is None else block
    byte_rate = RATE * block if byte_rate is None else byte_rate
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, n_channels, RATE, byte_rate, block, n_bits))


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    size = len(body) if size is None else size
    return name + struct.pack("<I", size) + body + b"\0" * (len(body) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def read(folder: Path, content: bytes) -> tuple[np.ndarray, list[str]]:
    path = folder / "clip.wav"
    path.write_bytes(content)
    said: list[str] = []
    return read_audio(path, said.append)[0], said


@pytest.mark.parametrize("block", [0, 1, 4, 7])
def test_a_wrong_block_size_is_named_and_not_believed(tmp_path: Path, block: int) -> None:
    samples, said = read(tmp_path, riff(fmt(block=block, byte_rate=1), chunk(b"data", PCM_16)))
    assert np.array_equal(samples, HEARD)
    (sentence,) = said
    n_bytes = "1 byte" if block == 1 else f"{block} bytes"
    assert f"1 channel of 16 bits take {n_bytes}, 2 were taken" in sentence


def test_a_wrong_byte_rate_is_named(tmp_path: Path) -> None:
    samples, said = read(tmp_path, riff(fmt(byte_rate=4 * RATE), chunk(b"data", PCM_16)))
    assert np.array_equal(samples, HEARD)
    assert said == ["its header says that a second takes 64000 bytes, 32000 were taken"]


def int24() -> np.ndarray:
    return np.round(VOICE * (2**23 - 1)).astype("<i4")


def int24_of_16() -> np.ndarray:
    """What was 16 bits once, soft: nothing in the lowest byte."""
    return np.round(0.3 * VOICE * 32767).astype("<i4") << 8


@pytest.mark.parametrize(
    ("header", "values"),
    [
        pytest.param(fmt(n_bits=24, block=4), int24() & 0xFFFFFF, id="old arecord"),
        pytest.param(fmt(n_bits=24, block=4), int24(), id="old arecord, with its sign"),
        pytest.param(fmt(n_bits=32), int24(), id="new arecord"),
        pytest.param(fmt(n_bits=24, block=4), int24_of_16() & 0xFFFFFF, id="old, of 16 bits"),
        pytest.param(fmt(n_bits=32), int24_of_16(), id="new, of 16 bits"),
    ],
)
def test_24_bits_in_the_low_three_bytes_of_four(
    tmp_path: Path, header: bytes, values: np.ndarray
) -> None:
    data = values.astype("<u4").tobytes()
    samples, said = read(tmp_path, riff(header, chunk(b"data", data)))
    wanted = 0.3 * VOICE if not (values & 0xFF).any() else VOICE
    np.testing.assert_allclose(samples, wanted, atol=2e-5)
    (sentence,) = said
    assert "24 bits in the low three bytes of four" in sentence


@pytest.mark.parametrize("header", [fmt(n_bits=24, block=4), fmt(n_bits=32)])
def test_24_bits_in_the_high_three_bytes_need_no_word(tmp_path: Path, header: bytes) -> None:
    data = (int24() << 8).astype("<i4").tobytes()
    samples, said = read(tmp_path, riff(header, chunk(b"data", data)))
    np.testing.assert_allclose(samples, VOICE, atol=2e-7)
    assert said == []


def test_a_quiet_room_in_24_bits_at_the_top_stays_quiet(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 10 ** (-87 / 20), RATE)
    values = np.round(noise * 2**23).astype("<i4") << 8
    samples, said = read(tmp_path, riff(fmt(n_bits=32), chunk(b"data", values.tobytes())))
    np.testing.assert_allclose(samples, noise, atol=2e-7)
    assert said == []


@pytest.mark.parametrize("gain", [1.0, 0.001])
def test_16_bits_that_became_32_stay_as_soft_as_they_are(tmp_path: Path, gain: float) -> None:
    values = np.round(gain * VOICE * 32767).astype("<i4") << 16
    samples, said = read(tmp_path, riff(fmt(n_bits=32), chunk(b"data", values.tobytes())))
    assert np.array_equal(samples, np.round(gain * VOICE * 32767).astype(np.float32) / 32768)
    assert said == []


def test_silence_of_four_bytes_is_silence(tmp_path: Path) -> None:
    samples, said = read(tmp_path, riff(fmt(n_bits=32), chunk(b"data", bytes(64_000))))
    assert not samples.any()
    assert said == []


def test_floats_under_the_tag_of_whole_numbers_are_refused(tmp_path: Path) -> None:
    data = VOICE.astype("<f4").tobytes()
    with pytest.raises(AudioFileError, match="whole numbers of 32 bits and holds floats"):
        read(tmp_path, riff(fmt(n_bits=32), chunk(b"data", data)))


def test_whole_numbers_under_the_tag_of_floats_are_refused(tmp_path: Path) -> None:
    data = np.round(VOICE * 32767).astype("<i4").tobytes()
    with pytest.raises(AudioFileError, match=r"holds nan|written as whole numbers"):
        read(tmp_path, riff(fmt(3, n_bits=32), chunk(b"data", data)))
    data = np.abs(np.round(VOICE * 32767)).astype("<i4").tobytes()
    with pytest.raises(AudioFileError, match="written as whole numbers"):
        read(tmp_path, riff(fmt(3, n_bits=32), chunk(b"data", data)))


@pytest.mark.parametrize("extra", [1, 16, 44, 2_000_000_000 - len(PCM_16)])
def test_a_length_too_large_is_named_with_what_is_missing(tmp_path: Path, extra: int) -> None:
    size = len(PCM_16) + extra
    samples, said = read(tmp_path, riff(fmt(), chunk(b"data", PCM_16, size)))
    assert np.array_equal(samples, HEARD)
    (sentence,) = said
    assert f"({extra} byte{' is' if extra == 1 else 's are'} missing)" in sentence
    assert "1.0 s are there" in sentence


@pytest.mark.parametrize("n_cut", [1, 9001])
def test_a_file_cut_short_is_judged_as_far_as_it_goes(tmp_path: Path, n_cut: int) -> None:
    content = riff(fmt(), chunk(b"data", PCM_16))[:-n_cut]
    samples, said = read(tmp_path, content)
    assert np.array_equal(samples, HEARD[: (len(PCM_16) - n_cut) // 2])
    assert f"({n_cut} byte" in said[0]


@pytest.mark.parametrize(
    ("tail", "seconds"),
    [
        pytest.param(PCM_16[8000:], "0.8 s", id="wrapped or never updated"),
        pytest.param(chunk(b"data", PCM_16), "1.0 s", id="a second data chunk"),
        pytest.param(2 * riff(fmt(), chunk(b"data", PCM_16)), "2.0 s", id="glued files"),
        pytest.param(
            chunk(b"LIST", b"INFO") + chunk(b"data", PCM_16, 0), "1.0 s", id="a chunk between"
        ),
        pytest.param(bytes(4 * len(PCM_16)) + PCM_16, "5.0 s", id="silence before it"),
    ],
)
def test_sound_behind_the_length_is_told_of(tmp_path: Path, tail: bytes, seconds: str) -> None:
    samples, said = read(tmp_path, riff(fmt(), chunk(b"data", PCM_16[:8000])) + tail)
    assert np.array_equal(samples, HEARD[:4000])
    (sentence,) = said
    assert sentence.startswith(f"{seconds} of sound follow unheard")


@pytest.mark.parametrize(
    "tail", [b"", chunk(b"id3 ", b"x" * 9001), chunk(b"LIST", b"INFOabc"), bytes(20_000), b"\0"]
)
def test_what_is_no_sound_behind_it_needs_no_word(tmp_path: Path, tail: bytes) -> None:
    samples, said = read(tmp_path, riff(fmt(), chunk(b"data", PCM_16)) + tail)
    assert np.array_equal(samples, HEARD)
    assert said == []


def stereo(*columns: np.ndarray) -> bytes:
    values = np.round(np.stack(columns, axis=1) * 32767).astype("<i2")
    return riff(fmt(n_channels=len(columns)), chunk(b"data", values.tobytes()))


#: A second and more of something like a voice, and of noise.
TALK = np.cumsum(np.random.default_rng(1).normal(0, 0.02, 3 * RATE)) % 1.0 - 0.5
HISS = np.random.default_rng(2).uniform(-0.9, 0.9, TALK.size)


def in_bits(values: np.ndarray, n_bits: int) -> bytes:
    whole = np.round(values * (2 ** (n_bits - 1) - 1)).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, : n_bits // 8].tobytes()


@pytest.mark.parametrize(
    ("content", "n_bits", "sentence"),
    [
        pytest.param(in_bits(TALK, 16)[1:-1], 16, "the two bytes of its samples", id="half"),
        pytest.param(
            np.frombuffer(in_bits(TALK, 16), "<i2").byteswap().tobytes(), 16,
            "the two bytes of its samples stand the other way round", id="big-endian",
        ),
        pytest.param(in_bits(TALK, 24), 16, "noise as its header has them and sound as s24le"),
        pytest.param(in_bits(TALK, 16), 24, "noise as its header has them and sound as s16le"),
        pytest.param(
            TALK.astype("<f4").tobytes(), 16, "noise as its header has them and sound as f32le"
        ),
    ],
)  # fmt: skip
def test_sound_that_a_wrong_header_makes_noise_of_is_told_of(
    tmp_path: Path, content: bytes, n_bits: int, sentence: str
) -> None:
    content = content[: len(content) // 12 * 12]
    _, said = read(tmp_path, riff(fmt(n_bits=n_bits), chunk(b"data", content)))
    assert len(said) == 1
    assert sentence in said[0]
    assert said[0].endswith("nothing said of it is right, write it again")


@pytest.mark.parametrize("n_bits", [16, 24, 32])
@pytest.mark.parametrize("values", [TALK, HISS, np.sign(HISS), 0.3 * HISS])
def test_noise_and_sound_in_a_right_header_need_no_word(
    tmp_path: Path, n_bits: int, values: np.ndarray
) -> None:
    assert (
        read(tmp_path, riff(fmt(n_bits=n_bits), chunk(b"data", in_bits(values, n_bits))))[1] == []
    )


def test_a_channel_of_noise_beside_a_voice_is_no_wrong_header(tmp_path: Path) -> None:
    _, said = read(tmp_path, stereo(HISS, TALK))
    assert not any("header" in sentence for sentence in said)


def test_a_channel_turned_upside_down_is_named_and_does_not_cancel(tmp_path: Path) -> None:
    samples, said = read(tmp_path, stereo(VOICE, -VOICE))
    np.testing.assert_allclose(samples, HEARD, atol=2 / 32768)
    (sentence,) = said
    assert sentence.startswith("channel 2 is channel 1 turned upside down")


@pytest.mark.parametrize(
    ("columns", "picked"),
    [
        ((VOICE, VOICE), 0),
        ((VOICE, 0 * VOICE), 0),
        ((0 * VOICE, VOICE), 1),
        ((0.01 * VOICE, VOICE), 1),
        ((VOICE, np.roll(VOICE, 16)), 0),
        # An offset is no sound, however large.
        ((0 * VOICE + 0.9, VOICE), 1),
        ((0 * VOICE, 0 * VOICE, VOICE, VOICE, 0 * VOICE, 0 * VOICE), 2),
        ((0 * VOICE, 0 * VOICE), 0),
    ],
)
def test_the_loudest_channel_is_taken(
    tmp_path: Path, columns: tuple[np.ndarray, ...], picked: int
) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(stereo(*columns))
    with open_audio(path) as reader:
        assert reader.channel == picked
        assert reader.warnings == []
        samples = np.concatenate(list(reader.pieces()))
    assert np.array_equal(samples, np.round(columns[picked] * 32767).astype(np.float32) / 32768)


SECOND = np.arange(RATE) / RATE
SPOKEN = np.concatenate([gain * 0.3 * np.sin(900 * SECOND) for gain in (0, 1, 0, 1, 0.1)])
ANSWER = np.concatenate([gain * 0.2 * np.sin(700 * SECOND) for gain in (1, 0, 1, 0, 0)])
HUM = 0.5 * np.sin(2 * np.pi * 50 * np.arange(SPOKEN.size) / RATE)
NOISE = np.random.default_rng(3).normal(0, 0.01, (2, SPOKEN.size))


@pytest.mark.parametrize(
    ("taken", "other"),
    [
        pytest.param(SPOKEN, ANSWER, id="two people of a call"),
        pytest.param(HUM, SPOKEN, id="an input that hums"),
        pytest.param(20 * NOISE[0], SPOKEN, id="noise"),
        pytest.param(SPOKEN + 0.03 * ANSWER, ANSWER + 0.03 * SPOKEN, id="crosstalk"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_channel_that_holds_another_sound_is_named(
    tmp_path: Path, taken: np.ndarray, other: np.ndarray, is_first: bool
) -> None:
    _, said = read(tmp_path, stereo(taken, other) if is_first else stereo(other, taken))
    (sentence,) = said
    numbers = (2, 1) if is_first else (1, 2)
    assert sentence.startswith("channel {} holds another sound than channel {}".format(*numbers))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(np.roll(SPOKEN, 16), id="another microphone"),
        pytest.param(0.05 * SPOKEN + 0.1 * NOISE[1], id="a far one"),
        pytest.param(NOISE[1], id="noise"),
        pytest.param(0.001 * ANSWER, id="nothing that can be heard"),
        pytest.param(0.002 * HUM, id="faint hum"),
    ],
)
def test_a_channel_of_the_same_voice_or_of_noise_needs_no_word(
    tmp_path: Path, other: np.ndarray
) -> None:
    assert read(tmp_path, stereo(SPOKEN + 0.01 * NOISE[0], other))[1] == []


def test_a_channel_that_speaks_after_a_silence_is_found(tmp_path: Path) -> None:
    late = np.concatenate([np.zeros(20 * RATE), VOICE])
    early_noise = np.concatenate([1e-4 * np.sin(np.arange(20 * RATE)), 0 * VOICE])
    path = tmp_path / "clip.wav"
    path.write_bytes(stereo(early_noise, late))
    with open_audio(path) as reader:
        assert reader.channel == 1


def test_a_channel_that_speaks_after_minutes_of_silence_is_heard(tmp_path: Path) -> None:
    late = np.concatenate([np.zeros(130 * RATE), VOICE])
    path = tmp_path / "clip.wav"
    path.write_bytes(stereo(0 * late, late, -late))
    with open_audio(path) as reader:
        samples = np.concatenate(list(reader.pieces()))
        assert reader.channel == 1
        (sentence,) = reader.warnings
    assert np.array_equal(samples[-RATE:], HEARD)
    assert sentence.startswith("channel 3 is channel 2 turned upside down")


def test_chunks_without_end_are_not_walked_to_the_end(tmp_path: Path) -> None:
    empty = 200_000 * chunk(b"abcd", b"")
    path = tmp_path / "clip.wav"
    path.write_bytes(riff(fmt()) + empty + chunk(b"data", PCM_16))
    with pytest.raises(AudioFileError, match=r"clip\.wav is a damaged WAV file: its first 20000"):
        read_audio(path)
    samples, _ = read(tmp_path, riff(fmt(), chunk(b"data", PCM_16)) + empty)
    assert np.array_equal(samples, HEARD)


def test_pieces_are_small_and_make_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(riff(fmt(), chunk(b"data", 40 * PCM_16)))
    with open_audio(path) as reader:
        pieces = list(reader.pieces())
    assert max(piece.nbytes for piece in pieces) <= 1 << 19
    assert np.array_equal(np.concatenate(pieces), np.tile(HEARD, 40))


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "clip.wav")
    with pytest.raises(AudioFileError, match="is not a regular file"):
        read_audio(tmp_path / "clip.wav")


def test_the_line_to_paste_holds_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Recorders name files by the time; ffmpeg takes what stands before a colon for a protocol.
    monkeypatch.chdir(tmp_path)
    Path("12:30:05.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(40))
    with pytest.raises(AudioFileError, match=r"`ffmpeg -i \./12:30:05\.m4a .* \./12:30:05\.wav`"):
        read_audio("12:30:05.m4a")


@pytest.mark.parametrize("name", ["a b's.wav", "-rf.wav", "ü $(x).wav"])
def test_the_line_to_paste_is_quoted_and_has_its_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(riff(fmt(0x1234), chunk(b"data", PCM_16)))
    with pytest.raises(AudioFileError) as caught:
        read_audio(path)
    import shlex

    line = str(caught.value).split("`")[1]
    words = shlex.split(line)
    assert words[:3] == ["ffmpeg", "-i", str(path)]
    assert words[-1] == f"{Path(name).stem.lstrip('-')}-pcm.wav"


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000 - 0x24, 0x7FFFF000])
def test_a_placeholder_for_the_length_needs_no_word(tmp_path: Path, size: int) -> None:
    samples, said = read(tmp_path, riff(fmt(), chunk(b"data", PCM_16, size)))
    assert np.array_equal(samples, HEARD)
    assert said == []
