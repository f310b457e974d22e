"""nEMO: nine Polish actors, ninety sentences, six emotions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_NAME = re.compile(
    r"([A-Z]{2}\d)_(anger|fear|happiness|neutral|sadness|surprised)_(\d+)", re.IGNORECASE
)


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``EB0_sadness_57``: speaker, emotion, sentence."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not speaker, emotion and number")
    speaker, emotion, number = match[1].upper(), match[2].lower(), str(int(match[3]))
    return ParsedName(
        key=f"{speaker}_{emotion}_{number}",
        speaker=speaker,
        native_label=emotion,
        sentence=number,
    )


CORPUS = Corpus(
    name="nemo",
    title="nEMO: Dataset of Emotional Speech in Polish",
    language="pl",
    licence="CC BY-NC-SA 4.0",
    citation=(
        "Christop (2024), nEMO: Dataset of Emotional Speech in Polish, LREC-COLING, pp. 12111-12116"
    ),
    url="https://github.com/amu-cai/nEMO",
    layout=("samples/EB0_sadness_57.wav",),
    aliases=frozenset({"nemo", "nemoaudio", "nemodataset"}),
    signature=re.compile(
        r"(?:^|/)[A-Z]{2}\d_(?:anger|fear|happiness|neutral|sadness|surprised)_\d+$", re.I
    ),
    speakers={},
    labels={
        "anger": "angry",
        "fear": "fearful",
        "happiness": "happy",
        "neutral": "neutral",
        "sadness": "sad",
        "surprised": "surprised",
    },
    full_counts={
        "anger": 749,
        "fear": 736,
        "happiness": 749,
        "neutral": 809,
        "sadness": 769,
        "surprised": 669,
    },
    parse=parse,
    gaps=(
        "Neither calm nor disgust was recorded.",
        "The names do not say who is a woman and who a man.",
    ),
)
