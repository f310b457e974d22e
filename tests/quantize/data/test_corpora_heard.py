"""Clips are opened: what they sound like is told, and what nothing can be learnt from."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from edge.audio.file import write_wav
from quantize.basics.errors import CorpusError
from quantize.commands.main import main
from quantize.data.corpora import find_corpora, load_corpora
from quantize.data.corpora.hearing import hear, hear_all
from quantize.data.corpora.usable import usable_clips

RATE = 16000


def noise(seed: int, seconds: float = 0.5, level: float = 0.1) -> np.ndarray:
    chance = np.random.default_rng(seed)
    return (level * chance.standard_normal(round(seconds * RATE))).clip(-1, 1).astype(np.float32)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two good clips, and one of everything that is wrong with others."""
    folder = tmp_path / "mine"
    for label in ("up", "down"):
        (folder / label).mkdir(parents=True)
    write_wav(folder / "up/good.wav", noise(1), RATE)
    write_wav(folder / "down/good.wav", noise(2), RATE)
    write_wav(folder / "up/silent.wav", np.full(RATE, 0.01, np.float32), RATE)
    write_wav(folder / "up/short.wav", noise(3, 0.02), RATE)
    (folder / "down/damaged.wav").write_bytes(b"RIFF and no more")
    (folder / "down/empty.wav").touch()
    nan = np.array([np.nan] * RATE, "<f4").tobytes()
    header = b"RIFF\0\0\0\0WAVEfmt " + np.array([16], "<u4").tobytes()
    header += np.array([3, 1], "<u2").tobytes() + np.array([RATE, 4 * RATE], "<u4").tobytes()
    header += np.array([4, 32], "<u2").tobytes() + b"data" + np.array([len(nan)], "<u4").tobytes()
    (folder / "down/nan.wav").write_bytes(header + nan)
    return folder


def test_what_a_clip_sounds_like(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for label in ("up", "down"):
        (folder / label).mkdir(parents=True)
    loud = noise(1, 1.0, 2.0)
    write_wav(folder / "up/loud.wav", loud, RATE)
    write_wav(folder / "up/phone.wav", noise(2, 1.0), 8000)
    paused = np.concatenate((noise(3, 0.5), np.zeros(RATE // 2, np.float32)))
    write_wav(folder / "down/paused.wav", paused, RATE)
    facts = {clip.clip_id: hear(clip) for clip in load_corpora(folder)[0]}
    assert [f.problem for f in facts.values()] == [None] * 3
    assert facts["mine/up/loud"].clips
    assert not facts["mine/down/paused"].clips
    assert facts["mine/up/phone"].narrow
    assert facts["mine/up/phone"].duration_s == 2.0
    assert facts["mine/down/paused"].pause_share == pytest.approx(0.5, abs=0.01)
    assert facts["mine/down/paused"].level_db == pytest.approx(-23, abs=0.2)
    assert (facts["mine/up/phone"].sample_rate, facts["mine/up/phone"].n_channels) == (8000, 1)


def test_clips_that_nothing_can_be_learnt_from_are_left_out_and_named(
    root: Path, tmp_path: Path
) -> None:
    clips, reports = load_corpora(root)
    usable = usable_clips(clips, reports, least_s=0.064, folder=tmp_path / "cache")
    assert [clip.clip_id for clip in usable.clips] == ["mine/down/good", "mine/up/good"]
    why = {Path(path).name: reason for reason, paths in usable.left_out.items() for path in paths}
    assert why["silent.wav"] == "is silence"
    assert why["short.wav"] == "is shorter than 64 ms"
    assert why["empty.wav"] == "the file is empty"
    assert set(why) == {"silent.wav", "short.wav", "empty.wav", "damaged.wav", "nan.wav"}
    assert set(usable.ids_left_out) == {
        "mine/up/silent", "mine/up/short", "mine/down/damaged", "mine/down/nan",
    }  # fmt: skip
    assert len(usable.sentences()) == len(usable.left_out)
    with pytest.raises(CorpusError, match=r"--strict: .*is silence") as error:
        usable_clips(clips, reports, least_s=0.064, folder=tmp_path / "cache", strict=True)
    assert all(name in str(error.value) for name in why)
    only = [clip for clip in clips if clip.clip_id == "mine/up/silent"]
    with pytest.raises(CorpusError, match="no clip can be learnt from"):
        usable_clips(only, [], least_s=0.064, folder=tmp_path / "cache")


def test_what_was_heard_is_kept_by_content(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips, reports = load_corpora(root)
    cache = tmp_path / "cache"
    first = usable_clips(clips, reports, least_s=0.064, folder=cache)
    heard: list[str] = []

    def listen(new, *_):  # type: ignore[no-untyped-def]
        heard.extend(clip.clip_id for clip in new)
        return hear_all(new)

    monkeypatch.setattr("quantize.data.corpora.usable.hear_all", listen)
    assert usable_clips(clips, reports, least_s=0.064, folder=cache) == first
    assert heard == []
    write_wav(root / "up/silent.wav", noise(9), RATE)
    os.utime(root / "up/silent.wav", ns=(1, 1))
    again = usable_clips(clips, reports, least_s=0.064, folder=cache)
    assert heard == ["mine/up/silent"]
    assert "mine/up/silent" in {clip.clip_id for clip in again.clips}
    # A damaged file of what was heard is no reason to end.
    (cache / "heard.json").write_text((cache / "heard.json").read_text()[:100])
    assert usable_clips(clips, reports, least_s=0.064, folder=cache) == again


def test_the_command_shows_one_table_within_100_columns(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "up/copy.wav").write_bytes((root / "up/good.wav").read_bytes())
    (root / "up/film.mp4").write_bytes(b"x")
    assert main(["corpora", str(root), "--workers", "1"]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 100
    rows = [line.split() for line in text.split("\n\n")[0].splitlines()]
    # Of seven that are found three can be used: good ones, and the copy of one.
    assert rows[2][:3] == ["mine", "3", "-"]
    assert [row[0] for row in rows[2:]] == ["mine", "down", "up"]
    plain = " ".join(text.split())
    assert "left out (1), is silence:" in plain
    assert "the same sound under several names (1): mine/up/copy = mine/up/good" in plain
    assert "passed over (1), .mp4 has to be converted" in plain
    assert "licence: not stated" in plain


def test_the_command_s_records_have_stable_keys(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["corpora", str(root), "--json", "--workers", "1"]) == 0
    corpus, everything = map(json.loads, capsys.readouterr().out.splitlines())
    documented = (Path(__file__).parents[3] / "docs/corpora.md").read_text()
    for record in (corpus, corpus["heard"], everything):
        assert all(f"`{key}`" in documented for key in record)
    assert corpus["heard"]["labels"]["up"]["n_clips"] == 1
    assert corpus["heard"]["unusable"]["is silence"] == [(root / "up/silent.wav").as_posix()]
    assert main(["corpora", str(root), "--json", "--quick"]) == 0
    quick = json.loads(capsys.readouterr().out.splitlines()[0])
    assert set(quick) == set(corpus)
    assert quick["heard"] is None


def test_two_processes_hear_the_same(root: Path) -> None:
    clips = find_corpora(root).clips
    assert list(hear_all(clips * 2, 2)) == list(hear_all(clips * 2))
