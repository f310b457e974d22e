"""Records in files: whole lines, bounded, private, and still there after a crash."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys

import pytest

from edge.errors import ParameterError, SinkError
from edge.sinks.registry import SinkSettings, make_sink
from edge.sinks.rotated_file import RotatedFile
from edge.sinks.target import target_from_text
from edge.stream.decision import Decision


def decision(n: int) -> Decision:
    return Decision(n, n + 1.0, "quiet", None, None, None, -90.0)


def make(name: str, warn=print):
    return make_sink(target_from_text(name), SinkSettings(sys.stdout, warn=warn, now=lambda: 0.0))


def seconds(path) -> list[float]:
    return [json.loads(line)["start_s"] for line in path.read_text().splitlines()]


def test_the_oldest_file_is_deleted_and_no_line_is_cut(tmp_path):
    sink = make(f"jsonl:{tmp_path}/a.jsonl?size=2k&files=3")
    sink.open()
    for n in range(60):
        sink.emit(decision(n))
    sink.close()
    names = sorted(os.listdir(tmp_path))
    assert names == ["a.jsonl", "a.jsonl.1", "a.jsonl.2"]
    kept = [n for name in reversed(names) for n in seconds(tmp_path / name)]
    assert kept == list(range(60 - len(kept), 60))
    assert all((tmp_path / name).stat().st_size <= 2_000 for name in names)
    assert (tmp_path / "a.jsonl").stat().st_mode & 0o077 == 0


def test_one_file_alone_begins_anew(tmp_path):
    file = RotatedFile(str(tmp_path / "a"), 10, 1)
    for n in range(5):
        file.write(f"line {n}\n")
    file.close()
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "line 4\n"


def test_a_line_longer_than_the_file_is_a_file(tmp_path):
    file = RotatedFile(str(tmp_path / "a"), 10, 2)
    file.write("x" * 50 + "\n")
    file.write("y\n")
    file.close()
    assert (tmp_path / "a.1").read_text() == "x" * 50 + "\n"
    assert (tmp_path / "a").read_text() == "y\n"


@pytest.mark.parametrize("rest", [b'{"half', b"x" * 200_000])
def test_half_a_line_of_a_crash_is_cut_away(tmp_path, rest):
    path = tmp_path / "a"
    path.write_bytes(b"first\n" + rest)
    file = RotatedFile(str(path), 1_000_000, 2)
    file.open()
    file.write("second\n")
    file.close()
    assert path.read_bytes() == b"first\nsecond\n"


@pytest.mark.parametrize("begins", [b"RIFF", b"# notes\n", b" {", b"\xef\xbb\xbf{"])
def test_a_file_of_something_else_is_left_alone(tmp_path, begins):
    path = tmp_path / "a"
    path.write_bytes(begins + b"\nmore")
    with pytest.raises(ParameterError, match="it holds something else than records; name another"):
        make(f"jsonl:{path}")
    assert path.read_bytes() == begins + b"\nmore"


@pytest.mark.parametrize("left", [b"", b'{"ver', b"\0" * 5_000])
def test_what_a_power_cut_may_leave_of_a_file_is_no_hindrance(tmp_path, left):
    (tmp_path / "a").write_bytes(left)
    sink = make(f"jsonl:{tmp_path}/a")
    sink.open()
    sink.emit(decision(1))
    sink.close()
    assert seconds(tmp_path / "a") == [1]


def test_what_was_written_is_there_after_a_kill(tmp_path):
    code = (
        "import os, sys; from edge.sinks.rotated_file import RotatedFile\n"
        "file = RotatedFile(sys.argv[1], 100, 3)\n"
        "for n in range(40): file.write(f'line {n}\\n')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=False)
    lines = "".join((tmp_path / name).read_text() for name in ("a.2", "a.1", "a"))
    assert lines.splitlines()[-20:] == [f"line {n}" for n in range(20, 40)]


def test_one_that_is_moved_away_begins_anew(tmp_path):
    file = RotatedFile(str(tmp_path / "a"), 1_000, 2)
    file.write("first\n")
    os.rename(tmp_path / "a", tmp_path / "moved")
    file.write("second\n")
    file.close()
    assert (tmp_path / "moved").read_text() == "first\n"
    assert (tmp_path / "a").read_text() == "second\n"


def test_two_do_not_write_to_one_file(tmp_path):
    first, second = (make(f"jsonl:{tmp_path}/a.jsonl") for _ in range(2))
    first.open()
    with pytest.raises(SinkError, match=r"written to .*a\.jsonl: another process holds it"):
        second.open()
    first.close()


def test_a_full_disk_loses_lines_and_says_so_twice(tmp_path, monkeypatch):
    said: list[str] = []
    sink = make(f"jsonl:{tmp_path}/a.jsonl", said.append)
    sink.open()
    sink.emit(decision(0))
    write = os.write

    def half(descriptor: int, content: bytes) -> int:
        if len(content) > 40:
            return write(descriptor, content[:40])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", half)
    for n in range(1, 4):
        sink.emit(decision(n))
    monkeypatch.setattr(os, "write", write)
    sink.emit(decision(4))
    sink.close()
    assert seconds(tmp_path / "a.jsonl") == [0, 4]
    name = tmp_path / "a.jsonl"
    assert said == [
        f"records cannot be written to {name} for now: No space left on device",
        f"records are written to {name} again, 3 records could not be",
    ]


def test_what_a_disk_that_stays_full_lacks_is_said_at_the_end(tmp_path, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    sink = make(f"jsonl:{tmp_path}/a.jsonl", lambda sentence: None)
    sink.open()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        sink.emit(decision(0))
        sink.emit(decision(1))
    with pytest.raises(SinkError, match=r"a\.jsonl lacks 2 records, which could not be written"):
        sink.close()
    # It is closed, and nothing is said twice.
    sink.close()


def test_a_file_that_cannot_be_is_one_sentence(tmp_path):
    with pytest.raises(
        ParameterError, match=r"written to .*: there is no folder .*away; name a file"
    ):
        make(f"jsonl:{tmp_path}/away/a.jsonl")
    with pytest.raises(ParameterError, match="cannot be written to"):
        make(f"jsonl:{tmp_path}")
    with pytest.raises(ParameterError, match="cannot be written to"):
        make("jsonl:/dev/null")
    with pytest.raises(ParameterError, match="files is '0', a whole number"):
        make(f"jsonl:{tmp_path}/a?files=0")
    with pytest.raises(ParameterError, match="size is '1', a size"):
        make(f"jsonl:{tmp_path}/a?size=1")
    with pytest.raises(
        ParameterError, match="size is for a file, and jsonl alone writes to standard"
    ):
        make("jsonl?size=1M")
    assert os.listdir(tmp_path) == []
