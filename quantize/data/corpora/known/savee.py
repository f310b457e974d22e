"""SAVEE: four male British speakers, seven emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = {
    "a": "anger",
    "d": "disgust",
    "f": "fear",
    "h": "happiness",
    "n": "neutral",
    "sa": "sadness",
    "su": "surprise",
}
_SPEAKERS = ("DC", "JE", "JK", "KL")
_N_SENTENCES = {code: 30 if code == "n" else 15 for code in _EMOTIONS}
#: The first sentences of each emotion are the same for all; neutral repeats them with the others.
_N_SHARED = 3
_NAME = re.compile(r"(?:(dc|je|jk|kl)_)?(sa|su|a|d|f|h|n)(\d\d)", re.IGNORECASE)


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``DC/a01``, ``AudioData/DC/a01`` or the flat ``DC_a01``."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not emotion letters and two digits")
    folder = path.parent.name.upper()
    speaker = (match[1] or folder).upper()
    if speaker not in _SPEAKERS:
        raise UnusableNameError("neither the folder nor the name gives a speaker")
    if folder in _SPEAKERS and folder != speaker:
        raise UnusableNameError("the folder and the name give different speakers")
    code, number = match[2].lower(), match[3]
    if not 1 <= int(number) <= _N_SENTENCES[code]:
        raise UnusableNameError("a field of the name is out of range")
    return ParsedName(
        key=f"{speaker}/{code}{number}",
        speaker=speaker,
        native_label=_EMOTIONS[code],
        sentence=number if int(number) <= _N_SHARED else f"{code}{number}",
    )


def _expected_keys(speakers: frozenset[str], _found: frozenset[str]) -> frozenset[str]:
    return frozenset(
        f"{speaker}/{code}{number:02d}"
        for speaker in speakers
        for code, n_sentences in _N_SENTENCES.items()
        for number in range(1, n_sentences + 1)
    )


CORPUS = Corpus(
    name="savee",
    title="Surrey Audio-Visual Expressed Emotion database",
    language="en",
    licence="research use",
    citation=(
        "Haq & Jackson (2010), Multimodal Emotion Recognition, in Machine Audition: Principles, "
        "Algorithms and Systems, IGI Global, pp. 398-423"
    ),
    url="http://kahlan.eps.surrey.ac.uk/savee/",
    layout=("AudioData/DC/a01.wav", "DC/a01.wav", "DC_a01.wav"),
    aliases=frozenset(
        {
            "savee",
            "saveedatabase",
            "surreyaudiovisualexpressedemotion",
            "surreyaudiovisualexpressedemotionsavee",
            "surreyaudiovisualexpressedemotionsaveedatabase",
        }
    ),
    signature=re.compile(r"(?:^|/)(?:dc|je|jk|kl)[/_](?:sa|su|[adfhn])\d\d$", re.IGNORECASE),
    speakers=dict.fromkeys(_SPEAKERS, "male"),
    labels={
        "anger": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
        "surprise": "surprised",
    },
    full_counts={name: 4 * _N_SENTENCES[code] for code, name in _EMOTIONS.items()},
    parse=parse,
    expected_keys=_expected_keys,
    gaps=("Four speakers, all male.", "Neutral has twice the clips of any other emotion."),
)
