"""Trainings that are interrupted, begun twice, gone on with, and begun anew in an old folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from run_commands import evaluate, train

from quantize.basics.errors import TrainingError
from quantize.commands.main import main
from quantize.runs import lock as lock_module
from quantize.runs.files import RunFiles
from quantize.runs.lock import locked_for_training
from quantize.runs.run import open_run
from quantize.runs.state import load_state, save_state
from quantize.runs.temperature import Tempering
from quantize.training import train_run as module
from quantize.training.trainer import Trainer


class Killed(BaseException):
    """A process that is gone at once writes nothing more."""


def files_of(folder: Path) -> dict[str, bytes]:
    """What a run folder holds, but for how long things took."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in ("history.json", "log.csv", "curves.png"):
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


@pytest.fixture
def words(data, runs, tmp_path):
    """The command of the session's fold 0, into a folder of its own."""
    return train(data, runs / "cache", tmp_path / "f0", "--split", "speaker", "--fold", "0")


def test_the_command_of_a_finished_training_touches_nothing(runs, words, tmp_path, capsys):
    shutil.copytree(runs / "f0", tmp_path / "f0")
    before = {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in (tmp_path / "f0").iterdir()}
    assert main(words) == 0
    told = capsys.readouterr()
    assert "nothing is left to do" in told.err
    assert told.out.strip() == str(RunFiles(tmp_path / "f0").checkpoint)
    assert {p: (p.stat().st_mtime_ns, p.stat().st_ino) for p in (tmp_path / "f0").iterdir()} == (
        before
    )
    assert main([*words, "--learning-rate", "0.5"]) == 2
    assert "of other settings (training.learning_rate)" in capsys.readouterr().err


@pytest.mark.parametrize("at", ["plot_curves", "write_evaluation", "checkpoint"])
def test_a_training_that_was_killed_after_its_last_epoch_goes_on(
    runs, words, tmp_path, monkeypatch, at
):
    words.remove("--no-pictures")

    def killed(*_arguments, **_more):
        raise Killed

    with monkeypatch.context() as patch:
        if at == "checkpoint":
            patch.setattr("quantize.training.trainer.save_checkpoint", killed)
        else:
            patch.setattr(module, at, killed)
        with pytest.raises(Killed):
            main(words)
    files = RunFiles(tmp_path / "f0")
    assert files.state.is_file()
    assert main(words) == 0
    assert not files.state.exists()
    names = ("checkpoint.safetensors", "config.json", "split.json", "corpora.json")
    names += ("evaluation-torch-unknown.json", "confusion-torch-unknown.png")
    for name in names:
        assert (tmp_path / "f0" / name).read_bytes() == (runs / "f0" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--map-label", "boredom=neutral"], "label_map.boredom"),
        (["--corpora", "ravdess", "savee", "emo-db"], "run.corpora"),
        (["--epochs", "3"], "training.epochs"),
    ],
)
def test_another_training_does_not_go_on_where_one_was_interrupted(
    words, tmp_path, monkeypatch, capsys, more, named
):
    interrupt(words, monkeypatch)
    before = files_of(tmp_path / "f0")
    assert main([*words, *more]) == 2
    told = capsys.readouterr().err
    assert "holds a training with other settings" in told
    assert named in told
    assert files_of(tmp_path / "f0") == before


def interrupt(words: list[str], monkeypatch) -> None:
    """Begin a training and leave it after its first epoch."""
    real = Trainer._one_epoch

    def one(trainer):
        if trainer.epoch == 1:
            raise Killed
        real(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_one_epoch", one)
        with pytest.raises(Killed):
            main(words)


def test_other_recordings_under_the_same_names_are_refused(
    data, runs, tmp_path, monkeypatch, capsys
):
    copy = tmp_path / "corpora"
    shutil.copytree(data, copy)
    words = train(copy, tmp_path / "cache", tmp_path / "run", "--corpora", "savee")
    words += ["--variants", "0", "--epochs", "2"]
    interrupt(words, monkeypatch)
    clip = sorted(p for p in copy.rglob("*.wav") if "savee" in str(p).lower())[0]
    original = clip.read_bytes()
    clip.write_bytes(original[:-2] + bytes([original[-2] ^ 64, original[-1]]))
    assert main(words) == 2
    assert "holds a training with other settings (clips." in capsys.readouterr().err
    clip.write_bytes(original)
    assert main(words) == 0
    # Nor is the finished one measured on them.
    for path in copy.rglob("*.wav"):
        path.write_bytes(path.read_bytes()[:-2] + b"\x11\x11")
    measure = evaluate(copy, runs, str(tmp_path / "run"), "--cache", str(tmp_path / "cache"))
    assert main(measure) == 2
    assert "under their names lie other recordings" in capsys.readouterr().err


def test_a_training_anew_leaves_nothing_of_the_old_one(data, runs, words, tmp_path, capsys):
    folder = tmp_path / "f0"
    shutil.copytree(runs / "f0", folder, ignore=shutil.ignore_patterns("artifacts"))
    open_run(folder).keep(Tempering(1.7, ("speaker-5fold-s0-f1",)), 9)
    open_run(folder).artifact("numpy-int8")
    (folder / ".0123456789abcdef.tmp").write_text("half")
    (folder / "evaluation-onnx-int8-own.json").write_text("{}")
    RunFiles(folder).protocol("segments-torch-unknown").write_text("{}")
    RunFiles(folder).checkpoint.unlink()
    anew = train(data, runs / "cache", folder, "--split", "all", "--epochs", "1")
    assert main(anew) == 0
    assert open_run(folder).split is None
    assert open_run(folder).temperature == 1.0
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "artifacts", "checkpoint.safetensors", "config.json", "corpora.json", "history.json",
        "log.csv",
    }  # fmt: skip
    capsys.readouterr()
    open_run(folder).artifact("numpy-int8")
    assert "of other weights" in capsys.readouterr().err


