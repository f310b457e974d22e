"""Words that give an emotion away: figures without them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from corpora_fakes import touch

from quantize.commands.evaluate import _table
from quantize.data.corpora import LABELS, find_corpora
from quantize.measure.evaluate import Evaluation
from quantize.measure.shared_sentences import shared_sentences


@pytest.fixture
def savee(tmp_path):
    """Every name of two of its speakers."""
    n_each = {code: 30 if code == "n" else 15 for code in ("a", "d", "f", "h", "n", "sa", "su")}
    touch(
        tmp_path,
        *(
            f"SAVEE/{speaker}/{code}{number:02d}.wav"
            for speaker in ("DC", "JK")
            for code, n in n_each.items()
            for number in range(1, n + 1)
        ),
    )
    return find_corpora([tmp_path], ["savee"], {}).clips


def test_sentences_of_one_emotion_are_left_out(data, savee):
    others = find_corpora([data], ["ravdess", "tess"], {}).clips
    shared = shared_sentences([*savee, *others])
    # Of RAVDESS and TESS every sentence is said in all of them.
    assert list(shared) == ["savee"]
    told = shared["savee"]
    assert not told[len(savee) :].any()
    numbers = [int(c.clip_id[-2:]) for c in savee]
    assert [bool(t) for t in told[: len(savee)]] == [n <= 3 for n in numbers]
    assert told.sum() == 2 * 7 * 3
    # Of one emotion alone there is nothing that gives it away.
    assert shared_sentences([c for c in savee if c.label == "angry"]) == {}
    assert shared_sentences([]) == {}


def test_recordings_without_known_sentences_have_no_such_figure(savee):
    own = [dataclasses.replace(c, corpus="own", sentence=c.clip_id) for c in savee]
    assert shared_sentences(own) == {}


def figures_of(clips, *, are_right):
    truth = np.array([LABELS.index(c.label) for c in clips])
    said = np.where(are_right, truth, (truth + 1) % len(LABELS))
    return Evaluation(tuple(clips), np.eye(len(LABELS))[said], LABELS, LABELS).figures()


def test_the_figure_is_that_of_those_clips(savee):
    chosen = shared_sentences(savee)["savee"]
    figures = figures_of(savee, are_right=chosen)
    assert figures["shared_sentences"]["savee"]["uar"] == 1.0
    assert figures["shared_sentences"]["savee"]["n"] == chosen.sum()
    assert figures["by_corpus"]["savee"]["accuracy"] == chosen.mean()


def test_evaluate_shows_it_beside_the_corpus(data, savee):
    others = find_corpora([data], ["tess"], {}).clips
    results = [
        {"run": name, "split": "s", **figures_of(clips, are_right=shared)}
        for name, clips, shared in (
            ("both", [*savee, *others], np.arange(len(savee) + len(others)) % 2 == 0),
            ("tess", others, np.ones(len(others), bool)),
        )
    ]
    lines = _table(results, None).splitlines()
    assert lines[0].endswith("  savee, shared sentences")
    own = results[0]["shared_sentences"]["savee"]["uar"]
    assert lines[1].split()[-1] == f"{100 * own:.1f}"
    assert lines[2].split()[-1] == "-"
    assert lines[3].split()[-1] == f"{100 * own:.2f}"
