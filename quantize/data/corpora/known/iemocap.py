"""IEMOCAP: ten actors in five sessions of scripted and improvised talk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from quantize.data.corpora.base import Corpus, Parse, ParsedName, UnusableNameError

__all__ = ["CORPUS"]

_EMOTIONS: dict[str, tuple[str, str | None]] = {
    "ang": ("anger", "angry"),
    "dis": ("disgust", "disgust"),
    "exc": ("excited", None),
    "fea": ("fear", "fearful"),
    "fru": ("frustration", None),
    "hap": ("happiness", "happy"),
    "neu": ("neutral", "neutral"),
    "oth": ("other", None),
    "sad": ("sadness", "sad"),
    "sur": ("surprise", "surprised"),
    "xxx": ("undecided", None),
}
_COUNTS = (1103, 2, 1041, 40, 1849, 595, 1708, 3, 1084, 107, 2507)
_NAME = re.compile(r"(Ses0([1-5])[FM]_(?:impro|script)\w+?)_([FM])(\d{3})", re.IGNORECASE)
# [6.2901 - 8.2357]  Ses01F_impro01_F000  neu  [2.5000, 2.5000, 2.5000]
_LINE = re.compile(r"^\[[\d. -]+\]\s+(\w+)\s+([a-z]{3})\s", re.MULTILINE)
_GENDERS = {"F": "female", "M": "male"}


def _parsed(path: PurePosixPath, told: dict[str, str]) -> ParsedName:
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise UnusableNameError("a whole dialogue or no turn of one: sentences/wav holds the turns")
    code = told.get(path.name.lower())
    if code is None:
        raise UnusableNameError(
            "its label is missing: dialog/EmoEvaluation/*.txt of the session says it"
        )
    sex = match[3].upper()
    return ParsedName(
        key=f"Session{match[2]}/{path.name}",
        speaker=f"Ses0{match[2]}{sex}",
        native_label=_EMOTIONS[code][0],
        sentence=f"{match[1]}_{sex}{match[4]}",
        gender=_GENDERS[sex],
    )


def annotated(paths: Sequence[Path]) -> Parse:
    """Read the evaluations of the sessions that some clips lie in."""
    sessions = {parent for path in paths for parent in path.parents if _is_session(parent)}
    told: dict[str, str] = {}
    for session in sorted(sessions):
        for file in sorted((session / "dialog" / "EmoEvaluation").glob("Ses*.txt")):
            text = file.read_text(encoding="utf-8", errors="replace")
            told |= {name.lower(): code for name, code in _LINE.findall(text) if code in _EMOTIONS}
    return lambda path: _parsed(path, told)


def _is_session(folder: Path) -> bool:
    return re.fullmatch(r"session[1-5]", folder.name, re.IGNORECASE) is not None


def parse(path: PurePosixPath) -> ParsedName:
    """Read ``Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000``: no label in it."""
    return _parsed(path, {})


CORPUS = Corpus(
    name="iemocap",
    title="Interactive Emotional Dyadic Motion Capture database",
    language="en",
    licence="research use, by agreement with USC",
    citation=(
        "Busso, Bulut, Lee, Kazemzadeh, Mower, Kim, Chang, Lee & Narayanan (2008), IEMOCAP: "
        "Interactive emotional dyadic motion capture database, Language Resources and "
        "Evaluation 42(4), pp. 335-359"
    ),
    url="https://sail.usc.edu/iemocap/",
    layout=("Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav",),
    aliases=frozenset({"iemocap", "iemocapfullrelease"}),
    signature=re.compile(r"(?:^|/)Ses0[1-5][FM]_(?:impro|script)\w+$", re.IGNORECASE),
    speakers={},
    labels=dict(_EMOTIONS.values()),
    full_counts={word: n for (word, _), n in zip(_EMOTIONS.values(), _COUNTS, strict=True)},
    parse=parse,
    gaps=(
        "Excited, frustration and turns that the judges did not agree on have no class among the "
        "eight; --map-label excited=happy is what most papers do.",
    ),
    annotated=annotated,
)
