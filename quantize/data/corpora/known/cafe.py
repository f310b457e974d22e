"""CaFE: twelve actors of Canadian French, six sentences, seven emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = {
    "C": "anger",
    "D": "disgust",
    "J": "happiness",
    "N": "neutral",
    "P": "fear",
    "S": "surprise",
    "T": "sadness",
}
_INTENSITIES = {"1": "normal", "2": "strong"}
_NAME = re.compile(r"(\d\d)-([CDJNPST])-([12])-([1-6])", re.IGNORECASE)
_SPEAKERS = {f"{n:02d}": "male" if n % 2 else "female" for n in range(1, 13)}


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``01-C-1-2``: actor, emotion (its French initial), intensity, sentence."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not actor, emotion, intensity and sentence")
    speaker, emotion, intensity, sentence = match[1], match[2].upper(), match[3], match[4]
    if speaker not in _SPEAKERS:
        raise UnusableNameError("a field of the name is out of range")
    return ParsedName(
        key=f"{speaker}-{emotion}-{intensity}-{sentence}",
        speaker=speaker,
        native_label=_EMOTIONS[emotion],
        sentence=sentence,
        intensity=_INTENSITIES[intensity],
    )


CORPUS = Corpus(
    name="cafe",
    title="Canadian French Emotional speech dataset",
    language="fr",
    licence="CC BY-NC-SA 4.0",
    citation=(
        "Gournay, Lahaie & Lefebvre (2018), A Canadian French Emotional Speech Dataset, ACM "
        "Multimedia Systems Conference, pp. 399-402"
    ),
    url="https://zenodo.org/record/1478765",
    layout=("Colère/Fort/01-C-2-1.wav", "01-C-2-1.wav"),
    aliases=frozenset({"cafe", "cafe48k", "cafe192k", "cafedataset"}),
    signature=re.compile(r"(?:^|/)(?:0\d|1[0-2])-[CDJNPST]-[12]-[1-6]$", re.IGNORECASE),
    speakers=_SPEAKERS,
    labels={
        "anger": "angry",
        "disgust": "disgust",
        "happiness": "happy",
        "neutral": "neutral",
        "fear": "fearful",
        "surprise": "surprised",
        "sadness": "sad",
    },
    full_counts={name: 72 if code == "N" else 144 for code, name in _EMOTIONS.items()},
    parse=parse,
    gaps=("Half as many neutral clips as of any other emotion.", "Calm was not recorded."),
)
