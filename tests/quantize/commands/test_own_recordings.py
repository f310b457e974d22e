"""Anybody's recordings with anybody's labels: from a folder a label to what a device says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.artifact import read_artifact
from edge.audio.file import write_wav
from edge.cli.main import main as device
from edge.runtimes.registry import RUNTIMES
from quantize.commands.main import main
from quantize.data.corpora.synthetic import synthetic_speech
from quantize.export import KINDS
from quantize.runs.run import open_run

# No word is one of the eight, and none means one.
LABELS = ("calm-down", "cheering", "crying-baby")
FOLDERS = {"Calm Down": "calm", "cheering": "angry", "01_crying baby": "fearful"}
N_EACH = 12


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    root = tmp_path_factory.mktemp("own") / "mine"
    for folder, manner in FOLDERS.items():
        (root / folder).mkdir(parents=True)
        for n in range(N_EACH):
            samples = synthetic_speech(manner, ("female", "male")[n % 2], n % 5, 1.3, n)
            write_wav(root / folder / f"{n}.wav", samples, 16_000)
    return root


@pytest.fixture(scope="module")
def run(recordings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    command = [
        "train", "--data", str(recordings), "--out", str(folder / "run"), "--epochs", "12",
        "--hidden", "8", "--variants", "0", "--workers", "1", "--cache", str(folder / "cache"),
        "--learning-rate", "0.01", "--batch-size", "8",
    ]  # fmt: skip
    assert main(command) == 0
    return folder / "run"


def common(run: Path, recordings: Path) -> list[str]:
    return ["--data", str(recordings), "--cache", str(run.parent / "cache"), "--workers", "1"]


def test_a_run_remembers_its_labels_and_corpora(run):
    config = json.loads((run / "config.json").read_text())
    assert (config["labels"], config["domains"]) == (list(LABELS), ["mine"])
    saved = open_run(run).checkpoint
    assert (saved.labels, saved.domains) == (LABELS, ("mine",))
    assert (saved.model.config.n_labels, saved.model.config.n_domains) == (3, 1)
    # There is no other corpus to tell the one from.
    assert all(e["domain_loss"] == 0 for e in json.loads((run / "history.json").read_text()))


def test_a_training_says_what_is_odd_of_its_labels(recordings, tmp_path, capsys):
    command = ["train", "--out", str(tmp_path / "run"), "--epochs", "1", "--hidden", "2"]
    command += ["--variants", "0", "--labels", "cheering,calm-down", *common(tmp_path, recordings)]
    assert main(command) == 0
    said = capsys.readouterr().err
    assert "few clips to learn from: cheering (10), calm-down (10)" in said
    assert "of other labels and left out: crying-baby (12)" in said
    assert "all clips are of one corpus, mine: there is no other" in said
    assert "nobody says who speaks in 24 clips" in said
    assert open_run(tmp_path / "run").labels == ("cheering", "calm-down")


def test_the_figures_are_of_the_runs_labels(run, recordings, tmp_path):
    report = tmp_path / "report.json"
    assert main(["evaluate", str(run), "--output", str(report), *common(run, recordings)]) == 0
    (figures,) = json.loads(report.read_text())["runs"]
    assert tuple(figures["labels"]) == LABELS
    assert figures["n"] == 6
    assert list(figures["by_corpus"]) == ["mine"]
    assert figures["accuracy"] > 0.8
    assert len(figures["confusion"]) == 3


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_says_the_labels_of_the_folders(kind, run, recordings, tmp_path, capsys):
    backend = kind.partition("-")[0]
    if not RUNTIMES[backend].is_installed:
        pytest.skip(f"{backend} is not installed")
    artifact = tmp_path / "artifact"
    assert main(["export", str(run), "--kind", kind, "--out", str(artifact)]) == 0
    manifest = read_artifact(artifact).manifest
    assert manifest.labels == LABELS
    assert manifest.corpora == ("mine", "unknown")
    capsys.readouterr()
    options = ["--artifact", str(artifact), "--backend", backend, "--vad", "off", "--json"]
    files = [str(recordings / folder / "0.wav") for folder in FOLDERS]
    assert device(["classify", *options, *files]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["label"] for answer in found] == list(LABELS)
    # What is calm or aroused in these words nobody knows.
    assert {answer["activation"] for answer in found} == {None}
    assert device(["listen", *options, "--fast", "--source", files[1]]) == 0
    first = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (first["label"], set(first["posterior"])) == ("cheering", set(LABELS))


def test_parity_and_rounding_are_measured_on_own_recordings(run, recordings, tmp_path, capsys):
    assert main(["export", str(run), "--kind", "numpy-int8"]) == 0
    artifact = run / "artifacts" / "numpy-int8"
    assert main(["verify", str(artifact), "--segments", "20"]) == 0
    rounded = ["quantize", str(run), "--recipe", "numpy_weight_only_wi4", "--segments", "20"]
    assert main([*rounded, "--out", str(tmp_path / "int4"), *common(run, recordings)]) == 0
    assert read_artifact(tmp_path / "int4").manifest.labels == LABELS
    capsys.readouterr()


def test_a_model_card_tells_of_own_recordings(run, tmp_path):
    card = tmp_path / "card.md"
    command = ["export", str(run), "--card", str(card), "--out", str(tmp_path / "artifact")]
    assert main(command) == 0
    text = card.read_text()
    assert "calm-down, cheering, crying-baby" in text
    assert "eight emotions" not in text


def test_a_teacher_of_other_labels_is_refused(run, recordings, tmp_path, capsys):
    # The same split, so that the labels alone are in the way.
    command = ["distill", "--teachers", str(run), "--out", str(tmp_path / "student")]
    command += ["--labels", "crying-baby,cheering,calm-down", *common(run, recordings)]
    assert main(command) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "tells apart calm-down, cheering, crying-baby, this training crying-baby" in error
    assert "--labels calm-down,cheering,crying-baby" in error


def test_words_are_made_labels_and_labels_left_out(run, recordings, tmp_path, capsys):
    command = ["train", "--epochs", "1", "--hidden", "2", "--variants", "0"]
    command += ["--out", str(tmp_path / "run"), *common(run, recordings)]
    joined = ["--map-label", "crying baby=loud", "--map-label", "cheering=loud"]
    assert main([*command, *joined]) == 0
    assert open_run(tmp_path / "run").labels == ("calm-down", "loud")
    capsys.readouterr()
    assert main([*command, "--labels", "cheering,joy"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "no clip is labelled joy; there are calm-down (12), cheering (12), crying-baby" in error
    assert "--map-label WORD=LABEL" in error
