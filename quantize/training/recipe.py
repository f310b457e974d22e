"""Training recipes: named settings in a file, so that a figure's training has one name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any

from edge.errors import EdgeSerError, shown
from edge.features.spec import FeatureSpec, default_settings
from quantize.basics.errors import RecipeError
from quantize.basics.toml_files import (
    packaged_names,
    packaged_text,
    parse_toml,
    read_own_file,
    refuse_unknown,
)
from quantize.data.sound.augment import AugmentSettings
from quantize.models.claf_ser import ClafSerConfig
from quantize.runs.settings import MOST_VARIANTS
from quantize.training.batch_settings import BatchSettings
from quantize.training.settings import TrainSettings

__all__ = ["DEFAULT_RECIPE", "Recipe", "load_recipe", "recipe_names"]

#: The one that needs no other run.
DEFAULT_RECIPE = "claf-ser-alone"

_TABLES: dict[str, Any] = {
    "model": ClafSerConfig,
    "training": TrainSettings,
    "batches": BatchSettings,
    "augment": AugmentSettings,
    "features": FeatureSpec,
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
    model, training, batches, augment, features : mapping
        What differs from the defaults of :class:`~quantize.models.claf_ser.ClafSerConfig`,
        :class:`~quantize.training.settings.TrainSettings`,
        :class:`~quantize.training.batch_settings.BatchSettings`,
        :class:`~quantize.data.sound.augment.AugmentSettings` and
        :class:`~edge.features.spec.FeatureSpec`.
    """

    name: str
    title: str
    n_variants: int
    teachers: tuple[str, ...]
    model: Mapping[str, Any]
    training: Mapping[str, Any]
    batches: Mapping[str, Any]
    augment: Mapping[str, Any]
    features: Mapping[str, Any]

    def config(self, **changes: Any) -> ClafSerConfig:
        """Sizes of the model, with some of them changed."""
        wide = {"n_features": self.feature_spec().n_features}
        return ClafSerConfig(**{**wide, **self.model, **changes})

    def train_settings(self, **changes: Any) -> TrainSettings:
        """Settings of the training, with some of them changed."""
        return TrainSettings(**{**self.training, **changes})

    def batch_settings(self, **changes: Any) -> BatchSettings:
        """Settings of the batches, with some of them changed."""
        return BatchSettings(**{**self.batches, **changes})

    def augment_settings(self) -> AugmentSettings:
        """Settings of the augmented variants."""
        return AugmentSettings(**self.augment)

    def feature_spec(self) -> FeatureSpec:
        """Features that the model hears."""
        return FeatureSpec().with_settings(**self.features)


def recipe_names() -> list[str]:
    """Names that :func:`load_recipe` takes."""
    return packaged_names("training")


def load_recipe(name: str) -> Recipe:
    """Read a recipe of this package by its name, or any by the path of its file.

    Raises
    ------
    RecipeError
        If there is none of that name, or the file has a key or a value that is not known.
    """
    if name in recipe_names():
        return parse_recipe(name, packaged_text("training", name))
    return parse_recipe(Path(name).stem, read_own_file(name, recipe_names()))


def parse_recipe(name: str, text: str) -> Recipe:
    """Read a recipe from TOML; what it leaves out is as in the recipe that it ``extends``.

    Raises
    ------
    RecipeError
        If the text is no TOML, or has a key or a value that is not known.
    """
    data = parse_toml(name, text)
    like: dict[str, Any] = {"title": "", "extends": "", "n_variants": 8, "teachers": ()}
    refuse_unknown(name, data, {*like, *_TABLES})
    for key, value in data.items():
        _check_type(name, key, value, like.get(key, {}))
    if Path(data.get("extends", "")).suffix == ".toml":
        # Files that extend files could go in a circle.
        raise RecipeError(
            f"recipe {name} extends {data['extends']!r}, one of {', '.join(recipe_names())} is "
            "wanted"
        )
    base = load_recipe(data["extends"]) if "extends" in data else None
    tables: dict[str, Any] = {}
    for table, settings_type in _TABLES.items():
        inherited = getattr(base, table) if base else {}
        tables[table] = {**inherited, **data.get(table, {})}
        defaults = _defaults(settings_type)
        refuse_unknown(name, tables[table], defaults, f" in [{table}]")
        for key, value in data.get(table, {}).items():
            _check_type(name, f"[{table}] {key}", value, defaults[key])
            for part in value if isinstance(value, dict) else ():
                _check_type(name, f"[{table}] {key}.{part}", value[part], 0.0)
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
    if not 0 <= n_variants <= MOST_VARIANTS:
        raise RecipeError(
            f"recipe {name}: n_variants is {shown(n_variants)}, 0 to {MOST_VARIANTS} is wanted"
        )
    recipe = Recipe(name, data["title"], n_variants, teachers, **tables)
    for settings in (
        recipe.feature_spec,
        recipe.config,
        recipe.train_settings,
        recipe.batch_settings,
        recipe.augment_settings,
    ):
        try:
            settings()
        except EdgeSerError as error:
            raise RecipeError(f"recipe {name}: {error}") from error
    return recipe


def _defaults(settings_type: Any) -> dict[str, Any]:
    """Names and defaults of a table; the features' are those of the flat JSON."""
    if settings_type is FeatureSpec:
        return default_settings()
    settings = settings_type()
    return {f.name: getattr(settings, f.name) for f in dataclasses.fields(settings_type)}


def _check_type(name: str, key: str, value: object, like: object) -> None:
    """Refuse a value of another type than a default's; a whole number is a number too."""
    kinds: tuple[tuple[type | UnionType, type | tuple[type, ...], str], ...] = (
        (bool, bool, "true or false"),
        (int, int, "a whole number"),
        (float, (int, float), "a number"),
        (str, str, "a text"),
        (tuple | list, list, "a list"),
        (dict, dict, "a table"),
    )
    accepted, wanted = next((a, w) for kind, a, w in kinds if isinstance(like, kind))
    fits = isinstance(value, accepted) and (isinstance(like, bool) or not isinstance(value, bool))
    if fits and isinstance(value, list) and not all(isinstance(item, str) for item in value):
        fits, wanted = False, "a list of texts"
    if not fits:
        raise RecipeError(f"recipe {name}: {key} is {shown(value)}, {wanted} is wanted")
