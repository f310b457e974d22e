"""MESD: Mexican Spanish single words, six emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness")
_NAME = re.compile(rf"({'|'.join(_EMOTIONS)})_([CFM])_([AB])_(.+)", re.IGNORECASE)
_GENDERS = {"F": "female", "M": "male"}


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``Anger_C_A_abajo``: emotion, voice (child, woman, man), list, word."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not emotion, voice, list and word")
    emotion, voice, words, word = match[1].lower(), match[2].upper(), match[3].upper(), match[4]
    return ParsedName(
        key=f"{emotion}_{voice}_{words}_{word.lower()}",
        speaker=None,
        native_label=emotion,
        sentence=word.lower(),
        gender=_GENDERS.get(voice),
    )


CORPUS = Corpus(
    name="mesd",
    title="Mexican Emotional Speech Database",
    language="es",
    licence="CC BY 4.0",
    citation=(
        "Duville, Alonso-Valerdi & Ibarra-Zarate (2021), The Mexican Emotional Speech Database "
        "(MESD): elaboration and assessment based on machine learning, IEEE EMBC, pp. 1644-1647"
    ),
    url="https://doi.org/10.17632/cy34mh68j9",
    layout=("Mexican Emotional Speech Database (MESD)/Anger_C_A_abajo.wav",),
    aliases=frozenset({"mesd", "mexicanemotionalspeechdatabasemesd"}),
    signature=re.compile(rf"(?:^|/)(?:{'|'.join(_EMOTIONS)})_[CFM]_[AB]_[^/]+$", re.IGNORECASE),
    speakers={},
    labels={
        "anger": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
    },
    full_counts=dict.fromkeys(_EMOTIONS, 144),
    parse=parse,
    gaps=(
        "The names say whether a child, a woman or a man speaks, not which of them.",
        "Single words of about half a second.",
    ),
)
