"""``--min-probability``, ``--labels``, ``--smooth`` and ``--hold`` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
from runtime_fakes import LABELS, complaint, records, voice

import edge
from edge.artifact import Artifact
from edge.audio.file import write_wav
from edge.cli.answering import deciding
from edge.cli.main import main
from edge.errors import ParameterError
from edge.stream.smoothing import SmootherSettings

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def model(tiny_artifact: Artifact) -> list[str]:
    return ["--artifact", str(tiny_artifact.path), "--backend", "numpy"]


@pytest.fixture
def file(tmp_path: Path) -> str:
    write_wav(tmp_path / "a.wav", voice(80_000), 16_000)
    return str(tmp_path / "a.wav")


def heard(command: list[str], capsys: Capture) -> list[dict[str, Any]]:
    assert main([*command, "--json"]) == 0
    found = records(capsys.readouterr().out)
    return [record for record in found if record["type"] in ("decision", "file")]


def test_classify_leaves_unsaid_what_is_below_the_bar(
    model: list[str], file: str, capsys: Capture
) -> None:
    (plain,) = heard(["classify", file, *model], capsys)
    (barred,) = heard(["classify", file, *model, "--min-probability", "1"], capsys)
    assert (plain["state"], barred["state"], barred["label"]) == ("speech", "uncertain", None)
    assert plain["activation"] == barred["activation"]
    assert barred["posterior"] == plain["posterior"]
    assert 0 < plain["activation"] < 1
    assert main(["classify", file, *model, "--min-probability", "1"]) == 0
    line = capsys.readouterr().out
    assert f"{'uncertain':<10} {'':5}  activation {plain['activation']:.2f}  " in line


def test_listen_leaves_unsaid_what_is_below_the_bar(
    model: list[str], file: str, capsys: Capture
) -> None:
    command = ["listen", "--source", file, "--fast", *model, "--min-probability", "1.0"]
    assert {(d["state"], d["label"]) for d in heard(command, capsys)} == {("uncertain", None)}


def test_labels_that_may_be_said(model: list[str], file: str, capsys: Capture) -> None:
    for command in (["classify", file], ["listen", "--source", file, "--fast"]):
        found = heard([*command, *model, "--labels", "sad, happy"], capsys)
        assert {tuple(each["posterior"]) for each in found} == {("happy", "sad")}
        assert {each["label"] for each in found} <= {"happy", "sad"}
        assert all(sum(each["posterior"].values()) == pytest.approx(1) for each in found)


def test_smoothing_may_be_switched_off(model: list[str], file: str, capsys: Capture) -> None:
    command = ["listen", "--source", file, "--fast", *model, "--smooth", "0"]
    alone = heard(command, capsys)
    steady = heard([*command[:-1], "5"], capsys)
    assert all(each["label"] == each["raw_label"] for each in alone)
    assert [each["posterior"] for each in alone[1:]] != [each["posterior"] for each in steady[1:]]


@pytest.mark.parametrize(
    ("smooth", "hold", "wanted"),
    [
        (None, None, True),
        (0.0, None, False),
        (0.0, 0.0, False),
        (0.0, 2.0, SmootherSettings(time_constant_s=0.0, hold_s=2.0)),
        (1.5, None, SmootherSettings(time_constant_s=1.5)),
        (None, 2.0, SmootherSettings(hold_s=2.0)),
        (1.5, 2.0, SmootherSettings(time_constant_s=1.5, hold_s=2.0)),
    ],
)
def test_how_steady_is_put_into_settings(
    smooth: float | None, hold: float | None, wanted: object
) -> None:
    args = argparse.Namespace(smooth=smooth, hold=hold, min_probability=None, labels=None, vad=None)
    assert deciding(args)["smooth"] == wanted


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--min-probability", "1.5"], "'1.5' is not a probability from 0 to 1"),
        (["--min-probability", "high"], "'high' is not a probability"),
        (["--labels", "happy,,sad"], "'happy,,sad' is not a list of labels"),
        (["--labels", "joy,sad"], f"--labels name 'joy', this model knows {', '.join(LABELS)}"),
        (["--labels", "sad"], "--labels are sad alone, two or more are wanted"),
        (["--labels", "sad,sad"], "--labels name 'sad' twice"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    options: list[str], match: str, model: list[str], file: str, capsys: Capture
) -> None:
    for command in (["classify", file], ["listen", "--source", file, "--fast"]):
        assert main([*command, *model, *options]) == 2
        assert match in complaint(capsys.readouterr().err)


@pytest.mark.parametrize("option", ["--smooth", "--hold"])
@pytest.mark.parametrize("value", ["-1", "inf", "nan", "long"])
def test_times_that_cannot_be(option: str, value: str, capsys: Capture) -> None:
    assert main(["listen", f"{option}={value}"]) == 2
    assert f"'{value}' is not a number of seconds from 0" in complaint(capsys.readouterr().err)


def test_listen_of_programs_takes_them_too(tiny_artifact: Artifact, file: str) -> None:
    class Kept(edge.sinks.SinkBase):
        def __init__(self) -> None:
            self.states: set[str] = set()

        def emit(self, decision: edge.Decision) -> None:
            self.states.add(decision.state)

    classifier, kept = edge.load(tiny_artifact.path), Kept()
    edge.listen(file, [kept], classifier=classifier, fast=True, min_probability=1.0)
    assert kept.states == {"uncertain"}
    with pytest.raises(ParameterError, match="stream is given, and smooth, min_probability or"):
        edge.listen(file, [kept], stream=classifier.stream(), fast=True, labels=["sad", "calm"])


def test_labels_that_cannot_be_name_the_file_they_come_from(
    model: list[str], file: str, tmp_path: Path, capsys: Capture
) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[listen]\nlabels = ["joy", "sad"]\n', encoding="utf-8")
    assert main(["listen", "--source", file, "--fast", *model, "--config", str(config)]) == 2
    said = complaint(capsys.readouterr().err)
    assert "--labels name 'joy'" in said
    assert said.endswith(f"--labels comes from {config}")
