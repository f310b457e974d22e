"""A run of ``edge-ser classify --output`` that was ended goes on, and comes to the same bytes."""

from __future__ import annotations

import csv
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from archive_runs import COMMAND, N_CLIPS, Half
from local_cluster import LocalCluster, local_cluster
from runtime_fakes import REPOSITORY, complaint

from edge.audio.file import write_wav
from edge.cli.main import main


def test_a_journal_cut_anywhere_comes_to_the_same(half: Half, monkeypatch) -> None:
    from edge.stream.classifier import Classifier

    done = []
    classify = Classifier.classify_file
    monkeypatch.setattr(
        Classifier, "classify_file",
        lambda self, path, **settings: (done.append(path), classify(self, path, **settings))[1],
    )  # fmt: skip
    draw = random.Random(3)
    for _ in range(12):
        n_bytes = draw.randrange(len(half.journal) + 1)
        half.cut(n_bytes, draw.choice([b"", b"\0" * 40, b'{"n": 4}\n', b"[[[[\n"]))
        done.clear()
        assert half.resume() == 2
        assert half.is_as_whole()
        # Nothing that was kept is done again.
        n_kept = max(half.journal[:n_bytes].count(b"\n") - 1, 0)
        assert len(done) == N_CLIPS - n_kept


def test_a_disk_that_is_full_in_the_middle_is_named_and_the_rest_is_resumed(half: Half) -> None:
    half.partial.unlink()
    limit = half.journal.index(b'{"n": 5') + 20

    def no_more() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [*COMMAND, *half.command[1:]],
        stderr=subprocess.PIPE, text=True, cwd=REPOSITORY, preexec_fn=no_more, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"{half.partial} keeps 5 answers: --resume goes on" in done.stderr
    assert f"File too large: '{half.partial}'" in done.stderr
    assert half.resume() == 2
    assert half.is_as_whole()


@pytest.mark.parametrize(
    "change",
    [
        {"n": 10**12}, {"n": -1}, {"n": True}, {"record": None}, {"record": {"path": "x"}},
        {"type": "error"}, {"posterior": {}}, {"posterior": 3}, {"n_segments": "many"},
        {"activation": []}, {"path": 7}, {"state": None}, {"label": 5},
    ],
)  # fmt: skip
def test_a_line_that_says_nonsense_counts_for_nothing(
    half: Half, change: dict[str, object]
) -> None:
    head, first, second, *_ = half.journal.splitlines(keepends=True)
    entry = json.loads(second)
    if {"n", "record"} & set(change):
        entry.update(change)
    else:
        entry["record"].update(change)
    half.cut(0, head + first + json.dumps(entry).encode() + b"\n")
    assert half.resume() == 2
    assert half.is_as_whole()


def test_a_run_that_was_ended_is_never_begun_anew_by_mistake(
    half: Half, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(half.command) == 2
    told = complaint(capsys.readouterr().err)
    assert "answers of a run that did not come to its end: add --resume to go on" in told
    assert half.resume("--jobs", "2") == 2
    assert half.is_as_whole()


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--hop", "0.3"], "hop_s was None and is 0.3"),
        (["--labels", "angry,happy"], "labels was None and is"),
        (["--artifact", "claf-ser-tiny"], "model was '"),
    ],
)
def test_another_model_or_option_is_refused(
    half: Half, capsys: pytest.CaptureFixture[str], options: list[str], what: str
) -> None:
    left = half.partial.read_bytes()
    assert half.resume(*options) == 2
    assert what in complaint(capsys.readouterr().err)
    assert half.partial.read_bytes() == left


