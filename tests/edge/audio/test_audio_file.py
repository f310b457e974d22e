"""WAV files of every width, and what is said of bad ones."""

from __future__ import annotations

import math
import os
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.file import read_audio
from edge.errors import AudioFileError

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def chunk(name: bytes, body: bytes, size: int | None = None, pad: bool = True) -> bytes:
    head = name + struct.pack("<I", len(body) if size is None else size)
    return head + body + (b"\0" if pad and len(body) % 2 else b"")


def fmt(tag: int, n_bits: int, n_channels: int = 1, sample_rate: int = 16_000) -> bytes:
    block = n_channels * ((n_bits + 7) // 8)
    return struct.pack(
        "<HHIIHH",
        tag,
        n_channels,
        sample_rate,
        min(sample_rate * block, 0xFFFFFFFF),
        min(block, 0xFFFF),
        n_bits,
    )


def extensible(tag: int, n_bits: int, n_valid: int, tail: bytes = GUID_TAIL) -> bytes:
    return fmt(EXTENSIBLE, n_bits) + struct.pack("<HHIH", 22, n_valid, 4, tag) + tail


def riff(*chunks: bytes, kind: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return kind + struct.pack("<I", len(body)) + body


def simple(tag: int, n_bits: int, data: bytes, **kwargs: int) -> bytes:
    return riff(chunk(b"fmt ", fmt(tag, n_bits, **kwargs)), chunk(b"data", data))


def read_bytes(folder: Path, content: bytes, name: str = "clip.wav") -> tuple[np.ndarray, int]:
    path = folder / name
    path.write_bytes(content)
    return read_audio(path)


def int24(*values: int) -> bytes:
    return b"".join(struct.pack("<i", value)[:3] for value in values)


# What is read


@pytest.mark.parametrize(
    ("tag", "n_bits", "data"),
    [
        (PCM, 8, bytes([0, 64, 128, 192])),
        (PCM, 16, struct.pack("<4h", -32768, -16384, 0, 16384)),
        (PCM, 12, struct.pack("<4h", -32768, -16384, 0, 16384)),
        (PCM, 24, int24(-(2**23), -(2**22), 0, 2**22)),
        (PCM, 20, int24(-(2**23), -(2**22), 0, 2**22)),
        (PCM, 32, struct.pack("<4i", -(2**31), -(2**30), 0, 2**30)),
        (FLOAT, 32, struct.pack("<4f", -1.0, -0.5, 0.0, 0.5)),
        (FLOAT, 64, struct.pack("<4d", -1.0, -0.5, 0.0, 0.5)),
    ],
)
def test_every_width_comes_out_on_the_same_scale(tmp_path, tag, n_bits, data):
    samples, sample_rate = read_bytes(tmp_path, simple(tag, n_bits, data))
    assert samples.dtype == np.float32
    assert samples.tolist() == [-1.0, -0.5, 0.0, 0.5]
    assert sample_rate == 16_000


@pytest.mark.parametrize("sample_rate", [2000, 8_000, 11_025, 44_100, 48_000, 192_000])
def test_the_file_s_own_rate_is_given(tmp_path, sample_rate):
    content = simple(PCM, 16, bytes(8), sample_rate=sample_rate)
    assert read_bytes(tmp_path, content)[1] == sample_rate


@pytest.mark.parametrize(
    ("header", "data"),
    [
        (extensible(PCM, 16, 16), struct.pack("<2h", 8192, -8192)),
        (extensible(PCM, 32, 24), struct.pack("<2i", 2**29, -(2**29))),
        (extensible(FLOAT, 32, 32), struct.pack("<2f", 0.25, -0.25)),
    ],
)
def test_extensible_format(tmp_path, header, data):
    content = riff(chunk(b"fmt ", header), chunk(b"data", data))
    assert read_bytes(tmp_path, content)[0].tolist() == [0.25, -0.25]


def test_the_louder_channel_is_taken(tmp_path):
    data = struct.pack("<4h", 0, 16384, -8192, -16384)
    samples, _ = read_bytes(tmp_path, simple(PCM, 16, data, n_channels=2))
    assert samples.tolist() == [0.5, -0.5]


def test_a_hundred_channels_longer_than_one_piece(tmp_path):
    frames = np.random.default_rng(1).integers(-32768, 32767, (7000, 100), dtype="<i2")
    samples, _ = read_bytes(tmp_path, simple(PCM, 16, frames.tobytes(), n_channels=100))
    assert any(np.array_equal(samples, frames[:, k] / np.float32(32768)) for k in range(100))


def test_what_the_wave_module_writes(tmp_path):
    frames = np.random.default_rng(2).integers(-32768, 32767, (999, 2), dtype="<i2")
    path = tmp_path / "clip.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 22_050, 0, "NONE", ""))
        file.writeframes(frames.tobytes())
    samples, sample_rate = read_audio(str(path))
    assert np.array_equal(samples, frames[:, 0] / np.float32(32768))
    assert sample_rate == 22_050


@pytest.mark.parametrize("pad", [True, False])
def test_unknown_and_odd_chunks_are_passed_over(tmp_path, pad):
    content = riff(
        chunk(b"LIST", b"INFOISFT\x03\0\0\0abc", pad=pad),
        chunk(b"fmt ", fmt(PCM, 16) + b"\0\0"),
        chunk(b"bext", b"x" * 601, pad=pad),
        chunk(b"data", struct.pack("<2h", 16384, -16384)),
        chunk(b"id3 ", b"tail"),
    )
    assert read_bytes(tmp_path, content)[0].tolist() == [0.5, -0.5]


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0xFFFFFFDB, 0x80000000, 0x7FFFF000])
def test_a_writer_into_a_pipe_leaves_a_placeholder_for_the_length(tmp_path, size):
    data = struct.pack("<5h", *range(5)) + b"\x01"
    content = riff(chunk(b"fmt ", fmt(PCM, 16)), chunk(b"data", data, size=size, pad=False))
    assert (read_bytes(tmp_path, content)[0] * 32768).tolist() == [0, 1, 2, 3, 4]


