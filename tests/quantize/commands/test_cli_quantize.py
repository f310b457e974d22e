"""The workstation's command line, from corpus to artifact to the device's own command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from run_commands import evaluate, train

import edge
from quantize.commands.main import main
from quantize.data.splits.by_name import SPLITS
from quantize.training.trainer import Trainer


def test_a_run_folder_tells_how_it_was_made(runs):
    folder = runs / "f1"
    names = {p.name for p in folder.iterdir()}
    assert {
        "config.json",
        "split.json",
        "corpora.json",
        "history.json",
        "log.csv",
        "curves.png",
        "checkpoint.safetensors",
    } <= names
    figures = json.loads((folder / "evaluation-torch-unknown.json").read_text())
    history = json.loads((folder / "history.json").read_text())
    assert figures["accuracy"] == history[-1]["test_accuracy"]
    for picture in ("confusion-torch-unknown.png", "class-accuracy-torch-unknown.png"):
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    config = json.loads((folder / "config.json").read_text())
    assert config["run"]["split"] == "speaker"
    assert config["run"]["fold"] == 1
    assert config["model"]["hidden"] == 16
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_folds_are_pooled_and_written_as_json(data, runs, tmp_path, capsys):
    report = tmp_path / "r.json"
    for name in ("f0", "f1"):
        (runs / name / "confusion-torch-unknown.png").unlink()
    (runs / "f0" / "class-accuracy-torch-unknown.png").unlink()
    words = (str(runs / "f0"), str(runs / "f1"), "--output", str(report))
    assert main(evaluate(data, runs, *words)) == 0
    # None are drawn, as was asked.
    assert not list((runs / "f0").glob("*confusion*.png"))
    assert not (runs / "f0" / "class-accuracy-torch-unknown.png").exists()
    capsys.readouterr()
    assert main(evaluate(data, runs, *words, pictures=True)) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split()[:5] == ["run", "split", "clips", "accuracy", "UAR"]
    assert table[-1].startswith("all folds")
    result = json.loads(report.read_text())
    assert result["language"] == "unknown"
    assert result["pooled"]["n"] == sum(r["n"] for r in result["runs"])
    assert (runs / "f0" / "confusion-torch-unknown.png").is_file()
    assert (runs / "f0" / "class-accuracy-torch-unknown.png").is_file()


def test_across_corpora_only_common_classes_count(data, runs, tmp_path, capsys):
    fold = runs / "loco"
    command = train(data, runs / "cache", fold, "--split", "leave-one-corpus-out", "--fold", "2")
    assert main(command) == 0
    after_training = json.loads((fold / "evaluation-torch-unknown.json").read_text())
    assert main(evaluate(data, runs, str(fold))) == 0
    figures = json.loads((fold / "evaluation-torch-unknown.json").read_text())
    assert figures == after_training
    assert figures["split"] == "leave-one-corpus-out-s0-f2"
    assert list(figures["by_corpus"]) == ["emo-db"]
    six = ["neutral", "happy", "sad", "angry", "fearful", "disgust"]
    assert figures["answers"] == six
    answered = sum(map(sum, zip(*figures["confusion"], strict=True)))
    common = [figures["labels"].index(name) for name in six]
    assert answered == sum(figures["confusion"][i][j] for i in common for j in common)


def test_german_to_english_tests_the_other_corpora(data, runs):
    folder = runs / "de-en"
    assert main(train(data, runs / "cache", folder, "--split", "german-to-english")) == 0
    figures = json.loads((folder / "evaluation-torch-unknown.json").read_text())
    assert list(figures["by_corpus"]) == ["ravdess", "savee", "tess"]
    assert len(figures["answers"]) == 6


def test_segments_of_folds_are_pooled(data, runs, tmp_path, capsys):
    report = tmp_path / "r.json"
    folders = [str(runs / "f0"), str(runs / "f1")]
    command = evaluate(data, runs, *folders, "--protocol", "segments", "--output", str(report))
    assert main([*command, "--kind", "numpy-int8"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2 folds pooled; split speaker-5fold-s0-f0, speaker-5fold-s0-f1;")
    assert lines[2].split() == ["window", "corpus", "clips", "windows", "accuracy", "UAR"]
    assert lines[-1].startswith(
        "percent; n: windows; frames of speech as the speech gate tells them"
    )
    result = json.loads(report.read_text())
    assert result["command"].endswith("--protocol segments")
    assert list(result["pooled"]["conditions"]) == ["1.0 s", "1.5 s", "2.0 s"]
    for name, pooled in result["pooled"]["conditions"].items():
        assert pooled["n"] == sum(r["conditions"][name]["n"] for r in result["runs"])
    own = json.loads((runs / "f0" / "evaluation-segments-numpy-int8-unknown.json").read_text())
    assert own == result["runs"][0]
    assert own["model_sha256"] is not None
    assert own["speech_told_by"] == "gate"
    shares = own["conditions"]["1.0 s"]["by_speech"]
    assert list(shares) == ["0-25", "25-50", "50-75", "75-100", "90-100"]


def test_protocol_figures_of_several_seeds_are_averaged(data, runs, tmp_path, capsys):
    report = tmp_path / "r.json"
    folders = [str(runs / "f0"), str(runs / "f0")]
    command = evaluate(data, runs, *folders, "--protocol", "segments", "--output", str(report))
    assert main(command) == 0
    assert "mean ± sd of 2 runs" in capsys.readouterr().out
    result = json.loads(report.read_text())
    one, mean = result["runs"][0]["conditions"]["1.0 s"], result["mean"]["conditions"]["1.0 s"]
    assert mean["uar"] == pytest.approx(one["uar"])
    assert mean["uar_sd"] == pytest.approx(0)


def test_json_prints_the_report_alone_and_the_old_name_works_with_a_word(data, runs, capsys):
    command = evaluate(data, runs, str(runs / "f0"))
    assert main([*command, "--language", "own", "--json"]) == 0
    said = capsys.readouterr()
    assert "--language is now called --corpus" in said.err
    report = json.loads(said.out)
    assert report["command"].endswith("--kind torch --corpus own")
    assert report["runs"][0]["accuracy"] >= 0


def test_noise_is_told_as_a_drop_from_clean(data, runs, tmp_path, capsys):
    report = tmp_path / "r.json"
    command = evaluate(data, runs, str(runs / "f0"), "--protocol", "noise", "--output", str(report))
    assert main([*command, "--conditions", "white-0dB", "babble-20dB"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "run f0; split speaker-5fold-s0-f0; torch, corpus unknown"
    assert [line.split()[0] for line in lines[3:7]] == [
        "condition",
        "clean",
        "white-0dB",
        "babble-20dB",
    ]
    result = json.loads(report.read_text())
    assert result["command"].endswith("--protocol noise --conditions white-0dB babble-20dB")
    conditions = result["runs"][0]["conditions"]
    utterances = json.loads((runs / "f0" / "evaluation-torch-unknown.json").read_text())
    clean, white = conditions["clean"], conditions["white-0dB"]
    assert clean["accuracy"] == utterances["accuracy"]
    assert white["accuracy_drop"] == pytest.approx(clean["accuracy"] - white["accuracy"])
    for corpus, part in white["by_corpus"].items():
        own = clean["by_corpus"][corpus]
        assert part["uar_drop"] == pytest.approx(own["uar"] - part["uar"])


def test_every_split_has_its_word_on_the_command_line(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit, match="0"):
        main(["train", "--help"])
    help_text = capsys.readouterr().out
    assert "{" + ",".join((*SPLITS, "all")) + "}" in help_text


def test_an_artifact_is_measured_in_its_own_runtime(data, runs, capsys):
    figures = []
    for kind in ("torch", "numpy-int8", "onnx-fp32"):
        assert main(evaluate(data, runs, str(runs / "f0"), "--kind", kind)) == 0
        name = f"evaluation-{kind}-unknown.json"
        figures.append(json.loads((runs / "f0" / name).read_text()))
    torch_figures, numpy_figures, onnx_figures = figures
    assert torch_figures["model_sha256"] is None
    assert numpy_figures["model_sha256"] != onnx_figures["model_sha256"]
    assert onnx_figures["confusion"] == torch_figures["confusion"]
    assert abs(numpy_figures["accuracy"] - torch_figures["accuracy"]) < 0.1


def test_export_carries_figures_and_a_card_and_the_device_loads_it(data, runs, tmp_path, capsys):
    report = tmp_path / "r.json"
    assert main(evaluate(data, runs, str(runs / "f0"), "--output", str(report))) == 0
    out, card = tmp_path / "model", tmp_path / "CARD.md"
    command = [
        "export",
        str(runs / "f0"),
        "--out",
        str(out),
        "--figures",
        str(report),
        "--card",
        str(card),
        "--name",
        "small",
    ]
    assert main(command) == 0
    assert "numpy_weight_only_wi8" in capsys.readouterr().out
    classifier = edge.load(out)
    accuracy = classifier.artifact.manifest.accuracy
    assert [entry["metric"] for entry in accuracy] == ["accuracy", "uar"]
    assert accuracy[0]["split"].startswith("speaker-5fold-s0-f0")
    text = card.read_text()
    assert text.startswith("# small\n")
    assert f"{100 * accuracy[0]['value']:.1f} %" in text
    assert "must not be used" in text


def test_the_same_command_does_not_train_over_a_finished_run(data, runs, capsys):
    before = (runs / "f0" / "checkpoint.safetensors").read_bytes()
    assert main(train(data, runs / "cache", runs / "f0", "--split", "paper")) == 2
    assert "already holds a trained checkpoint" in capsys.readouterr().err
    assert (runs / "f0" / "checkpoint.safetensors").read_bytes() == before


def test_a_run_without_held_out_clips_cannot_be_measured(data, runs, capsys):
    assert main(train(data, runs / "cache", runs / "all", "--split", "all")) == 0
    assert main(evaluate(data, runs, str(runs / "all"))) == 2
    assert "held nothing out" in capsys.readouterr().err


TRAIN_X = ["train", "--data", "{data}", "--out", "x"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["evaluate", "--data", "{data}", "nowhere"], "nowhere"),
        (["train", "--data", "nowhere", "--out", "x"], "nowhere"),
        (
            ["train", "--data", "{data}", "--out", "x", "--split", "speaker", "--fold", "9"],
            "fold is 9",
        ),
        (
            [*TRAIN_X, "--split", "leave-one-corpus-out", "--fold", "4"],
            "fold is 4, 0 to 3 is wanted",
        ),
        (
            [*TRAIN_X, "--split", "german-to-english", "--corpora", "tess"],
            "it needs emo-db",
        ),
        (
            ["train", "--data", "{data}", "--out", "x", "--map-label", "boredom"],
            "WORD=LABEL is wanted",
        ),
        (["train", "--data", "{data}", "--out", "x", "--epochs", "0"], "epochs is 0"),
        (
            ["evaluate", "--data", "{data}", "{runs}/f0", "--conditions", "small-room"],
            "--conditions is for --protocol noise and --protocol conditions alone",
        ),
        (["export", "nowhere"], "there is no checkpoint"),
        (["export", "{runs}/f0", "--figures", "{data}/none.json"], "no report of"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_no_half_run(
    arguments, sentence, data, runs, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    words = [word.format(data=data, runs=runs) for word in arguments]
    assert main(words) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("edge-ser-quantize: error: ")
    assert sentence in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "x" / "checkpoint.safetensors").exists()


def test_without_torch_it_is_one_sentence(tmp_path):
    blocked = "import sys; sys.modules['torch'] = None; from quantize.commands.main import main; "
    result = subprocess.run(
        [sys.executable, "-c", blocked + "sys.exit(main(['export', 'run']))"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert "torch is not installed" in result.stderr
    assert result.stderr.endswith("pip install torch\n")
    assert len(result.stderr.splitlines()) == 1


def train_until(command: list[str], folder: Path, n_epochs: int) -> list[dict]:
    """Train in a process of its own and kill it once there are more than ``n_epochs``."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for _ in range(900):
            history = read_history(folder)
            if len(history) > n_epochs and (folder / "training_state.pt").is_file():
                return history
            assert process.poll() is None, process.stderr.read().decode()
            time.sleep(0.1)
        pytest.fail(f"no more than {n_epochs} epochs in 90 s")
    finally:
        process.kill()
        process.communicate()


