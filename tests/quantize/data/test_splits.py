"""Splits: always the same, never leaking, and refused when they do."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_fakes import ALL_CLIPS, ALL_SPEAKERS, make_clips

from edge.errors import ParameterError
from quantize.basics.errors import SplitError
from quantize.data.corpora import CORPORA, Clip
from quantize.data.splits import (
    Split,
    paper_split,
    speaker_folds,
    validation_split,
)

some_speakers = st.lists(st.sampled_from(ALL_SPEAKERS), min_size=1, max_size=12, unique=True)
seeds = st.integers(0, 2**32)
properties = settings(deadline=None, max_examples=60)


def speakers_of(ids: tuple[str, ...], clips: list[Clip]) -> set[str]:
    by_id = {clip.clip_id: clip.speaker for clip in clips}
    return {by_id[clip_id] for clip_id in ids}


# --- paper ---


@properties
@given(some_speakers, st.integers(2, 7), seeds, st.floats(0.01, 0.99))
def test_paper_split_divides_every_stratum(
    speakers: list[str], n_per_label: int, seed: int, share: float
) -> None:
    clips = make_clips(speakers, n_per_label)
    split = paper_split(clips, seed, share)
    assert sorted(split.train + split.test) == sorted(clip.clip_id for clip in clips)
    by_id = {clip.clip_id: (clip.corpus, clip.label) for clip in clips}
    n_test = Counter(by_id[i] for i in split.test)
    for stratum, n in Counter(by_id.values()).items():
        assert 1 <= n_test[stratum] <= n - 1
        assert abs(n_test[stratum] - share * n) <= 1


@properties
@given(some_speakers, seeds, st.randoms())
def test_splits_do_not_depend_on_the_order_of_the_clips(speakers, seed, random) -> None:  # type: ignore[no-untyped-def]
    clips = make_clips(speakers, 4)
    mixed = random.sample(clips, len(clips))
    assert paper_split(clips, seed) == paper_split(mixed, seed)
    assert validation_split(paper_split(clips, seed), clips) == validation_split(
        paper_split(mixed, seed), mixed
    )


def test_paper_split_follows_its_seed_and_hardly_moves_when_a_clip_is_lost() -> None:
    first, second = paper_split(ALL_CLIPS, 0), paper_split(ALL_CLIPS, 1)
    assert set(first.test) != set(second.test)
    assert abs(len(first.test) / len(ALL_CLIPS) - 0.2) < 0.02
    lost = first.train[7]
    fewer = paper_split([clip for clip in ALL_CLIPS if clip.clip_id != lost], 0)
    assert len(set(fewer.test) ^ set(first.test)) <= 1


# The rules must never change: published figures name them. If one of these fails, give the
# changed rule a new name instead of a new digest.
def test_the_rules_are_the_published_ones() -> None:
    folds = speaker_folds(ALL_CLIPS)
    assert paper_split(ALL_CLIPS, 0).fingerprint[:16] == "9b1f64a67cb33290"
    assert validation_split(folds[0], ALL_CLIPS).fingerprint[:16] == "e0c228ac9605d4b1"
    assert [fold.fingerprint[:8] for fold in speaker_folds(ALL_CLIPS, seed=1)] == [
        "4482619f", "0d954c0f", "5cef309b", "16b96ed6", "e6b1c413",
    ]  # fmt: skip
    assert [" ".join(sorted(speakers_of(fold.test, ALL_CLIPS))) for fold in folds] == [
        "emo-db/12 emo-db/14 ravdess/01 ravdess/10 ravdess/11 ravdess/20 ravdess/21 savee/DC",
        "emo-db/13 emo-db/15 ravdess/03 ravdess/08 ravdess/13 ravdess/18 ravdess/23 savee/JE",
        "emo-db/03 emo-db/09 ravdess/05 ravdess/06 ravdess/15 ravdess/16 savee/JK",
        "emo-db/08 emo-db/10 ravdess/04 ravdess/07 ravdess/14 ravdess/17 ravdess/24 savee/KL "
        "tess/YAF",
        "emo-db/11 emo-db/16 ravdess/02 ravdess/09 ravdess/12 ravdess/19 ravdess/22 tess/OAF",
    ]


def test_one_clip_of_a_stratum_trains() -> None:
    clips = make_clips(["savee/DC"], n_per_label=1)
    with pytest.raises(SplitError, match="test side of the split 'paper-s0' is empty"):
        paper_split(clips)


# --- speaker folds ---


def test_five_folds_of_the_complete_corpora_are_balanced() -> None:
    folds = speaker_folds(ALL_CLIPS)
    held_out = [speakers_of(fold.test, ALL_CLIPS) for fold in folds]
    assert sorted(speaker for fold in held_out for speaker in fold) == sorted(ALL_SPEAKERS)
    for fold in held_out:
        actors = [int(s[-2:]) for s in fold if s.startswith("ravdess")]
        assert len(actors) in (4, 5)
        assert sum(actor % 2 for actor in actors) in (2, 3)
        genders = [CORPORA["emo-db"].speakers[s[-2:]] for s in fold if s.startswith("emo-db")]
        assert sorted(genders) == ["female", "male"]
    assert [sum(s.startswith("savee") for s in fold) for fold in held_out] == [1, 1, 1, 1, 0]
    assert [sum(s.startswith("tess") for s in fold) for fold in held_out] == [0, 0, 0, 1, 1]


def test_without_the_last_actors_the_folds_stay_balanced() -> None:
    clips = [c for c in ALL_CLIPS if c.speaker not in ("ravdess/23", "ravdess/24", "emo-db/16")]
    for fold in speaker_folds(clips):
        held_out = speakers_of(fold.test, clips)
        assert sum(s.startswith("ravdess") for s in held_out) in (4, 5)
        assert sum(s.startswith("emo-db") for s in held_out) in (1, 2)


def folds_or_none(clips: list[Clip], n_folds: int, seed: int) -> list[Split] | None:
    """The folds, or None when one would hold out nobody; any other refusal is a failure."""
    try:
        return speaker_folds(clips, n_folds, seed)
    except SplitError as error:
        if "holds out nobody" not in str(error):
            raise
        return None


@properties
@given(some_speakers, st.integers(2, 5), seeds)
def test_speaker_folds_test_each_speaker_once_or_are_refused(
    speakers: list[str], n_folds: int, seed: int
) -> None:
    clips = make_clips(speakers)
    folds = folds_or_none(clips, n_folds, seed)
    if folds is None:
        return
    tested = [s for fold in folds for s in speakers_of(fold.test, clips)]
    assert sorted(tested) == sorted(speakers)
    for fold in folds:
        assert not speakers_of(fold.train, clips) & speakers_of(fold.test, clips)
        assert len(fold.train) + len(fold.test) == len(clips)


@properties
@given(st.lists(st.sampled_from(ALL_SPEAKERS), max_size=20, unique=True), seeds)
def test_a_speakers_fold_does_not_depend_on_who_else_is_here(absent: list[str], seed: int) -> None:
    clips = [clip for clip in ALL_CLIPS if clip.speaker not in absent]
    folds = folds_or_none(clips, 5, seed)
    if folds is None:
        return
    for fold, complete in zip(folds, speaker_folds(ALL_CLIPS, seed=seed), strict=True):
        assert set(fold.test) == set(complete.test) & {clip.clip_id for clip in clips}


def test_too_many_folds_are_refused() -> None:
    clips = make_clips(["savee/DC", "savee/JE"])
    with pytest.raises(SplitError, match=r"fold 2 of 5 holds out nobody.*only 2 speakers"):
        speaker_folds(clips)
    with pytest.raises(ParameterError, match="n_folds is 1, 2 to 1000 are wanted"):
        speaker_folds(clips, 1)


# --- validation ---


@properties
@given(some_speakers, seeds, st.floats(0.05, 0.95))
def test_validation_comes_out_of_training_alone(
    speakers: list[str], seed: int, share: float
) -> None:
    clips = make_clips(speakers, 4)
    split = paper_split(clips, seed)
    part = validation_split(split, clips, share, seed)
    assert (part.name, part.disjoint) == ("paper/validation", "clip")
    assert sorted(part.train + part.test) == sorted(split.train)


@properties
@given(st.integers(0, 4), seeds, st.floats(0.05, 0.5))
def test_validation_of_a_speaker_fold_is_speaker_disjoint(
    number: int, seed: int, share: float
) -> None:
    fold = speaker_folds(ALL_CLIPS)[number]
    part = validation_split(fold, ALL_CLIPS, share, seed)
    assert (part.name, part.fold, part.disjoint) == ("speaker-5fold/validation", number, "speaker")
    assert sorted(part.train + part.test) == sorted(fold.train)
    held_out = speakers_of(part.test, ALL_CLIPS)
    assert not held_out & speakers_of(part.train, ALL_CLIPS)
    per_corpus = Counter(speaker.split("/")[0] for speaker in held_out)
    assert per_corpus["tess"] == 0
    assert min(per_corpus[name] for name in ("ravdess", "savee", "emo-db")) >= 1


def test_a_small_validation_part_has_both_genders() -> None:
    fold = speaker_folds(ALL_CLIPS)[0]
    for seed in range(20):
        held_out = speakers_of(validation_split(fold, ALL_CLIPS, 0.1, seed).test, ALL_CLIPS)
        actors = [int(s[-2:]) % 2 for s in held_out if s.startswith("ravdess")]
        assert sorted(actors) == [0, 1]


def test_two_speakers_are_parted_and_one_is_refused() -> None:
    clips = make_clips(["tess/OAF", "tess/YAF", "savee/DC"])
    folds = speaker_folds(clips, 2)
    alone = next(fold for fold in folds if len(speakers_of(fold.train, clips)) == 1)
    pair = next(fold for fold in folds if len(speakers_of(fold.train, clips)) == 2)
    assert len(speakers_of(validation_split(pair, clips).test, clips)) == 1
    with pytest.raises(SplitError, match="test side of the split 'speaker-2fold/validation"):
        validation_split(alone, clips)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_shares_out_of_range_are_refused(share: float) -> None:
    with pytest.raises(ParameterError, match=r"test_share is .*, a number above 0 and below 1"):
        paper_split(ALL_CLIPS, test_share=share)
    with pytest.raises(ParameterError, match=r"share is .*, a number above 0 and below 1"):
        validation_split(paper_split(ALL_CLIPS), ALL_CLIPS, share)
