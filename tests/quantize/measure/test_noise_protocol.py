"""The protocol ``noise``: an utterance is one trial, and the table tells what it lost."""

from __future__ import annotations

import pytest
from protocol_fakes import clip, rows_of, runner

from quantize.data.corpora import LABELS
from quantize.measure.protocols.noise import utterance_trials
from quantize.measure.protocols.tables import mean_conditions, noise_table

CLIPS = [clip(i, "sad", speaker=f"{i:02d}") for i in range(3)]


def test_an_utterance_is_one_trial():
    happy, sad = LABELS.index("happy"), LABELS.index("sad")
    rows = {c.clip_id: rows_of([happy if i else sad] * 100) for i, c in enumerate(CLIPS)}
    trials = utterance_trials(runner(), CLIPS, rows)
    assert trials.utterance.tolist() == [0, 1, 2]
    assert trials.posteriors.argmax(axis=1).tolist() == [sad, happy, happy]
    only = utterance_trials(runner(), CLIPS, rows, labels=("sad", "calm"))
    assert only.posteriors[:, happy].tolist() == [0, 0, 0]


def test_the_table_shows_drops_and_the_mean_of_runs():
    def figures(uar, **drop):
        part = {"n": 9, "n_utterances": 9, "accuracy": uar + 0.1, "uar": uar, **drop}
        return {**part, "n_left_out": 0, "n_short": 0, "by_corpus": {"savee": part}}

    runs = [
        {"clean": figures(0.6), "white-0dB": figures(0.4, accuracy_drop=0.2, uar_drop=0.2)},
        {"clean": figures(0.7), "white-0dB": figures(0.4, accuracy_drop=0.3, uar_drop=0.3)},
    ]
    mean = mean_conditions(runs)
    assert mean["clean"]["uar"] == pytest.approx(0.65)
    assert mean["white-0dB"]["uar_drop_sd"] == pytest.approx(0.0707, abs=1e-4)
    assert mean["clean"]["n"] == 18
    lines = noise_table(mean).splitlines()
    assert lines[0].split() == ["savee"]
    assert lines[2].split() == ["clean", "75.0", "65.0"]
    assert lines[3].split() == ["white-0dB", "50.0", "40.0", "25.0"]
