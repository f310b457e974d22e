"""File names of the corpora: what they say, and which are no clip."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from corpora_fakes import touch

from quantize.data.corpora import CORPORA, DOMAINS, LABELS, load_corpora
from quantize.data.corpora.base import UnusableNameError


def test_labels_and_domains_are_in_the_order_of_the_contract() -> None:
    assert LABELS == (
        "neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised",
    )  # fmt: skip
    assert DOMAINS == ("ravdess", "savee", "emo-db", "tess")
    assert tuple(CORPORA)[:4] == DOMAINS
    assert list(CORPORA)[4:] == sorted(set(CORPORA) - set(DOMAINS))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "RAVDESS/Actor_02/03-01-06-02-01-02-02.wav",
            ("ravdess/Actor_02/03-01-06-02-01-02-02", "ravdess/02", "female", "fearful", "en"),
        ),
        (
            "ravdess-speech/Audio_Speech_Actors_01-24/Actor_13/03-01-02-01-01-01-13.WAV",
            ("ravdess/Actor_13/03-01-02-01-01-01-13", "ravdess/13", "male", "calm", "en"),
        ),
        (
            "SAVEE/AudioData/DC/a01.wav",
            ("savee/DC/a01", "savee/DC", "male", "angry", "en"),
        ),
        (
            "savee/JE/sa15.flac",
            ("savee/JE/sa15", "savee/JE", "male", "sad", "en"),
        ),
        (
            "Savee_Database/KL_su02.wav",
            ("savee/KL/su02", "savee/KL", "male", "surprised", "en"),
        ),
        (
            "EMO-DB/wav/03a01Fa.wav",
            ("emo-db/03a01Fa", "emo-db/03", "male", "happy", "de"),
        ),
        (
            "emodb/16b10Tb.flac",
            ("emo-db/16b10Tb", "emo-db/16", "female", "sad", "de"),
        ),
        (
            "TESS Toronto emotional speech set data/OAF_angry/OAF_back_angry.wav",
            ("tess/OAF_angry/OAF_back_angry", "tess/OAF", "female", "angry", "en"),
        ),
        (
            "tess/TESS Toronto emotional speech set data/YAF_pleasant_surprised/YAF_bar_ps.wav",
            ("tess/YAF_ps/YAF_bar_ps", "tess/YAF", "female", "surprised", "en"),
        ),
        (
            "TESS/OAF_Pleasant_surprise/OAF_bar_ps.flac",
            ("tess/OAF_ps/OAF_bar_ps", "tess/OAF", "female", "surprised", "en"),
        ),
        (
            "TESS/OAF_neutral/OA_bite_neutral.wav",
            ("tess/OAF_neutral/OAF_bite_neutral", "tess/OAF", "female", "neutral", "en"),
        ),
    ],
)
def test_a_clip_of_each_layout(tmp_path: Path, name: str, expected: tuple[str, ...]) -> None:
    clips, reports = load_corpora(touch(tmp_path, name))
    [clip] = clips
    assert clip.path == tmp_path / name
    assert (clip.clip_id, clip.speaker, clip.gender, clip.label, clip.language) == expected
    assert clip.clip_id.startswith(f"{clip.corpus}/")
    assert [r.corpus for r in reports] == list(DOMAINS)
    assert [r.corpus for r in reports if r.present] == [clip.corpus]


def test_intensity_sentence_and_take_are_kept(tmp_path: Path) -> None:
    touch(tmp_path, "RAVDESS/Actor_02/03-01-06-02-01-02-02.wav", "EMO-DB/wav/03a01Fb.wav")
    ravdess, emodb = load_corpora(tmp_path)[0]
    assert (ravdess.sentence, ravdess.intensity, ravdess.take) == ("ravdess/01", "strong", "02")
    assert (emodb.sentence, emodb.intensity, emodb.take) == ("emo-db/a01", None, "b")


@pytest.mark.parametrize(
    ("corpus", "name", "reason"),
    [
        ("ravdess", "Actor_01/03-02-01-01-01-01-01", "song"),
        ("ravdess", "Actor_01/01-01-01-01-01-01-01", "audio-only"),
        ("ravdess", "Actor_01/03-01-09-01-01-01-01", "out of range"),
        ("ravdess", "Actor_25/03-01-01-01-01-01-25", "out of range"),
        ("ravdess", "Actor_01/03-01-01-01-01-01-02", "different actors"),
        ("ravdess", "Actor_01/03-01-01-01-01-01", "seven"),
        ("ravdess", "Actor_01/copy of 03-01-01-01-01-01-01", "seven"),
        ("savee", "DC/x01", "emotion letters"),
        ("savee", "DC/a16", "out of range"),
        ("savee", "DC/n00", "out of range"),
        ("savee", "XX/a01", "speaker"),
        ("savee", "DC/JE_a01", "different speakers"),
        ("emo-db", "wav/03a01Xa", "emotion"),
        ("emo-db", "wav/04a01Fa", "out of range"),
        ("emo-db", "wav/03a03Fa", "out of range"),
        ("tess", "OAF_angry/OAF_back_bored", "emotion"),
        ("tess", "OAF_angry/OAF_back_happy", "disagree"),
        ("tess", "OAF_angry/YAF_back_angry", "disagree"),
    ],
)
def test_names_that_are_no_clip_give_their_reason(corpus: str, name: str, reason: str) -> None:
    with pytest.raises(UnusableNameError, match=reason):
        CORPORA[corpus].parse(PurePosixPath(name))


@pytest.mark.parametrize("corpus", ["ravdess", "savee"])
def test_expected_keys_agree_with_the_counts_of_the_complete_corpus(corpus: str) -> None:
    description = CORPORA[corpus]
    assert description.expected_keys is not None
    keys = description.expected_keys(frozenset(description.speakers), frozenset())
    counts = dict.fromkeys(description.labels, 0)
    for key in keys:
        parsed = description.parse(PurePosixPath(key))
        assert parsed.key == key
        counts[parsed.native_label] += 1
    assert counts == description.full_counts


def test_complete_corpora_have_the_published_sizes() -> None:
    sizes = {name: (CORPORA[name].n_full, len(CORPORA[name].speakers)) for name in DOMAINS}
    assert sizes == {
        "ravdess": (1440, 24), "savee": (480, 4), "emo-db": (535, 10), "tess": (2800, 2),
    }  # fmt: skip
    for corpus in CORPORA.values():
        assert corpus.licence
        assert corpus.citation
        assert set(corpus.full_counts) in (set(), set(corpus.labels))
        assert {label for label in corpus.labels.values() if label} <= set(LABELS)
