"""Training recipes: named settings in a file, so that a figure's training has one name."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from importlib import resources
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from quantize.augment import AugmentSettings
from quantize.batches import BatchSettings
from quantize.errors import RecipeError
from quantize.models.claf_ser import ClafSerConfig
from quantize.train_settings import TrainSettings

__all__ = ["DEFAULT_RECIPE", "Recipe", "load_recipe", "recipe_names"]

#: The one that needs no other run.
DEFAULT_RECIPE = "claf-ser-alone"

_TABLES: dict[str, Any] = {
    "model": ClafSerConfig,
    "training": TrainSettings,
    "batches": BatchSettings,
    "augment": AugmentSettings,
}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Settings of a training.

    Parameters
    ----------
    name : str
        Of the file, without ``.toml``.
    title : str
        What it is, for people.
    n_variants : int
        Augmented variants of every clip, beside the clip itself.
    teachers : tuple of str
        Recipes whose runs of the same split teach it; a recipe that extends it has none of its
        own accord.
    model, training, batches, augment : mapping
        What differs from the defaults of :class:`~quantize.models.claf_ser.ClafSerConfig`,
        :class:`~quantize.train_settings.TrainSettings`,
        :class:`~quantize.batches.BatchSettings` and :class:`~quantize.augment.AugmentSettings`.
    """

    name: str
    title: str
    n_variants: int
    teachers: tuple[str, ...]
    model: Mapping[str, Any]
    training: Mapping[str, Any]
    batches: Mapping[str, Any]
    augment: Mapping[str, Any]

    def config(self, **changes: Any) -> ClafSerConfig:
        """Sizes of the model, with some of them changed."""
        return ClafSerConfig(**{**self.model, **changes})

    def train_settings(self, **changes: Any) -> TrainSettings:
        """Settings of the training, with some of them changed."""
        return TrainSettings(**{**self.training, **changes})

    def batch_settings(self, **changes: Any) -> BatchSettings:
        """Settings of the batches, with some of them changed."""
        return BatchSettings(**{**self.batches, **changes})

    def augment_settings(self) -> AugmentSettings:
        """Settings of the augmented variants."""
        return AugmentSettings(**self.augment)


def recipe_names() -> list[str]:
    """Names that :func:`load_recipe` takes."""
    folder = resources.files("quantize") / "recipes"
    return sorted(
        p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml")
    )


def load_recipe(name: str) -> Recipe:
    """Read a recipe of this package.

    Raises
    ------
    RecipeError
        If there is none of that name, or the file has a key or a value that is not known.
    """
    if name not in recipe_names():
        raise RecipeError(f"recipe is {name!r}, one of {', '.join(recipe_names())} is wanted")
    text = (resources.files("quantize") / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
    return parse_recipe(name, text)


def parse_recipe(name: str, text: str) -> Recipe:
    """Read a recipe from TOML; what it leaves out is as in the recipe that it ``extends``.

    Raises
    ------
    RecipeError
        If the text is no TOML, or has a key or a value that is not known.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"recipe {name} is no TOML: {error}") from error
    unknown = sorted(set(data) - {"title", "extends", "n_variants", "teachers", *_TABLES})
    if unknown:
        raise RecipeError(f"recipe {name} has unknown keys {unknown}")
    base = load_recipe(data["extends"]) if "extends" in data else None
    tables: dict[str, Any] = {}
    for table, settings_type in _TABLES.items():
        inherited = getattr(base, table) if base else {}
        tables[table] = {**inherited, **data.get(table, {})}
        known = {field.name for field in dataclasses.fields(settings_type)}
        unknown = sorted(set(tables[table]) - known)
        if unknown:
            raise RecipeError(f"recipe {name} has unknown keys {unknown} in [{table}]")
    if "title" not in data:
        raise RecipeError(f"recipe {name} has no title: one line that says what it is is wanted")
    teachers = tuple(data.get("teachers", ()))
    strangers = sorted(set(teachers) - set(recipe_names()))
    if strangers:
        raise RecipeError(
            f"recipe {name} has the teachers {strangers}, recipes of {', '.join(recipe_names())} "
            "are wanted"
        )
    n_variants = data.get("n_variants", base.n_variants if base else 8)
    return Recipe(name, data["title"], n_variants, teachers, **tables)
