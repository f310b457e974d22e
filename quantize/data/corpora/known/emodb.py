"""EMO-DB: ten German actors, ten texts, seven emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
_SPEAKERS = {
    "03": "male",
    "08": "female",
    "09": "female",
    "10": "male",
    "11": "male",
    "12": "male",
    "13": "female",
    "14": "female",
    "15": "male",
    "16": "female",
}
_TEXTS = frozenset({"a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10"})
_NAME = re.compile(r"(\d\d)([ab]\d\d)([WLEAFTN])([a-z])", re.IGNORECASE)


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``SSTTTEv``: speaker, text, emotion (its German initial), version."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not speaker, text, emotion and version")
    speaker, text = match[1], match[2].lower()
    if speaker not in _SPEAKERS or text not in _TEXTS:
        raise UnusableNameError("a field of the name is out of range")
    emotion, version = match[3].upper(), match[4].lower()
    return ParsedName(
        key=f"{speaker}{text}{emotion}{version}",
        speaker=speaker,
        native_label=_EMOTIONS[emotion],
        sentence=text,
        take=version,
    )


CORPUS = Corpus(
    name="emo-db",
    title="Berlin Database of Emotional Speech",
    language="de",
    licence="free for research",
    citation=(
        "Burkhardt, Paeschke, Rolfes, Sendlmeier & Weiss (2005), A Database of German Emotional "
        "Speech, Interspeech, pp. 1517-1520"
    ),
    url="http://emodb.bilderbar.info/",
    layout=("wav/03a01Fa.wav", "03a01Fa.wav"),
    aliases=frozenset(
        {
            "emodb",
            "berlinemodb",
            "berlinemotionaldatabase",
            "berlindatabaseofemotionalspeech",
            "berlindatabaseofemotionalspeechemodb",
        }
    ),
    signature=re.compile(r"(?:^|/)\d\d[ab]\d\d[WLEAFTN][a-z]$", re.IGNORECASE),
    speakers=_SPEAKERS,
    labels={
        "anger": "angry",
        # The paper's table 6 has no class for it; label_map={"boredom": "neutral"} gives one.
        "boredom": None,
        "disgust": "disgust",
        "fear": "fearful",
        "happiness": "happy",
        "sadness": "sad",
        "neutral": "neutral",
    },
    full_counts={
        "anger": 127,
        "boredom": 81,
        "disgust": 46,
        "fear": 69,
        "happiness": 71,
        "sadness": 62,
        "neutral": 79,
    },
    parse=parse,
    gaps=(
        "Boredom has no class among the eight and is left out unless --map-label gives it one.",
        "Neither calm nor surprise was recorded.",
        "Some copies in circulation hold only the first 2.0 s of each utterance, zero-padded "
        "when shorter: a figure from such a copy must say so.",
    ),
)
