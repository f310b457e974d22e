from __future__ import annotations

import math
import os
import struct
import sys
import types
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio.file import AUDIO_SUFFIXES, find_audio_files, read_audio, write_wav
from edge.errors import AudioFileError, MissingDependencyError, ParameterError

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


@pytest.mark.parametrize("sample_rate", [1, 8_000, 11_025, 44_100, 48_000, 192_000])
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


def test_channels_are_mixed_by_their_mean(tmp_path):
    data = struct.pack("<4h", 16384, 0, -16384, -8192)
    samples, _ = read_bytes(tmp_path, simple(PCM, 16, data, n_channels=2))
    assert samples.tolist() == [0.25, -0.375]


def test_a_hundred_channels_longer_than_one_piece(tmp_path):
    frames = np.random.default_rng(1).integers(-32768, 32767, (7000, 100), dtype="<i2")
    samples, _ = read_bytes(tmp_path, simple(PCM, 16, frames.tobytes(), n_channels=100))
    np.testing.assert_allclose(samples, frames.mean(axis=1) / 32768, atol=1e-7)


def test_what_the_wave_module_writes(tmp_path):
    frames = np.random.default_rng(2).integers(-32768, 32767, (999, 2), dtype="<i2")
    path = tmp_path / "clip.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 22_050, 0, "NONE", ""))
        file.writeframes(frames.tobytes())
    samples, sample_rate = read_audio(str(path))
    np.testing.assert_allclose(samples, frames.mean(axis=1) / 32768, atol=1e-7)
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


