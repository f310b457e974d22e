"""Students: a smaller CLAF-SER taught by trained ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quantize.basics.errors import RecipeError
from quantize.data.corpora import Roots
from quantize.training.recipe import Recipe
from quantize.training.train_run import train_run

__all__ = ["distil_run"]


def distil_run(
    recipe: Recipe,
    data: Roots,
    out: Path,
    cache: Path,
    *,
    teachers: Sequence[Path],
    sizes: Mapping[str, int],
    training: Mapping[str, Any],
    batches: Mapping[str, Any],
    **run: Any,
) -> Path:
    """Train a student, or go on where its training left off; returns its checkpoint's path.

    Parameters
    ----------
    recipe : Recipe
        Its settings.
    data, out, cache : path
        Corpora, run folder and feature cache.
    teachers : sequence of path
        Runs of the same split.
    sizes, training, batches : mapping
        What differs from the recipe.
    **run
        As :func:`quantize.training.train_run.train_run` wants it: corpora, run, label_map,
        n_workers, cluster, sounds.

    Raises
    ------
    EdgeSerError
        If the recipe leaves parts of the model out, or as ``train_run``.
    """
    config = recipe.config(**sizes)
    if config.without:
        raise RecipeError(
            f"the recipe {recipe.name} leaves out {', '.join(config.without)}: a student is a "
            "whole CLAF-SER, take another --recipe"
        )
    return train_run(
        data,
        out,
        cache,
        config=config,
        settings=recipe.train_settings(**training),
        batches=recipe.batch_settings(**batches),
        augment=recipe.augment_settings(),
        spec=recipe.feature_spec(),
        recipe=recipe.name,
        teachers=teachers,
        **run,
    )
