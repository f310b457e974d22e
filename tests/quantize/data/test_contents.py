"""Digests of files: read once, and again as soon as anything could have changed."""

from __future__ import annotations

import hashlib
import os
import time

import pytest

from edge.errors import AudioFileError
from quantize.data.corpora import contents
from quantize.data.corpora.contents import ContentIndex


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "_SETTLED_NS", 0)
    paths = [tmp_path / f"{i}.wav" for i in range(4)]
    for path in paths:
        path.write_bytes(path.name.encode())
    time.sleep(0.02)  # a tick of the file system's clock
    return paths


@pytest.fixture
def read(monkeypatch):
    names = []
    digest = contents.file_digest
    monkeypatch.setattr(contents, "file_digest", lambda n: names.append(os.fspath(n)) or digest(n))
    return names


def truth(paths):
    return [hashlib.sha256(p.read_bytes()).hexdigest() for p in paths]


def test_files_are_read_once_and_again_when_changed(files, read, tmp_path):
    assert ContentIndex(tmp_path / "c").digests([*files, files[0]]) == truth([*files, files[0]])
    assert sorted(read) == [str(p) for p in files]
    read.clear()
    index = ContentIndex(tmp_path / "c")
    assert index.digests(files) == truth(files)
    assert not read
    # The same length and the old time: only the time of the inode tells.
    before = os.stat(files[1])
    files[1].write_bytes(b"X.wav")
    os.utime(files[1], ns=(before.st_atime_ns, before.st_mtime_ns))
    for one in (index, ContentIndex(tmp_path / "c")):
        assert one.digests(files) == truth(files)
    assert read[0] == str(files[1])
    assert set(read) == {str(files[1])}


def test_what_has_just_been_written_is_not_believed(files, read, tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "_SETTLED_NS", 10**10)
    for _ in range(2):
        ContentIndex(tmp_path / "c").digests(files)
    assert len(read) == 8


def test_two_share_an_index(files, read, tmp_path):
    one, other = ContentIndex(tmp_path / "c"), ContentIndex(tmp_path / "c")
    one.digests(files[:2])
    other.digests(files[2:])
    one.digests(files[:1])
    read.clear()
    assert ContentIndex(tmp_path / "c").digests(files) == truth(files)
    assert not read


@pytest.mark.parametrize("damage", [b"", b"{}", b"[" * 100_000, b'{"format": 1}', None])
def test_a_damaged_index_is_read_anew(files, read, tmp_path, damage, capsys):
    index = ContentIndex(tmp_path / "c")
    index.digests(files)
    text = index.path.read_bytes()
    index.path.write_bytes(text.replace(b"a", b"b") if damage is None else damage)
    read.clear()
    assert ContentIndex(tmp_path / "c").digests(files) == truth(files)
    assert len(read) == 4
    assert "is damaged: the audio files are read anew" in capsys.readouterr().err


def test_what_cannot_be_read_is_one_sentence(files, tmp_path):
    index = ContentIndex(tmp_path / "c")
    with pytest.raises(AudioFileError, match=r"cannot read .*gone\.wav: No such file"):
        index.digests([*files, tmp_path / "gone.wav"])
    with pytest.raises(AudioFileError, match="is no regular file"):
        index.digests([tmp_path])