def test_float_overs_are_clipped_after_mixing(tmp_path):
    data = struct.pack("<4f", 1.5, 0.25, 1.5, 1.0)
    samples, _ = read_bytes(tmp_path, simple(FLOAT, 32, data, n_channels=2))
    assert samples.tolist() == [0.875, 1.0]


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
        (b"RIFF\x24\0\0\0AVI LIST....", "is not audio"),
        (simple(PCM, 16, b""), "holds no samples"),
        (simple(PCM, 16, b"\1"), "holds no samples"),
        (simple(PCM, 16, bytes(400))[:-100], "promises 400 bytes of samples and 300 are there"),
        (riff(chunk(b"fmt ", fmt(PCM, 16))), r"is truncated: .*\(no data chunk\)"),
        (riff(chunk(b"data", bytes(4))), "data chunk comes before a fmt chunk"),
        (riff(chunk(b"fmt ", b"\1\0\1\0"), chunk(b"data", bytes(4))), "fmt chunk has 4 bytes"),
        (simple(7, 8, bytes(8)), r"coded as mu-law \(format tag 7\); .*ffmpeg -i clip.wav"),
        (simple(6, 8, bytes(8)), r"coded as A-law \(format tag 6\)"),
        (simple(2, 4, bytes(8)), r"coded as Microsoft ADPCM \(format tag 2\)"),
        (simple(0x1234, 16, bytes(8)), r"coded as an unknown codec \(format tag 4660\)"),
        (simple(PCM, 16, bytes(8), sample_rate=0), "sample rate of 0 Hz"),
        (simple(PCM, 16, bytes(8), n_channels=0), "has 0 channels"),
        (simple(PCM, 0, bytes(8)), "integer samples of 0 bits, 8, 16, 24 or 32 are wanted"),
        (simple(PCM, 64, bytes(8)), "integer samples of 64 bits"),
        (simple(FLOAT, 16, bytes(8)), "float samples of 16 bits, 32 or 64 are wanted"),
        (simple(FLOAT, 32, struct.pack("<2f", 0, math.nan)), "holds nan at 0.000 s, finite"),
        (simple(FLOAT, 64, struct.pack("<2d", 0, -math.inf)), "holds -inf at"),
        (simple(FLOAT, 32, struct.pack("<2f", 0, -20_000)), "samples up to 20000, .* -1 and 1"),
        (simple(FLOAT, 64, struct.pack("<2d", 0, 1e300)), r"samples up to 1e\+300"),
        (
            riff(chunk(b"fmt ", fmt(PCM, 16)[:12] + b"\7\0\x10\0"), chunk(b"data", bytes(8))),
            "1 channels of 16 bits take 2 bytes, its fmt chunk says 7",
        ),
        (
            riff(chunk(b"fmt ", extensible(7, 8, 8)), chunk(b"data", bytes(8))),
            "coded as mu-law",
        ),
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

    def deny(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", deny)
    with pytest.raises(AudioFileError, match="may not be read: check its permissions"):
        read_audio("secret.wav")


WHOLE = riff(
    chunk(b"LIST", b"abc"),
    chunk(b"fmt ", extensible(PCM, 16, 16)),
    chunk(b"data", struct.pack("<8h", *range(8))),
)


@settings(deadline=None, max_examples=len(WHOLE))
@given(n_bytes=st.integers(0, len(WHOLE) - 1))
def test_a_file_cut_anywhere_is_refused(tmp_path_factory, n_bytes):
    with pytest.raises(AudioFileError):
        read_bytes(tmp_path_factory.getbasetemp(), WHOLE[:n_bytes], "cut.wav")


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


# Other kinds of files


def test_other_kinds_need_soundfile(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "edge-ser\[audio-files\]"'):
        read_bytes(tmp_path, b"fLaC....", "clip.flac")
    with pytest.raises(MissingDependencyError, match="soundfile is not installed"):
        read_bytes(tmp_path, b"OggS....", "clip.wav")
    with pytest.raises(MissingDependencyError, match="soundfile is not installed"):
        read_bytes(tmp_path, b"\xff\xfb\x90\0", "clip.mp3")
    with pytest.raises(AudioFileError, match=r"notes\.txt is not audio"):
        read_bytes(tmp_path, b"text", "notes.txt")


def test_soundfile_without_its_library(tmp_path, monkeypatch):
    module = tmp_path / "lib"
    module.mkdir()
    (module / "soundfile.py").write_text("raise OSError('sndfile library not found')\n")
    monkeypatch.delitem(sys.modules, "soundfile", raising=False)
    monkeypatch.syspath_prepend(module)
    with pytest.raises(MissingDependencyError, match="apt-get install libsndfile1"):
        read_bytes(tmp_path, b"fLaC....", "clip.flac")


def fake_soundfile(frames: np.ndarray, n_promised: int) -> types.ModuleType:
    class SoundFile:
        def __init__(self, name: str) -> None:
            if name.endswith("bad.flac"):
                raise module.SoundFileError("Format not recognised.")
            self.samplerate, self.channels, self.frames = 44_100, frames.shape[1], n_promised

        def __enter__(self):
            return self

        def __exit__(self, *args):
            return None

        def blocks(self, size, dtype, always_2d):
            assert (dtype, always_2d) == ("float32", True)
            return (frames[first : first + 2] for first in range(0, len(frames), 2))

    module = types.ModuleType("soundfile")
    module.SoundFileError = type("SoundFileError", (Exception,), {})
    module.SoundFile = SoundFile
    return module


def test_flac_is_mixed_like_wav(tmp_path, monkeypatch):
    frames = np.array([[0.5, 0.0], [-1.0, -1.0], [1.5, 1.5]], dtype=np.float32)
    monkeypatch.setitem(sys.modules, "soundfile", fake_soundfile(frames, 3))
    samples, sample_rate = read_bytes(tmp_path, b"fLaC....", "clip.flac")
    assert samples.dtype == np.float32
    assert (samples.tolist(), sample_rate) == ([0.25, -1.0, 1.0], 44_100)


@pytest.mark.parametrize(
    ("frames", "n_promised", "name", "message"),
    [
        (np.zeros((2, 1)), 5, "clip.flac", "promises 5 samples and 2 are there"),
        (np.zeros((0, 1)), 0, "clip.flac", "holds no samples"),
        (np.full((2, 1), np.nan), 2, "clip.flac", "NaN or infinity"),
        (np.zeros((2, 1)), 2, "bad.flac", "cannot be decoded.*Format not recognised"),
    ],
)
def test_bad_flac(tmp_path, monkeypatch, frames, n_promised, name, message):
    monkeypatch.setitem(sys.modules, "soundfile", fake_soundfile(frames, n_promised))
    with pytest.raises(AudioFileError, match=message):
        read_bytes(tmp_path, b"fLaC....", name)


@pytest.mark.parametrize("suffix", ["flac", "ogg"])
def test_real_flac_and_ogg(tmp_path, suffix):
    soundfile = pytest.importorskip("soundfile")
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(22_050) / 22_050)
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, np.stack((tone, tone), axis=1), 22_050)
    samples, sample_rate = read_audio(path)
    assert sample_rate == 22_050
    assert samples.size == tone.size
    assert np.corrcoef(samples, tone)[0, 1] > 0.999
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(AudioFileError):
        read_audio(path)