def test_other_files_are_refused(
    half: Half, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = half.partial.read_bytes()
    command = ["classify", str(archive / "c01.wav"), *half.command[2:], "--resume"]
    for n_jobs in ("1", "2"):
        assert main([*command, "--jobs", n_jobs]) == 2
        assert "is of other files: number 1 was" in capsys.readouterr().err
    command[1] = str(archive / "c00.wav")
    assert main(command) == 2
    assert "is of other files: it holds answers of" in capsys.readouterr().err
    # But for the line that was cut off.
    assert half.partial.read_bytes() == left[: left.rindex(b"\n") + 1]


def test_a_file_that_changed_since_is_heard_again(half: Half, archive: Path) -> None:
    changed = archive / "c01.wav"
    before = changed.read_bytes()
    status = changed.stat()
    try:
        write_wav(changed, np.zeros(16_000, np.float32), 16_000)
        assert half.resume() == 2
        with open(half.output, newline="") as file:
            rows = list(csv.DictReader(file))
        assert rows[1]["state"] == "quiet"
        assert [Path(row["path"]).name for row in rows] == [f"c{n:02}.wav" for n in range(N_CLIPS)]
    finally:
        changed.write_bytes(before)
        os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_file_that_changed_is_heard_again_though_its_size_and_time_are_as_before(
    half: Half, archive: Path
) -> None:
    changed = archive / "c01.wav"
    before = changed.read_bytes()
    status = changed.stat()
    try:
        # The samples alone: zeros.
        changed.write_bytes(before[:44] + bytes(len(before) - 44))
        os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert half.resume() == 2
        with open(half.output, newline="") as file:
            assert list(csv.DictReader(file))[1]["state"] == "quiet"
    finally:
        changed.write_bytes(before)
        os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_is_no_journal_is_left_alone(half: Half, capsys: pytest.CaptureFixture[str]) -> None:
    for content in (b"my notes\n", b"my notes", b'{"type": "file"}\n'):
        half.partial.write_bytes(content)
        assert half.resume() == 2
        assert "is no journal of edge-ser" in complaint(capsys.readouterr().err)
        assert half.partial.read_bytes() == content


@pytest.mark.skipif(sys.platform == "win32", reason="without locks")
def test_two_runs_never_write_one_file(half: Half, capsys: pytest.CaptureFixture[str]) -> None:
    import fcntl

    with open(half.partial, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert half.resume() == 2
    assert "is being written by another edge-ser" in complaint(capsys.readouterr().err)


@pytest.mark.parametrize(
    ("number", "n_jobs"),
    [(signal.SIGKILL, "1"), (signal.SIGKILL, "2"), (signal.SIGTERM, "2"), (signal.SIGINT, "2")],
)
def test_a_run_that_is_killed_goes_on(
    half: Half, archive: Path, tmp_path: Path, number: signal.Signals, n_jobs: str
) -> None:
    half.partial.unlink()
    list_of = "\n".join(str(archive / f"c{n:02}.wav") for n in range(N_CLIPS))
    command = [*COMMAND, "--list", "-", *half.command[2:], "--jobs", n_jobs]
    # The second half of its list never comes: it is at work when it is ended.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(list_of[: len(list_of) // 2])
        process.stdin.flush()
        last_s = time.monotonic() + 60
        while not half.partial.exists() or half.partial.read_bytes().count(b"\n") < 4:
            assert time.monotonic() < last_s
            time.sleep(0.01)
        process.send_signal(number)
        told = process.stderr.read()
        code = process.wait(30)
    assert code == (130 if number == signal.SIGINT else -number)
    assert "Traceback" not in told
    if number == signal.SIGINT:
        assert "a.csv.partial keeps" in told
    (tmp_path / "list.txt").write_text(list_of)
    again = ["classify", "--list", str(tmp_path / "list.txt"), *half.command[2:]]
    assert main([*again, "--resume", "--jobs", n_jobs]) == 2
    assert half.is_as_whole()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    pytest.importorskip("distributed")
    with local_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def test_a_cluster_writes_the_same_bytes_also_when_a_worker_is_killed(
    half: Half, archive: Path, cluster: LocalCluster
) -> None:
    half.partial.unlink()
    assert main([*half.command, "--cluster", cluster.address]) == 2
    assert half.is_as_whole()
    half.output.unlink()
    names = "\n".join(str(archive / f"c{n:02}.wav") for n in range(N_CLIPS))
    command = [*COMMAND, "--list", "-", *half.command[2:], "--cluster", cluster.address]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(names[: len(names) // 2])
        process.stdin.flush()
        last_s = time.monotonic() + 60
        while not half.partial.exists() or half.partial.read_bytes().count(b"\n") < 3:
            assert time.monotonic() < last_s
            time.sleep(0.01)
        cluster.workers[0].kill()
        cluster.workers[0].join()
        process.stdin.write(names[len(names) // 2 :])
        process.stdin.close()
        told = process.stderr.read()
        assert process.wait(60) == 2, told
    assert "Traceback" not in told
    assert half.is_as_whole()
