"""Whether run folders were made by their recipes as those are now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.scorecard.plan import Places
from benchmarks.scorecard.recipes import RECIPES
from benchmarks.scorecard.step import Step
from quantize.basics.errors import TrainingError
from quantize.runs.compared import run_settings
from quantize.runs.run import Run
from quantize.training.recipe import load_recipe

__all__ = ["check_same_recipe", "recipe_settings"]


def check_same_recipe(places: Places, steps: Iterable[Step]) -> None:
    """Refuse run folders that another version of their recipe made.

    A training is done when its checkpoint is there; that its recipe has changed since cannot be
    told from the age of files.

    Raises
    ------
    TrainingError
        If a setting of a run is not what its recipe says now.
    """
    wanted: dict[str, dict[str, Any]] = {}
    for step in steps:
        recipe = RECIPES[step.recipe]
        if step.words[0] != "train":
            continue
        run = Run(places.run(recipe, step.jobs[0]))
        if not run.files.config.is_file():
            continue
        try:
            config = run_settings(run)
            if recipe.name not in wanted:
                wanted[recipe.name] = recipe_settings(recipe.name)
            difference = _difference(config, wanted[recipe.name])
        except (KeyError, TypeError) as error:
            raise TrainingError(
                f"{run.files.config} is not what training writes ({error!r}): move the "
                "folder away, and the same command trains it anew"
            ) from error
        if difference:
            name, own, now = difference
            raise TrainingError(
                f"{run.folder} was trained with {name} {own!r}, the recipe {recipe.name} has "
                f"{now!r}: move the folder away to train it anew, or name another --runs"
            )


def recipe_settings(name: str) -> dict[str, Any]:
    """All settings of a recipe as a run folder holds them."""
    recipe = load_recipe(name)
    training = recipe.train_settings().to_dict()
    model = recipe.config().to_dict()
    # The job's, and the recordings': lessons are domains, too.
    del training["seed"], model["n_domains"]
    settings = {
        "model": model,
        "training": training,
        "batches": recipe.batch_settings().to_dict(),
        "augment": recipe.augment_settings().to_dict(),
        "run": {"n_variants": recipe.n_variants},
        "feature_spec": recipe.feature_spec().to_dict(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(settings))
    return plain


def _difference(
    config: Mapping[str, Any], wanted: Mapping[str, Mapping[str, Any]]
) -> tuple[str, Any, Any] | None:
    for table, settings in wanted.items():
        for name, now in settings.items():
            # A setting that is younger than the run was not there to be chosen; features are told
            # whole, and what is not named was not there.
            own = config[table].get(name, None if table == "feature_spec" else now)
            if own != now:
                return f"{table}.{name}", own, now
    return None
