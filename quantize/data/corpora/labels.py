"""Which labels and which corpora a model tells apart, and in what order.

The order is that of the model's outputs and of its rows of the corpus embedding: it is chosen
once, where a run is trained, and recorded with the weights.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from edge.errors import ParameterError, how_many
from quantize.basics.errors import CorpusError
from quantize.basics.few import first_few
from quantize.data.corpora.base import DOMAINS, LABELS, Clip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "MOST_LABELS",
    "check_labels",
    "choose_domains",
    "choose_labels",
    "counted",
    "in_order",
    "label_numbers",
    "labelled",
]

#: More would be words, not emotions; and a picture of their confusions could not be read.
MOST_LABELS = 100


def in_order(names: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """Each name once: those of `known` in its order, then the others by the alphabet."""
    found = set(names)
    return (*(name for name in known if name in found), *sorted(found - set(known)))


def choose_domains(clips: Iterable[Clip]) -> tuple[str, ...]:
    """Corpora that a model trained on some clips tells apart.

    Of the paper's four alone it is all four, whichever are there; other corpora come after those
    of the four that are there, by the alphabet.
    """
    found = {clip.corpus for clip in clips}
    return DOMAINS if found <= set(DOMAINS) else in_order(found, DOMAINS)


def choose_labels(clips: Iterable[Clip]) -> tuple[str, ...]:
    """Labels that a model trained on some clips tells apart, where nobody named any.

    Of the paper's four corpora alone it is the eight, whichever are there; else those that occur,
    the eight first.
    """
    pairs = {(clip.corpus, clip.label) for clip in clips}
    labels = {label for _, label in pairs}
    ours = {corpus for corpus, _ in pairs} <= set(DOMAINS) and labels <= set(LABELS)
    return LABELS if ours else in_order(labels, LABELS)


def check_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Refuse what cannot be the labels of a model.

    Raises
    ------
    ParameterError
        If there are fewer than two or too many, or one is empty, is named twice, or holds
        a comma or a line break.
    """
    if not 2 <= len(labels) <= MOST_LABELS:
        named = ", ".join(map(repr, labels[:3])) or "none"
        raise ParameterError(
            f"there {'is' if len(labels) == 1 else 'are'} {how_many(len(labels), 'label')} "
            f"({named}{', ...' if len(labels) > 3 else ''}), 2 to {MOST_LABELS} are wanted"
        )
    for label in labels:
        if not label.strip() or label != label.strip() or "," in label or not label.isprintable():
            raise ParameterError(
                f"{label!r} is no label: a word without commas and line breaks is wanted"
            )
    twice = [label for label, n in Counter(labels).items() if n > 1]
    if twice:
        raise ParameterError(f"the label {twice[0]!r} is named twice, once is wanted")
    return tuple(labels)


def counted(names: Iterable[str]) -> str:
    """How often each name occurs, the most frequent first: ``"calm (40), angry (3)"``."""
    ordered = sorted(Counter(names).items(), key=lambda entry: (-entry[1], entry[0]))
    return first_few([f"{name} ({n})" for name, n in ordered], 12)


def labelled(clips: Sequence[Clip], labels: Sequence[str]) -> list[Clip]:
    """Those of the clips whose label is one of some.

    Raises
    ------
    CorpusError
        If a label has no clip at all.
    """
    kept = [clip for clip in clips if clip.label in set(labels)]
    absent = [label for label in labels if label not in {clip.label for clip in kept}]
    if absent:
        raise CorpusError(
            f"no clip is labelled {' or '.join(absent)}; there are "
            f"{counted(clip.label for clip in clips)}: name some of these with --labels, or give "
            "another word that label with --map-label WORD=LABEL"
        )
    return kept


def label_numbers(clips: Sequence[Clip], labels: Sequence[str]) -> NDArray[np.int64]:
    """Place of every clip's label among a model's.

    Returns
    -------
    int64 [shape=(n_clips,)]

    Raises
    ------
    CorpusError
        If a clip has a label that the model does not know.
    """
    import numpy as np

    places = {label: at for at, label in enumerate(labels)}
    others = [clip.label for clip in clips if clip.label not in places]
    if others:
        raise CorpusError(
            f"of the clips, {len(others)} have a label that the model was not trained on: "
            f"{counted(others)}; it tells apart {', '.join(labels)}: the corpora and the "
            "--map-label of its training are wanted"
        )
    return np.array([places[clip.label] for clip in clips], dtype=np.int64)
