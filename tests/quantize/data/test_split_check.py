"""A split that leaks or was changed is caught; the value survives its file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_fakes import ALL_CLIPS, make_clips

from quantize.basics.errors import SplitError
from quantize.data.corpora import LABELS
from quantize.data.splits import (
    Split,
    check_split,
    paper_split,
    read_split,
    speaker_folds,
    validation_split,
    write_split,
)

properties = settings(deadline=None, max_examples=60)


def altered(split: Split, **changes: object) -> Split:
    return dataclasses.replace(split, **changes)  # type: ignore[arg-type]


@properties
@given(st.integers(0, 4), st.data())
def test_any_clip_moved_to_both_sides_is_caught(number: int, data: st.DataObject) -> None:
    for split in (paper_split(ALL_CLIPS, number), speaker_folds(ALL_CLIPS)[number]):
        leak = data.draw(st.sampled_from(split.train))
        with pytest.raises(SplitError, match="on both sides"):
            check_split(altered(split, test=(*split.test, leak)), ALL_CLIPS)


@properties
@given(st.integers(0, 4), st.data())
def test_any_clip_of_a_test_speaker_in_training_is_caught(number: int, data: st.DataObject) -> None:
    split = speaker_folds(ALL_CLIPS)[number]
    leak = data.draw(st.sampled_from(split.test))
    moved = altered(split, train=(*split.train, leak), test=tuple(set(split.test) - {leak}))
    with pytest.raises(SplitError, match="speakers on both sides: "):
        check_split(moved, ALL_CLIPS)
    check_split(altered(moved, disjoint="clip"), ALL_CLIPS)


def test_splits_that_do_not_fit_are_refused() -> None:
    split = paper_split(ALL_CLIPS)
    with pytest.raises(SplitError, match="training side of the split 'paper-s0' is empty"):
        check_split(altered(split, train=()), ALL_CLIPS)
    with pytest.raises(SplitError, match="test side of the split 'paper-s0' is empty"):
        check_split(altered(split, test=()), ALL_CLIPS)
    with pytest.raises(SplitError, match="names a clip twice"):
        check_split(altered(split, test=(*split.test, split.test[0])), ALL_CLIPS)
    with pytest.raises(SplitError, match="not here: a, b, c and 1 more; load the corpora"):
        check_split(altered(split, test=("a", "b", "c", "d")), ALL_CLIPS)
    with pytest.raises(SplitError, match="another clip has the id of 1 clip, too"):
        check_split(split, [*ALL_CLIPS, ALL_CLIPS[0]])


def test_the_same_audio_under_two_names_is_caught(tmp_path: Path) -> None:
    clips = [
        dataclasses.replace(clip, path=tmp_path / f"{number}.wav")
        for number, clip in enumerate(make_clips(["savee/DC"]))
    ]
    for clip in clips:
        clip.path.write_text(clip.clip_id)
    split = paper_split(clips)
    check_split(split, clips, content=True)
    by_id = {clip.clip_id: clip for clip in clips}
    by_id[split.test[0]].path.write_text(split.train[0])
    check_split(split, clips)
    with pytest.raises(SplitError, match=f"{split.train[0]} .*{split.test[0]} .*byte-identical"):
        check_split(split, clips, content=True)
    by_id[split.test[0]].path.unlink()
    with pytest.raises(SplitError, match=r"cannot read .*No such file"):
        check_split(split, clips, content=True)


def test_every_split_survives_its_file(tmp_path: Path) -> None:
    folds = speaker_folds(ALL_CLIPS, seed=3)
    for split in (paper_split(ALL_CLIPS), *folds, validation_split(folds[1], ALL_CLIPS)):
        write_split(split, tmp_path / "split.json")
        assert read_split(tmp_path / "split.json") == split
        assert [path.name for path in tmp_path.iterdir()] == ["split.json"]
    assert [fold.id for fold in folds][:2] == ["speaker-5fold-s3-f0", "speaker-5fold-s3-f1"]


def test_a_fingerprint_is_the_contents_own() -> None:
    split = Split("paper", 0, None, "clip", ("b", "a"), ("c",))
    assert split.train == ("a", "b")
    assert split.fingerprint == Split("paper", 0, None, "clip", ("a", "b"), ("c",)).fingerprint
    changes = [
        {"name": "other"}, {"seed": 1}, {"fold": 0}, {"disjoint": "speaker"},
        {"train": ("a",)}, {"test": ("c", "d")},
    ]  # fmt: skip
    others = {altered(split, **change).fingerprint for change in changes}
    assert len(others | {split.fingerprint}) == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train": ["x"]}, "does not match its fingerprint"),
        ({"seed": 1}, "does not match its fingerprint"),
        ({"extra": 1}, "has the keys"),
        ({"train": "abc"}, "train of a split must be a list of clip ids"),
        ({"test": [1]}, "test of a split must be a list of clip ids"),
        ({"name": 3}, "name must be text"),
        ({"seed": "0"}, "seed a whole number"),
        ({"fold": 0.5}, "fold must be a whole number or null, got 0.5"),
        ({"disjoint": "room"}, "disjoint must be 'clip' or 'speaker', got 'room'"),
    ],
)
def test_a_changed_file_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    data = {**paper_split(ALL_CLIPS).to_dict(), **change}
    (tmp_path / "split.json").write_text(json.dumps(data))
    with pytest.raises(SplitError, match=message):
        read_split(tmp_path / "split.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"name": "paper"}'])
def test_files_that_are_no_split_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(SplitError, match=r"cannot read the split|has the keys"):
        read_split(tmp_path / "split.json")
    with pytest.raises(SplitError, match="cannot read the split"):
        read_split(tmp_path / "absent.json")


def test_labels_of_the_helper_are_the_eight() -> None:
    assert {clip.label for clip in ALL_CLIPS} == set(LABELS)
