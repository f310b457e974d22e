"""The options of a microphone on the command line."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import pytest
from runtime_fakes import complaint

from edge.cli.main import main
from edge.cli.microphone_options import add_microphone, microphone_settings
from edge.cli.notices import own_stderr


def parsed(*words: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_microphone(parser)
    return microphone_settings(parser.parse_args(words))


def test_without_any_everything_is_left_to_the_microphone() -> None:
    assert parsed() == {
        "device": None, "channel": "auto", "capture_rate": None, "gain_db": 0.0,
        "give_up_after_s": None,
    }  # fmt: skip


def test_channels_are_counted_from_one_by_people() -> None:
    assert parsed("--channel", "1")["channel"] == 0
    assert parsed("--channel", "6")["channel"] == 5
    assert parsed("--channel", "mix")["channel"] == "mix"


def test_the_others() -> None:
    words = ["--rate", "44100", "--gain", "-6", "--give-up-after", "0", "--device", "USB"]
    assert parsed(*words) == {
        "device": "USB", "channel": "auto", "capture_rate": 44_100, "gain_db": -6.0,
        "give_up_after_s": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--channel", "0"], "'0' is no channel: a number (1 is the first), mix or auto"),
        (["--channel", "left"], "'left' is no channel"),
        (["--channel", "1" * 30], "is no channel"),
        (["--rate", "0"], "'0' is not a rate of 1000 to 768000 Hz"),
        (["--rate", "16k"], "'16k' is not a rate"),
        (["--gain", "loud"], "'loud' is not a number of decibels, -60 to 60"),
        (["--gain", "nan"], "'nan' is not a number of decibels"),
        (["--give-up-after", "-1"], "'-1' is not a number of seconds from 0"),
        (["--give-up-after", "inf"], "'inf' is not a number of seconds"),
        (["--source", "a.wav", "--gain", "3"], "--gain is for a microphone, --source is 'a.wav'"),
        (["--source", "demo", "--give-up-after", "3"], "--give-up-after is for a microphone"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["listen", *words]) == 2
    assert sentence in complaint(capsys.readouterr().err)


def test_notices_do_not_go_where_descriptor_2_is_sent(tmp_path: Path) -> None:
    """As sounddevice sends it nowhere while it is loaded."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    before = sys.stderr
    with (tmp_path / "stderr").open("w+") as file:
        sys.stderr = file
        try:
            with own_stderr():
                own = sys.stderr
                assert own is not file
                os.dup2(nowhere, file.fileno())
                print("it is waited for", file=own, flush=True)
            assert sys.stderr is file
        finally:
            sys.stderr = before
            os.close(nowhere)
    assert (tmp_path / "stderr").read_text() == "it is waited for\n"
    assert own.closed


def test_a_standard_error_that_is_no_file_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (None, object()):
        monkeypatch.setattr(sys, "stderr", stream)
        with own_stderr():
            assert sys.stderr is stream
