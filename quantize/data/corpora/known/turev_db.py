"""TurEV-DB: six Turkish amateurs saying single words, four emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_NAME = re.compile(r"(\d+)_(.+)")
_EMOTIONS = ("angry", "calm", "happy", "sad")


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``Sound Source/Angry/1157_kz_acik``: the folder is the emotion."""
    match, emotion = _NAME.fullmatch(path.name), path.parent.name.lower()
    if match is None:
        raise UnusableNameError("the name is not speaker and word")
    if emotion not in _EMOTIONS:
        raise UnusableNameError("the folder is no emotion")
    return ParsedName(
        key=f"{emotion}/{path.name}",
        speaker=match[1],
        native_label=emotion,
        sentence=match[2].rpartition("_")[2],
    )


CORPUS = Corpus(
    name="turev-db",
    title="Turkish Emotional Voice Database",
    language="tr",
    licence="not stated (published for research)",
    citation=(
        "Canpolat, Ormanoglu & Zeyrek (2020), Turkish Emotion Voice Database (TurEV-DB), "
        "SLTU-CCURL workshop at LREC, pp. 368-375"
    ),
    url="https://github.com/Xeonen/TurEV-DB",
    layout=("Sound Source/Angry/1157_kz_acik.wav",),
    aliases=frozenset({"turevdb", "turevdbmaster", "turkishemotionalvoicedatabase"}),
    # The folder belongs to it: an emotion and a number begin many people's own files.
    signature=re.compile(
        r"(?:^|/)Sound[ _-]?Source/(?:Angry|Calm|Happy|Sad)/\d+_[^/]+$", re.IGNORECASE
    ),
    speakers={},
    labels={word: word for word in _EMOTIONS},
    full_counts={},
    parse=parse,
    gaps=("Single words of about a second.",),
)
