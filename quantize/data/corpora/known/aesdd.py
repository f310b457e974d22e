"""AESDD: Greek actors, nineteen sentences, five emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = {"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "s": "sadness"}
_NAME = re.compile(r"([adfhs])(\d\d) ?\((\d+)\)([a-z]?)", re.IGNORECASE)


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``anger/a03 (4)b``: emotion, sentence, speaker, take."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not emotion, sentence and (speaker)")
    emotion, sentence, speaker, take = (part.lower() for part in match.groups())
    return ParsedName(
        key=f"{emotion}{sentence} ({speaker}){take}",
        speaker=speaker,
        native_label=_EMOTIONS[emotion],
        sentence=sentence,
        take=take or None,
    )


CORPUS = Corpus(
    name="aesdd",
    title="Acted Emotional Speech Dynamic Database",
    language="el",
    licence="free for research",
    citation=(
        "Vryzas, Kotsakis, Liatsou, Dimoulas & Kalliris (2018), Speech Emotion Recognition for "
        "Performance Interaction, Journal of the Audio Engineering Society 66(6), pp. 457-467"
    ),
    url="https://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/",
    layout=("anger/a03 (4).wav",),
    aliases=frozenset({"aesdd", "actedemotionalspeechdynamicdatabase"}),
    # With its folder: a browser calls the second copy of anything "(1)".
    signature=re.compile(
        r"(?:^|/)(?:anger/a|disgust/d|fear/f|happiness/h|sadness/s)\d\d ?\(\d+\)[a-z]?$",
        re.IGNORECASE,
    ),
    speakers={},
    labels={
        "anger": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happiness": "happy",
        "sadness": "sad",
    },
    full_counts={},
    parse=parse,
    gaps=("Neither neutral, calm nor surprise was recorded.", "It still grows."),
)
