"""Labels and corpora of a run: which, in what order, and what is refused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from edge.errors import ParameterError
from quantize.basics.errors import CorpusError
from quantize.data.corpora import (
    DOMAINS,
    LABELS,
    Clip,
    check_labels,
    choose_domains,
    choose_labels,
    label_numbers,
    labelled,
)
from quantize.runs.settings import RunSettings
from quantize.training.label_choice import remarks


def clips(*labels: str, corpus: str = "own") -> list[Clip]:
    return [
        Clip(
            f"{corpus}/{n}", Path("a.wav"), corpus, f"{corpus}/a", "female", label, label, "en", ""
        )
        for n, label in enumerate(labels)
    ]


def test_the_four_corpora_alone_keep_the_eight_and_the_four():
    german = clips("angry", "sad", corpus="emo-db")
    assert choose_labels(german) == LABELS
    assert choose_domains(german) == DOMAINS


def test_own_clips_have_the_labels_that_occur_the_eight_first():
    found = clips("crying", "sad", "cheering", "angry")
    assert choose_labels(found) == ("sad", "angry", "cheering", "crying")
    assert choose_domains(found) == ("own",)
    both = found + clips("happy", corpus="tess")
    assert choose_labels(both) == ("happy", "sad", "angry", "cheering", "crying")
    assert choose_domains(both) == ("tess", "own")


def test_a_word_of_a_known_corpus_that_was_renamed_is_a_label():
    assert choose_labels(clips("bored", "sad", corpus="emo-db")) == ("sad", "bored")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"], r"there is 1 label \('a'\), 2 to 100 are wanted"),
        ([f"l{n}" for n in range(101)], "there are 101 labels"),
        (["a", "b", "a"], "'a' is named twice"),
        (["a", " "], "' ' is no label"),
        (["a", "b,c"], "'b,c' is no label"),
        (["a", "b\nc"], "is no label"),
    ],
)
def test_what_can_be_no_labels_is_refused(labels, message):
    with pytest.raises(ParameterError, match=message):
        check_labels(labels)


def test_a_label_without_a_clip_is_refused_with_what_is_there():
    found = clips("calm", "calm", "crying")
    assert len(labelled(found, ("crying", "calm"))) == 3
    assert len(labelled(found, ("crying",))) == 1
    with pytest.raises(CorpusError, match=r"labelled joy; there are calm \(2\), crying \(1\): "):
        labelled(found, ("crying", "joy"))


def test_numbers_are_places_in_the_models_order_and_strangers_are_counted():
    found = clips("calm", "crying", "calm")
    assert label_numbers(found, ("crying", "calm")).tolist() == [1, 0, 1]
    with pytest.raises(
        CorpusError, match=r"2 have a label .* not trained on: calm \(2\); it tells"
    ):
        label_numbers(found, ("crying", "joy"))


def test_a_label_of_which_there_is_no_clip_is_named():
    run = RunSettings(corpora=("ravdess",))

    def said(*labels: str) -> list[str]:
        side = clips("calm", "sad", corpus="ravdess")
        return [s for s in remarks(side, side, labels, ("ravdess", "tess"), run) if "no clip" in s]

    [remark] = said("calm", "sad", "neutral", "happy")
    assert remark.startswith("no clip is labelled neutral or happy: the model has an output for")
    assert said("calm", "sad") == []


def test_labels_that_a_device_says_of_itself_are_named():
    run = RunSettings(corpora=("own",))

    def said(*labels: str) -> list[str]:
        side = clips(*labels)
        return [s for s in remarks(side, side, labels, ("own",), run) if "device" in s]

    [remark] = said("no-speech", "sad", "uncertain")
    assert remark.startswith("no-speech and uncertain are also what a device says where no label")
    assert "--map-label no-speech=OTHER" in remark
    assert said("speech", "sad") == []


def test_voices_on_both_sides_of_a_split_that_came_with_the_clips_are_said():
    def said(train: str, held_out: str, *, known: bool = True, split: str = "given") -> list[str]:
        sides = [
            [
                dataclasses.replace(clip, speaker=f"own/{name}", speaker_known=known)
                for clip, name in zip(clips(*"ab" * len(names)), names, strict=False)
            ]
            for names in (train, held_out)
        ]
        run = RunSettings(corpora=("own",), split=split)
        return [s for s in remarks(*sides, ("a", "b"), ("own", "other"), run) if "both sides" in s]

    [shared] = said("xy", "yz")
    assert "the given split has 1 speaker on both sides (own/y): strangers" in shared
    assert said("xy", "zu") == []
    # Of the paper's split it is known.
    assert said("xy", "yz", split="paper") == []
    for split in ("given", "paper"):
        assert "nobody says who speaks in 4 clips" in said("xy", "zu", known=False, split=split)[0]
    assert said("xy", "zu", known=False, split="speaker") == []
