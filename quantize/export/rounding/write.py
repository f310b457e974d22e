"""A rounding recipe as a TOML file that reads back as the same recipe."""

from __future__ import annotations

import json
from pathlib import Path

from quantize.basics.files import atomic_path
from quantize.basics.settings import fields_of
from quantize.basics.toml_files import name_of_file
from quantize.export.rounding.load import RECIPE_TABLES
from quantize.export.rounding.recipe import RoundingRecipe

__all__ = ["named_as_file", "recipe_toml", "write_recipe"]

_TABLES = {key: table for table, keys in RECIPE_TABLES.items() for key in keys}


def recipe_toml(recipe: RoundingRecipe) -> str:
    """Write a recipe as text; its name is that of the file."""
    lines: list[str] = []
    tables: dict[str, list[str]] = {}
    for field in fields_of(RoundingRecipe):
        value = getattr(recipe, field.name)
        if field.name == "name" or value == field.default:
            continue
        # What JSON writes of texts, numbers, truths and lists of texts is TOML as well.
        line = f"{field.name} = {json.dumps(value, ensure_ascii=False)}"
        table = _TABLES.get(field.name)
        (lines if table is None else tables.setdefault(table, [])).append(line)
    for table, own in tables.items():
        lines += ["", f"[{table}]", *own]
    return "\n".join(lines) + "\n"


def named_as_file(recipe: RoundingRecipe, more: str) -> RoundingRecipe:
    """Name a changed recipe as it is named when its file is read: by the file and its digest.

    Parameters
    ----------
    recipe : RoundingRecipe
    more : str
        What is put behind the name that it had.
    """
    stem = recipe.name.partition(".toml@")[0]
    return recipe.replaced(name=name_of_file(f"{stem}{more}.toml", recipe_toml(recipe)))


def write_recipe(folder: Path, recipe: RoundingRecipe) -> Path:
    """Write what :func:`named_as_file` named into a folder, whole or not at all.

    Returns
    -------
    Path
        Of the file.
    """
    path = folder / recipe.name.partition("@")[0]
    with atomic_path(path) as temporary:
        temporary.write_text(recipe_toml(recipe), encoding="utf-8")
    return path
