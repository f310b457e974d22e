"""Vectors of a large model: read, found by clip, refused where they do not fit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from quantize.basics.errors import CorpusError
from quantize.data.corpora import find_corpora
from quantize.data.embeddings import read_embeddings, write_embeddings


@pytest.fixture
def clips(data):
    return find_corpora([data], ["savee"], {}).clips


def table(path: Path, names: list[str], rows: np.ndarray) -> Path:
    write_embeddings(path, names, rows)
    return path


def drawn(n_rows: int, width: int = 5, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n_rows, width))
    return rows.astype(np.float16).astype(np.float32)


def test_a_clip_is_found_by_its_id_and_by_the_end_of_its_path(clips, tmp_path):
    rows = drawn(len(clips))
    ids = [clip.clip_id for clip in clips]
    ends = ["/".join(clip.path.with_suffix("").parts[-2:]) for clip in clips]
    files = ["/".join(clip.path.parts[-2:]) for clip in clips]
    for names in (ids, ends, files):
        found = read_embeddings([table(tmp_path / "a.npz", names, rows)])
        np.testing.assert_array_equal(found.of(clips), rows)
        assert found.width == 5
        assert len(found) == len(clips)


def test_the_longer_end_of_a_path_wins(clips, tmp_path):
    clip = clips[0]
    ends = ["/".join(clip.path.with_suffix("").parts[-n:]) for n in (1, 2)]
    found = read_embeddings([table(tmp_path / "a.npz", ends, drawn(2))])
    np.testing.assert_array_equal(found.of([clip])[0], drawn(2)[1])


def test_one_vector_for_two_clips_is_refused(clips, tmp_path):
    other = dataclasses.replace(
        clips[0], clip_id="savee/XX/a01", path=tmp_path / "XX" / clips[0].path.name
    )
    name = clips[0].path.stem
    short = read_embeddings([table(tmp_path / "a.npz", [name], drawn(1))])
    assert short.of(clips[:1]).shape == (1, 5)
    with pytest.raises(CorpusError, match=f"one vector, {name}, for {clips[0].clip_id} and sav"):
        short.of([clips[0], other])


def test_a_part_of_a_file_is_not_the_file(clips, tmp_path):
    clip = dataclasses.replace(clips[0], clip_id="own/a#1", start_s=1.0, end_s=2.0)
    name = clip.path.with_suffix("").name
    assert read_embeddings([table(tmp_path / "a.npz", [name], drawn(1))]).find(clip) is None
    own = read_embeddings([table(tmp_path / "b.npz", ["own/a#1"], drawn(1))])
    assert own.find(clip) is not None


def test_csv_and_npz_say_the_same_whatever_the_order(tmp_path):
    names, rows = ["b", "a"], drawn(2, 3)
    npz = read_embeddings([table(tmp_path / "a.npz", names, rows)])
    lines = [
        "x,clip,y,z",
        *(f"{r[0]!r},{n},{r[1]!r},{r[2]!r}" for n, r in zip(names, rows.tolist(), strict=True)),
    ]
    (tmp_path / "a.csv").write_text("\n".join(lines[:1] + lines[:0:-1]) + "\n")
    csv = read_embeddings([tmp_path / "a.csv"])
    assert csv.digest == npz.digest
    other = read_embeddings([table(tmp_path / "c.npz", names, rows + 1)])
    assert other.digest != npz.digest


def test_files_of_several_corpora_are_one(clips, tmp_path):
    ids, rows = [clip.clip_id for clip in clips], drawn(len(clips))
    parts = [
        table(tmp_path / "a.npz", ids[:9], rows[:9]),
        table(tmp_path / "b.npz", ids[9:], rows[9:]),
    ]
    np.testing.assert_array_equal(read_embeddings(parts).of(clips), rows)
    # The same vector twice is no contradiction.
    assert len(read_embeddings([parts[0], parts[0]])) == 9


def test_clips_without_a_vector_are_named(clips, tmp_path):
    found = read_embeddings([table(tmp_path / "a.npz", [clips[0].clip_id], drawn(1))])
    with pytest.raises(CorpusError, match=rf"lack {len(clips) - 1} clips of {len(clips)}, such as"):
        found.of(clips)


def test_what_holds_no_embeddings_is_refused(tmp_path):
    good = table(tmp_path / "good.npz", ["a", "b"], drawn(2))
    wider = table(tmp_path / "wider.npz", ["c"], drawn(1, 6))
    other = table(tmp_path / "other.npz", ["a"], drawn(1, 5, seed=1))
    flat = table(tmp_path / "flat.npz", ["a"], drawn(1)[0])
    few = table(tmp_path / "few.npz", ["a"], drawn(2))
    endless = table(tmp_path / "endless.npz", ["a"], np.full((1, 5), np.inf))
    objects = tmp_path / "objects.npz"
    np.savez(objects, clips=np.array([{}], dtype=object), embeddings=drawn(1))
    cut = tmp_path / "cut.npz"
    cut.write_bytes(good.read_bytes()[:100])
    words, ragged = tmp_path / "words.csv", tmp_path / "ragged.csv"
    words.write_text("clip,v\na,angry\n")
    ragged.write_text("clip,v\na,1,2\n")
    empty = table(tmp_path / "empty.npz", [], np.zeros((0, 5)))
    for paths, told in (
        ([tmp_path / "none.npz"], "holds no embeddings"),
        ([objects], "holds no embeddings"),
        ([cut], "holds no embeddings"),
        ([words], "holds no embeddings"),
        ([ragged], "line 2 has 3 cells"),
        ([flat], "one row of numbers a clip"),
        ([few], "names 1 clip and has numbers of shape"),
        ([endless], "not finite"),
        ([good, wider], "vectors of 6 numbers, the files before it of 5"),
        ([good, other], "a second, other vector of a"),
        ([empty], "there are no embeddings"),
    ):
        with pytest.raises(CorpusError, match=told):
            read_embeddings(paths)
