"""``edge-ser classify`` of many files: lists, jobs, files that are written, runs that go on."""

from __future__ import annotations

import csv
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from local_cluster import LocalCluster, local_cluster
from runtime_fakes import REPOSITORY, complaint, voice

from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.cli.main import main

N_CLIPS = 12
COMMAND = [sys.executable, "-m", "edge.cli.main", "classify"]


@pytest.fixture
def model(tiny_artifact: Artifact) -> list[str]:
    return ["--artifact", str(tiny_artifact.path), "--backend", "numpy"]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of other lengths and levels, silence, and two files that are no audio."""
    folder = tmp_path_factory.mktemp("archive")
    clip = voice(40_000)
    for n in range(N_CLIPS):
        level = 0.0 if n == 5 else 20.0 if n == 6 else 1 / (n + 1)
        write_wav(folder / f"c{n:02}.wav", level * clip[: 16_000 + 2_000 * n], 16_000)
    (folder / "c03.wav").write_bytes(b"")
    (folder / "c08.wav").write_text("no, audio")
    return folder


def run(*args: object, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, args)],
        capture_output=True,
        text=True,
        input=stdin,
        cwd=REPOSITORY,
        check=False,
        timeout=100,
    )


@pytest.mark.parametrize("suffix", ["txt", "jsonl", "csv", "parquet"])
def test_any_number_of_jobs_writes_the_same_bytes(
    model: list[str], archive: Path, tmp_path: Path, suffix: str
) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
    written = []
    for n_jobs in (1, 3):
        file = tmp_path / f"{n_jobs}.{suffix}"
        assert (
            main(["classify", str(archive), *model, "--output", str(file), "--jobs", str(n_jobs)])
            == 2
        )
        written.append(file.read_bytes())
        assert not Path(f"{file}.partial").exists()
    assert written[0] == written[1]


def test_a_file_that_fails_is_a_record_and_counted(
    model: list[str], archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.jsonl"
    nowhere = str(tmp_path / "nowhere.wav")
    empty = tmp_path / "empty"
    empty.mkdir()
    given = [str(archive / "c01.wav"), nowhere, str(empty), str(archive / "c03.wav")]
    assert main(["classify", *given, *model, "--output", str(file), "--jobs", "2"]) == 2
    first, *failed = [json.loads(line) for line in file.read_text().splitlines()]
    assert list(first) == [
        *("type", "path", "state", "label", "posterior", "activation", "n_segments"),
        *("n_speech_segments", "duration_s", "warning"),
    ]
    assert [(each["type"], each["path"]) for each in failed] == [
        ("error", path) for path in given[1:]
    ]
    captured = capsys.readouterr()
    assert captured.out == ""
    *errors, last = captured.err.splitlines()
    assert errors == [f"edge-ser: error: {each['error']}" for each in failed]
    assert last == f"edge-ser: 1 classified, 3 failed: {file}"


def test_the_formats_tell_the_same(model: list[str], archive: Path, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    for suffix in ("jsonl", "csv", "parquet"):
        main(["classify", str(archive), *model, "--output", str(tmp_path / f"a.{suffix}")])
    records = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    table = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert len(records) == len(rows) == len(table) == N_CLIPS
    columns = ["path", "state", "label", "activation", "n_segments", "n_speech_segments"]
    columns += ["duration_s", "warning", "error"]
    labels = list(next(r["posterior"] for r in records if r.get("posterior")))
    assert list(rows[0]) == list(table[0]) == columns + [f"posterior_{label}" for label in labels]
    for record, row, entry in zip(records, rows, table, strict=True):
        posterior = record.get("posterior") or {}
        for column in columns:
            assert entry[column] == record.get(column)
            assert row[column] == ("" if record.get(column) is None else str(record[column]))
        for label in labels:
            assert entry[f"posterior_{label}"] == posterior.get(label)
            assert row[f"posterior_{label}"] == str(posterior.get(label, ""))


def test_text_formats_also_go_to_standard_output(
    model: list[str], archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("jsonl", "csv"):
        file = tmp_path / f"a.{name}"
        main(["classify", str(archive), *model, "--output", str(file)])
        capsys.readouterr()
        assert main(["classify", str(archive), *model, "--output-format", name, "--jobs", "2"]) == 2
        assert capsys.readouterr().out == file.read_text()


def test_json_and_the_table_are_as_ever_with_jobs(
    model: list[str], archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printed = []
    for n_jobs in ("1", "2"):
        assert main(["classify", str(archive), *model, "--json", "--jobs", n_jobs]) == 2
        captured = capsys.readouterr()
        records = [json.loads(line) for line in captured.out.splitlines()]
        assert all(record.pop("ms") > 0 for record in records)
        printed.append((records, captured.err))
    assert printed[0] == printed[1]
    assert len(printed[0][0]) == N_CLIPS - 2


def test_names_that_no_text_can_spell_are_kept(model: list[str], tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff,\n.wav")
    write_wav(odd, voice(16_000), 16_000)
    for suffix in ("txt", "jsonl", "csv", "parquet"):
        assert main(["classify", odd, *model, "--output", str(tmp_path / f"a.{suffix}")]) == 0
    assert json.loads((tmp_path / "a.jsonl").read_text())["path"] == odd
    spelt = f"{tmp_path}/\\udcff,\\x0a.wav"
    assert pq.read_table(tmp_path / "a.parquet").to_pylist()[0]["path"] == spelt
    with open(tmp_path / "a.csv", newline="") as file:
        assert next(csv.DictReader(file))["path"] == spelt


@pytest.mark.parametrize("end", ["\n", "\0", "\r\n"])
def test_a_list_names_files_and_folders_once_each(
    model: list[str], archive: Path, tmp_path: Path, end: str
) -> None:
    paths = [archive / "c02.wav", archive / "c01.wav", archive, archive / "c02.wav"]
    text = end.join(map(str, paths))
    (tmp_path / "list.txt").write_bytes(text.encode())
    main(
        [
            "classify",
            *model,
            "--list",
            str(tmp_path / "list.txt"),
            "--output",
            str(tmp_path / "a.csv"),
        ]
    )
    with open(tmp_path / "a.csv", newline="") as file:
        names = [Path(row["path"]).name for row in csv.DictReader(file)]
    assert names[:3] == ["c02.wav", "c01.wav", "c00.wav"]
    assert len(names) == len(set(names)) == N_CLIPS


@pytest.mark.parametrize("n_jobs", ["1", "2"])
def test_an_answer_does_not_wait_for_the_next_name(
    model: list[str], archive: Path, n_jobs: str
) -> None:
    command = [*COMMAND, "--list", "-", *model, "--json", "--jobs", n_jobs]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for name in ("c01.wav", "c02.wav"):
            process.stdin.write(f"{archive / name}\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["path"] == str(archive / name)
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--jobs", "0"], "'0' is not a whole number from 1 to 256"),
        (["--jobs", "1.5"], "'1.5' is not a whole number"),
        (["--output", "a.jsonl", "--json"], "--json goes without --output"),
        (["--resume"], "--resume goes with --output FILE"),
        (["--output-format", "parquet"], "--output-format parquet goes with --output FILE"),
        (["--output", "a.doc"], "--output a.doc ends in none of .txt .jsonl .csv .parquet"),
        (["--output", "."], "--output . is no file"),
        (["--output", "nowhere/a.csv"], "nowhere/a.csv.partial"),
        (["--list", "nowhere.txt"], "--list 'nowhere.txt' cannot be read: No such file"),
        (["--list", "."], "--list '.' cannot be read"),
        (["--explain", "a.png", "--resume"], "it does not go with --resume"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(
    model: list[str], archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], options: list[str], what: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["classify", str(archive / "c01.wav"), *model, *options]) == 2
    captured = capsys.readouterr()
    assert what in complaint(captured.err)
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []


def test_an_empty_list_is_one_sentence(
    model: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.txt").write_text("\n\n")
    assert main(["classify", "--list", str(tmp_path / "list.txt"), *model]) == 2
    assert "the list names no file" in complaint(capsys.readouterr().err)
    (tmp_path / "list.txt").write_bytes(b"x" * 200_000)
    assert main(["classify", "--list", str(tmp_path / "list.txt"), *model, "--jobs", "2"]) == 2
    assert "is no list of paths" in complaint(capsys.readouterr().err)


def test_without_pyarrow_it_is_one_sentence_before_any_work(
    model: list[str], archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    file = tmp_path / "a.parquet"
    assert main(["classify", str(archive), *model, "--output", str(file)]) == 2
    assert complaint(capsys.readouterr().err).endswith("pip install pyarrow")


def test_the_output_never_replaces_what_is_to_be_heard(
    model: list[str], archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(archive / "c01.wav", tmp_path / "a.csv")
    before = (tmp_path / "a.csv").read_bytes()
    command = ["classify", str(tmp_path / "a.csv"), *model, "--output", str(tmp_path / "a.csv")]
    assert main(command) == 2
    assert "a file to classify: name another" in complaint(capsys.readouterr().err)
    assert (tmp_path / "a.csv").read_bytes() == before


class Half:
    """A run that was ended: what it would have written, and what it left."""

    def __init__(self, model: list[str], archive: Path, folder: Path) -> None:
        self.whole = folder / "whole.csv"
        self.output = folder / "a.csv"
        self.partial = folder / "a.csv.partial"
        self.command = ["classify", str(archive), *model, "--output", str(self.output)]
        # What cannot be written at the end is kept.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("edge.cli.classifying.atomic_path", _no_space)
            assert main(self.command) == 2
        self.journal = self.partial.read_bytes()
        assert main([*self.command, "--resume"]) == 2
        self.output.rename(self.whole)

    def cut(self, n_bytes: int, more: bytes = b"") -> None:
        self.output.unlink(missing_ok=True)
        self.partial.write_bytes(self.journal[:n_bytes] + more)

    def resume(self, *options: str) -> int:
        return main([*self.command, "--resume", *options])

    def is_as_whole(self) -> bool:
        return self.output.read_bytes() == self.whole.read_bytes() and not self.partial.exists()


def _no_space(path: Path) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", str(path))


@pytest.fixture(scope="module")
def ended(tiny_artifact: Artifact, archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Half:
    model = ["--artifact", str(tiny_artifact.path), "--backend", "numpy"]
    return Half(model, archive, tmp_path_factory.mktemp("half"))


@pytest.fixture
def half(ended: Half, capsys: pytest.CaptureFixture[str]) -> Half:
    ended.cut(len(ended.journal) // 2)
    capsys.readouterr()
    return ended


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
    half: Half, archive: Path, number: signal.Signals, n_jobs: str
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
    done = run("--list", "-", *half.command[2:], "--resume", "--jobs", n_jobs, stdin=list_of)
    assert done.returncode == 2, done.stderr
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
        cluster.workers[0].wait()
        process.stdin.write(names[len(names) // 2 :])
        process.stdin.close()
        told = process.stderr.read()
        assert process.wait(60) == 2, told
    assert "Traceback" not in told
    assert half.is_as_whole()
