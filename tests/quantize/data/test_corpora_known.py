"""Every known corpus is told by its file names, in whatever folder they lie."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpora_fakes import touch

from quantize.basics.errors import CorpusError
from quantize.data.corpora import CORPORA, LABELS, LICENCES, load_corpora

#: Path below some folder; then clip id, speaker, gender, label and language.
NAMES = [
    (
        "AudioWAV/1002_DFA_ANG_XX.wav",
        ("crema-d/1002_DFA_ANG_XX", "crema-d/1002", "female", "angry", "en"),
    ),
    (
        "AudioWAV/1091_IEO_FEA_HI.WAV",
        ("crema-d/1091_IEO_FEA_HI", "crema-d/1091", "female", "fearful", "en"),
    ),
    ("f1/gio-f1-b2.ogg", ("emovo/f1/gio-f1-b2", "emovo/f1", "female", "happy", "it")),
    ("TRI-M2-N5.WAV", ("emovo/m2/tri-m2-n5", "emovo/m2", "male", "sad", "it")),
    (
        "samples/EB0_surprised_57.wav",
        ("nemo/EB0_surprised_57", "nemo/EB0", "unknown", "surprised", "pl"),
    ),
    ("Angry/SM1_F4_A04.wav", ("urdu/SM1_F4_A04", "urdu/SM1", "male", "angry", "ur")),
    (
        "Sound Source/Calm/1157_kz_acik.wav",
        ("turev-db/calm/1157_kz_acik", "turev-db/1157", "unknown", "calm", "tr"),
    ),
    ("female/F21W04.wav", ("shemo/F21W04", "shemo/F21", "female", "surprised", "fa")),
    ("0011/Angry/0011_000351.wav", ("esd/0011_000351", "esd/0011", "male", "angry", "en")),
    ("0003/Sad/test/0003_001400.wav", ("esd/0003_001400", "esd/0003", "female", "sad", "zh")),
    (
        "JL(wav+txt)/female2_angry_10a_1.wav",
        ("jl-corpus/female2_angry_10a_1", "jl-corpus/female2", "female", "angry", "en"),
    ),
    ("Colère/Fort/02-C-2-6.wav", ("cafe/02-C-2-6", "cafe/02", "female", "angry", "fr")),
    ("anger/a03 (4).wav", ("aesdd/a03 (4)", "aesdd/4", "unknown", "angry", "el")),
    (
        "jenie_Angry/anger_1-28_0011.wav",
        ("emov-db/jenie/anger_1-28_0011", "emov-db/jenie", "female", "angry", "en"),
    ),
    (
        "sam/Disgusted/disgust_57-84_0060.wav",
        ("emov-db/sam/disgust_57-84_0060", "emov-db/sam", "male", "disgust", "en"),
    ),
    (
        "Anger_F_A_abajo.wav",
        ("mesd/anger_F_A_abajo", "mesd/anger_F_A_abajo", "female", "angry", "es"),
    ),
    (
        "F_01_OISHI_S_10_SURPRISE_5.wav",
        ("subesco/F_01_OISHI_S_10_SURPRISE_5", "subesco/F_01", "female", "surprised", "bn"),
    ),
    (
        "actor_12/03-01-06-01-02-12-02-01-02-01.wav",
        ("asvp-esd/03-01-06-01-02-12-02-01-02-01", "asvp-esd/12", "male", "fearful", "en"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected"), NAMES)
@pytest.mark.parametrize("place", ["archive (1)/data", "."])
def test_a_clip_of_each_layout_wherever_it_lies(
    tmp_path: Path, place: str, name: str, expected: tuple[str, ...]
) -> None:
    clips, reports = load_corpora(touch(tmp_path, f"{place}/{name}"))
    [clip] = clips
    assert (clip.clip_id, clip.speaker, clip.gender, clip.label, clip.language) == expected
    assert clip.path == tmp_path / place / name
    assert [r.corpus for r in reports] == [clip.corpus]
    assert reports[0].licence == LICENCES[clip.corpus] != ""
    # By the corpus's own name, too.
    assert load_corpora(tmp_path, [clip.corpus])[0] == clips


@pytest.mark.parametrize(
    ("name", "corpus"),
    [
        ("AudioData/DC/a01.wav", "savee"),
        ("ALL/DC_a01.wav", "savee"),
        ("Actor_01/03-01-01-01-01-01-01.wav", "ravdess"),
        ("archive/audio_speech_actors_01-24/Actor_02/03-01-08-01-01-01-02.WAV", "ravdess"),
        ("download/wav/03a01Fa.wav", "emo-db"),
        ("dataverse_files/OAF_back_angry.wav", "tess"),
        ("RAVDESS (1)/03-01-08-01-01-01-02.wav", "ravdess"),
    ],
)
def test_the_four_are_found_in_folders_of_any_name(tmp_path: Path, name: str, corpus: str) -> None:
    [clip] = load_corpora(touch(tmp_path, name))[0]
    assert clip.corpus == corpus


@pytest.mark.parametrize("name", ["Actor_03", "wav", "OAF_angry"])
def test_a_folder_inside_a_corpus_will_do(tmp_path: Path, name: str) -> None:
    files = {
        "Actor_03": "Actor_03/03-01-01-01-01-01-03.wav",
        "wav": "wav/03a01Fa.wav",
        "OAF_angry": "OAF_angry/OAF_back_angry.wav",
    }
    touch(tmp_path, files[name])
    assert len(load_corpora(tmp_path / name)[0]) == 1


def test_an_archive_unpacked_twice_counts_once(tmp_path: Path) -> None:
    touch(tmp_path, "tess/data/OAF_angry/OAF_back_angry.wav")
    touch(tmp_path, "tess/data/data/OAF_angry/OAF_back_angry.wav")
    touch(tmp_path, "again/OAF_back_angry.wav")
    clips, reports = load_corpora([tmp_path / "tess", tmp_path / "again", tmp_path / "tess"])
    assert [clip.clip_id for clip in clips] == ["tess/OAF_angry/OAF_back_angry"]
    [tess] = [report for report in reports if report.corpus == "tess"]
    assert len(tess.skipped["second copy of a clip"]) == 2


def test_every_corpus_is_described() -> None:
    assert len(CORPORA) == 20
    for name, corpus in CORPORA.items():
        assert (corpus.name, bool(corpus.title), bool(corpus.citation)) == (name, True, True)
        assert {label for label in corpus.labels.values() if label} <= set(LABELS)
        assert set(corpus.full_counts) in (set(), set(corpus.labels))
        assert set(corpus.speakers.values()) <= {"female", "male"}
    sizes = {name: corpus.n_full for name, corpus in CORPORA.items() if corpus.n_full}
    assert sizes == {
        "ravdess": 1440, "savee": 480, "emo-db": 535, "tess": 2800, "cafe": 936, "crema-d": 7442,
        "emovo": 588, "esd": 35000, "iemocap": 10039, "jl-corpus": 2400, "meld": 13708,
        "mesd": 864, "nemo": 4481, "shemo": 3000, "subesco": 7000, "urdu": 400,
    }  # fmt: skip


def test_no_corpus_claims_the_clips_of_another() -> None:
    shown = {name: expected[0].partition("/")[0] for name, expected in NAMES}
    for name, owner in shown.items():
        stem = name.rpartition(".")[0]
        bearers = [c.name for c in CORPORA.values() if c.signature.search(stem)]
        assert bearers == [owner]


def test_iemocap_takes_its_labels_from_the_evaluations(tmp_path: Path) -> None:
    turn = "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01"
    touch(
        tmp_path,
        *(f"IEMOCAP_full_release/{turn}_{n}.wav" for n in ("F000", "M001", "F002", "F003")),
    )
    touch(tmp_path, "IEMOCAP_full_release/Session1/dialog/wav/Ses01F_impro01.wav")
    told = tmp_path / "IEMOCAP_full_release/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    told.parent.mkdir(parents=True)
    told.write_text(
        "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
        "[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]\n"
        "C-E2:\tNeutral;\t()\n"
        "[10.0100 - 11.3925]\tSes01F_impro01_M001\texc\t[2.5, 2.5, 2.5]\n"
        "[14.0 - 15.3]\tSes01F_impro01_F002\tang\t[2.5, 2.5, 2.5]\n"
    )
    clips, [report] = load_corpora(tmp_path)
    assert [(c.clip_id, c.speaker, c.gender, c.label) for c in clips] == [
        ("iemocap/Session1/Ses01F_impro01_F000", "iemocap/Ses01F", "female", "neutral"),
        ("iemocap/Session1/Ses01F_impro01_F002", "iemocap/Ses01F", "female", "angry"),
    ]
    assert {reason.partition(" (")[0][:28]: len(p) for reason, p in report.skipped.items()} == {
        "'excited' has no class": 1,
        "a whole dialogue or no turn ": 1,
        "its label is missing: dialog": 1,
    }
    assert len(load_corpora(tmp_path, label_map={"excited": "happy"})[0]) == 3


def test_meld_takes_its_labels_from_the_tables_of_each_side(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "MELD.Raw/train_splits/dia0_utt0.wav",
        "MELD.Raw/dev_splits_complete/dia0_utt0.wav",
        "MELD.Raw/output_repeated_splits_test/dia0_utt1.wav",
        "MELD.Raw/train_splits/dia9_utt9.mp4",
    )
    header = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"
    raw = tmp_path / "MELD.Raw"
    (raw / "train_sent_emo.csv").write_text(header + '1,"Oh, no",Chandler,neutral,neutral,0,0\n')
    (raw / "dev_sent_emo.csv").write_text(header + "1,Hi,Monica,joy,positive,0,0\n")
    (raw / "test_sent_emo.csv").write_text(header + "1,Hi,Ross,anger,negative,0,0\n")
    clips, [report] = load_corpora(tmp_path)
    assert [(c.clip_id, c.speaker, c.label, c.side) for c in clips] == [
        ("meld/train/dia0_utt0", "meld/Chandler", "neutral", "train"),
        ("meld/validation/dia0_utt0", "meld/Monica", "happy", "validation"),
    ]
    assert list(report.skipped) == ["its label is missing: test_sent_emo.csv says it"]


def test_odd_names_among_a_corpus_s_own_are_passed_over(tmp_path: Path) -> None:
    touch(tmp_path, "anger/a03 (4).wav", "fear/f01 (1).wav", "fear/notes.wav", "anger/x.wav")
    clips, _ = load_corpora(tmp_path)
    assert [clip.corpus for clip in clips] == ["aesdd"] * 2


def test_a_corpus_and_folders_of_labels_in_one_root_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path, "EMO-DB/wav/03a01Fa.wav", "mine/happy/x.wav", "mine/sad/y.wav")
    with pytest.raises(CorpusError, match=r"holds emo-db and, in '.*mine', a folder per label"):
        load_corpora(tmp_path)
    clips, _ = load_corpora([tmp_path / "EMO-DB", tmp_path / "mine"])
    assert [clip.clip_id for clip in clips] == ["emo-db/03a01Fa", "mine/happy/x", "mine/sad/y"]
