"""CREMA-D: 91 actors, twelve sentences, six emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = {
    "ANG": "anger",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happiness",
    "NEU": "neutral",
    "SAD": "sadness",
}
_INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high"}
_NAME = re.compile(r"(\d{4})_([A-Z]{3})_(ANG|DIS|FEA|HAP|NEU|SAD)_(LO|MD|HI|XX?)", re.IGNORECASE)
# Of 1001 to 1091.
_WOMEN = frozenset(
    {
        2, 3, 4, 6, 7, 8, 9, 10, 12, 13, 18, 20, 21, 24, 25, 28, 29, 30, 37, 43, 46, 47, 49, 52,
        53, 54, 55, 56, 58, 60, 61, 63, 72, 73, 74, 75, 76, 78, 79, 82, 84, 89, 91,
    }
)  # fmt: skip
_SPEAKERS = {str(1000 + n): "female" if n in _WOMEN else "male" for n in range(1, 92)}


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``1001_DFA_ANG_XX``: actor, sentence, emotion, level."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not actor, sentence, emotion and level")
    speaker, (sentence, emotion, level) = match[1], (part.upper() for part in match.groups()[1:])
    if speaker not in _SPEAKERS:
        raise UnusableNameError("a field of the name is out of range")
    return ParsedName(
        key=f"{speaker}_{sentence}_{emotion}_{level}",
        speaker=speaker,
        native_label=_EMOTIONS[emotion],
        sentence=sentence,
        intensity=_INTENSITIES.get(level),
    )


CORPUS = Corpus(
    name="crema-d",
    title="Crowd-sourced Emotional Multimodal Actors Dataset",
    language="en",
    licence="Open Database License 1.0",
    citation=(
        "Cao, Cooper, Keutmann, Gur, Nenkova & Verma (2014), CREMA-D: Crowd-sourced Emotional "
        "Multimodal Actors Dataset, IEEE Transactions on Affective Computing 5(4), pp. 377-390"
    ),
    url="https://github.com/CheyneyComputerScience/CREMA-D",
    layout=("AudioWAV/1001_DFA_ANG_XX.wav",),
    aliases=frozenset({"cremad", "crema"}),
    signature=re.compile(
        r"(?:^|/)10\d\d_[A-Z]{3}_(?:ANG|DIS|FEA|HAP|NEU|SAD)_(?:LO|MD|HI|XX?)$", re.IGNORECASE
    ),
    speakers=_SPEAKERS,
    labels={
        "anger": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
    },
    full_counts={name: 1087 if code == "NEU" else 1271 for code, name in _EMOTIONS.items()},
    parse=parse,
    gaps=("Neither calm nor surprise was recorded.", "The label is what was acted, not heard."),
)
