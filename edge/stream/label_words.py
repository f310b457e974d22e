"""Words for emotions: which label of a model a folder's or a table's own word means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

__all__ = ["FORMS", "NEAR", "fold", "label_of"]

#: Other forms of the same word; they never stand for two classes.
FORMS = {
    "neutral": ("neutrality", "neutrally"),
    "calm": ("calmness",),
    "happy": ("happiness",),
    "sad": ("sadness",),
    "angry": ("anger",),
    "fearful": ("fear",),
    "disgust": ("disgusted",),
    "surprised": ("surprise",),
}

#: Words near enough to one of the eight, where no other word of the same recordings is.
NEAR = {
    "neutral": ("neu",),
    "happy": ("joy", "joyful", "hap"),
    "angry": ("ang",),
    "fearful": ("afraid", "scared", "fea"),
    "disgust": ("dis",),
    "surprised": ("pleasant-surprise", "pleasant-surprised", "sur", "ps"),
}


def fold(word: str) -> str:
    """Fold case, spaces and a leading number: ``"01_Very Happy"`` is ``"very-happy"``."""
    plain = unicodedata.normalize("NFKC", word).casefold().strip()
    plain = re.sub(r"[\s_,;]+", "-", "".join(c for c in plain if c.isprintable() or c.isspace()))
    plain = plain.strip("-.")
    return re.sub(r"^\d+[-. ]+(?=\S)", "", plain)


def label_of(word: str, labels: Sequence[str]) -> str | None:
    """Give the label of a model that a word means; None where it means none of them."""
    short = fold(word)
    for label in labels:
        if short == fold(label):
            return label
    for label in labels:
        if short in FORMS.get(label, ()) or short in NEAR.get(label, ()):
            return label
    return None
