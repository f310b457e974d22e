"""What a training tells of its epochs."""

from __future__ import annotations

import csv
import io
import json

import pytest
from run_commands import train

from quantize.commands.main import main
from quantize.training.epoch_log import COLUMNS, EpochLog, epoch_line


def entry(epoch: int, **more: float) -> dict[str, float]:
    figures = {"train_loss": 2.0 / epoch, "train_accuracy": 0.125 * epoch}
    return {
        "epoch": epoch,
        **figures,
        "domain_loss": 1.0,
        "alpha": 0.0,
        "seconds": 0.5,
        **more,
    }


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def table(path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_pipe_gets_a_line_an_epoch(tmp_path):
    stream = io.StringIO()
    with EpochLog(tmp_path / "log.csv", "my-run", 2, stream=stream) as log:
        log.tell(entry(1))
        log.tell(entry(2, test_loss=1.5, test_accuracy=0.5))
    assert stream.getvalue().splitlines() == [
        "my-run: epoch 1 of 2, loss 2.000, accuracy 12.5 %",
        "my-run: epoch 2 of 2, loss 1.000, accuracy 25.0 %, held out: loss 1.500, accuracy 50.0 %",
    ]


def test_a_terminal_gets_a_bar_with_the_figures(tmp_path):
    stream = Terminal()
    with EpochLog(tmp_path / "log.csv", "my-run", 2, stream=stream) as log:
        log.tell(entry(1))
        log.tell(entry(2, test_loss=1.5, test_accuracy=0.5))
    text = stream.getvalue()
    assert "2/2" in text
    assert "loss 1.000, accuracy 25.0 %" in text
    # It stays where the bar is drawn over.
    assert "epoch 2 of 2" in text
    assert "epoch 1 of 2" not in text


def test_the_table_has_a_whole_row_an_epoch(tmp_path):
    path = tmp_path / "log.csv"
    with EpochLog(path, "my-run", 2, stream=io.StringIO()) as log:
        assert path.read_text(encoding="utf-8") == ",".join(COLUMNS) + "\n"
        log.tell(entry(1))
        assert len(table(path)) == 1
        log.tell(entry(2, test_loss=1.5, test_accuracy=0.5))
    rows = table(path)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert [row["test_accuracy"] for row in rows] == ["", "0.5"]
    assert float(rows[0]["train_loss"]) == 2.0


def test_a_resumed_training_has_every_epoch_once(tmp_path):
    path = tmp_path / "log.csv"
    with EpochLog(path, "my-run", 3, stream=io.StringIO()) as log:
        log.tell(entry(1))
        log.tell(entry(2))
    # Killed before the state of the second epoch was saved, in the middle of a row.
    with open(path, "a", encoding="utf-8") as file:
        file.write("3,0.5")
    with EpochLog(path, "my-run", 3, [entry(1)], stream=io.StringIO()) as log:
        log.tell(entry(2))
        log.tell(entry(3))
    assert [row["epoch"] for row in table(path)] == ["1", "2", "3"]


def test_the_first_try_shows_how_the_loss_falls(data, runs, tmp_path, capsys):
    command = train(data, runs / "cache", tmp_path / "first", "--split", "speaker")
    assert main(command) == 0
    history = json.loads((tmp_path / "first" / "history.json").read_text())
    told = capsys.readouterr().err.splitlines()
    for epoch in history:
        assert f"first: {epoch_line(epoch, 2)}" in told
    rows = table(tmp_path / "first" / "log.csv")
    assert [float(row["train_loss"]) for row in rows] == [e["train_loss"] for e in history]
    assert float(rows[-1]["test_accuracy"]) == pytest.approx(history[-1]["test_accuracy"])
