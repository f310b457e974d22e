"""Folders are searched, named files kept in order."""

from __future__ import annotations

import os

import pytest

from edge.audio.find import find_audio_files, search
from edge.audio.suffixes import AUDIO_SUFFIXES
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
    def walk(folder, onerror, followlinks):
        onerror(PermissionError(13, "Permission denied", str(folder)))
        return iter(())

    monkeypatch.setattr(os, "walk", walk)
    with pytest.raises(AudioFileError, match="cannot be searched: Permission denied"):
        find_audio_files([tmp_path])


def test_suffixes_are_lower_case_with_a_dot():
    assert {".wav", ".flac", ".ogg"} <= AUDIO_SUFFIXES
    assert all(suffix.startswith(".") and suffix.islower() for suffix in AUDIO_SUFFIXES)


def test_what_is_passed_over_is_counted_by_kind(tmp_path):
    for name in ("a.wav", "b.m4a", "c.M4A", "d.webm", "e.txt", "README", ".hidden.m4a"):
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "pipe.wav")
    found = search([tmp_path])
    assert [path.name for path in found.files] == ["a.wav"]
    assert found.passed_over == {
        ".m4a": 2, ".webm": 1, ".txt": 1, "no suffix": 1, "no regular file": 1,
    }  # fmt: skip
    assert found.sentence().startswith("6 files passed over: 2 .m4a, ")
    assert "name one to hear how its kind is converted" in found.sentence()


def test_links_are_followed_once(tmp_path):
    (tmp_path / "here" / "below").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.wav").touch()
    (tmp_path / "here" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "here" / "below" / "up").symlink_to(tmp_path / "here")
    (tmp_path / "here" / "below" / "b.wav").touch()
    (tmp_path / "here" / "c.wav").symlink_to(tmp_path / "elsewhere" / "a.wav")
    found = search([tmp_path / "here"])
    assert sorted(path.name for path in found.files) == ["a.wav", "b.wav", "c.wav"]
    assert found.problems == []


def test_a_path_that_cannot_be_ends_nothing_but_itself(tmp_path):
    (tmp_path / "a.wav").touch()
    long_name, nul = "x" * 300, "a\0b"
    found = search([long_name, "", nul, tmp_path])
    # The first and the third say what is wrong when they are read.
    assert [str(path) for path in found.files] == [long_name, nul, str(tmp_path / "a.wav")]
    (problem,) = found.problems
    assert "path is empty" in str(problem)


def test_a_folder_of_other_sound_alone_names_it(tmp_path):
    (tmp_path / "a.m4a").touch()
    with pytest.raises(AudioFileError, match=r"holds no audio file: .*1 file passed over: 1 \.m4a"):
        find_audio_files([tmp_path])
