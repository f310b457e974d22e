"""Recipes of post-training quantization in files: those of this package, and a person's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from edge.errors import shown
from quantize.basics.errors import RecipeError
from quantize.basics.settings import fields_of, unknown_keys
from quantize.basics.toml_files import (
    name_of_file,
    packaged_names,
    packaged_text,
    parse_toml,
    read_own_file,
)
from quantize.export.rounding.recipe import BACKENDS, RoundingRecipe

__all__ = [
    "RECIPE_TABLES",
    "kind_names",
    "kind_recipes",
    "load_rounding_recipe",
    "parse_rounding_recipe",
    "rounding_recipe_names",
]


#: Tables of a recipe, and the settings that stand in them.
RECIPE_TABLES = {"reference": ("tolerance",), "verify": ("max_difference", "min_agreement")}


def rounding_recipe_names() -> list[str]:
    """Names of the recipes of this package."""
    return packaged_names("export")


@cache
def _own_recipe(name: str) -> RoundingRecipe:
    return parse_rounding_recipe(name, packaged_text("export", name))


def load_rounding_recipe(name: str) -> RoundingRecipe:
    """Read a recipe of this package by its name, or any by the path of its file.

    Raises
    ------
    RecipeError
        If there is none, or the file has a key or a value that is not known.
    """
    if name in rounding_recipe_names():
        return _own_recipe(name)
    text = read_own_file(name, rounding_recipe_names())
    return parse_rounding_recipe(Path(name).stem, text).replaced(name=name_of_file(name, text))


def parse_rounding_recipe(name: str, text: str) -> RoundingRecipe:
    """Read a recipe from TOML.

    Raises
    ------
    RecipeError
        If the text is no TOML, lacks a key, or has a key or a value that is not known.
    """
    data = parse_toml(name, text)
    fields = {field.name: field for field in fields_of(RoundingRecipe) if field.name != "name"}
    of_tables = [key for keys in RECIPE_TABLES.values() for key in keys]
    values = {key: value for key, value in data.items() if key not in RECIPE_TABLES}
    _refuse_unknown(name, values, [key for key in fields if key not in of_tables])
    for table, keys in RECIPE_TABLES.items():
        part = data.get(table, {})
        if not isinstance(part, dict):
            raise RecipeError(f"recipe {name}: {table} is {shown(part)}, a table is wanted")
        _refuse_unknown(name, part, keys, f" in [{table}]")
        values |= part
    missing = sorted(key for key, field in fields.items() if field.required and key not in values)
    if missing:
        raise RecipeError(f"recipe {name} lacks {', '.join(missing)}")
    return RoundingRecipe(name=name, **values)


def _refuse_unknown(name: str, data: Mapping[str, Any], known: Iterable[str], at: str = "") -> None:
    if sentence := unknown_keys(data, known, at):
        raise RecipeError(f"recipe {name} has {sentence}")


def kind_recipes() -> list[RoundingRecipe]:
    """Recipes of this package that need no data: a backend's together, float32 first."""
    recipes = [
        recipe
        for name in rounding_recipe_names()
        if not (recipe := _own_recipe(name)).n_calibration
    ]
    return sorted(recipes, key=lambda r: (BACKENDS.index(r.backend), -r.weight_bits))


def kind_names() -> tuple[str, ...]:
    """Every kind of artifact; :data:`quantize.export.KINDS` also has what builds it."""
    return tuple(recipe.kind for recipe in kind_recipes())
