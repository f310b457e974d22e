"""The levers: what each changes in a training, in plain words and in settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

__all__ = [
    "BASES",
    "FOLDS",
    "LESSONS",
    "LEVERS",
    "N_VARIANTS",
    "REFERENCES",
    "SCORED",
    "Lever",
    "protocol_of",
]

#: Corpora whose validation clips are scored. TESS has two voices: no fold can hold one out of
#: those that are left when the other is tested on.
SCORED = ("ravdess", "savee", "emo-db")

#: Corpora that are only ever lessons: more languages, beside those that are scored.
LESSONS = ("emovo", "nemo")

#: Cached variants in rooms, lines and noise, and as many of changed voices.
N_VARIANTS = 4

#: Numbers of the folds by the split whose training side they divide once more.
FOLDS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {"speaker-5fold": (0, 1, 2, 3, 4), "paper": (5, 6, 7)}
)

#: What the others of a split are compared with; the mean of these trainings where they are several.
BASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"speaker-5fold": ("base", "base-seed-1"), "paper": ("paper",)}
)

#: References for the voice that models are judged with: clips, and how many in a hundred are calm
#: before the rest is drawn.
REFERENCES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"none": (0, 0), "16 random": (16, 0), "16 three in four calm": (16, 75)}
)

_NOBODY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Lever:
    """One way to train.

    Parameters
    ----------
    protocol : str
        A key of :data:`FOLDS`.
    title : str
        What it is, for a table.
    changes : mapping of str to object
        What it changes in :class:`benchmarks.levers.settings.LeverSettings`.
    """

    protocol: str
    title: str
    changes: Mapping[str, Any] = field(default_factory=lambda: _NOBODY)


_PAPER: Mapping[str, Any] = MappingProxyType(
    {"distil_share": 0.0, "clean_share": 0.7, "exchange_share": 0.0, "reference_share": 0.0}
)


def _strangers(title: str, **changes: Any) -> Lever:
    return Lever("speaker-5fold", title, changes)


def _paper(title: str, **changes: Any) -> Lever:
    return Lever("paper", title, {**_PAPER, **changes})


LEVERS: Mapping[str, Lever] = MappingProxyType(
    {
        "base": _strangers("as `claf-ser-alone`, seed 0"),
        "base-seed-1": _strangers("as `claf-ser-alone`, seed 1", seed=1),
        "corpus-labels": _strangers(
            "losses among the labels that a crop's corpus has", corpus_labels=True
        ),
        "labels-alone": _strangers("no soft labels of a large model", distil_share=0.0),
        "soft-labels-9": _strangers(
            "soft labels nine tenths of the loss, at a temperature of 2",
            distil_share=0.9,
            distil_temperature=2.0,
        ),
        "no-lessons": _strangers("neither Italian nor Polish", lessons=()),
        "italian": _strangers("Italian, no Polish", lessons=("emovo",)),
        "polish": _strangers("Polish, no Italian", lessons=("nemo",)),
        "unlabelled-lessons": _strangers(
            "Italian and Polish with soft labels alone", unlabelled_lessons=True
        ),
        "no-adversary": _strangers("no gradient reversal", max_alpha=0.0),
        "no-reference": _strangers("never a reference for the voice", reference_share=0.0),
        "2-variants": _strangers("2 variants of rooms and lines for 4", n_variants=2),
        "voice-5": _strangers(
            "half of the clean crops with changed voices instead", voice_share=0.5
        ),
        "voice-8": _strangers(
            "four in five clean crops with changed voices instead", voice_share=0.8
        ),
        "voice-8-clean-6": _strangers(
            "the same, six crops in ten clean or of a changed voice",
            voice_share=0.8,
            clean_share=0.6,
        ),
        "functionals": _strangers("functionals beside the classifier", functionals=True),
        "paper": _paper("labels alone, seven crops in ten clean"),
        "paper-voice-5": _paper(
            "half of the clean crops with changed voices instead", voice_share=0.5
        ),
        "paper-functionals": _paper("functionals beside the classifier", functionals=True),
    }
)


def protocol_of(fold: int) -> str:
    """Split whose training side a fold divides."""
    return next(name for name, numbers in FOLDS.items() if fold in numbers)
