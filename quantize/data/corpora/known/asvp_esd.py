"""ASVP-ESD: speech and other voice sounds of the web and of films, twelve emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = {
    "01": "boredom",
    "02": "neutral",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
    "09": "excited",
    "10": "pleasure",
    "11": "pain",
    "12": "disappointed",
    "13": "other",
}
_EIGHT = ("neutral", "happy", "sad", "angry", "fearful", "disgust", "surprised")
_INTENSITIES = {"01": "normal", "02": "strong"}
_LANGUAGES = {"01": "zh", "02": "en", "03": "fr"}


def parse(path: PurePosixPath) -> ParsedName:
    """Read its nine or more fields, of which the first seven look like those of RAVDESS.

    They are modality, channel, emotion, intensity, statement, actor, age, source and language.
    """
    fields = path.name.split("-")
    if len(fields) < 9 or not all(field.isdigit() for field in fields):
        raise UnusableNameError("the name is not nine or more numbers")
    if fields[1] != "01":
        raise UnusableNameError("not speech (channel 02 is other sounds of a voice)")
    if fields[2] not in _EMOTIONS:
        raise UnusableNameError("a field of the name is out of range")
    return ParsedName(
        key=path.name,
        speaker=fields[5],
        native_label=_EMOTIONS[fields[2]],
        sentence=fields[4],
        intensity=_INTENSITIES.get(fields[3]),
        gender="female" if int(fields[5]) % 2 else "male",
        language=_LANGUAGES.get(fields[8]),
    )


CORPUS = Corpus(
    name="asvp-esd",
    title="Audio, Speech and Vision Processing Lab Emotional Sound database",
    language="unknown",
    licence="see the source",
    citation=(
        "Landry, He, Yan & Li (2020), ASVP-ESD: A dataset and its benchmark for emotion "
        "recognition using both speech and non-speech utterances, Global Scientific Journals 8(6)"
    ),
    url="https://zenodo.org/record/7132783",
    layout=("actor_01/03-01-06-01-02-01-02-01-02-01.wav",),
    aliases=frozenset({"asvpesd", "asvpesdupdate"}),
    signature=re.compile(r"(?:^|/)03-0[12]-(?:0[1-9]|1[0-3])(?:-\d{2,3}){6,}$"),
    speakers={},
    labels={word: word if word in _EIGHT else None for word in _EMOTIONS.values()},
    full_counts={},
    parse=parse,
    gaps=(
        "Sounds that are no speech (channel 02) are left out.",
        "Boredom, excited, pleasure, pain and disappointed have no class among the eight.",
    ),
)
