"""Corpora that teach and are never held out, and models that know references for voices."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from run_commands import evaluate, train

from quantize.commands.main import main
from quantize.runs.run import open_run

RECIPE = """title = "knows references"
extends = "claf-ser-alone"
[model]
hidden = 8
frame_stack = 3
[batches]
reference_share = 0.6
[features]
high_pass_hz = 60.0
"""


@pytest.fixture(scope="module")
def taught(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that learns from TESS and holds out speakers of the others."""
    folder = tmp_path_factory.mktemp("lessons")
    (folder / "own.toml").write_text(RECIPE)
    more = ("--split", "speaker", "--lessons", "tess", "--recipe", str(folder / "own.toml"))
    words = train(data, folder / "cache", folder / "run", *more)
    assert main(words) == 0
    return folder


def test_lessons_are_learnt_from_and_not_held_out(taught: Path) -> None:
    run = open_run(taught / "run")
    assert run.settings.lessons == ("tess",)
    assert run.split is not None
    assert not any(i.startswith("tess") for i in (*run.split.train, *run.split.test))
    n_taught = run.training["n_clips"]
    assert n_taught > len(run.split.train)
    assert "tess" in run.checkpoint.domains
    assert set(run.training["clips"]) == {"learned", "held out", "lessons"}


def test_such_a_model_has_a_column_more_and_is_measured_without_a_reference(
    taught: Path, data: Path
) -> None:
    run = open_run(taught / "run")
    saved = run.checkpoint
    assert saved.model.config.n_features == len(saved.mean) + 1
    assert saved.voice_reference is not None
    assert len(saved.voice_reference.centre) == len(saved.mean)
    assert main(evaluate(data, taught, str(taught / "run"))) == 0
    report = json.loads((taught / "run" / "evaluation-torch-unknown.json").read_text())
    assert "tess" not in json.dumps(report["by_corpus"])


def test_the_same_command_finds_nothing_left_to_do(
    taught: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--split", "speaker", "--lessons", "tess", "--recipe", str(taught / "own.toml"))
    assert main(train(data, taught / "cache", taught / "run", *more)) == 0
    assert "nothing is left to do" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["emovo"], "--lessons names emovo, of which there is no clip"),
        (["ravdess", "savee", "emo-db", "tess"], "nothing is left to hold out"),
    ],
)
def test_lessons_that_cannot_be(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], names: list[str], said: str
) -> None:
    words = train(data, tmp_path / "cache", tmp_path / "run", "--split", "speaker", "--lessons")
    assert main([*words, *names]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_held_out_recording_is_no_lesson(
    data: Path, taught: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = open_run(taught / "run")
    assert run.split is not None
    clips = {clip.clip_id: clip for clip in run.clips(data)}
    held_out = clips[run.split.test[0]]
    other = tmp_path / "other" / held_out.label
    other.mkdir(parents=True)
    shutil.copy(held_out.path, other / "again.wav")
    words = train(data, tmp_path / "cache", tmp_path / "run", "--split", "speaker")
    at = words.index("--data")
    words.insert(at + 2, str(tmp_path / "other"))
    assert main([*words, "--lessons", "other"]) == 2
    assert "is a recording that the split holds out" in capsys.readouterr().err


def test_a_run_tells_whom_it_heard(taught: Path) -> None:
    training = open_run(taught / "run").training
    assert training["lessons"] == ["tess"]
    assert training["heard"]["tess"]["languages"] == ["en"]
    assert training["heard"]["emo-db"]["languages"] == ["de"]
    assert training["heard"]["tess"]["n_speakers"] == 2
    assert sum(each["n_clips"] for each in training["heard"].values()) == training["n_clips"]


def test_such_a_model_is_measured_with_references_beside_its_gate(
    taught: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = evaluate(data, taught, str(taught / "run"), "--protocol", "reference", "--json")
    assert main(words) == 0
    report = json.loads(capsys.readouterr().out)
    conditions = report["runs"][0]["conditions"]
    assert "16 clips, three in four calm" in conditions
    assert conditions["4 clips, random"]["by_corpus"]["savee"]["n"] > 0
    # Without a reference it is as without the protocol.
    assert main(evaluate(data, taught, str(taught / "run"), "--json")) == 0
    plain = json.loads(capsys.readouterr().out)["runs"][0]
    assert conditions["0 clips"]["uar"] == plain["uar"]
