"""``train --validation``: settings are compared without the test side."""

from __future__ import annotations

from run_commands import evaluate, train

from quantize.commands.main import main
from quantize.data.corpora import load_corpora
from quantize.data.splits import read_split


def test_a_part_of_the_training_side_is_held_out_and_the_test_side_is_not_heard(
    data, runs, tmp_path, capsys
):
    run = tmp_path / "run"
    words = ["--split", "speaker", "--fold", "0", "--validation"]
    assert main(train(data, runs / "cache", run, *words)) == 0
    whole, part = read_split(runs / "f0" / "split.json"), read_split(run / "split.json")
    assert {*part.train, *part.test} == {*whole.train}
    assert not {*part.train, *part.test} & {*whole.test}
    speakers = {clip.clip_id: clip.speaker for clip in load_corpora(data)[0]}
    assert not {speakers[c] for c in part.train} & {speakers[c] for c in part.test}
    capsys.readouterr()
    assert main(evaluate(data, runs, str(run))) == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert row[:3] == ["run", part.id, str(len(part.test))]
    # Its teachers and its start must not have heard those speakers either.
    more = ["--teachers", str(runs / "f0")]
    assert main(train(data, runs / "cache", tmp_path / "told", *words, *more)) == 2
    assert f"this training's is {part.id}" in " ".join(capsys.readouterr().err.split())


def test_nothing_validates_where_nothing_is_held_out(data, tmp_path, capsys):
    words = ["--split", "all", "--validation"]
    assert main(train(data, tmp_path / "cache", tmp_path / "run", *words)) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "--validation with --split all: a split with a test side is wanted" in told
    assert not (tmp_path / "run").exists()