def test_rf64_takes_its_length_from_ds64(tmp_path):
    content = riff(
        chunk(b"ds64", struct.pack("<QQQI", 0, 4, 2, 0)),
        chunk(b"fmt ", fmt(PCM, 16)),
        chunk(b"data", struct.pack("<2h", 8192, -8192), size=0xFFFFFFFF),
        chunk(b"junk", b"12345678"),
        kind=b"RF64",
    )
    assert read_bytes(tmp_path, content)[0].tolist() == [0.25, -0.25]


def test_a_wrong_suffix_does_no_harm(tmp_path):
    content = simple(PCM, 16, struct.pack("<h", 16384))
    assert read_bytes(tmp_path, content, "clip.flac")[0].tolist() == [0.5]


def test_float_overs_are_clipped(tmp_path):
    data = struct.pack("<4f", 1.5, -0.25, -1.25, 1.0)
    samples, _ = read_bytes(tmp_path, simple(FLOAT, 32, data))
    assert samples.tolist() == [1.0, -0.25, -1.0, 1.0]


# What is refused


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"Dear diary,\nnothing happened today.\n", "it is a text file"),
        ("Ünïcode ".encode() * 40, "it is a text file"),
        (b"RI", "is not audio"),
        (bytes(range(200, 240)), "it starts with the bytes c8 c9 ca cb"),
        (b"RIFF", "is truncated"),
        (b"RIFF\x24\0\0\0AVI LIST....", "is AVI, which cannot be read here; .*ffmpeg -i "),
        (b"RIFF\x24\0\0\0WEBPVP8 ....", "is not audio"),
        (simple(PCM, 16, b""), "holds no samples"),
        (simple(PCM, 16, b"\1"), "holds no samples"),
        (riff(chunk(b"fmt ", fmt(PCM, 16))), r"is truncated: .*\(no data chunk\)"),
        (riff(chunk(b"data", bytes(4))), "data chunk comes before a fmt chunk"),
        (riff(chunk(b"fmt ", b"\1\0\1\0"), chunk(b"data", bytes(4))), "fmt chunk has 4 bytes"),
        (simple(2, 4, bytes(8)), r"coded as Microsoft ADPCM \(format tag 2\)"),
        (simple(0x1234, 16, bytes(8)), r"coded as an unknown codec \(format tag 4660\)"),
        (simple(PCM, 16, bytes(8), sample_rate=0), "sample rate of 0 Hz"),
        (simple(PCM, 16, bytes(8), sample_rate=63), "63 Hz, 2000 to 768000 Hz are wanted"),
        (simple(PCM, 16, bytes(8), n_channels=0), "has 0 channels, 1 to 256"),
        (simple(PCM, 16, bytes(8000), n_channels=300), "has 300 channels, 1 to 256"),
        (simple(PCM, 0, bytes(8)), "integer samples of 0 bits, 8, 16, 24 or 32 are wanted"),
        (simple(PCM, 64, bytes(8)), "integer samples of 64 bits"),
        (simple(FLOAT, 16, bytes(8)), "float samples of 16 bits, 32 or 64 are wanted"),
        (simple(FLOAT, 32, struct.pack("<2f", 0, math.nan)), "holds nan at 0.000 s, finite"),
        (simple(FLOAT, 64, struct.pack("<2d", 0, -math.inf)), "holds -inf at"),
        (simple(FLOAT, 32, struct.pack("<2f", 0, -20_000)), "samples up to 20000, .* -1 and 1"),
        (simple(FLOAT, 64, struct.pack("<2d", 0, 1e300)), r"samples up to 1e\+300"),
        (
            riff(chunk(b"fmt ", extensible(1, 16, 16, bytes(14))), chunk(b"data", bytes(8))),
            "unknown sub-format",
        ),
        (
            riff(chunk(b"fmt ", fmt(EXTENSIBLE, 16)), chunk(b"data", bytes(8))),
            "extensible fmt chunk has 16 bytes",
        ),
        (
            riff(chunk(b"fmt ", fmt(PCM, 16)), chunk(b"data", b""), chunk(b"LIST", b"INFOabc")),
            "holds no samples",
        ),
    ],
)
def test_bad_content_is_one_sentence_that_names_the_file(tmp_path, content, message):
    with pytest.raises(AudioFileError, match=message) as caught:
        read_bytes(tmp_path, content)
    assert str(caught.value).startswith(str(tmp_path / "clip.wav"))
    assert "\n" not in str(caught.value)


