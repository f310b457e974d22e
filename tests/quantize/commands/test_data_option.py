"""``--data`` takes several folders, and leaves a command what it works on."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantize.commands.main import build_parser, main


@pytest.mark.parametrize(
    ("words", "data"),
    [
        (["evaluate", "run", "--data", "a", "b"], ["a", "b"]),
        (["evaluate", "--data", "a", "run"], ["a"]),
        (["evaluate", "--data", "a", "run", "--kind", "torch"], ["a"]),
        (["evaluate", "--kind", "torch", "--data", "a", "b", "--cache", "c", "run"], ["a", "b"]),
    ],
)
def test_the_run_may_stand_on_either_side(words: list[str], data: list[str]) -> None:
    arguments = build_parser().parse_args(words)
    assert (arguments.runs, arguments.data) == ([Path("run")], list(map(Path, data)))


def test_several_runs_behind_one_folder_are_runs() -> None:
    arguments = build_parser().parse_args(["evaluate", "--data", "a", "r0", "r1"])
    assert (arguments.runs, arguments.data) == ([Path("r0"), Path("r1")], [Path("a")])


def test_what_is_missing_is_still_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--data", "a"]) == 2
    assert "required: RUN" in capsys.readouterr().err
    assert main(["evaluate", "--data", "a", "b", "--kind", "nonsense"]) == 2
    assert "nonsense" in capsys.readouterr().err


def test_a_training_takes_all_of_them() -> None:
    arguments = build_parser().parse_args(["train", "--data", "a", "b", "--out", "o"])
    assert arguments.data == [Path("a"), Path("b")]
