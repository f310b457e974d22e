"""EmoV-DB: four speakers of English reading, five styles."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_SPEAKERS = {"bea": "female", "jenie": "female", "josh": "male", "sam": "male"}
_WORDS = {
    "amused": "amused",
    "anger": "anger",
    "angry": "anger",
    "disgust": "disgust",
    "disgusted": "disgust",
    "neutral": "neutral",
    "sleepiness": "sleepiness",
    "sleepy": "sleepiness",
}
_NAME = re.compile(rf"({'|'.join(_WORDS)})_(\d+-\d+)_(\d{{4}})", re.IGNORECASE)


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``bea_Amused/amused_1-15_0001`` or ``bea/Amused/amused_1-15_0001``."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not style, range and number")
    folders = (part.lower().partition("_")[0] for part in reversed(path.parts[:-1]))
    speaker = next((part for part in folders if part in _SPEAKERS), None)
    if speaker is None:
        raise UnusableNameError(f"no folder is one of the speakers {', '.join(_SPEAKERS)}")
    style = _WORDS[match[1].lower()]
    return ParsedName(
        key=f"{speaker}/{style}_{match[2]}_{match[3]}",
        speaker=speaker,
        native_label=style,
        sentence=match[3],
    )


CORPUS = Corpus(
    name="emov-db",
    title="The Emotional Voices Database",
    language="en",
    licence="research use, not commercial",
    citation=(
        "Adigwe, Tits, El Haddad, Ostadabbas & Dutoit (2018), The Emotional Voices Database: "
        "Towards Controlling the Emotion Dimension in Voice Generation Systems, arXiv:1806.09514"
    ),
    url="https://www.openslr.org/115/",
    layout=("bea_Amused/amused_1-15_0001.wav", "bea/Amused/amused_1-15_0001.wav"),
    aliases=frozenset({"emovdb", "emovdbsorted", "emovdbmaster", "theemotionalvoicesdatabase"}),
    signature=re.compile(rf"(?:^|/)(?:{'|'.join(_WORDS)})_\d+-\d+_\d{{4}}$", re.IGNORECASE),
    speakers=_SPEAKERS,
    labels={
        "amused": None,
        "anger": "angry",
        "disgust": "disgust",
        "neutral": "neutral",
        "sleepiness": None,
    },
    full_counts={},
    parse=parse,
    gaps=(
        "Amused and sleepiness have no class among the eight.",
        "Josh recorded neither anger nor disgust.",
    ),
)
