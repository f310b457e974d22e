"""The synthetic corpus: the originals' names, the same bytes for the same seed, learnable."""

from __future__ import annotations

import wave
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ParameterError
from quantize.basics.errors import CorpusError
from quantize.commands.main import main
from quantize.data.corpora import DOMAINS, Clip, load_corpora, synthetic
from quantize.data.corpora.synthetic import write_synthetic_corpus


@pytest.fixture(scope="module")
def root(synthetic_root: Path) -> Path:
    return synthetic_root


def samples(clip: Clip) -> np.ndarray:
    with wave.open(str(clip.path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def test_the_loader_takes_every_file_for_the_real_thing(root: Path) -> None:
    clips, reports = load_corpora(root, label_map={"boredom": "neutral"})
    assert all(report.skipped == {} for report in reports)
    assert [report.n_clips for report in reports] == [32, 28, 28, 28]
    assert len(clips) == len(list(root.rglob("*.wav"))) == 116
    counts = Counter((clip.speaker, clip.native_label) for clip in clips)
    assert set(counts.values()) == {2}
    assert len({clip.speaker for clip in clips}) == 2 * len(DOMAINS)


def test_clips_are_short_audible_and_unclipped(root: Path) -> None:
    for clip in load_corpora(root)[0]:
        x = samples(clip)
        assert 1.0 <= len(x) / 16000 <= 1.6
        assert np.abs(x).max() < 0.999
        assert np.sqrt(np.mean(x**2)) > 0.005


def test_level_follows_the_emotion(root: Path) -> None:
    by_label: dict[str, list[float]] = {}
    for clip in load_corpora(root)[0]:
        level_db = 10 * np.log10(np.mean(samples(clip) ** 2))
        by_label.setdefault(clip.label, []).append(float(level_db))
    assert min(by_label["angry"]) > max(by_label["neutral"]) > max(by_label["sad"])


def test_same_seed_same_bytes_and_another_seed_others(root: Path, tmp_path: Path) -> None:
    again = write_synthetic_corpus(tmp_path / "again", n_speakers=1, n_per_label=1)
    other = write_synthetic_corpus(tmp_path / "other", n_speakers=1, n_per_label=1, seed=1)
    assert all(path.is_file() for path in again)
    for path, path_other in zip(again, other, strict=True):
        name = path.relative_to(tmp_path / "again")
        assert path.read_bytes() == (root / name).read_bytes()
        assert path.read_bytes() != path_other.read_bytes()


def test_no_two_files_are_alike(root: Path) -> None:
    contents = [path.read_bytes() for path in root.rglob("*.wav")]
    assert len(set(contents)) == len(contents)


def test_recordings_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "TESS").mkdir()
    with pytest.raises(CorpusError, match="TESS' is there already"):
        write_synthetic_corpus(tmp_path, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["TESS"]


def test_made_recordings_are_not_mixed_with_somebody_s_own(tmp_path: Path) -> None:
    (tmp_path / "angry").mkdir()
    with pytest.raises(CorpusError, match="angry' is there already, and made recordings are not"):
        write_synthetic_corpus(tmp_path, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["angry"]
    (tmp_path / "file.wav").touch()
    with pytest.raises(CorpusError, match="Not a directory; give an empty folder"):
        write_synthetic_corpus(tmp_path / "file.wav", 1, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_speakers": 0}, "n_speakers must be at least 1, got 0"),
        ({"n_per_label": 0}, "n_per_label must be 1 to 8, got 0"),
        ({"n_per_label": 9}, "n_per_label must be 1 to 8, got 9"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_counts_out_of_range_are_refused(
    tmp_path: Path, options: dict[str, int], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        write_synthetic_corpus(tmp_path, **options)


def test_most_clips_a_label_keep_distinct_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthetic, "_voice", lambda *_: np.zeros(16))
    paths = write_synthetic_corpus(tmp_path, n_speakers=1, n_per_label=8)
    assert len(set(paths)) == len(paths) == (4 + 7 * 8) + 7 * 8 * 3
    assert len(load_corpora(tmp_path, label_map={"boredom": "neutral"})[0]) == len(paths)


def test_command_says_what_it_wrote_or_why_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["synthesise-corpus", str(tmp_path / "new"), "--speakers", "1", "--per-label", "1"]
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'new'}\n"
    assert len(load_corpora(tmp_path / "new", label_map={"boredom": "neutral"})[0]) == 29
    assert main(arguments) == 2
    assert "is there already" in capsys.readouterr().err
