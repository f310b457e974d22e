"""``edge-ser classify`` of many files: lists, jobs, files that are written, runs that go on."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from archive_runs import COMMAND, N_CLIPS
from runtime_fakes import REPOSITORY, complaint, voice

from edge.answers.inputs import Inputs
from edge.audio.file import write_wav
from edge.cli.main import main


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


@pytest.mark.parametrize("begin", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\0", "\r\n"])
def test_a_list_names_files_and_folders_once_each(
    model: list[str], archive: Path, tmp_path: Path, begin: str, end: str
) -> None:
    paths = [archive / "c02.wav", archive / "c01.wav", archive, archive / "c02.wav"]
    text = begin + end.join(map(str, paths))
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


def test_a_list_of_one_name_may_begin_with_the_mark_of_an_editor(
    archive: Path, tmp_path: Path
) -> None:
    (tmp_path / "list.txt").write_text(f"\ufeff{archive / 'c02.wav'}", encoding="utf-8")
    (task,) = Inputs([], [str(tmp_path / "list.txt")])
    assert (task.path, task.problem) == (str(archive / "c02.wav"), None)


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
        (["--output", "nowhere/a.csv"], "--output cannot be written: there is no folder nowhere"),
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