# Finding


def test_a_folder_is_searched_to_any_depth_and_sorted(tmp_path):
    names = ["b.wav", "a/z.FLAC", "a/b/c/x.ogg", "c.txt", ".hidden.wav", ".cache/y.wav"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_audio_files([tmp_path])]
    assert found == ["a/b/c/x.ogg", "a/z.FLAC", "b.wav"]


def test_a_large_folder_is_sorted_however_it_is_stored(tmp_path):
    names = [f"{index * 7 % 50:02d}.wav" for index in range(50)]
    for name in names:
        (tmp_path / name).touch()
    assert [path.name for path in find_audio_files([tmp_path])] == sorted(names)


def test_named_files_are_kept_once_in_the_order_given(tmp_path):
    for name in ("one.wav", "two.wav"):
        (tmp_path / name).touch()
    given_paths = [tmp_path / "notes.txt", str(tmp_path / "two.wav"), tmp_path]
    found = [path.name for path in find_audio_files(given_paths)]
    assert found == ["notes.txt", "two.wav", "one.wav"]
    assert find_audio_files(str(tmp_path / "two.wav")) == [tmp_path / "two.wav"]


def test_a_folder_without_audio_is_an_error(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(AudioFileError, match=r"holds no audio file: none ends in .*\.flac .*\.wav"):
        find_audio_files([tmp_path])


def test_a_folder_that_may_not_be_searched(tmp_path, monkeypatch):
    def walk(folder, onerror):
        onerror(PermissionError(13, "Permission denied", str(folder)))

    monkeypatch.setattr(os, "walk", walk)
    with pytest.raises(AudioFileError, match="cannot be searched: Permission denied"):
        find_audio_files([tmp_path])


def test_suffixes_are_lower_case_with_a_dot():
    assert {".wav", ".flac", ".ogg"} <= AUDIO_SUFFIXES
    assert all(suffix.startswith(".") and suffix.islower() for suffix in AUDIO_SUFFIXES)


# Writing


@pytest.mark.parametrize("n_channels", [1, 2])
def test_written_wav_is_what_other_readers_read(tmp_path, n_channels):
    frames = np.random.default_rng(3).integers(-32768, 32768, (501, n_channels))
    samples = frames[:, 0] if n_channels == 1 else frames
    path = tmp_path / "out.wav"
    write_wav(path, samples / 32768, 44_100)
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (n_channels, 2, 44_100, 501)
        assert file.readframes(501) == frames.astype("<i2").tobytes()
    np.testing.assert_allclose(read_audio(path)[0], frames.mean(axis=1) / 32768, atol=1e-7)


def test_writing_clips_and_follows_the_umask(tmp_path):
    path = tmp_path / "out.wav"
    old = os.umask(0o027)
    try:
        write_wav(path, [-2.0, 2.0], 8_000)
    finally:
        os.umask(old)
    assert read_audio(path)[0].tolist() == [-1.0, 32767 / 32768]
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "out.wav"
    write_wav(path, [0.5], 8_000)

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        write_wav(path, [0.25], 8_000)
    assert os.listdir(tmp_path) == ["out.wav"]
    assert read_audio(path)[0].tolist() == [0.5]


@pytest.mark.parametrize(
    ("samples", "sample_rate", "message"),
    [
        ([0.0, np.nan], 8_000, "NaN"),
        (np.zeros((2, 2, 2)), 8_000, "shape"),
        (np.zeros((2, 0)), 8_000, "shape"),
        ([0.0], 0, "sample_rate is 0"),
    ],
)
def test_what_cannot_be_written(tmp_path, samples, sample_rate, message):
    with pytest.raises(ParameterError, match=message):
        write_wav(tmp_path / "out.wav", samples, sample_rate)
    assert os.listdir(tmp_path) == []
