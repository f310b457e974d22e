"""Settings of one training of a lever: the product's, and what only a lever changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import msgspec

from benchmarks.levers.levers import FOLDS, LESSONS, LEVERS
from edge.errors import ParameterError
from quantize.training.batch_settings import BatchSettings
from quantize.training.recipe import load_recipe
from quantize.training.settings import DEFAULT_RECIPE, TrainSettings

__all__ = ["LeverSettings", "settings_of", "trainings"]


@dataclass(frozen=True, slots=True)
class LeverSettings:
    """Settings of a training.

    Parameters
    ----------
    name : str
        Of the lever.
    fold : int
    training : TrainSettings
        All but ``epochs`` and what this has no use for: mixup, other runs as teachers, precision.
    batches : BatchSettings
        All but sizes and lengths, which trainings side by side have in common.
    dropout : float
        See :class:`quantize.models.config.ClafSerConfig`.
    lessons : tuple of str
        Corpora that are learnt from and never scored, of :data:`benchmarks.levers.levers.LESSONS`.
    unlabelled_lessons : bool
        Whether these are learnt from by a large model's posteriors alone.
    n_variants : int
        Variants in rooms, lines and noise that a crop that is not clean is drawn from.
    voice_share : float
        How often a clean crop is of a changed voice instead.
    functionals : bool
        Whether mean and spread of a window's rows reach the classifier.
    functionals_dropout : float
        Of these, in training.
    """

    name: str
    fold: int
    training: TrainSettings
    batches: BatchSettings
    dropout: float
    lessons: tuple[str, ...] = LESSONS
    unlabelled_lessons: bool = False
    n_variants: int = 4
    voice_share: float = 0.0
    functionals: bool = False
    functionals_dropout: float = 0.2


def settings_of(name: str, fold: int) -> LeverSettings:
    """Settings of a lever's training on a fold.

    Raises
    ------
    ParameterError
        If there is no such lever, or it changes what no training has.
    """
    if name not in LEVERS:
        raise ParameterError(f"there is no lever {name!r}, one of {', '.join(LEVERS)} is wanted")
    recipe = load_recipe(DEFAULT_RECIPE)
    changes = dict(LEVERS[name].changes)
    parts: dict[str, dict[str, Any]] = {}
    for part, kind in (("training", TrainSettings), ("batches", BatchSettings)):
        known = {field.name for field in msgspec.structs.fields(kind)}
        parts[part] = {key: changes.pop(key) for key in sorted(known & set(changes))}
    unknown = set(changes) - {field.name for field in fields(LeverSettings)}
    if unknown:
        raise ParameterError(f"the lever {name} changes {', '.join(unknown)}, which nothing has")
    return LeverSettings(
        name,
        fold,
        recipe.train_settings(**parts["training"]),
        recipe.batch_settings(**parts["batches"]),
        recipe.config().dropout,
        **changes,
    )


def trainings(
    names: Sequence[str] | None = None, folds: Sequence[int] | None = None
) -> list[LeverSettings]:
    """Settings of the levers' trainings on the folds of their splits.

    Parameters
    ----------
    names : sequence of str, optional
        All but the functionals on strangers if None, which had a run of their own.
    folds : sequence of int, optional
        These alone.
    """
    chosen = names or [name for name in LEVERS if name != "functionals"]
    wanted = folds or [fold for numbers in FOLDS.values() for fold in numbers]
    return [
        settings_of(name, fold)
        for name in chosen
        # A lever that is none is refused there.
        for fold in (FOLDS[LEVERS[name].protocol] if name in LEVERS else wanted)
        if fold in wanted
    ]
