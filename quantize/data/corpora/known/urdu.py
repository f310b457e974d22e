"""URDU: 38 speakers of Pakistani talk shows, four emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = {"A": "angry", "H": "happy", "N": "neutral", "S": "sad"}
_NAME = re.compile(r"(S[FM]\d+)_F(\d+)_([AHNS])(\d+)", re.IGNORECASE)


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``SM1_F4_A04``: speaker (his sex in it), file, emotion and number."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not speaker, file, emotion and number")
    speaker, emotion = match[1].upper(), match[3].upper()
    return ParsedName(
        key=f"{speaker}_F{match[2]}_{emotion}{match[4]}",
        speaker=speaker,
        native_label=_EMOTIONS[emotion],
        sentence=f"{speaker}_F{match[2]}_{emotion}{match[4]}",
        gender="male" if speaker[1] == "M" else "female",
    )


CORPUS = Corpus(
    name="urdu",
    title="URDU-Dataset",
    language="ur",
    licence="not stated (published for research)",
    citation=(
        "Latif, Qayyum, Usman & Qadir (2018), Cross Lingual Speech Emotion Recognition: Urdu vs. "
        "Western Languages, Frontiers of Information Technology, pp. 88-93"
    ),
    url="https://github.com/siddiquelatif/URDU-Dataset",
    layout=("Angry/SM1_F4_A04.wav",),
    aliases=frozenset({"urdu", "urdudataset"}),
    signature=re.compile(r"(?:^|/)S[FM]\d+_F\d+_[AHNS]\d+$", re.IGNORECASE),
    speakers={},
    labels={word: word for word in _EMOTIONS.values()},
    full_counts=dict.fromkeys(_EMOTIONS.values(), 100),
    parse=parse,
    gaps=("Spontaneous speech, cut from television: rooms and rates differ.",),
)
