"""Splits across corpora: nothing shared, and only classes that both sides have."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from quantize.basics.errors import SplitError
from quantize.data.corpora import CORPORA, DOMAINS, LABELS, Clip
from quantize.data.splits import (
    common_labels,
    german_to_english,
    leave_one_corpus_out,
    paper_split,
    validation_split,
)

SIX = ("neutral", "happy", "sad", "angry", "fearful", "disgust")
SEVEN = (*SIX, "surprised")


def make_clips(corpora: Iterable[str] = DOMAINS) -> list[Clip]:
    """Two speakers a corpus, one clip of each of their emotions; no files behind them."""
    return [
        Clip(
            clip_id=f"{name}/{speaker}-{native}",
            path=Path(f"/nowhere/{name}/{speaker}-{native}.wav"),
            corpus=name,
            speaker=f"{name}/{speaker}",
            gender=gender,
            label=label,
            native_label=native,
            language=CORPORA[name].language,
            sentence="1",
        )
        for name in corpora
        for speaker, gender in list(CORPORA[name].speakers.items())[:2]
        for native, label in CORPORA[name].labels.items()
        if label
    ]


CLIPS = make_clips()
BY_ID = {clip.clip_id: clip for clip in CLIPS}


def corpora_of(ids: Iterable[str]) -> set[str]:
    return {BY_ID[i].corpus for i in ids}


def labels_of(ids: Iterable[str]) -> set[str]:
    return {BY_ID[i].label for i in ids}


@pytest.mark.parametrize(("fold", "common"), [(0, SEVEN), (1, SEVEN), (2, SIX), (3, SEVEN)])
def test_a_fold_tests_one_corpus_on_the_classes_of_the_others(fold, common):
    split = leave_one_corpus_out(CLIPS, fold)
    assert split.id == f"leave-one-corpus-out-s0-f{fold}"
    assert corpora_of(split.test) == {DOMAINS[fold]}
    assert set(split.train) == {c.clip_id for c in CLIPS if c.corpus != DOMAINS[fold]}
    assert labels_of(split.test) == set(common)
    assert common_labels(split, CLIPS, LABELS) == common


def test_german_to_english_trains_on_emo_db_alone():
    split = german_to_english(CLIPS)
    assert split.id == "german-to-english-s0"
    assert corpora_of(split.train) == {"emo-db"}
    assert corpora_of(split.test) == {"ravdess", "savee", "tess"}
    assert labels_of(split.test) == set(SIX)
    assert common_labels(split, CLIPS, LABELS) == SIX


def test_the_rules_do_not_depend_on_the_order_of_the_clips():
    assert leave_one_corpus_out(CLIPS[::-1], 1) == leave_one_corpus_out(CLIPS, 1)
    assert german_to_english(CLIPS[::-1]) == german_to_english(CLIPS)


def test_other_splits_may_answer_anything():
    clips = CLIPS + [c for c in make_clips(["ravdess"]) if c.clip_id not in BY_ID]
    split = paper_split(clips, test_share=0.5)
    assert common_labels(split, clips, LABELS) == LABELS
    held_out = leave_one_corpus_out(CLIPS, 0)
    assert common_labels(validation_split(held_out, CLIPS), CLIPS, LABELS) == LABELS


@pytest.mark.parametrize("fold", [-1, 4])
def test_a_fold_that_is_not_there_is_refused(fold):
    with pytest.raises(SplitError, match=f"fold is {fold}, 0 to 3 is wanted"):
        leave_one_corpus_out(CLIPS, fold)


def test_missing_corpora_are_named():
    with pytest.raises(
        SplitError, match=r"leave-one-corpus-out, fold 1, has nothing to test on: it needs savee"
    ):
        leave_one_corpus_out(make_clips(["ravdess", "tess"]), 1)
    with pytest.raises(SplitError, match=r"has nothing to train on: it needs ravdess or savee"):
        leave_one_corpus_out(make_clips(["tess"]), 3)
    with pytest.raises(SplitError, match=r"german-to-english has nothing to train on.* emo-db"):
        german_to_english(make_clips(["ravdess", "tess"]))
