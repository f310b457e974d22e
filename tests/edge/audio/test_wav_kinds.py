"""WAV files as recorders, streams and failed copies leave them: read with a warning, or refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from wav_files import HEARD, PCM_16, RATE, VOICE, chunk, fmt, read, riff, stereo

from edge.audio.file import open_audio, read_audio
from edge.errors import AudioFileError


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
