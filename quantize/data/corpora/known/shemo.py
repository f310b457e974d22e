"""ShEMO: 87 Persian speakers of radio plays, six emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = {
    "A": "anger",
    "F": "fear",
    "H": "happiness",
    "N": "neutral",
    "S": "sadness",
    "W": "surprise",
}
_NAME = re.compile(r"([FM])(\d\d)([AFHNSW])(\d\d)", re.IGNORECASE)


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``F01A01``: sex, speaker, emotion, number."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not sex, speaker, emotion and number")
    name = path.name.upper()
    return ParsedName(
        key=name,
        speaker=name[:3],
        native_label=_EMOTIONS[name[3]],
        sentence=name,
        gender="female" if name[0] == "F" else "male",
    )


CORPUS = Corpus(
    name="shemo",
    title="Sharif Emotional Speech Database",
    language="fa",
    licence="free for research",
    citation=(
        "Mohamad Nezami, Jamshid Lou & Karami (2019), ShEMO: a large-scale validated database for "
        "Persian speech emotion detection, Language Resources and Evaluation 53(1), pp. 1-16"
    ),
    url="https://github.com/mansourehk/ShEMO",
    layout=("female/F01A01.wav", "male/M01A01.wav"),
    aliases=frozenset({"shemo", "shemomaster", "shemodatabase"}),
    signature=re.compile(r"(?:^|/)[FM]\d\d[AFHNSW]\d\d$", re.IGNORECASE),
    speakers={},
    labels={
        "anger": "angry",
        "fear": "fearful",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
        "surprise": "surprised",
    },
    full_counts={
        "anger": 1059,
        "fear": 38,
        "happiness": 201,
        "neutral": 1028,
        "sadness": 449,
        "surprise": 225,
    },
    parse=parse,
    gaps=("Fear has 38 clips, anger 1,059.",),
)
