"""WAV files that other readers read, whole or not at all."""

from __future__ import annotations

import os
import wave

import numpy as np
import pytest

from edge.audio.file import read_audio, write_wav
from edge.errors import AudioFileError, ParameterError


@pytest.mark.parametrize("n_channels", [1, 2])
def test_written_wav_is_what_other_readers_read(tmp_path, n_channels):
    frames = np.random.default_rng(3).integers(-32768, 32768, (501, n_channels))
    samples = frames[:, 0] if n_channels == 1 else frames
    path = tmp_path / "out.wav"
    write_wav(path, samples / 32768, 44_100)
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (n_channels, 2, 44_100, 501)
        assert file.readframes(501) == frames.astype("<i2").tobytes()
    assert np.array_equal(read_audio(path)[0], frames[:, 0] / np.float32(32768))


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
    with pytest.raises(AudioFileError, match=r"out.wav cannot be written: No space left"):
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
