"""JL-Corpus: four speakers of New Zealand English, five emotions and five attitudes."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from quantize.data.corpora.base import Corpus, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS = {
    "angry": "angry",
    "excited": None,
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sad",
    "anxious": None,
    "apologetic": None,
    "assertive": None,
    "concerned": None,
    "encouraging": None,
}
_NAME = re.compile(rf"((?:fe)?male[12])_({'|'.join(_EMOTIONS)})_(\d+[ab]?)_(\d)", re.IGNORECASE)


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``female1_angry_10a_1``: speaker, emotion, sentence, session."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("the name is not speaker, emotion, sentence and session")
    speaker, emotion, sentence, take = (part.lower() for part in match.groups())
    return ParsedName(
        key=f"{speaker}_{emotion}_{sentence}_{take}",
        speaker=speaker,
        native_label=emotion,
        sentence=sentence,
        take=take,
    )


CORPUS = Corpus(
    name="jl-corpus",
    title="JL-Corpus: strictly-guided simulated emotional corpus of New Zealand English",
    language="en",
    licence="CC0 1.0",
    citation=(
        "James, Tian & Watson (2018), An Open Source Emotional Speech Corpus for Human Robot "
        "Interaction Applications, Interspeech, pp. 2768-2772"
    ),
    url="https://www.kaggle.com/datasets/tli725/jl-corpus",
    layout=("Raw JL corpus (unchecked and unannotated)/JL(wav+txt)/female1_angry_10a_1.wav",),
    aliases=frozenset({"jlcorpus", "jl", "rawjlcorpusuncheckedandunannotated", "jlwavtxt"}),
    signature=re.compile(r"(?:^|/)(?:fe)?male[12]_[a-z]+_\d+[ab]?_\d$", re.IGNORECASE),
    speakers={"female1": "female", "female2": "female", "male1": "male", "male2": "male"},
    labels=_EMOTIONS,
    full_counts=dict.fromkeys(_EMOTIONS, 240),
    parse=parse,
    gaps=("Excited and the five attitudes have no class among the eight.",),
)
