"""Corpora are found in their own layouts; what is missing or odd is said, never guessed."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from corpora_fakes import ids, touch

from edge.errors import EdgeSerError, ParameterError
from quantize.basics.errors import CorpusError
from quantize.data.corpora import CORPORA, find_corpora, load_corpora
from quantize.data.corpora.survey import Survey, survey_table


def test_a_complete_corpus_is_reported_complete(tmp_path: Path) -> None:
    keys = CORPORA["savee"].expected_keys
    assert keys is not None
    touch(
        tmp_path,
        *(f"SAVEE/{key}.wav" for key in keys(frozenset(CORPORA["savee"].speakers), frozenset())),
    )
    clips, [report] = load_corpora(tmp_path, ["savee"])
    assert (len(clips), report.n_found, report.complete) == (480, 480, True)
    assert (report.missing_speakers, report.missing_clips, report.skipped) == ((), (), {})
    assert report.label_counts["neutral"] == 120
    assert report.label_counts["calm"] == 0


def test_missing_speakers_and_clips_are_named(tmp_path: Path) -> None:
    words = ("back", "bar")
    folders = [(s, e) for s in ("OAF", "YAF") for e in ("angry", "sad")]
    touch(
        tmp_path,
        *(f"TESS/{s}_{e}/{s}_{w}_{e}.wav" for (s, e), w in itertools.product(folders, words)),
    )
    (tmp_path / "TESS/OAF_sad/OAF_bar_sad.wav").unlink()
    touch(tmp_path, "RAVDESS/Actor_07/03-01-01-01-01-01-07.wav")
    ravdess, _, _, tess = load_corpora(tmp_path)[1]
    assert "tess/OAF_sad/OAF_bar_sad" in tess.missing_clips
    assert "tess/OAF_sad/OAF_back_sad" not in tess.missing_clips
    assert len(tess.missing_clips) == 2 * 7 * 2 - 7
    assert len(ravdess.missing_speakers) == 23
    assert "ravdess/07" not in ravdess.missing_speakers
    assert len(ravdess.missing_clips) == 59


def test_one_copy_of_a_clip_is_kept_wav_before_flac(tmp_path: Path) -> None:
    stem = "03-01-01-01-01-01-01"
    touch(
        tmp_path,
        f"RAVDESS/Actor_01/{stem}.flac",
        f"RAVDESS/Actor_01/{stem}.wav",
        f"RAVDESS/audio_speech_actors_01-24/Actor_01/{stem}.wav",
    )
    [clip], [report] = load_corpora(tmp_path, ["ravdess"])
    assert clip.path == tmp_path / f"RAVDESS/Actor_01/{stem}.wav"
    assert report.skipped == {
        "second copy of a clip": (
            f"RAVDESS/Actor_01/{stem}.flac",
            f"RAVDESS/audio_speech_actors_01-24/Actor_01/{stem}.wav",
        )
    }


def test_odd_files_are_left_out_with_a_reason(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "SAVEE/DC/a01.wav",
        "SAVEE/DC/._a01.wav",
        "SAVEE/DC/readme.txt",
        "SAVEE/DC/notes.wav",
        "SAVEE/.cache/DC/a02.wav",
    )
    (tmp_path / "SAVEE/DC/a02.wav").touch()
    clips, [report] = load_corpora(tmp_path, ["savee"])
    assert [clip.clip_id for clip in clips] == ["savee/DC/a01"]
    assert report.skipped == {
        "the file is empty": ("SAVEE/DC/a02.wav",),
        "the name is not emotion letters and two digits": ("SAVEE/DC/notes.wav",),
    }


def test_boredom_is_left_out_unless_mapped(tmp_path: Path) -> None:
    touch(tmp_path, "EMO-DB/wav/03a01Fa.wav", "EMO-DB/wav/03a01La.wav")
    clips, [report] = load_corpora(tmp_path, ["emo-db"])
    assert [clip.native_label for clip in clips] == ["happiness"]
    assert report.native_counts["boredom"] == (1, 81)
    assert any("boredom" in reason for reason in report.skipped)
    clips, [report] = load_corpora(tmp_path, ["emo-db"], {"boredom": "neutral"})
    assert [(clip.native_label, clip.label) for clip in clips] == [
        ("happiness", "happy"), ("boredom", "neutral"),
    ]  # fmt: skip
    assert report.skipped == {}
    assert ids(tmp_path, label_map={"boredom": "calm", "happiness": None}) == ["emo-db/03a01La"]


def test_order_does_not_depend_on_the_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(
        tmp_path,
        *(f"{c}/DC/a{i:02d}.wav" for c in ("SAVEE", "savee-database") for i in range(1, 6)),
        "EMO-DB/wav/03a01Fa.wav",
        "RAVDESS/Actor_01/03-01-01-01-01-01-01.wav",
    )
    first = load_corpora(tmp_path)
    walk, iterdir = os.walk, Path.iterdir

    def shuffled_walk(*args: object, **options: object):  # type: ignore[no-untyped-def]
        for parent, folders, files in walk(*args, **options):  # type: ignore[call-overload]
            folders.reverse()
            yield parent, folders, files[::-1]

    monkeypatch.setattr(os, "walk", shuffled_walk)
    monkeypatch.setattr(Path, "iterdir", lambda self: iter(list(iterdir(self))[::-1]))
    assert load_corpora(tmp_path) == first
    assert [clip.corpus for clip in first[0]] == ["ravdess"] + ["savee"] * 5 + ["emo-db"]
    assert ids(tmp_path, names=["emo-db", "ravdess"]) == [
        "ravdess/Actor_01/03-01-01-01-01-01-01", "emo-db/03a01Fa",
    ]  # fmt: skip


def test_the_root_may_be_the_corpus_folder_itself(tmp_path: Path) -> None:
    touch(tmp_path, "SAVEE/DC/a01.wav")
    assert ids(tmp_path / "SAVEE") == ["savee/DC/a01"]


def test_links_that_go_round_in_circles_end(tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/DC/a01.wav")
    (tmp_path / "SAVEE").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/DC/round").symlink_to(tmp_path / "elsewhere")
    clips, [report] = load_corpora(tmp_path, ["savee"])
    assert [clip.clip_id for clip in clips] == ["savee/DC/a01"]
    assert report.skipped == {}


def test_an_empty_or_missing_root_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no clip of any known corpus .* holds no audio file"):
        load_corpora(tmp_path)
    with pytest.raises(CorpusError, match="is not a folder"):
        load_corpora(tmp_path / "absent")
    touch(tmp_path, "SAVEE/DC/nonsense.wav")
    with pytest.raises(CorpusError, match="no clip of savee"):
        load_corpora(tmp_path, ["savee"])
    assert issubclass(CorpusError, EdgeSerError)


def test_a_link_to_nowhere_is_left_out_with_a_reason(tmp_path: Path) -> None:
    touch(tmp_path, "SAVEE/DC/a01.wav")
    (tmp_path / "SAVEE/DC/a02.wav").symlink_to(tmp_path / "gone.wav")
    clips, [report] = load_corpora(tmp_path, ["savee"])
    assert [clip.clip_id for clip in clips] == ["savee/DC/a01"]
    assert report.skipped == {"the link leads nowhere": ("SAVEE/DC/a02.wav",)}


def test_a_folder_that_cannot_be_read_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "SAVEE/DC/a01.wav")
    scandir = os.scandir

    def refuse(path: str | Path) -> object:
        if Path(path).name == "DC":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(CorpusError, match=r"no audio file; 1: cannot be read: Permission denied"):
        load_corpora(tmp_path)
    # Another one beside it is no reason to do without the rest.
    touch(tmp_path, "SAVEE/JE/a01.wav")
    found = find_corpora(tmp_path)
    assert [clip.clip_id for clip in found.clips] == ["savee/JE/a01"]
    [(reason, [path])] = found.passed_over.items()
    assert reason == "cannot be read: Permission denied"
    assert path.endswith("SAVEE/DC")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"names": ["cremad"]}, "called cremad: names must be some of ravdess, "),
        ({"names": []}, "got none"),
        ({"names": "savee"}, "must be a sequence"),
        (
            {"label_map": {"bordom": "neutral"}},
            "emotion word 'bordom' that --map-label .*; known are anger, .*boredom",
        ),
        (
            {"label_map": {"boredom": " "}},
            "an empty label; a word is wanted, such as one of neutral",
        ),
        ({"names": ["savee"], "label_map": {"boredom": "neutral"}}, "emotion word 'boredom'"),
    ],
)
def test_unknown_words_are_refused(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        load_corpora(tmp_path, **options)  # type: ignore[arg-type]


def test_table_is_aligned_and_says_what_is_missing(tmp_path: Path) -> None:
    touch(tmp_path, "SAVEE/DC/a01.wav", "SAVEE/DC/x.wav", "RAVDESS/read.txt")
    text = survey_table(Survey(find_corpora(tmp_path)))
    _, rule, *rows = text.split("\n\n")[0].splitlines()
    assert set(rule) == {"-"}
    assert [row.split()[:3] for row in rows] == [
        ["ravdess", "0", "-"],
        ["savee", "1", "1"],
        ["angry", "1", "1"],
        ["all", "1", "1"],
        ["angry", "1", "1"],
    ]
    assert max(map(len, text.splitlines())) <= 100
    plain = " ".join(text.split())
    assert "left out (1), the name is not emotion letters and two digits: SAVEE/DC/x.wav" in plain
    assert "no clip in" in plain
    assert "1 of the 480 clips of the complete corpus" in plain
    assert "tess (https://doi.org/10.5683/SP2/E8H2MF)" in plain


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge_ser_quantize", "corpora", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_command_prints_table_or_json(tmp_path: Path) -> None:
    touch(tmp_path, "SAVEE/DC/a01.wav")
    table = run(str(tmp_path), "--quick")
    assert (table.returncode, table.stderr) == (0, "")
    assert table.stdout.startswith("corpus")
    reports = list(map(json.loads, run(str(tmp_path), "--quick", "--json").stdout.splitlines()))
    assert [(r["corpus"], r["n_clips"]) for r in reports[:2]] == [("ravdess", 0), ("savee", 1)]
    assert reports[1]["label_counts"]["angry"] == 1
    assert [r["record"] for r in reports] == ["corpus"] * 4 + ["all"]


def test_command_ends_with_one_sentence_and_2(tmp_path: Path) -> None:
    result = run(str(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    [line] = result.stderr.splitlines()
    assert line.startswith("edge-ser-quantize: error: no clip of")


def test_own_recordings_that_are_not_there_are_told_from_those_that_are(tmp_path: Path) -> None:
    for label in ("up", "down"):
        (tmp_path / "mine" / label).mkdir(parents=True)
        (tmp_path / "mine" / label / "1.wav").write_bytes(b"RIFF")
    with pytest.raises(ParameterError, match=r"no corpus is called yours: .* table, here mine"):
        find_corpora(tmp_path / "mine", ["yours"])