def read_history(folder: Path) -> list[dict]:
    path = folder / "history.json"
    return json.loads(path.read_text()) if path.is_file() else []


def test_a_second_process_resumes_a_killed_training(data, runs, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    # One thread in both: of more, sums may be added up in another order.
    words = [*train(data, runs / "cache", folder), "--epochs", "4000", "--threads", "1"]
    train_until([sys.executable, "-m", "quantize.commands.main", *words], folder, 0)
    killed = read_history(folder)
    save = Trainer._save_state

    def save_until_it_is_further(trainer):
        save(trainer)
        if len(trainer.history) > len(killed) + 1:
            raise KeyboardInterrupt

    n_threads = torch.get_num_threads()
    try:
        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "_save_state", save_until_it_is_further)
            assert main(words) == 130
        resumed = read_history(folder)
        config = (folder / "config.json").read_bytes()
        assert main([*words, "--batch-size", "8"]) == 2
    finally:
        torch.set_num_threads(n_threads)
    assert (folder / "config.json").read_bytes() == config
    # What was not yet in the saved state is trained again, to the same numbers.
    assert len(resumed) > len(killed)
    for before, after in zip(killed, resumed, strict=False):
        assert after["epoch"] == before["epoch"]
        assert after["train_loss"] == before["train_loss"]
