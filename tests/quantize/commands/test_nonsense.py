"""Settings that make no sense: from a file or a command line, one sentence before any work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantize.commands.main import main

HUGE = "9" * 400

IN_A_RECIPE = [
    ("[training]\nweight_decay = -1", "[training] weight_decay is -1, 0 or a finite number above"),
    ("[training]\naverage_decay = 2", "[training] average_decay is 2, a share in [0, 1]"),
    ("[training]\naverage_decay = -0.1", "average_decay is -0.1"),
    ("[training]\nlearning_rate = nan", "learning_rate is nan, a finite number above 0"),
    ("[training]\nlearning_rate = 1e400", "learning_rate is inf"),
    (f"[training]\nlearning_rate = {HUGE}", "learning_rate is 999"),
    ("[training]\nlearning_rate = 0", "learning_rate is 0, a finite number above 0"),
    ("[training]\nlearning_rate = '0.1'", "learning_rate is '0.1', a finite number above 0"),
    ("[training]\nmax_alpha = -0.5", "max_alpha is -0.5, a number from 0 to 1"),
    ("[training]\nmixup = inf", "mixup is inf"),
    ("[training]\nepochs = 0", "epochs is 0, a whole number from 1"),
    ("[training]\nepochs = 2.5", "epochs is 2.5, a whole number from 1"),
    ("[training]\nepochs = true", "epochs is True, a whole number from 1"),
    ("[training]\nepochs = '2'", "epochs is '2', a whole number from 1"),
    ("[training]\nepochs = [2]", "epochs is [2], a whole number from 1"),
    ("[training]\nprecision = 'fp8'", "precision is 'fp8', 'fp32' or 'bf16' is wanted"),
    ("[training]\nprecision = 32", "precision is 32, 'fp32' or 'bf16' is wanted"),
    ("[training]\nmonitor_every = 0", "monitor_every is 0"),
    ("[training]\nmixup = 0.2\nrepeat_epochs = 3", "one of them must be 0"),
    ("[training]\nseed = 3", "[training] seed is 3, none is wanted there: give the seed to the"),
    ("seed = 3", "seed is 3, none is wanted there: give the seed to the command: --seed"),
    ("[training]\nweight_decai = 1", "in [training]: is 'weight_decay' meant?"),
    ("[model]\ndropout = 1.5", "[model] dropout is 1.5, a share in [0, 1)"),
    ("[model]\ndropout = 1", "dropout is 1, a share in [0, 1)"),
    ("[model]\nhidden = 0", "hidden is 0, a whole number from 1 to 65536"),
    ("[model]\nhidden = 100000", "hidden is 100000, a whole number from 1 to 65536"),
    ("[model]\nhidden = 5\nn_heads = 3", "n_heads 3 does not divide 2 * hidden = 10"),
    ("[model]\nconv_kernel = 2", "conv_kernel is 2, an odd number is wanted"),
    ("[model]\nn_features = 3", "n_features is 3, none is wanted there: it follows from"),
    ("[model]\nwithout = ['everything']", "without is ['everything'], a list of 'attention'"),
    ("[batches]\nbatch_size = -4", "batch_size is -4, a whole number from 1"),
    ("[batches]\nmin_crop_s = 3\nmax_crop_s = 1", "min_crop_s 3 and max_crop_s 1 must"),
    ("[batches]\nmin_crop_s = 0", "min_crop_s is 0, a number above 0"),
    ("[batches]\ncorpus_share = 0.5", "corpus_share is 0.5, a share by corpus is wanted"),
    ("[batches]\ncorpus_share = {tess = 0}", "corpus_share of tess is 0, a number above 0"),
    ("[batches]\nnoise = -1", "noise is -1"),
    ("[augment]\npitch = 0.9", "[augment] pitch is 0.9, a share in [0, 0.3]"),
    ("[augment]\nmin_snr_db = 50", "min_snr_db 50 is above max_snr_db 40.0"),
    ("[augment]\nroom_share = 'often'", "room_share is 'often', a share in [0, 1]"),
    ("[features]\nhop_length = 0", "hop_length is 0, a whole number from 1"),
    ("[features]\nn_mels = 1.5", "n_mels is 1.5, a whole number"),
    ("n_variants = -1", "n_variants is -1, a whole number from 0 to 1000"),
    ("n_variants = '8'", "n_variants is '8', a whole number from 0 to 1000"),
    ("training = 3", "training is 3, a table is wanted"),
    ("x = " + "[" * 3000, "is no TOML"),
    ("x = " + "{a=" * 3000, "is no TOML"),
    ("x = " + HUGE * 20, "is no TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), IN_A_RECIPE, ids=lambda v: v[:40])
def test_in_a_recipe(text, sentence, tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text(f'title = "mine"\n{text}\n')
    if text.startswith(("seed", "n_variants", "training =", "x =")):
        path.write_text(f'{text}\ntitle = "mine"\n')
    train = ["train", "--data", str(tmp_path / "nowhere"), "--out", str(tmp_path / "run")]
    for command in ([*train, "--recipe", str(path)], ["show-recipe", str(path)]):
        assert main(command) == 2
        said = refused(capsys)
        assert sentence in said
        assert "mine" in said
    assert not (tmp_path / "run").exists()


TRAIN = ["train", "--data", "nowhere", "--out", "run"]
DISTIL = ["distill", "--data", "nowhere", "--out", "run", "--teachers", "t"]
PRUNE = ["prune", "r", "--data", "nowhere"]
SEARCH = ["search", "r", "--data", "nowhere", "--out", "s"]
QUANTIZE = ["quantize", "r", "--out", "a", "--recipe", "numpy_weight_only_wi8"]
ON_THE_COMMAND_LINE = [
    (TRAIN, "--workers -3", "--workers is -3, a whole number from 1"),
    (TRAIN, "--workers 0", "--workers is 0"),
    (TRAIN, "--workers two", "--workers is 'two'"),
    (TRAIN, "--threads 0", "--threads is 0, a whole number from 1"),
    (TRAIN, "--epochs 0", "--epochs is 0, a whole number from 1"),
    (TRAIN, "--epochs 1e3", "--epochs is 1000.0, a whole number"),
    (TRAIN, "--epochs true", "--epochs is 'true', a whole number"),
    (TRAIN, f"--epochs {HUGE}", "--epochs is 999"),
    (TRAIN, "--learning-rate nan", "--learning-rate is nan, a finite number above 0"),
    (TRAIN, "--learning-rate 1e400", "--learning-rate is inf"),
    (TRAIN, "--learning-rate 0", "--learning-rate is 0.0"),
    (TRAIN, "--max-alpha -1", "--max-alpha is -1.0, a number from 0 to 1"),
    (TRAIN, "--mixup -0.1", "--mixup is -0.1"),
    (TRAIN, "--variants -1", "--variants is -1, a whole number from 0 to 1000"),
    (TRAIN, "--batch-size 0", "--batch-size is 0"),
    (TRAIN, "--hidden 0", "--hidden is 0, a whole number from 1 to 65536"),
    (TRAIN, "--hidden 1e9", "--hidden is 1000000000.0"),
    (TRAIN, "--seed -1", "--seed is -1"),
    (TRAIN, f"--seed {2**63}", "--seed is 9223372036854775808"),
    (TRAIN, "--fold -1 --split speaker", "--fold is -1"),
    (TRAIN, "--fold 1", "--fold is for --split speaker or leave-one-corpus-out"),
    (TRAIN, "--fold 1 --split all", "--fold is for --split speaker or leave-one-corpus-out"),
    (TRAIN, "--validation --split all", "--validation with --split all"),
    (TRAIN, "--precision fp8", "invalid choice: 'fp8'"),
    (TRAIN, "--epoch 3", "unrecognized arguments: --epoch 3"),
    (TRAIN, "--recipe nothing", "recipe is 'nothing', one of"),
    (DISTIL, "--distil-temperature 0", "--distil-temperature is 0.0"),
    (DISTIL, "--match-weight -1", "--match-weight is -1.0"),
    (DISTIL, "--distil-share 2", "--distil-share is 2.0, a share in [0, 1]"),
    (DISTIL, "--repeat-epochs -1", "--repeat-epochs is -1"),
    (PRUNE, "--parameters 1.5 --out x", "--parameters is 1.5, a number above 0 and below 1"),
    (PRUNE, "--sparsity nan --unstructured --out x", "--sparsity is nan"),
    (PRUNE, "--sensitivity --epochs 3", "--epochs is for pruning, and --sensitivity only"),
    (PRUNE, "--sensitivity --parameters 0.5", "--parameters is for pruning"),
    (PRUNE, "--parameters 0.5 --out x --picture p", "--picture is for --sensitivity alone"),
    (PRUNE, "--unstructured --sparsity 0.5 --out x --importance magnitude", "--importance is for"),
    (PRUNE, "--hidden 8 --out x --importance magnitude --batches 3", "--batches is for --import"),
    (PRUNE, "--hidden 8 --out x --epochs 0 --teachers t", "--teachers is for fine-tuning"),
    (SEARCH, "--max-kb 0", "--max-kb is 0.0, a finite number above 0"),
    (SEARCH, "--max-drop nan", "--max-drop is nan"),
    (SEARCH, "--hidden 0 --teachers t", "--hidden is 0"),
    (SEARCH, "--epochs 3", "--epochs is of the students"),
    (QUANTIZE, "--segments 0", "--segments is 0, a whole number from 1"),
    (QUANTIZE, "--max-drop -1", "--max-drop is -1.0"),
    (QUANTIZE, "--calibration 5", "n_calibration is 5, 0: it needs no calibration data"),
    (QUANTIZE, "--corpora tess", "--corpora is of the corpora, and none are named"),
    (QUANTIZE, "--recipe nothing", "recipe is 'nothing', one of"),
    (["verify", "a"], "--min-agreement 2", "--min-agreement is 2.0, a share in [0, 1]"),
    (["verify", "a"], "--segments -5", "--segments is -5"),
    (["verify", "a"], "--map-label a=b", "--map-label is of the corpora, and none are named"),
    (["evaluate", "r", "--data", "d"], "--output .", "--output is '.', a folder: the name of"),
    (["calibrate", "r", "--data", "d"], "--output /dev/null/x", "'/dev/null' is no folder that"),
    (QUANTIZE, "--report .", "--report is '.', a folder: the name of a file is wanted"),
    (["export", "r"], "--card .", "--card is '.', a folder"),
    (["train-gate"], "--out .", "--out is '.', a folder"),
    (["export", "r"], "--recipe claf-ser", "--recipe is of --scorecard FILE"),
    (["export", "r"], "--kind numpy-int3", "invalid choice: 'numpy-int3'"),
    (["train-gate"], "--scenes 0", "--scenes is 0, a whole number from 1"),
    (["train-gate"], "--recall 1.5", "--recall is 1.5, a share in [0, 1]"),
    (["train-gate", "--into", "a", "--gate", "g"], "--epochs 3", "--epochs is for training, and"),
    (["synthesise-corpus", "x"], "--seed -1", "--seed is -1"),
    (["trian"], "", "invalid choice: 'trian'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "words", "sentence"), ON_THE_COMMAND_LINE, ids=lambda v: str(v)[:40]
)
def test_on_the_command_line(command, words, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*command, *words.split()]) == 2
    assert sentence in refused(capsys)
    assert not list(tmp_path.iterdir())


def refused(capsys) -> str:
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("edge-ser-quantize: error: ")
    assert len(err.splitlines()) == 1
    return err


def test_a_seed_in_a_recipe_is_not_lost_but_refused_with_the_mend(tmp_path: Path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text('title = "x"\n[training]\nseed = 7\n')
    assert main(["show-recipe", str(path)]) == 2
    assert "--seed" in refused(capsys)


def test_a_recipe_of_ones_own_never_passes_for_one_of_the_package(tmp_path: Path, capsys):
    path = tmp_path / "claf-ser-tiny.toml"
    path.write_text('title = "x"\n[training]\nepochs = 2\n')
    assert main(["show-recipe", str(path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["name"].startswith("claf-ser-tiny.toml@")
    path.write_text('title = "x"\n[training]\nepochs = 3\n')
    assert main(["show-recipe", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] != shown["name"]


def test_every_value_is_shown_with_its_range_and_whose_it_is(capsys):
    assert main(["show-recipe", "claf-ser-tiny", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["settings"]
    found = {(row["table"], row["key"]): row for row in rows}
    assert found["model", "hidden"]["value"] == 36
    assert found["model", "hidden"]["range"] == ">= 1, <= 65536"
    assert found["model", "hidden"]["from"] == "recipe"
    assert found["training", "distil_share"]["from"] == "claf-ser"
    assert found["training", "precision"]["from"] == "claf-ser-alone"
    assert found["training", "average_decay"]["from"] == "default"
    assert all(row["range"] for row in rows)
    assert main(["show-recipe", "numpy_weight_only_wi4"]) == 0
    assert "weight_bits" in capsys.readouterr().out


NESTED = "[" * 100_000


@pytest.mark.parametrize("text", [NESTED, '{"a":' * 100_000, "[", "3", '{"a": NaN}', ""])
@pytest.mark.parametrize(
    "name", ["config.json", "split.json", "calibration.json", "checkpoint.safetensors"]
)
def test_a_run_folder_that_holds_anything_is_one_sentence(name, text, data, runs, tmp_path, capsys):
    folder = tmp_path / "f0"
    folder.mkdir()
    for each in ("config.json", "split.json", "checkpoint.safetensors"):
        (folder / each).write_bytes((runs / "f0" / each).read_bytes())
    (folder / name).write_text(text)
    words = ["evaluate", str(folder), "--data", str(data), "--cache", str(runs / "cache")]
    code = main([*words, "--workers", "1"])
    err = capsys.readouterr().err
    # What is of the temperature alone may be told and passed over.
    assert code == 2 or name == "calibration.json"
    assert "Traceback" not in err
    if code:
        assert err.splitlines()[-1].startswith("edge-ser-quantize: error: ")
        assert len([line for line in err.splitlines() if "error" in line]) == 1


@pytest.mark.parametrize("text", [NESTED, '{"a":' * 100_000, "[", "3", ""])
@pytest.mark.parametrize("option", ["--figures", "--scorecard", "--gate"])
def test_a_file_for_export_that_holds_anything_is_one_sentence(
    option, text, runs, tmp_path, capsys
):
    path = tmp_path / "x.json"
    path.write_text(text)
    words = ["export", str(runs / "f0"), "--out", str(tmp_path / "a"), option, str(path)]
    assert main(words) == 2
    assert "x.json" in refused(capsys)
