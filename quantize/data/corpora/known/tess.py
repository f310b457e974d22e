"""TESS: two Canadian women, 200 words in one carrier phrase, seven emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "pleasant surprise",
    "sad": "sad",
}
_SPEAKERS = ("OAF", "YAF")
# The published set names one file OA_bite_neutral: its folder is OAF_neutral.
_NAME = re.compile(r"(OAF?|YAF?)_([a-z]+)_(angry|disgust|fear|happy|neutral|ps|sad)", re.IGNORECASE)
_FOLDER = re.compile(
    r"(OAF|YAF)_(angry|disgust|fear|happy|neutral|pleasant_surprised?|sad)", re.IGNORECASE
)


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``OAF_angry/OAF_back_angry``, in any case; ``ps`` is pleasant surprise."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not speaker, word and emotion")
    speaker, word, emotion = match[1].upper(), match[2].lower(), match[3].lower()
    speaker = speaker if speaker.endswith("F") else f"{speaker}F"
    folder = _FOLDER.fullmatch(path.parent.name)
    if folder is not None:
        told = folder[2].lower()
        told = "ps" if told.startswith("pleasant") else told
        if (folder[1].upper(), told) != (speaker, emotion):
            raise UnusableNameError("the folder and the name disagree")
    return ParsedName(
        key=f"{speaker}_{emotion}/{speaker}_{word}_{emotion}",
        speaker=speaker,
        native_label=_EMOTIONS[emotion],
        sentence=word,
    )


def _expected_keys(speakers: frozenset[str], found: frozenset[str]) -> frozenset[str]:
    # Every word is said by both speakers in every emotion, so one finding names all of them.
    words = {key.split("_")[-2] for key in found}
    return frozenset(
        f"{speaker}_{emotion}/{speaker}_{word}_{emotion}"
        for speaker in speakers
        for emotion in _EMOTIONS
        for word in words
    )


CORPUS = Corpus(
    name="tess",
    title="Toronto Emotional Speech Set",
    language="en",
    licence="CC BY-NC-ND 4.0",
    citation=(
        "Pichora-Fuller & Dupuis (2020), Toronto emotional speech set (TESS), Borealis, "
        "doi:10.5683/SP2/E8H2MF"
    ),
    url="https://doi.org/10.5683/SP2/E8H2MF",
    layout=(
        "OAF_angry/OAF_back_angry.wav",
        "TESS Toronto emotional speech set data/OAF_angry/OAF_back_angry.wav",
    ),
    aliases=frozenset(
        {
            "tess",
            "tesstorontoemotionalspeechset",
            "tesstorontoemotionalspeechsetdata",
            "torontoemotionalspeechset",
            "torontoemotionalspeechsettess",
        }
    ),
    signature=re.compile(
        r"(?:^|/)(?:OA|YA)F?_[a-z]+_(?:angry|disgust|fear|happy|neutral|ps|sad)$", re.IGNORECASE
    ),
    speakers=dict.fromkeys(_SPEAKERS, "female"),
    labels={
        "angry": "angry",
        "disgust": "disgust",
        "fear": "fearful",
        "happy": "happy",
        "neutral": "neutral",
        "pleasant surprise": "surprised",
        "sad": "sad",
    },
    full_counts=dict.fromkeys(_EMOTIONS.values(), 400),
    parse=parse,
    expected_keys=_expected_keys,
    gaps=(
        "Two speakers and one carrier phrase: any random split shares speaker, sentence frame and "
        "room between training and test.",
        "The surprise is a pleasant one; calm was not recorded.",
    ),
)
