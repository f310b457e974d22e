"""FLAC and its like, through soundfile where it is installed."""

from __future__ import annotations

import struct
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from edge.audio.file import read_audio
from edge.errors import AudioFileError, MissingDependencyError


def read_bytes(folder: Path, content: bytes, name: str = "clip.wav") -> tuple[np.ndarray, int]:
    path = folder / name
    path.write_bytes(content)
    return read_audio(path)


def test_other_kinds_need_soundfile(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(MissingDependencyError, match=r"pip install soundfile; or .*ffmpeg -i"):
        read_bytes(tmp_path, b"fLaC....", "clip.flac")
    with pytest.raises(MissingDependencyError, match="soundfile is not installed"):
        read_bytes(tmp_path, b"OggS....", "clip.wav")
    with pytest.raises(MissingDependencyError, match="soundfile is not installed"):
        read_bytes(tmp_path, b"\xff\xfb\x90\0", "clip.mp3")
    # Without a mark, it is only known what it is not.
    with pytest.raises(MissingDependencyError, match=r"noise\.mp3 is no WAV file and needs"):
        read_bytes(tmp_path, b"\x12\x34\x56\x78", "noise.mp3")
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
            self._place = 0
            self.format = "FLAC"

        def close(self):
            pass

        def seek(self, place):
            self._place = place

        def read(self, size, dtype, always_2d):
            assert (dtype, always_2d) == ("float32", True)
            first, self._place = self._place, self._place + 2
            return frames[first : first + 2]

    module = types.ModuleType("soundfile")
    module.SoundFileError = type("SoundFileError", (Exception,), {})
    module.SoundFile = SoundFile
    return module


def test_the_louder_channel_of_a_flac_is_taken(tmp_path, monkeypatch):
    frames = np.array([[0.5, 1.0], [-0.5, -1.0], [0.5, 1.5]], dtype=np.float32)
    monkeypatch.setitem(sys.modules, "soundfile", fake_soundfile(frames, 3))
    samples, sample_rate = read_bytes(tmp_path, b"fLaC....", "clip.flac")
    assert samples.dtype == np.float32
    assert (samples.tolist(), sample_rate) == ([1.0, -1.0, 1.0], 44_100)


@pytest.mark.parametrize(
    ("frames", "n_promised", "name", "message"),
    [
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


@pytest.mark.parametrize("subtype", ["ALAW", "ULAW", "IMA_ADPCM", "MS_ADPCM", "GSM610"])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_coded_wav_is_read_where_soundfile_is_there(tmp_path, monkeypatch, subtype, n_channels):
    soundfile = pytest.importorskip("soundfile")
    if subtype == "GSM610" and n_channels == 2:
        pytest.skip("GSM has one channel")
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16_000) / 8000)
    path = tmp_path / "call.wav"
    columns = np.stack([0.1 * tone, tone][2 - n_channels :], axis=1)
    soundfile.write(path, columns, 8000, subtype=subtype)
    samples, sample_rate = read_audio(path)
    assert sample_rate == 8000
    assert np.corrcoef(samples[:16_000], tone[: samples.size])[0, 1] > 0.95
    monkeypatch.setitem(sys.modules, "soundfile", None)
    told = (
        r"is coded as .* \(format tag \d+\); .*`ffmpeg -i .*`, or pip install soundfile: soundfile"
    )
    with pytest.raises(AudioFileError, match=told):
        read_audio(path)


def test_a_coded_wav_that_soundfile_does_not_read_is_not_a_reason_to_install_it(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 0xFF, 1, 8000, 8000, 1, 8)
    body = b"WAVE" + fmt + b"data" + struct.pack("<I", 64) + bytes(64)
    with pytest.raises(AudioFileError, match="is coded as AAC") as told:
        read_bytes(tmp_path, b"RIFF" + struct.pack("<I", len(body)) + body)
    assert "pip" not in str(told.value)


def test_a_coded_wav_names_the_library_that_soundfile_lacks(tmp_path, monkeypatch):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "soundfile.py").write_text("raise OSError('no library')\n")
    monkeypatch.delitem(sys.modules, "soundfile", raising=False)
    monkeypatch.syspath_prepend(tmp_path / "lib")
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 6, 1, 8000, 8000, 1, 8)
    body = b"WAVE" + fmt + b"data" + struct.pack("<I", 64) + bytes(64)
    with pytest.raises(AudioFileError, match=r"`, or sudo apt-get install libsndfile1: soundfile"):
        read_bytes(tmp_path, b"RIFF" + struct.pack("<I", len(body)) + body)


def test_a_file_that_is_cut_off_is_judged_as_far_as_it_goes(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", fake_soundfile(np.ones((2, 1)), 44_102))
    said = []
    (tmp_path / "clip.flac").write_bytes(b"fLaC....")
    samples, _ = read_audio(tmp_path / "clip.flac", said.append)
    assert samples.tolist() == [1.0, 1.0]
    assert said == [
        "only 0.0 s of sound could be read, 1.0 s fewer than its header promises: it is cut off or "
        "damaged"
    ]


@pytest.mark.parametrize("suffix", [".au", ".snd", ".flac"])
@pytest.mark.parametrize("content", [bytes(40_000), b"not a sound at all, " * 2000])
def test_a_suffix_makes_no_sound_of_anything(tmp_path, suffix, content):
    pytest.importorskip("soundfile")
    with pytest.raises(AudioFileError, match=rf"clip\{suffix} (is not audio|cannot be decoded)"):
        read_bytes(tmp_path, content, f"clip{suffix}")


def test_a_sphere_file_is_read_whatever_it_is_called(tmp_path):
    """TIMIT's are called .WAV."""
    soundfile = pytest.importorskip("soundfile")
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 16_000)
    soundfile.write(tmp_path / "said.wav", tone, 16_000, format="NIST", subtype="PCM_16")
    samples, sample_rate = read_audio(tmp_path / "said.wav")
    assert (samples.size, sample_rate) == (8000, 16_000)
    np.testing.assert_allclose(samples, tone, atol=1e-4)


@pytest.mark.parametrize(
    ("content", "kind"), [(b"FLV\x01\x05", "FLV"), (b"RIFF\0\0\0\0AVI LIST", "AVI")]
)
def test_film_is_named_with_its_conversion(tmp_path, content, kind):
    with pytest.raises(AudioFileError, match=rf"is {kind}, which cannot be read here; .*ffmpeg"):
        read_bytes(tmp_path, content + bytes(100))


def test_mp3_that_is_none_is_not_said_to_be_missing(tmp_path):
    pytest.importorskip("soundfile")
    with pytest.raises(AudioFileError, match="cannot be decoded") as refusal:
        read_bytes(tmp_path, b"\xff\xfb\x90\x00" + bytes(500), "clip.mp3")
    assert "does not exist" not in str(refusal.value)
    assert str(refusal.value).count("clip.mp3") == 1
