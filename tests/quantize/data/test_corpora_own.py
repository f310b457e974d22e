"""Anybody's recordings: a folder per label, folders of speakers, or a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from corpora_fakes import ids, touch

from edge.stream.label_words import fold
from quantize.basics.errors import CorpusError
from quantize.data.corpora import CorpusReport, find_corpora, load_corpora
from quantize.data.corpora.words import read_words


def labels(root: Path) -> list[tuple[str, str]]:
    return [(clip.clip_id, clip.label) for clip in load_corpora(root)[0]]


def mine(tmp_path: Path, *names: str) -> Path:
    return touch(tmp_path / "mine", *names)


def test_a_folder_is_a_label_by_its_own_word_unless_it_means_one_of_the_eight(
    tmp_path: Path,
) -> None:
    root = mine(tmp_path, "01_Anger/a.wav", "Cheering loud/b.FLAC", "calm-down/c.ogg", "Sad/d.wav")
    clips, [report] = load_corpora(root)
    assert [(c.clip_id, c.label, c.native_label) for c in clips] == [
        ("mine/01_Anger/a", "angry", "anger"),
        ("mine/Cheering loud/b", "cheering-loud", "cheering-loud"),
        ("mine/Sad/d", "sad", "sad"),
        ("mine/calm-down/c", "calm-down", "calm-down"),
    ]
    assert {(c.corpus, c.language, c.gender, c.speaker_known) for c in clips} == {
        ("mine", "unknown", "unknown", False)
    }
    assert report.licence == "not stated"
    assert report.notes[0] == "read anger as angry"
    assert "nobody says who speaks" in report.notes[1]
    assert "--split speaker" in report.notes[1]


def test_a_near_word_stands_for_itself_where_the_label_is_there_too() -> None:
    assert read_words(["joy", "anger", "angry"])[0] == {
        "joy": "happy", "anger": "angry", "angry": "angry",
    }  # fmt: skip
    found, notes = read_words(["joy", "happy"])
    assert found == {"joy": "joy", "happy": "happy"}
    assert notes == [
        "left joy as labels of their own beside happy; --map-label joy=happy makes them one"
    ]
    assert fold("  03 - Very   Happy ") == "very-happy"
    assert fold("42") == "42"


def test_a_word_that_may_be_misspelt_is_said_and_stays_a_label() -> None:
    found, notes = read_words(["angy", "angry", "Suprised", "sob", "hungry", "sad-2", "calm-down"])
    assert found == {
        "angy": "angy", "angry": "angry", "Suprised": "suprised", "sob": "sob",
        "hungry": "hungry", "sad-2": "sad-2", "calm-down": "calm-down",
    }  # fmt: skip
    assert notes == [
        "took angy for a label of its own; where angry is meant, --map-label angy=angry makes it "
        "that",
        "took suprised for a label of its own; where surprised is meant, --map-label "
        "suprised=surprised makes it that",
    ]


def test_words_that_differ_by_their_number_alone_are_not_made_one() -> None:
    with pytest.raises(CorpusError, match="the labels '1-star', '2_star', '3 star' differ by"):
        read_words(["1-star", "2_star", "3 star", "bad"])
    # One number counts them, and of the eight each may have several.
    words = ["01_cheer", "01 Cheer", "02_sob", "03_happy", "04_happiness", "5", "6", "star-1"]
    labels, _ = read_words(words)
    assert sorted(set(labels.values())) == ["5", "6", "cheer", "happy", "sob", "star-1"]


def test_speakers_are_read_above_labels_or_below_them(tmp_path: Path) -> None:
    root = mine(tmp_path, "ann/angry/1.wav", "ann/sad/1.wav", "bob/angry/1.wav")
    clips, [report] = load_corpora(root)
    assert [(c.speaker, c.label) for c in clips] == [
        ("mine/ann", "angry"), ("mine/ann", "sad"), ("mine/bob", "angry"),
    ]  # fmt: skip
    assert "read SPEAKER/LABEL/FILE" in report.notes
    assert report.speaker_counts == {"mine/ann": 2, "mine/bob": 1}
    other = touch(tmp_path / "other", "angry/ann/1.wav", "sad/ann/1.wav")
    assert {c.speaker for c in load_corpora(other)[0]} == {"other/ann"}
    # Strange labels below what looks like speakers.
    strange = touch(tmp_path / "strange", "spk1/crying/1.wav", "spk2/cheering/1.wav")
    assert [(c.speaker, c.label) for c in load_corpora(strange)[0]] == [
        ("strange/spk1", "crying"), ("strange/spk2", "cheering"),
    ]  # fmt: skip


def test_folders_around_everything_and_sides_do_not_matter(tmp_path: Path) -> None:
    root = mine(tmp_path, "archive/data/train/up/1.wav", "archive/data/test/down/2.wav")
    clips, _ = load_corpora(root)
    assert [(c.label, c.side) for c in clips] == [("down", "test"), ("up", "train")]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.wav", "b.wav"], "holds audio files in no folder: wanted are folders"),
        (["session/a.wav", "session/b.wav"], "lie in one folder, 'session'"),
        (["ann/x/1.wav", "bob/y/1.wav"], "neither is surely the label"),
        (["angry/sad/1.wav", "sad/angry/1.wav"], "neither is surely the label"),
        (["speaker_1/a.wav", "speaker_2/b.wav"], "look like speakers"),
    ],
)
def test_what_could_mean_two_things_is_refused(
    tmp_path: Path, names: list[str], message: str
) -> None:
    with pytest.raises(CorpusError, match=message):
        load_corpora(mine(tmp_path, *names))


def test_two_folders_of_one_name_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path, *(f"{top}/data/{name}" for top in "ab" for name in ("up/1.wav", "down/2.wav")))
    clips, _ = load_corpora([tmp_path / "a/data", tmp_path / "b/data"])
    assert {c.clip_id for c in clips} == {
        f"{top}-data/{name}" for top in "ab" for name in ("up/1", "down/2")
    }


def test_own_recordings_never_go_by_the_name_of_a_known_corpus(tmp_path: Path) -> None:
    touch(tmp_path, "TESS/up/1.wav", "TESS/down/1.wav")
    assert ids(tmp_path / "TESS") == ["own-tess/down/1", "own-tess/up/1"]


def test_label_map_and_names_hold_for_own_recordings(tmp_path: Path) -> None:
    root = mine(tmp_path, "joy/1.wav", "happy/1.wav", "noise/1.wav")
    clips, _ = load_corpora(root, ["mine"], {"joy": "happy", "noise": None})
    assert [(c.clip_id, c.label) for c in clips] == [
        ("mine/happy/1", "happy"), ("mine/joy/1", "happy"),
    ]  # fmt: skip


def write_table(root: Path, name: str, text: str) -> Path:
    root.mkdir(exist_ok=True)
    path = root / name
    path.write_text(text, encoding="utf-8-sig")
    return path


def reported(table: Path) -> CorpusReport:
    [report] = load_corpora(table)[1]
    return report


def test_a_table_names_files_labels_and_whatever_else_is_known(tmp_path: Path) -> None:
    touch(tmp_path, "audio/a.wav", "audio/b.wav")
    table = write_table(
        tmp_path,
        "calls.csv",
        "Path,label,speaker,language,corpus,start_s,end_s,split,notes\n"
        "audio/a.wav,Anger,ann,de,,0,2.5,train,x\n"
        "audio/a.wav,cheering,ann,de,,2.5,,test,\n"
        "audio\\b.wav,cheering,,,phone,,,,\n"
        "audio/c.wav,cheering,,,,,,,\n"
        ",cheering,,,,,,,\n"
        "audio/d.wav,,,,,,,,\n",
    )
    clips, reports = load_corpora(table)
    assert [
        (c.clip_id, c.label, c.speaker, c.language, c.start_s, c.end_s, c.side) for c in clips
    ] == [
        ("calls/audio/a@0-2.5", "angry", "calls/ann", "de", 0.0, 2.5, "train"),
        ("calls/audio/a@2.5-", "cheering", "calls/ann", "de", 2.5, None, "test"),
        ("phone/audio/b", "cheering", "phone/audio/b", "unknown", None, None, None),
    ]
    assert "not read: the column 'notes'" in reports[0].notes
    assert reports[0].skipped == {
        "no label": ("row 6",),
        "no path": ("row 5",),
        "the file is missing": (str(tmp_path / "audio/c.wav"),),
    }


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_lines_of_json(tmp_path: Path, separator: str) -> None:
    touch(tmp_path, "a.wav")
    text = f"path{separator}label\na.wav{separator}up\n"
    table = write_table(tmp_path, "x.tsv" if separator == "\t" else "x.csv", text)
    assert labels(table) == [("x/a", "up")]
    lines = json.dumps({"path": "a.wav", "label": "up", "speaker": 7}) + "\n\n"
    [clip] = load_corpora(write_table(tmp_path, "y.jsonl", lines))[0]
    assert (clip.label, clip.speaker) == ("up", "y/7")


def test_parquet_is_read_without_what_is_not_needed(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    touch(tmp_path, "a.wav")
    columns = {
        "path": ["a.wav"],
        "label": ["up"],
        "start_s": [0.5],
        "end_s": [None],
        "audio": [b""],
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    [clip] = load_corpora(tmp_path / "t.parquet")[0]
    assert (clip.clip_id, clip.start_s, clip.end_s) == ("t/a@0.5-", 0.5, None)
    assert "not read: the column 'audio'" in reported(tmp_path / "t.parquet").notes
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(CorpusError, match=r"bad\.parquet' cannot be read"):
        load_corpora(tmp_path / "bad.parquet")


def test_hugging_face_s_folders_are_read_by_their_tables(tmp_path: Path) -> None:
    root = mine(tmp_path, "train/1.wav", "train/2.wav", "test/1.wav", "test/stray.wav")
    write_table(root / "train", "metadata.csv", "file_name,label\n1.wav,up\n2.wav,down\n")
    write_table(root / "test", "metadata.jsonl", '{"file_name": "1.wav", "label": "up"}\n')
    found = find_corpora(root)
    assert [(c.clip_id, c.label, c.side) for c in found.clips] == [
        ("mine/test/1", "up", "test"),
        ("mine/train/1", "up", "train"),
        ("mine/train/2", "down", "train"),
    ]
    assert found.passed_over == {"no table names it": ((root / "test/stray.wav").as_posix(),)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\na.wav,up\n", "no column path, it has 'file', 'label': path and label"),
        ("a\n", "no column path and label"),
        ("", "no column path and label, it has none"),
        ("path,label\n", "has no row with a path and a label"),
        ("path,label\nnot.wav,up\n", r"none of the 1 file .* is there, such as '.*not\.wav'"),
        ("path,label,end_s\na.wav,up,x\n", "row 1 of .* has the end_s 'x', seconds"),
        ("path,label,start_s\na.wav,up,nan\n", "has the start_s 'nan'"),
        ("path,label,start_s,end_s\na.wav,up,3,2\n", "ends at 2 s and begins at 3 s"),
        ("path,label,split\na.wav,up,some\n", "has the split 'some', one of train"),
        ("path,label\na.txt,up\n", "has no row with a path"),
        ("path,label,label\na.wav,up,down\n", "two columns are called 'label'"),
        (
            "path,label,speaker\na.wav,up,ann\na.wav,up, down,bob\n",
            "row 2 has more cells than the header: one that holds ',' goes in quotation marks",
        ),
        (
            "path,label\na.wav,up\na.wav,Up\nx/../a.wav,down\n",
            "row 3 of .* labels 'a' 'down', row 1 'up': one label",
        ),
    ],
)
def test_a_wrong_table_is_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    touch(tmp_path, "a.wav")
    with pytest.raises(CorpusError, match=message) as error:
        load_corpora(write_table(tmp_path, "t.csv", text))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b"path,label\n\xff\xfe\x00,up\n"),
        ("t.csv", b"path,label\n" + b'"' + b"x" * 200_000),
        ("t.jsonl", b"{"),
        ("t.jsonl", b"[1]\n"),
        ("t.jsonl", b'{"path":' + b"[" * 100_000),
        ("t.parquet", b""),
    ],
)
def test_a_damaged_table_is_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match="cannot be read") as error:
        load_corpora(tmp_path / name)
    assert "\n" not in str(error.value)


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    table = write_table(tmp_path, "t.jsonl", '{"path": "a.wav", "label": "up"}\n\nnonsense\n')
    with pytest.raises(CorpusError, match="line 3 is no JSON: Expecting value"):
        load_corpora(table)


def test_empty_cells_behind_the_header_s_do_not_matter(tmp_path: Path) -> None:
    touch(tmp_path, "a.wav")
    assert labels(write_table(tmp_path, "t.csv", "path,label\na.wav,up,, \n")) == [("t/a", "up")]


def test_speakers_that_differ_by_capitals_alone_are_said(tmp_path: Path) -> None:
    root = mine(tmp_path, "Ann/angry/1.wav", "ann/sad/1.wav", "bob/sad/1.wav", "bob/angry/1.wav")
    [report] = find_corpora(root).reports
    [said] = [note for note in report.notes if "capitals" in note]
    assert "different people: Ann and ann; spell them" in said
    alike = mine(tmp_path / "other", "ann/angry/1.wav", "bob/sad/1.wav", "bob/angry/1.wav")
    assert not any("capitals" in note for note in find_corpora(alike).reports[0].notes)


def test_a_folder_that_only_holds_a_table_says_to_name_the_table(tmp_path: Path) -> None:
    write_table(tmp_path, "labels.csv", "path,label\n")
    with pytest.raises(CorpusError, match=r"--data '.*labels\.csv'"):
        load_corpora(tmp_path)


def test_links_in_circles_are_passed_over_and_said(tmp_path: Path) -> None:
    root = mine(tmp_path, "up/1.wav", "down/2.wav")
    (root / "up/loop").symlink_to(root / "up")
    (root / "up/self").symlink_to(root / "up/self")
    (root / "down/3.wav").symlink_to(root / "down/3.wav")
    (root / "away").symlink_to(tmp_path / "nowhere")
    found = find_corpora(root)
    assert [clip.clip_id for clip in found.clips] == ["mine/down/2", "mine/up/1"]
    assert found.passed_over == {
        "the link leads in a circle": (str(root / "up/loop"), str(root / "up/self")),
        "the link leads nowhere": (str(root / "away"),),
    }
    assert found.reports[0].skipped == {"the link leads in a circle": (str(root / "down/3.wav"),)}
    # Beside a table, whose files are told from the others by where they really lie.
    write_table(root, "metadata.csv", "path,label\nup/1.wav,up\ndown/2.wav,down\n")
    assert [clip.clip_id for clip in find_corpora(root).clips] == ["mine/down/2", "mine/up/1"]
    (tmp_path / "round").symlink_to(tmp_path / "round")
    with pytest.raises(CorpusError, match="is a link that leads in a circle"):
        load_corpora(tmp_path / "round")


def test_what_has_to_be_converted_or_unpacked_is_said(tmp_path: Path) -> None:
    root = touch(tmp_path / "mine", "up/1.m4a", "data.zip")
    with pytest.raises(
        CorpusError, match=r"no audio file; 1: \.m4a has to be converted .*unpacked"
    ):
        load_corpora(root)
