"""A rounding recipe as a TOML file that reads back as the same recipe."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from quantize.basics.files import atomic_path
from quantize.export.rounding.recipe import PtqRecipe

__all__ = ["recipe_toml", "write_recipe"]

_TABLES = {"tolerance": "reference", "max_difference": "verify", "min_agreement": "verify"}


def recipe_toml(recipe: PtqRecipe) -> str:
    """Write a recipe as text; its name is that of the file."""
    lines: list[str] = []
    tables: dict[str, list[str]] = {}
    for field in dataclasses.fields(recipe):
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


def write_recipe(folder: Path, recipe: PtqRecipe) -> Path:
    """Write ``NAME.toml`` into a folder, whole or not at all; returns its path."""
    path = folder / f"{recipe.name}.toml"
    with atomic_path(path) as temporary:
        temporary.write_text(recipe_toml(recipe), encoding="utf-8")
    return path
