"""MELD: scenes of a television series, seven emotions."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from quantize.data.corpora.base import Corpus, Parse, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_LABELS = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fearful",
    "joy": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprise": "surprised",
}
_NAME = re.compile(r"(?:final_videos_test)?dia(\d+)_utt(\d+)", re.IGNORECASE)
# Folders of the release; dialogues of the three sides have the same numbers.
_SIDES = {
    "train": ("train", "train_splits"),
    "validation": ("dev", "dev_splits_complete", "dev_splits"),
    "test": ("test", "output_repeated_splits_test", "test_splits"),
}
_TABLES = {"train": "train_sent_emo", "validation": "dev_sent_emo", "test": "test_sent_emo"}
_Told = dict[tuple[str, int, int], tuple[str, str]]


def _side(path: PurePosixPath) -> str | None:
    for part in reversed(path.parts[:-1]):
        for side, names in _SIDES.items():
            if part.lower() in names:
                return side
    return None


def _parsed(path: PurePosixPath, told: _Told) -> ParsedName:
    match, side = _NAME.fullmatch(path.name), _side(path)
    if match is None:
        raise UnusableNameError("the name is not dialogue and utterance")
    if side is None:
        raise UnusableNameError("no folder says whether it is of train, dev or test")
    dialogue, utterance = int(match[1]), int(match[2])
    found = told.get((side, dialogue, utterance))
    if found is None:
        raise UnusableNameError(f"its label is missing: {_TABLES[side]}.csv says it")
    emotion, speaker = found
    return ParsedName(
        key=f"{side}/dia{dialogue}_utt{utterance}",
        speaker=speaker,
        native_label=emotion,
        sentence=f"{side}/dia{dialogue}_utt{utterance}",
        side=side,
    )


def annotated(paths: Sequence[Path]) -> Parse:
    """Read the tables of the release, which lie beside the clips' folders or above them."""
    folders = {folder for path in paths for folder in list(path.parents)[:4]}
    told: _Told = {}
    for side, name in _TABLES.items():
        for folder in sorted(folders):
            file = folder / f"{name}.csv"
            if file.is_file():
                told |= {(side, *key): value for key, value in _read(file).items()}
    return lambda path: _parsed(path, told)


def _read(file: Path) -> dict[tuple[int, int], tuple[str, str]]:
    with open(file, encoding="utf-8", errors="replace", newline="") as text:
        found = {}
        for row in csv.DictReader(text):
            try:
                key = int(row["Dialogue_ID"]), int(row["Utterance_ID"])
                emotion, speaker = row["Emotion"].strip().lower(), row["Speaker"].strip()
            except (KeyError, TypeError, ValueError, AttributeError):
                continue
            if emotion in _LABELS:
                found[key] = emotion, speaker
        return found


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``train_splits/dia0_utt0``: neither label nor speaker is in it."""
    return _parsed(path, {})


CORPUS = Corpus(
    name="meld",
    title="Multimodal EmotionLines Dataset",
    language="en",
    licence="GPL-3.0 (labels); the sound is a television series'",
    citation=(
        "Poria, Hazarika, Majumder, Naik, Cambria & Mihalcea (2019), MELD: A Multimodal "
        "Multi-Party Dataset for Emotion Recognition in Conversations, ACL, pp. 527-536"
    ),
    url="https://affective-meld.github.io/",
    layout=("train_splits/dia0_utt0.wav", "dev_splits_complete/dia0_utt0.wav"),
    aliases=frozenset({"meld", "meldraw", "melddataset"}),
    signature=re.compile(r"(?:^|/)(?:final_videos_test)?dia\d+_utt\d+$", re.IGNORECASE),
    speakers={},
    labels=_LABELS,
    full_counts={
        "anger": 1607,
        "disgust": 361,
        "fear": 358,
        "joy": 2308,
        "neutral": 6436,
        "sadness": 1002,
        "surprise": 1636,
    },
    parse=parse,
    gaps=("Laughter of the audience lies under many clips.",),
    annotated=annotated,
)
