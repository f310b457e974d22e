"""Folders are searched, named files kept in order."""

from __future__ import annotations

import os

import pytest

from edge.audio.file import AUDIO_SUFFIXES, find_audio_files
from edge.errors import AudioFileError


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