def test_a_folder_of_something_else_is_left_alone(words, tmp_path, capsys):
    config = tmp_path / "f0" / "config.json"
    config.parent.mkdir()
    config.write_text('{"mine": 1}')
    assert main(words) == 2
    assert "is not what training writes" in capsys.readouterr().err
    assert [path.name for path in config.parent.iterdir()] == ["config.json"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.csv", "mine"),
        ("curves.png", "mine"),
        ("split.json", '{"mine": 1}'),
        ("corpora.json", '{"mine": 1}'),
        ("corpora.json", "[1]"),
        ("evaluation-mine.json", "{}"),
    ],
)
def test_files_of_somebody_else_are_not_cleared_away(name, content, words, tmp_path, capsys):
    path = tmp_path / "f0" / name
    path.parent.mkdir()
    path.write_text(content)
    assert main(words) == 2
    assert f"{path} is not what training left here: name another" in capsys.readouterr().err
    assert [p.name for p in path.parent.iterdir()] == [name]
    assert path.read_text() == content


def test_what_a_training_left_that_was_killed_as_it_began_is_cleared_away(words, tmp_path, capsys):
    folder = tmp_path / "f0"
    assert main(words) == 0
    for path in folder.iterdir():
        if path.name not in ("split.json", "corpora.json"):
            path.unlink()
    assert main(words) == 0
    assert open_run(folder).split is not None


def test_a_folder_that_cannot_be_written_is_noticed_before_features(
    words, tmp_path, monkeypatch, capsys
):
    def computed(*_arguments):
        pytest.fail("features were computed first")

    monkeypatch.setattr(module.FeatureCache, "load", computed)
    (tmp_path / "f0").write_text("a file")
    assert main(words) == 2
    assert "name another --out" in capsys.readouterr().err


def test_a_second_training_is_refused_and_told_of_the_first(words, tmp_path, capsys):
    files = RunFiles(tmp_path / "f0")
    code = (
        "import sys, time; from pathlib import Path\n"
        "from quantize.runs.files import RunFiles\n"
        "from quantize.runs.lock import locked_for_training\n"
        "with locked_for_training(RunFiles(Path(sys.argv[1]))):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(files.folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout.readline() == "held\n"
        assert main(words) == 2
        told = capsys.readouterr().err
        assert f"is being trained in by process {first.pid} on " in told
        assert files.at_work.is_file()
    finally:
        first.kill()
        first.communicate()
    # Its lock is gone with it; what it left behind does not keep anybody out.
    with locked_for_training(files):
        assert json.loads(files.at_work.read_text())["process"] == os.getpid()
    assert not files.lock.exists()
    assert not files.at_work.exists()


def test_a_training_of_another_machine_that_lives_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(lock_module, "_WATCH_S", 0.4)
    monkeypatch.setattr(lock_module, "_LOOK_S", 0.05)
    files = RunFiles(tmp_path)
    mark = json.dumps({"process": 7, "machine": "another", "since": "noon"})
    files.at_work.write_text(mark)
    real = time.sleep

    def alive(seconds):
        real(seconds)
        files.history.write_text("[]")

    with monkeypatch.context() as patch:
        patch.setattr(lock_module.time, "sleep", alive)
        with (
            pytest.raises(TrainingError, match="process 7 on another since noon"),
            locked_for_training(files),
        ):
            pass
    assert files.at_work.read_text() == mark
    # One that gives no sign is gone.
    with locked_for_training(files):
        pass


def test_a_full_disk_is_one_sentence_and_the_training_goes_on(
    words, runs, tmp_path, monkeypatch, capsys
):
    import quantize.runs.state as state_module

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(state_module, "open", full, raising=False)
        assert main(words) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "No space left on device): make room there, and the same command goes on" in told
    assert main(words) == 0
    assert open_run(tmp_path / "f0").digest == open_run(runs / "f0").digest


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_state_that_is_cut_off_is_one_sentence(words, tmp_path, monkeypatch, capsys, share):
    interrupt(words, monkeypatch)
    path = RunFiles(tmp_path / "f0").state
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert main(words) == 2
    assert "delete it to start the run again" in capsys.readouterr().err


def test_a_state_is_what_was_saved(tmp_path):
    import torch

    path = tmp_path / "state"
    save_state(path, {"a": torch.arange(3)})
    assert load_state(path, torch.device("cpu"))["a"].tolist() == [0, 1, 2]
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    with pytest.raises(TrainingError, match="it is damaged"):
        load_state(path, torch.device("cpu"))


@pytest.mark.skipif(os.name == "nt", reason="has no SIGTERM")
def test_a_training_that_is_ended_from_outside_leaves_in_order(data, runs, tmp_path):
    words = train(data, runs / "cache", tmp_path / "run", "--epochs", "100000")
    process = subprocess.Popen(
        [sys.executable, "-m", "quantize.commands.main", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    files = RunFiles(tmp_path / "run")
    deadline_s = time.monotonic() + 90
    while not files.state.is_file() and time.monotonic() < deadline_s:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    told = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + signal.SIGTERM
    assert told.rstrip().endswith("the same command goes on where it left off")
    assert "Traceback" not in told
    assert not files.at_work.exists()
