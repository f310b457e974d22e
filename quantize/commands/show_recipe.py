"""``edge-ser-quantize show-recipe``: every value of a recipe, its range, and whose it is."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantize.basics.tables import aligned
from quantize.commands.options import training_recipe_names
from quantize.export.rounding.load import rounding_recipe_names

if TYPE_CHECKING:
    from quantize.export.rounding.recipe import RoundingRecipe
    from quantize.training.recipe import Recipe

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``show-recipe`` to the parser."""
    parser = commands.add_parser(
        "show-recipe",
        help="show every value of a training or rounding recipe, its range, and whose it is",
        description="A value is the recipe's own, that of the recipe it extends, or the default. "
        f"Training recipes: {', '.join(training_recipe_names())}. "
        f"Rounding recipes: {', '.join(rounding_recipe_names())}.",
    )
    parser.add_argument("recipe", metavar="NAME|FILE.toml", help="one of these, or a file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(function=_show_recipe)


def _show_recipe(arguments: argparse.Namespace) -> int:
    from quantize.basics.errors import RecipeError
    from quantize.basics.toml_files import parse_toml, read_own_file
    from quantize.export.rounding.load import load_rounding_recipe
    from quantize.training.recipe import load_recipe

    name = arguments.recipe
    names = [*training_recipe_names(), *rounding_recipe_names()]
    if name in names:
        is_training = name in training_recipe_names()
    else:
        # A rounding recipe cannot be without these, and a training recipe does not know them.
        own = parse_toml(Path(name).stem, read_own_file(name, names))
        is_training = not {"backend", "method", "granularity", "weight_bits"} & set(own)
        if not own:
            raise RecipeError(f"recipe {name} is empty: a title and settings are wanted")
    shown = _training(load_recipe(name)) if is_training else _rounding(load_rounding_recipe(name))
    if arguments.json:
        print(json.dumps(shown, ensure_ascii=False))
        return 0
    print(f"{shown['name']}: {shown['title']}")
    if shown.get("teachers"):
        print(f"teachers: {', '.join(shown['teachers'])}")
    for table in dict.fromkeys(row["table"] for row in shown["settings"]):
        rows = [row for row in shown["settings"] if row["table"] == table]
        cells = [[row["key"], _text(row["value"]), row["range"], row["from"]] for row in rows]
        print(f"\n[{table}]" if table else "")
        print("\n".join(aligned(cells, n_left=4)))
    return 0


def _training(recipe: Recipe) -> dict[str, Any]:
    from quantize.training.recipe import NOT_OF_A_RECIPE, TABLES, table_defaults, table_types

    rows = [_row("", "n_variants", recipe.n_variants, ">= 0, <= 1000", recipe.owner("n_variants"))]
    for table in TABLES:
        values = table_defaults(table) | dict(getattr(recipe, table))
        kinds = table_types(table)
        if table == "features":
            # Settings of families that are not among its features have no say.
            values = recipe.feature_spec().to_dict()
        for key in values:
            if f"{table}.{key}" not in NOT_OF_A_RECIPE:
                owner = recipe.owner(key, table)
                rows.append(_row(table, key, values[key], _range(key, kinds[key]), owner))
    return {
        "name": recipe.name,
        "sort": "training",
        "title": recipe.title,
        "extends": recipe.parent.name if recipe.parent else None,
        "teachers": list(recipe.teachers),
        "settings": rows,
    }


def _rounding(recipe: RoundingRecipe) -> dict[str, Any]:
    from quantize.basics.settings import fields_of
    from quantize.export.rounding.load import RECIPE_TABLES
    from quantize.export.rounding.recipe import BACKENDS, METHODS

    tables = {key: table for table, keys in RECIPE_TABLES.items() for key in keys}
    bits = sorted({bits for each in METHODS.values() for bits in each})
    named = {
        "backend": " | ".join(BACKENDS),
        "method": " | ".join(METHODS),
        "weight_bits": " | ".join(map(str, bits)),
    }
    rows = [
        _row(
            tables.get(field.name, ""),
            field.name,
            getattr(recipe, field.name),
            named.get(field.name) or _range(field.name, field.type),
            "default" if getattr(recipe, field.name) == field.default else "recipe",
        )
        for field in fields_of(type(recipe))
        if field.name not in ("name", "title")
    ]
    return {"name": recipe.name, "sort": "rounding", "title": recipe.title, "settings": rows}


def _row(table: str, key: str, value: Any, range_: str, owner: str) -> dict[str, Any]:
    return {"table": table, "key": key, "value": value, "range": range_, "from": owner}


def _range(key: str, kind: Any) -> str:
    from quantize.basics.settings import range_of
    from quantize.training.recipe import feature_ranges

    return feature_ranges().get(key) or range_of(kind)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} = {_text(item)}" for key, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
