"""Whose recordings a model was trained on, and what their licences leave of its use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from quantize.data.corpora import CORPORA

__all__ = ["OWN_LICENCE", "Recordings", "is_restricted", "licence_of", "recordings_of"]

#: Key of a manifest's ``training``: what a person said of the licence of recordings of their own.
OWN_LICENCE = "own_recordings_licence"

_NOT_STATED = "licence not stated"
_FOUR = {"ravdess", "savee", "emo-db", "tess"}
# The strictest of what the four corpora of the paper ask for.
_OF_THE_FOUR = (
    "CC BY-NC-SA 4.0; trained on RAVDESS (CC BY-NC-SA 4.0), TESS (CC BY-NC-ND 4.0), SAVEE and "
    "EMO-DB (research use): for research and other non-commercial use only"
)
_RESTRICTED = re.compile(r"\bNC\b|non-?commercial|research|academic|scientific", re.IGNORECASE)


class Recordings(NamedTuple):
    """One corpus of a training, for people."""

    name: str
    title: str
    language: str
    licence: str


def recordings_of(training: Mapping[str, Any]) -> list[Recordings]:
    """Corpora that a manifest's ``training`` names, each with its licence.

    What none of the known corpora is called are a person's own recordings.
    """
    own = training.get(OWN_LICENCE) or _NOT_STATED
    found = []
    for name in _texts(training.get("corpora")):
        corpus = CORPORA.get(name)
        if corpus is None:
            found.append(Recordings(name, f"{name} (your own recordings)", "", str(own)))
        else:
            found.append(Recordings(name.upper(), corpus.title, corpus.language, corpus.licence))
    return found


def is_restricted(training: Mapping[str, Any]) -> bool:
    """Tell whether the licence of any recordings allows no commercial use."""
    return any(_RESTRICTED.search(each.licence) for each in recordings_of(training))


def licence_of(training: Mapping[str, Any]) -> str:
    """Licence of the weights, as far as that of the recordings says: a manifest's ``licence``.

    Parameters
    ----------
    training : mapping
        With ``corpora``, and :data:`OWN_LICENCE` where that was said.
    """
    corpora = _texts(training.get("corpora"))
    if set(corpora) == _FOUR:
        return _OF_THE_FOUR
    found = recordings_of(training)
    if not found:
        return _NOT_STATED
    own = {each.name for each in found} & set(corpora) - CORPORA.keys()
    words = ", ".join(
        f"your own recordings of {each.name} ({each.licence})"
        if each.name in own
        else f"{each.name} ({each.licence})"
        for each in found
    )
    end = ": for research and other non-commercial use only" if is_restricted(training) else ""
    return f"trained on {words}{end}"


def _texts(value: Any) -> list[str]:
    """What a manifest of anybody's may hold, as a list of texts."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return []
    return [str(each) for each in value]