def test_where_the_nan_is(tmp_path):
    data = np.zeros((300_000, 2), dtype="<f4")
    data[272_000, 1] = np.nan
    content = simple(FLOAT, 32, data.tobytes(), n_channels=2)
    with pytest.raises(AudioFileError, match=r"holds nan at 17\.000 s"):
        read_bytes(tmp_path, content)


def test_paths_that_are_no_readable_file(tmp_path, monkeypatch):
    with pytest.raises(AudioFileError, match=r"gone\.wav does not exist"):
        read_audio(tmp_path / "gone.wav")
    with pytest.raises(AudioFileError, match="is a folder"):
        read_audio(tmp_path)
    with pytest.raises(AudioFileError, match="cannot be read: embedded null"):
        read_audio("a\0b.wav")
    with pytest.raises(AudioFileError, match=r"cannot be read: .*too long"):
        read_audio("x" * 5000)
    with pytest.raises(AudioFileError, match="not a regular file"):
        read_audio(os.devnull)

    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", deny)
    with pytest.raises(AudioFileError, match="may not be read: check its permissions"):
        read_audio("secret.wav")


WHOLE = riff(
    chunk(b"LIST", b"abc"),
    chunk(b"fmt ", extensible(PCM, 16, 16)),
    chunk(b"data", struct.pack("<8h", *range(8))),
)


@settings(deadline=None, max_examples=len(WHOLE))
@given(n_bytes=st.integers(0, len(WHOLE) - 1))
def test_a_file_cut_anywhere_is_refused_or_read_as_far_as_it_goes(tmp_path_factory, n_bytes):
    path = tmp_path_factory.getbasetemp() / "cut.wav"
    path.write_bytes(WHOLE[:n_bytes])
    said = []
    n_whole = (n_bytes - WHOLE.index(b"data") - 8) // 2
    if n_whole < 1:
        with pytest.raises(AudioFileError):
            read_audio(path, said.append)
        return
    samples, _ = read_audio(path, said.append)
    assert (samples * 32768).tolist() == list(range(n_whole))
    assert f"({len(WHOLE) - n_bytes} byte" in said[0]


@settings(deadline=None, max_examples=200)
@given(places=st.lists(st.integers(0, len(WHOLE) - 1), min_size=1), byte=st.integers(0, 255))
def test_a_damaged_file_is_read_or_refused(tmp_path_factory, places, byte):
    content = bytearray(WHOLE)
    for place in places:
        content[place] = byte
    try:
        samples, sample_rate = read_bytes(
            tmp_path_factory.getbasetemp(), bytes(content), "damaged.wav"
        )
    except AudioFileError:
        return
    assert samples.size > 0
    assert np.abs(samples).max() <= 1
    assert sample_rate > 0
