"""Clips that are parts of one recording, and clips of nobody known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.audio.file import write_wav
from edge.errors import AudioFileError
from quantize.basics.errors import SplitError
from quantize.data.corpora import Clip, load_corpora
from quantize.data.corpora.part import read_part
from quantize.data.features.cache import FeatureCache
from quantize.data.sound.reading import read_clip
from quantize.data.splits.by_name import make_split
from quantize.data.splits.check import check_split
from quantize.data.splits.rules import paper_split, speaker_folds
from quantize.data.splits.split import Split

RATE = 22050


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Six seconds of noise that gets louder."""
    noise = np.random.default_rng(3).uniform(-1, 1, 6 * RATE) * np.linspace(0.01, 0.5, 6 * RATE)
    write_wav(tmp_path / "long.wav", noise.astype(np.float32), RATE)
    return tmp_path


def clips_of(folder: Path, *times: tuple[str, str]) -> list[Clip]:
    lines = [f"long.wav,{'up' if i % 2 else 'down'},{a},{b}" for i, (a, b) in enumerate(times)]
    table = folder / "t.csv"
    table.write_text("path,label,start_s,end_s\n" + "\n".join(lines) + "\n")
    return load_corpora(table)[0]


def test_a_part_is_what_lies_between_its_times(recording: Path) -> None:
    whole = read_part(clips_of(recording, ("", ""))[0])[0]
    first, middle, last = clips_of(recording, ("", "1.5"), ("1.5", "4"), ("4", "99"))
    for clip, start_s, end_s in ((first, 0, 1.5), (middle, 1.5, 4), (last, 4, 6)):
        samples, rate = read_part(clip)
        assert rate == RATE
        np.testing.assert_array_equal(samples, whole[round(start_s * RATE) : round(end_s * RATE)])
    assert read_clip(middle, 16000).size == 2.5 * 16000
    with pytest.raises(AudioFileError, match=r"has 6\.0 s, and the clip begins at 7 s"):
        read_part(clips_of(recording, ("7", "8"))[0])


def test_each_part_has_rows_of_its_own(recording: Path, tmp_path: Path) -> None:
    clips = clips_of(recording, ("0", "2"), ("2", "4"), ("4", "6"))
    cache = FeatureCache(tmp_path / "cache")
    rows = cache.load(clips)
    assert len(rows) == 3
    first, second, third = (rows[clip.clip_id] for clip in clips)
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)
    moved = clips_of(recording, ("0", "2"), ("2.5", "4.5"))
    again = FeatureCache(tmp_path / "cache").load(moved)
    np.testing.assert_array_equal(again[moved[0].clip_id], first)
    assert not np.array_equal(again[moved[1].clip_id], second)


@pytest.mark.parametrize(("times", "leaks"), [(("2", "4"), False), (("1.9", "4"), True)])
def test_parts_on_both_sides_may_not_overlap(
    recording: Path, times: tuple[str, str], leaks: bool
) -> None:
    one, other = clips_of(recording, ("0", "2"), times)
    split = Split("paper", 0, None, "clip", (one.clip_id,), (other.clip_id,))
    if leaks:
        with pytest.raises(SplitError, match="overlap; give them other times"):
            check_split(split, [one, other], content=True)
    else:
        check_split(split, [one, other], content=True)


def test_a_split_that_the_recordings_came_with_is_kept(tmp_path: Path) -> None:
    lines = ["path,label,speaker,split"]
    for n, (speaker, side) in enumerate((("a", "train"), ("a", "val"), ("b", "test"), ("c", ""))):
        noise = np.random.default_rng(n).uniform(-1, 1, RATE).astype(np.float32)
        write_wav(tmp_path / f"{n}.wav", noise, RATE)
        lines.append(f"{n}.wav,up,{speaker},{side}")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    clips, _ = load_corpora(tmp_path / "t.csv")
    split = make_split(clips, "given", 0, 0, 5)
    assert (split.train, split.test, split.disjoint) == (("t/0",), ("t/2",), "speaker")
    rest = [clip for clip in clips if clip.side != "test"]
    split = make_split(rest, "given", 0, 0, 5)
    assert (split.train, split.test, split.disjoint) == (("t/0",), ("t/1",), "clip")
    with pytest.raises(SplitError, match=r"--split given needs .* there are 1 of no side, 1 train"):
        make_split([clip for clip in rest if clip.side != "validation"], "given", 0, 0, 5)


def test_where_nobody_says_who_speaks_only_the_random_split_is_made(recording: Path) -> None:
    clips = clips_of(recording, *((str(at), str(at + 0.5)) for at in range(6)))
    assert not any(clip.speaker_known for clip in clips)
    assert len(paper_split(clips).train) == 4
    with pytest.raises(SplitError, match=r"nobody says who speaks.*--split paper.*column speaker"):
        speaker_folds(clips)
