"""ESD: ten speakers of Mandarin and ten of English, 350 texts, five emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = ("neutral", "angry", "happy", "sad", "surprise")
_N_TEXTS = 350
_NAME = re.compile(r"(\d{4})_(\d{6})")
_MEN = frozenset({4, 5, 6, 8, 10, 11, 12, 13, 14, 20})
_SPEAKERS = {f"{n:04d}": "male" if n in _MEN else "female" for n in range(1, 21)}
_SIDES = {"train": "train", "evaluation": "validation", "test": "test"}


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``0011/Angry/0011_000351``: the number says text and emotion."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not speaker and number")
    speaker, number = match[1], int(match[2])
    if speaker not in _SPEAKERS or not 1 <= number <= len(_EMOTIONS) * _N_TEXTS:
        raise UnusableNameError("a field of the name is out of range")
    emotion, text = divmod(number - 1, _N_TEXTS)
    language = "zh" if int(speaker) <= 10 else "en"
    return ParsedName(
        key=path.name,
        speaker=speaker,
        native_label=_EMOTIONS[emotion],
        sentence=f"{language}/{text + 1:03d}",
        language=language,
        side=_SIDES.get(path.parent.name.lower()),
    )


CORPUS = Corpus(
    name="esd",
    title="Emotional Speech Dataset",
    language="zh, en",
    licence="research use",
    citation=(
        "Zhou, Sisman, Liu & Li (2022), Emotional voice conversion: Theory, databases and ESD, "
        "Speech Communication 137, pp. 1-18"
    ),
    url="https://github.com/HLTSingapore/Emotional-Speech-Data",
    layout=("0011/Angry/0011_000351.wav", "0011/Angry/train/0011_000351.wav"),
    aliases=frozenset({"esd", "emotionspeechdataset", "emotionalspeechdataset", "esdenglish"}),
    signature=re.compile(r"(?:^|/)00(?:0[1-9]|1\d|20)_00(?:0\d|1[0-7])\d\d$"),
    speakers=_SPEAKERS,
    labels={
        "neutral": "neutral",
        "angry": "angry",
        "happy": "happy",
        "sad": "sad",
        "surprise": "surprised",
    },
    full_counts=dict.fromkeys(_EMOTIONS, 7000),
    parse=parse,
    gaps=("All emotions of a speaker say the same 350 texts.",),
)
