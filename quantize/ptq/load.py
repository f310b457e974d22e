"""Recipes of post-training quantization in files: those of this package, and a person's own."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from quantize.errors import RecipeError
from quantize.ptq.recipe import PtqRecipe

__all__ = ["load_ptq_recipe", "parse_ptq_recipe", "ptq_recipe_names"]


def ptq_recipe_names() -> list[str]:
    """Names of the recipes of this package."""
    folder = resources.files("quantize") / "recipes" / "ptq"
    return sorted(
        p.name.removesuffix(".toml") for p in folder.iterdir() if p.name.endswith(".toml")
    )


@cache
def _own_recipe(name: str) -> PtqRecipe:
    path = resources.files("quantize") / "recipes" / "ptq" / f"{name}.toml"
    return parse_ptq_recipe(name, path.read_text(encoding="utf-8"))


def load_ptq_recipe(name: str) -> PtqRecipe:
    """Read a recipe of this package by its name, or any by the path of its file.

    Raises
    ------
    RecipeError
        If there is none, or the file has a key or a value that is not known.
    """
    if name in ptq_recipe_names():
        return _own_recipe(name)
    path = Path(name)
    if path.suffix != ".toml":
        raise RecipeError(
            f"recipe is {name!r}, one of {', '.join(ptq_recipe_names())} or a file that ends in "
            ".toml is wanted"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise RecipeError(f"recipe {name} cannot be read: {reason}") from error
    return parse_ptq_recipe(path.stem, text)


def parse_ptq_recipe(name: str, text: str) -> PtqRecipe:
    """Read a recipe from TOML.

    Raises
    ------
    RecipeError
        If the text is no TOML, lacks a key, or has a key or a value that is not known.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"recipe {name} is no TOML: {error}") from error
    fields = {f.name: f for f in dataclasses.fields(PtqRecipe) if f.name != "name"}
    tables = {"reference": ("tolerance",), "verify": ("max_difference", "min_agreement")}
    in_tables = {key for keys in tables.values() for key in keys}
    values = {key: value for key, value in data.items() if key not in tables}
    _refuse_unknown(name, values, fields.keys() - in_tables)
    for table, keys in tables.items():
        part = data.get(table, {})
        if not isinstance(part, dict):
            raise RecipeError(f"recipe {name} has {table} {part!r}, a table is wanted")
        _refuse_unknown(name, part, keys, f" in [{table}]")
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
            raise RecipeError(f"recipe {name} has {key} {values[key]!r}, text is wanted")
    for key in ("float_layers", "int8_layers"):
        layers = values.get(key, [])
        if not isinstance(layers, list) or not all(isinstance(n, str) for n in layers):
            raise RecipeError(f"recipe {name} has {key} {layers!r}, a list of names is wanted")
        values[key] = tuple(layers)
    return PtqRecipe(name=name, **values)


def _refuse_unknown(name: str, data: Mapping[str, Any], known: Iterable[str], at: str = "") -> None:
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise RecipeError(f"recipe {name} has unknown keys {unknown}{at}")
