# A draw is a row of cases, each with its own way out.
# ruff: noqa: PLR0911
"""Recipes of both sorts: of training, and of post-training quantization."""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fuzz.mutate import mutate_json, mutate_text
from fuzz.target import HUGE_BYTES, Trial

__all__ = ["TomlTarget", "make_special", "to_toml"]


class TomlTarget:
    """Through the loaders that the commands use, from files of a person's own."""

    may_probe = False
    needs = ("torch",)
    has_short_road = False

    def prepare(self, seeds: Path) -> None:
        """Read the recipes of the package."""
        from quantize.basics.toml_files import packaged_text, parse_toml
        from quantize.export.rounding.load import load_rounding_recipe, rounding_recipe_names
        from quantize.training.recipe import load_recipe, recipe_names

        self._load = (load_recipe, load_rounding_recipe)
        self._texts = (
            [packaged_text("training", name) for name in recipe_names()],
            [packaged_text("export", name) for name in rounding_recipe_names()],
        )
        self._trees = [[parse_toml("x", text) for text in texts] for texts in self._texts]

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Change a recipe, to load it."""
        rng = trial.rng
        sort = rng.randrange(2)
        at = rng.randrange(len(self._texts[sort]))
        path = trial.folder / "recipe.toml"
        kind = rng.random()
        if kind < 0.65:
            # Settings of all tables, so that there is something to change.
            tree = self._trees[sort][at]
            for other in self._trees[sort]:
                tree = {**other, **tree} if rng.random() < 0.2 else tree
            text = to_toml(mutate_json(rng, tree))
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
        elif kind < 0.98:
            path.write_bytes(mutate_text(rng, self._texts[sort][at]))
        else:
            make_special(rng, path)
        name = str(path)
        if rng.random() < 0.03:
            name = rng.choice(
                ("", ".toml", "x" * 300 + ".toml", "\0.toml", ".", "../x.toml", "é.toml")
            )
        return lambda: self._read(sort, name)

    def _read(self, sort: int, name: str) -> None:
        recipe = self._load[sort](name)
        repr(recipe)


def to_toml(tree: Any) -> str:
    """Write a tree as TOML, as well as TOML can hold it."""
    if not isinstance(tree, dict):
        return _value(tree)
    plain = {k: v for k, v in tree.items() if not isinstance(v, dict)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for name, table in tree.items():
        if isinstance(table, dict):
            lines.append(f"[{_key(name)}]")
            lines += [f"{_key(key)} = {_value(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    if value is None:
        return "1979-05-27T07:32:00Z"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return {math.inf: "inf", -math.inf: "-inf"}.get(value, repr(value))
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + "}"
    return str(value)


def make_special(rng: random.Random, path: Path) -> None:
    """Put something in the file's place that is no file of a sane size."""
    kind = rng.randrange(4)
    if kind == 0:
        os.mkfifo(path)
    elif kind == 1:
        path.symlink_to("/dev/zero")
    elif kind == 2:
        path.mkdir()
    else:
        path.write_bytes(b"")
        os.truncate(path, HUGE_BYTES)
