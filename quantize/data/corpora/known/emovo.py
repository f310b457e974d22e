"""EMOVO: six Italian actors, fourteen sentences, seven emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = {
    "dis": "disgust",
    "gio": "joy",
    "neu": "neutral",
    "pau": "fear",
    "rab": "anger",
    "sor": "surprise",
    "tri": "sadness",
}
_NAME = re.compile(r"(dis|gio|neu|pau|rab|sor|tri)-([fm][123])-([bdln]\d)", re.IGNORECASE)


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``rab-f1-b2``: emotion (three Italian letters), speaker, sentence."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not emotion, speaker and sentence")
    emotion, speaker, sentence = (part.lower() for part in match.groups())
    return ParsedName(
        key=f"{speaker}/{emotion}-{speaker}-{sentence}",
        speaker=speaker,
        native_label=_EMOTIONS[emotion],
        sentence=sentence,
    )


CORPUS = Corpus(
    name="emovo",
    title="EMOVO Corpus: an Italian Emotional Speech Database",
    language="it",
    licence="research use",
    citation=(
        "Costantini, Iaderola, Paoloni & Todisco (2014), EMOVO Corpus: an Italian Emotional "
        "Speech Database, LREC, pp. 3501-3504"
    ),
    url="http://voice.fub.it/activities/corpora/emovo/index.html",
    layout=("f1/rab-f1-b2.wav",),
    aliases=frozenset({"emovo", "emovocorpus"}),
    signature=re.compile(r"(?:^|/)(?:dis|gio|neu|pau|rab|sor|tri)-[fm][123]-[bdln]\d$", re.I),
    speakers={
        "f1": "female",
        "f2": "female",
        "f3": "female",
        "m1": "male",
        "m2": "male",
        "m3": "male",
    },
    labels={
        "disgust": "disgust",
        "joy": "happy",
        "neutral": "neutral",
        "fear": "fearful",
        "anger": "angry",
        "surprise": "surprised",
        "sadness": "sad",
    },
    full_counts=dict.fromkeys(_EMOTIONS.values(), 84),
    parse=parse,
    gaps=("Calm was not recorded.",),
)
