"""RAVDESS: 24 North American actors, two statements, eight emotions."""

from __future__ import annotations

import itertools
import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
_INTENSITIES = {"01": "normal", "02": "strong"}
_NAME = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")
_FOLDER = re.compile(r"actor_?(\d\d)", re.IGNORECASE)
_ACTORS = tuple(f"{actor:02d}" for actor in range(1, 25))


def _key(actor: str, stem: str) -> str:
    return f"Actor_{actor}/{stem}"


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``Actor_NN/modality-channel-emotion-intensity-statement-repetition-actor``."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not seven two-digit fields")
    modality, channel, emotion, intensity, statement, repetition, actor = match.groups()
    if modality != "03":
        raise UnusableNameError("not the audio-only modality (03)")
    if channel != "01":
        raise UnusableNameError("not speech (channel 02 is song)")
    if (
        emotion not in _EMOTIONS
        or intensity not in _INTENSITIES
        or statement not in ("01", "02")
        or repetition not in ("01", "02")
        or actor not in _ACTORS
    ):
        raise UnusableNameError("a field of the name is out of range")
    folder = _FOLDER.fullmatch(path.parent.name)
    if folder is not None and folder[1] != actor:
        raise UnusableNameError("the folder and the name give different actors")
    return ParsedName(
        key=_key(actor, path.name),
        speaker=actor,
        native_label=_EMOTIONS[emotion],
        sentence=statement,
        intensity=_INTENSITIES[intensity],
        take=repetition,
    )


def _expected_keys(speakers: frozenset[str], _found: frozenset[str]) -> frozenset[str]:
    fields = itertools.product(
        sorted(speakers), _EMOTIONS, _INTENSITIES, ("01", "02"), ("01", "02")
    )
    return frozenset(
        _key(actor, f"03-01-{emotion}-{intensity}-{statement}-{repetition}-{actor}")
        for actor, emotion, intensity, statement, repetition in fields
        # There is no strong "neutral".
        if not (emotion == "01" and intensity == "02")
    )


CORPUS = Corpus(
    name="ravdess",
    title="Ryerson Audio-Visual Database of Emotional Speech and Song",
    language="en",
    licence="CC BY-NC-SA 4.0",
    citation=(
        "Livingstone & Russo (2018), The Ryerson Audio-Visual Database of Emotional Speech and "
        "Song (RAVDESS), PLoS ONE 13(5): e0196391"
    ),
    url="https://zenodo.org/record/1188976",
    layout=(
        "Actor_NN/03-01-EE-II-SS-RR-NN.wav",
        "Audio_Speech_Actors_01-24/Actor_NN/03-01-EE-II-SS-RR-NN.wav",
    ),
    aliases=frozenset(
        {
            "ravdess",
            "ravdessspeech",
            "ravdessemotionalspeechaudio",
            "audiospeechactors0124",
            "ryersonaudiovisualdatabaseofemotionalspeechandsong",
        }
    ),
    signature=re.compile(r"(?:^|/)0[123]-0[12](?:-\d\d){5}$"),
    speakers={actor: "male" if int(actor) % 2 else "female" for actor in _ACTORS},
    labels={label: label for label in _EMOTIONS.values()},
    full_counts={label: 96 if label == "neutral" else 192 for label in _EMOTIONS.values()},
    parse=parse,
    expected_keys=_expected_keys,
    gaps=(
        "Half as many neutral clips as of any other emotion: neutral has no strong intensity.",
        "Clips begin and end with about a second of near-silence.",
        "Song (channel 02) and video are left out.",
    ),
)
