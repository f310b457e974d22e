"""``prune``: from a run folder to a smaller one, resumed, measured, and refused in one sentence."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from run_commands import evaluate, train

from quantize.commands.main import main
from quantize.data.corpora import DOMAINS, LABELS
from quantize.prune.sizes import n_exported
from quantize.prune.sparse import SPARSE, sparsity_of
from quantize.runs.checkpoint import load_checkpoint
from quantize.runs.run import open_run
from quantize.training.trainer import Trainer


@pytest.fixture
def prune(data, runs):
    """Command lines of ``prune`` of the first fold."""

    def command(*more: object, run: object = None) -> list[str]:
        words = ["prune", run or runs / "f0", "--data", data, "--cache", runs / "cache"]
        words += ["--workers", "1", *more]
        # What has no say is refused.
        if "--unstructured" not in more and "magnitude" not in more and "--batches" not in more:
            words += ["--batches", "2"]
        words += ["--segments", "16"] if "--sensitivity" in more else []
        return [str(word) for word in words]

    return command


def checkpoint(folder):
    return load_checkpoint(folder / "checkpoint.safetensors")


def test_a_pruned_run_is_fine_tuned_measured_and_exported(prune, data, runs, tmp_path, capsys):
    out = tmp_path / "out"
    command = prune("--out", out, "--parameters", "0.6", "--epochs", "2", "--variants", "1")
    assert main(command) == 0
    assert "pruned" in capsys.readouterr().out
    whole, pruned = checkpoint(runs / "f0"), checkpoint(out)
    share = n_exported(pruned.model.config) / n_exported(whole.model.config)
    assert 0.3 < share <= 0.6
    how = pruned.training["pruned"]
    assert how["from"] == f"{runs.name}/f0"
    assert how["sha256"] == open_run(runs / "f0").digest
    assert how["importance"] == "taylor"
    assert how["sizes"]["hidden"] == pruned.model.config.hidden < how["sizes_before"]["hidden"]
    # It starts from what was cut out, and the run that was pruned teaches it.
    assert list(pruned.training["start"]) == ["out/pruned"]
    assert list(pruned.training["teachers"]) == [f"{runs.name}/f0"]
    assert pruned.training["recipe"] == "claf-ser-pruned"
    assert json.loads((out / "split.json").read_text()) == json.loads(
        (runs / "f0" / "split.json").read_text()
    )
    assert main(evaluate(data, runs, str(out))) == 0
    assert main(["export", str(out)]) == 0
    manifest = json.loads((out / "artifacts" / "numpy-int8" / "manifest.json").read_text())
    assert manifest["architecture"]["hidden"] == pruned.model.config.hidden
    assert manifest["training"]["pruned"] == how


def test_no_epochs_write_the_pruned_model_alone(prune, data, runs, tmp_path):
    out = tmp_path / "out"
    command = prune(
        "--out", out, "--hidden", "10", "--heads", "2", "--conv", "7", "--importance", "magnitude"
    )
    command += ["--epochs", "0"]
    assert main(command) == 0
    assert {p.name for p in out.iterdir()} == {
        "split.json",
        "config.json",
        "checkpoint.safetensors",
    }
    config = checkpoint(out).model.config
    assert (config.hidden, config.n_heads, config.conv_channels) == (10, 2, 7)
    before = (out / "checkpoint.safetensors").stat().st_mtime_ns
    # Once more is no work; something else is refused.
    assert main(command) == 0
    assert (out / "checkpoint.safetensors").stat().st_mtime_ns == before
    assert main([*command, "--classifier", "9"]) == 2
    assert main(evaluate(data, runs, str(out))) == 0
    # It can be pruned again.
    again = prune("--out", tmp_path / "again", "--conv", "3", "--epochs", "0", run=out)
    assert main(again) == 0
    assert checkpoint(tmp_path / "again").training["pruned"]["sizes_before"]["conv_channels"] == 7


def test_files_of_somebody_else_are_not_cleared_away(prune, tmp_path, capsys):
    for name in ("log.csv", "config.json"):
        path = tmp_path / name / name
        path.parent.mkdir()
        path.write_text("mine")
        command = prune("--out", path.parent, "--hidden", "8", "--epochs", "0")
        assert main(command) == 2
        assert f"{path} is not what training" in capsys.readouterr().err
        assert [p.name for p in path.parent.iterdir()] == [name]
        assert path.read_text() == "mine"


def test_an_interrupted_fine_tuning_goes_on(prune, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    command = prune("--out", out, "--hidden", "8", "--epochs", "2", "--variants", "0")
    save = Trainer._save_state

    def die_after_the_first_epoch(trainer):
        save(trainer)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save_state", die_after_the_first_epoch)
        assert main(command) == 130
    assert not (out / "checkpoint.safetensors").exists()
    start = open_run(out / "pruned").digest
    assert main(command) == 0
    assert open_run(out / "pruned").digest == start
    assert [e["epoch"] for e in json.loads((out / "history.json").read_text())] == [1, 2]
    capsys.readouterr()
    assert main(command) == 0
    assert "nothing is left to do" in capsys.readouterr().err
    assert main([*command, "--learning-rate", "0.5"]) == 2
    assert "already holds a trained checkpoint" in capsys.readouterr().err


def test_zeros_stay_zeros_while_the_rest_learns(prune, tmp_path, capsys):
    out = tmp_path / "out"
    command = prune("--out", out, "--unstructured", "--sparsity", "0.5", "--epochs", "2")
    assert main([*command, "--variants", "0", "--learning-rate", "0.01"]) == 0
    told = capsys.readouterr().out
    assert "50 %" in told
    assert "as fast as before" in told
    start, tuned = checkpoint(out / "pruned").model, checkpoint(out).model
    assert sparsity_of(tuned) == pytest.approx(0.5, abs=1e-3)
    for name in SPARSE:
        before, after = start.state_dict()[name], tuned.state_dict()[name]
        assert torch.equal(before == 0, after == 0), name
        assert not torch.equal(before, after), name
    assert checkpoint(out).training["pruned"]["sparsity"] == 0.5


def test_the_sweep_is_a_table_lines_and_a_picture(prune, tmp_path, capsys):
    command = prune("--sensitivity", "--importance", "magnitude", "--window-frames", "25")
    assert main([*command, "--picture", str(tmp_path / "sweep.png")]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split()[:3] == ["structure", "removed", "share"]
    assert len({len(line) for line in table}) == 1
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")
    assert main([*command, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == len(table) - 1
    names = ["none", "lstm", "heads", "query_key", "value", "conv", "classifier"]
    assert list(dict.fromkeys(row["structure"] for row in rows)) == names
    for row in rows[1:]:
        assert row["loss_rise"] == pytest.approx(row["loss"] - rows[0]["loss"], abs=1e-6)
        assert 0 < row["removed"] < row["n"]


def test_clips_to_choose_on_are_never_of_the_test_side(data, runs, tmp_path):
    from quantize.prune.clips import choosing_clips

    source = open_run(runs / "f0")
    clips = source.clips(data)
    chosen = {c.clip_id for c in choosing_clips(source, clips)}
    assert chosen
    assert chosen < set(source.split.train)
    command = train(data, runs / "cache", tmp_path / "v", "--split", "speaker", "--validation")
    assert main([*command, "--epochs", "1"]) == 0
    own = open_run(tmp_path / "v")
    assert {c.clip_id for c in choosing_clips(own, clips)} == set(own.split.test)
    assert not set(own.split.test) & set(source.split.test)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ([], "one of three is wanted"),
        (["--parameters", "0.5", "--hidden", "8"], "one of three is wanted"),
        (["--unstructured"], "one of three is wanted"),
        (["--sparsity", "0.5", "--hidden", "8"], "one of three is wanted"),
        (["--parameters", "1.5"], "a number above 0 and below 1 is wanted"),
        (["--parameters", "0.0001"], "fewer LSTM units alone reach"),
        (["--hidden", "17"], "hidden is 17, 1 to 16 is wanted"),
        (["--heads", "3"], "n_heads 3 does not divide 2 * hidden = 32"),
        (["--unstructured", "--sparsity", "1"], "sparsity is 1.0"),
        (["--hidden", "8", "--batches", "0"], "--batches is 0, a whole number"),
    ],
)
def test_what_cannot_be_pruned_is_one_sentence(prune, tmp_path, capsys, more, sentence):
    assert main(prune("--out", tmp_path / "out", *more)) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_other_runs_are_refused(prune, data, runs, tmp_path, capsys):
    assert main(prune("--hidden", "8")) == 2
    assert "prune needs --out" in capsys.readouterr().err
    shutil.copytree(runs / "f0", tmp_path / "bare")
    (tmp_path / "bare" / "config.json").unlink()
    assert main(prune("--out", tmp_path / "o", "--hidden", "8", run=tmp_path / "bare")) == 2
    assert "config.json is not there: a whole run folder" in capsys.readouterr().err
    command = train(data, runs / "cache", tmp_path / "part", "--recipe", "no-language")
    assert main([*command, "--epochs", "1"]) == 0
    assert main(prune("--out", tmp_path / "o", "--hidden", "8", run=tmp_path / "part")) == 2
    assert "was trained without language" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_the_baseline_is_refused(prune, tmp_path, capsys):
    import numpy as np

    from quantize.data.features.simple_rnn import BASELINE_SPEC
    from quantize.models.config import SimpleRnnConfig
    from quantize.models.simple_rnn import SimpleRnn
    from quantize.runs.checkpoint import Checkpoint, save_checkpoint

    n = BASELINE_SPEC.n_features
    model, zero, one = SimpleRnn(SimpleRnnConfig()), np.zeros(n, "f4"), np.ones(n, "f4")
    saved = Checkpoint(model, zero, one, BASELINE_SPEC, {}, LABELS, DOMAINS)
    save_checkpoint(tmp_path / "rnn" / "checkpoint.safetensors", saved)
    assert main(prune("--out", tmp_path / "o", "--hidden", "8", run=tmp_path / "rnn")) == 2
    assert "holds the baseline" in capsys.readouterr().err
