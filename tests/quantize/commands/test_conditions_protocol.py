"""``evaluate --protocol conditions``: a table, worst first, and what is left out is said."""

from __future__ import annotations

import argparse
import json

import numpy as np
import pytest
from run_commands import evaluate

from edge.audio.file import write_wav
from edge.errors import ParameterError
from quantize.commands.conditions import conditions_of, left_out_of
from quantize.commands.main import main
from quantize.data.features.conditions import CODECS, EVERY_CONDITION, EVERYDAY
from quantize.measure.protocols.tables import lost_table, worst_first


@pytest.fixture
def sounds(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(3):
        path = tmp_path / "sounds" / "rain" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, rng.normal(0, 0.1, 8000).astype("f4"), 16_000)
    return tmp_path / "sounds"


def asked(protocol="conditions", conditions=None, sounds=()):
    return argparse.Namespace(protocol=protocol, conditions=conditions, sounds=list(sounds))


def test_figures_are_told_worst_first_and_kept_in_the_run(data, runs, sounds, tmp_path, capsys):
    names = ["gain-20dB-down", "mu-law", EVERYDAY, "brown-10dB"]
    command = evaluate(data, runs, str(runs / "f0"), "--protocol", "conditions", "--json")
    report = tmp_path / "r.json"
    words = [*command, "--conditions", *names, "--sounds", str(sounds), "--output", str(report)]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert said == json.loads(report.read_text())
    assert said["command"].endswith(
        f'--protocol conditions --conditions {" ".join(names)} --sounds "$SOUNDS"'
    )
    assert said["left_out"] == {}
    kept = json.loads((runs / "f0" / "evaluation-conditions-torch-unknown.json").read_text())
    figures = kept["conditions"]
    assert list(figures) == ["clean", *names]
    lost = [figures[name]["uar_drop"] for name in kept["worst_first"]]
    assert sorted(kept["worst_first"]) == sorted(names)
    assert lost == sorted(lost, reverse=True)
    assert said["worst_first"] == kept["worst_first"]


def test_clips_of_some_corpora_alone_are_measured(data, runs, tmp_path, capsys):
    command = evaluate(data, runs, str(runs / "f0"), "--protocol", "noise", "--json")
    command += ["--conditions", "white-0dB"]
    assert main(command) == 0
    everything = json.loads(capsys.readouterr().out)["runs"][0]["conditions"]["white-0dB"]
    assert main([*command, "--only-corpora", "savee"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert "--conditions white-0dB --only-corpora savee" in said["command"]
    (run,) = said["runs"]
    assert run["only_corpora"] == ["savee"]
    part = run["conditions"]["white-0dB"]
    assert list(part["by_corpus"]) == ["savee"]
    assert 0 < part["n"] == everything["by_corpus"]["savee"]["n"] < everything["n"]
    assert part["uar"] == everything["by_corpus"]["savee"]["uar"]
    assert main([*command, "--only-corpora", "nemo"]) == 2
    assert "names nemo, of which no clip is held out: " in capsys.readouterr().err


def test_the_table_begins_with_clean_clips_and_then_the_worst():
    def figures(uar, lost=None):
        drop = {} if lost is None else {"accuracy_drop": lost, "uar_drop": lost}
        part = {"n": 9, "n_utterances": 9, "accuracy": uar, "uar": uar, **drop}
        return {**part, "by_corpus": {"savee": part, "tess": part}}

    conditions = {
        "mu-law": figures(0.6, 0.1),
        "clean": figures(0.7),
        "gsm": figures(0.4, 0.3),
        "offset": figures(0.72, -0.02),
    }
    assert worst_first(conditions) == ["gsm", "mu-law", "offset"]
    lines = lost_table(conditions).splitlines()
    assert lines[0].split() == ["all", "savee", "tess"]
    assert [line.split()[0] for line in lines[2:6]] == ["clean", "gsm", "mu-law", "offset"]
    assert lines[3].split()[1:4] == ["40.0", "40.0", "30.0"]
    assert lines[5].split()[3] == "-2.0"


def test_what_cannot_be_heard_is_left_out_with_its_reason(monkeypatch, sounds):
    assert list(left_out_of(asked())) == [EVERYDAY]
    assert left_out_of(asked(sounds=[sounds])) == {}
    assert conditions_of(asked(sounds=[sounds])) == list(EVERY_CONDITION)
    monkeypatch.setattr("quantize.commands.conditions.is_supported", lambda name: name == "gsm")
    left_out = left_out_of(asked(sounds=[sounds]))
    assert set(left_out) == set(CODECS) - {"gsm"}
    assert "pip install -U soundfile" in left_out["mp3-16k"]
    assert set(conditions_of(asked(sounds=[sounds]))) == set(EVERY_CONDITION) - set(left_out)
    with pytest.raises(ParameterError, match="opus-7kbps cannot be heard: libsndfile"):
        left_out_of(asked(conditions=["opus-7kbps"]))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--protocol", "noise", "--conditions", "mu-law"], "mu-law is no condition of"),
        (["--protocol", "conditions", "--conditions", "white-0dB"], "white-0dB is no condition of"),
        (["--protocol", "conditions", "--conditions", EVERYDAY], "with --sounds DIR"),
        (["--protocol", "noise", "--sounds", "{sounds}"], "--sounds is for the condition"),
        (["--sounds", "{sounds}"], "--sounds is for the condition"),
        (["--protocol", "conditions", "--sounds", "nowhere"], "'nowhere' is not a folder"),
        (["--only-corpora", "savee"], "--only-corpora is of --protocol segments, noise"),
    ],
)
def test_what_would_have_no_say_is_refused(words, sentence, data, runs, sounds, capsys):
    words = [word.format(sounds=sounds) for word in words]
    assert main(evaluate(data, runs, str(runs / "f0"), *words)) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
