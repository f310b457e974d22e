"""Recipes of post-training quantization in files: those of this package, and a person's own."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

from edge.errors import shown
from quantize.basics.errors import RecipeError
from quantize.basics.toml_files import (
    packaged_names,
    packaged_text,
    parse_toml,
    read_own_file,
    refuse_unknown,
)
from quantize.export.rounding.recipe import BACKENDS, PtqRecipe

__all__ = [
    "kind_names",
    "kind_recipes",
    "load_ptq_recipe",
    "parse_ptq_recipe",
    "ptq_recipe_names",
]


def ptq_recipe_names() -> list[str]:
    """Names of the recipes of this package."""
    return packaged_names("export")


@cache
def _own_recipe(name: str) -> PtqRecipe:
    return parse_ptq_recipe(name, packaged_text("export", name))


def load_ptq_recipe(name: str) -> PtqRecipe:
    """Read a recipe of this package by its name, or any by the path of its file.

    Raises
    ------
    RecipeError
        If there is none, or the file has a key or a value that is not known.
    """
    if name in ptq_recipe_names():
        return _own_recipe(name)
    return parse_ptq_recipe(Path(name).stem, read_own_file(name, ptq_recipe_names()))


def parse_ptq_recipe(name: str, text: str) -> PtqRecipe:
    """Read a recipe from TOML.

    Raises
    ------
    RecipeError
        If the text is no TOML, lacks a key, or has a key or a value that is not known.
    """
    data = parse_toml(name, text)
    fields = {f.name: f for f in dataclasses.fields(PtqRecipe) if f.name != "name"}
    tables = {"reference": ("tolerance",), "verify": ("max_difference", "min_agreement")}
    in_tables = {key for keys in tables.values() for key in keys}
    values = {key: value for key, value in data.items() if key not in tables}
    refuse_unknown(name, values, fields.keys() - in_tables)
    for table, keys in tables.items():
        part = data.get(table, {})
        if not isinstance(part, dict):
            raise RecipeError(f"recipe {name} has {table} {shown(part)}, a table is wanted")
        refuse_unknown(name, part, keys, f" in [{table}]")
        values |= part
    missing = sorted(
        key
        for key, field in fields.items()
        if field.default is dataclasses.MISSING and key not in values
    )
    if missing:
        raise RecipeError(f"recipe {name} lacks {', '.join(missing)}")
    for key in ("title", "backend", "method", "granularity"):
        if not isinstance(values[key], str):
            raise RecipeError(f"recipe {name} has {key} {shown(values[key])}, text is wanted")
    for key in ("float_layers", "int8_layers"):
        layers = values.get(key, [])
        if not isinstance(layers, list) or not all(isinstance(n, str) for n in layers):
            raise RecipeError(f"recipe {name} has {key} {shown(layers)}, a list of names is wanted")
        values[key] = tuple(layers)
    return PtqRecipe(name=name, **values)


def kind_recipes() -> list[PtqRecipe]:
    """Recipes of this package that need no data: a backend's together, float32 first."""
    recipes = [
        recipe for name in ptq_recipe_names() if not (recipe := _own_recipe(name)).n_calibration
    ]
    return sorted(recipes, key=lambda r: (BACKENDS.index(r.backend), -r.weight_bits))


def kind_names() -> tuple[str, ...]:
    """Every kind of artifact; :data:`quantize.export.KINDS` also has what builds it."""
    return tuple(recipe.kind for recipe in kind_recipes())
