"""SUBESCO: twenty Bangla actors, ten sentences, seven emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
_NAME = re.compile(rf"([FM])_(\d\d)_([^_]+)_S_(\d+)_({'|'.join(_EMOTIONS)})_(\d)", re.IGNORECASE)


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``F_01_OISHI_S_1_ANGRY_1``: sex, number and name, sentence, emotion, take."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not sex, speaker, sentence, emotion and take")
    sex, number, name, sentence, emotion, take = (part.upper() for part in match.groups())
    return ParsedName(
        key=f"{sex}_{number}_{name}_S_{sentence}_{emotion}_{take}",
        speaker=f"{sex}_{number}",
        native_label=emotion.lower(),
        sentence=sentence,
        take=take,
        gender="female" if sex == "F" else "male",
    )


CORPUS = Corpus(
    name="subesco",
    title="SUST Bangla Emotional Speech Corpus",
    language="bn",
    licence="CC BY 4.0",
    citation=(
        "Sultana, Rahman, Selim & Iqbal (2021), SUST Bangla Emotional Speech Corpus (SUBESCO): An "
        "audio-only emotional speech corpus for Bangla, PLoS ONE 16(4): e0250173"
    ),
    url="https://zenodo.org/record/4526477",
    layout=("SUBESCO/F_01_OISHI_S_1_ANGRY_1.wav",),
    aliases=frozenset({"subesco", "sustbanglaemotionalspeechcorpus"}),
    signature=re.compile(
        rf"(?:^|/)[FM]_\d\d_[^_/]+_S_\d+_(?:{'|'.join(_EMOTIONS)})_\d$", re.IGNORECASE
    ),
    speakers={},
    labels={
        "angry": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happy": "happy",
        "neutral": "neutral",
        "sad": "sad",
        "surprise": "surprised",
    },
    full_counts=dict.fromkeys(_EMOTIONS, 1000),
    parse=parse,
    gaps=("Calm was not recorded.",),
)
