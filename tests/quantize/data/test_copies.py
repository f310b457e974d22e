"""The same sound twice: under two labels it is said, on both sides of a split refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge.audio.file import write_wav
from quantize.basics.errors import SplitError
from quantize.commands.main import main
from quantize.data.corpora import find_corpora
from quantize.data.corpora.copies import copies_among, labelled_twice, refuse_copies
from quantize.data.corpora.hearing import hear
from quantize.data.corpora.usable import usable_clips

RATE = 16000


def noise(seed: int) -> np.ndarray:
    chance = np.random.default_rng(seed)
    return (0.1 * chance.standard_normal(RATE)).clip(-1, 1).astype(np.float32)


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    """Five speakers, a clip of each of two labels."""
    folder = tmp_path / "mine"
    for speaker in range(5):
        for place, label in enumerate(("angry", "sad")):
            (folder / f"spk{speaker}" / label).mkdir(parents=True)
            write_wav(folder / f"spk{speaker}/{label}/1.wav", noise(10 * speaker + place), RATE)
    return folder


def train(data: Path, out: Path, *words: str) -> int:
    cache = str(out.parent / "cache")
    return main(
        ["train", "--data", str(data), "--out", str(out), "--cache", cache, "--workers", "1",
         "--epochs", "1", "--hidden", "4", "--variants", "0", "--no-pictures", *words]
    )  # fmt: skip


def as_flac(wav: Path, flac: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    samples, rate = soundfile.read(wav, dtype="int16")
    soundfile.write(flac, samples, rate)


def test_a_copy_under_another_speaker_s_name_is_refused(
    spoken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    as_flac(spoken / "spk0/angry/1.wav", spoken / "spk1/angry/2.flac")
    assert train(spoken, tmp_path / "run", "--split", "speaker", "--fold", "0") == 2
    said = capsys.readouterr().err
    assert "the same sound is on both sides of the split" in said
    assert "mine/spk0/angry/1" in said
    assert "mine/spk1/angry/2" in said
    assert not (tmp_path / "run").exists()
    # On one side it is no harm.
    assert train(spoken, tmp_path / "run", "--split", "speaker", "--fold", "4") == 0


def test_a_recording_of_two_labels_is_said_by_both_commands(
    spoken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (spoken / "spk0/sad/2.wav").write_bytes((spoken / "spk0/angry/1.wav").read_bytes())
    words = (
        "1 recording under different labels, of which one at most is right: "
        "mine/spk0/angry/1 (angry) = mine/spk0/sad/2 (sad)"
    )
    assert main(["corpora", str(spoken), "--workers", "1"]) == 0
    assert words in " ".join(capsys.readouterr().out.split())
    assert train(spoken, tmp_path / "run", "--split", "speaker", "--fold", "4") == 0
    assert words in capsys.readouterr().err


def test_a_file_that_was_cut_off_is_taken_and_said(
    spoken: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = spoken / "spk0/sad/1.wav"
    cut.write_bytes(cut.read_bytes()[:RATE])
    clips = find_corpora(spoken).clips
    usable = usable_clips(clips, [], least_s=0.1, folder=tmp_path / "cache")
    assert len(usable.clips) == 10
    assert list(usable.odd) == [str(cut)]
    [said] = usable.remarks()
    assert said.startswith(f"{cut}: its header promises 1.0 s of sound and 0.5 s are there")
    # And again where it was heard before.
    assert usable_clips(clips, [], least_s=0.1, folder=tmp_path / "cache") == usable
    assert main(["corpora", str(spoken), "--workers", "1", "--json"]) == 0
    record = json.loads(capsys.readouterr().out.splitlines()[0])
    assert list(record["heard"]["odd"]) == [cut.as_posix()]
    assert main(["corpora", str(spoken), "--workers", "1"]) == 0
    assert "taken, and odd (1):" in capsys.readouterr().out


def test_copies_are_found_among_what_was_heard_alone(spoken: Path) -> None:
    (spoken / "spk0/angry/2.wav").write_bytes((spoken / "spk0/angry/1.wav").read_bytes())
    clips = find_corpora(spoken).clips
    heard = {clip.clip_id: hear(clip) for clip in clips}
    [group] = copies_among(clips, heard)
    assert [clip.clip_id for clip in group] == ["mine/spk0/angry/1", "mine/spk0/angry/2"]
    assert copies_among(clips, {}) == []
    assert labelled_twice([group]) is None
    refuse_copies(group, [], [group])
    with pytest.raises(SplitError, match=r"angry/2 \(training\) and .*angry/1 \(held out\)"):
        refuse_copies(group[1:], group[:1], [group])
