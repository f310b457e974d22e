"""Training recipes: named settings in a file, so that a figure's training has one name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from edge.errors import EdgeSerError, shown
from edge.features.families import FAMILIES
from edge.features.families.base import LARGEST_FLOAT, setting_key
from edge.features.front_end import FrontEnd
from edge.features.spec import FeatureSpec, default_settings
from quantize.basics.errors import RecipeError
from quantize.basics.settings import check, fields_of, unknown_keys, whole
from quantize.basics.toml_files import (
    name_of_file,
    packaged_names,
    packaged_text,
    parse_toml,
    read_own_file,
)
from quantize.data.sound.augment import AugmentSettings
from quantize.models.config import ClafSerConfig
from quantize.runs.settings import MOST_VARIANTS
from quantize.training.batch_settings import BatchSettings
from quantize.training.settings import TrainSettings

__all__ = [
    "NOT_OF_A_RECIPE",
    "TABLES",
    "Recipe",
    "feature_ranges",
    "load_recipe",
    "recipe_names",
    "table_defaults",
    "table_types",
]

_VARIANTS = Annotated[int, whole(0, MOST_VARIANTS)]
_HEAD: dict[str, Any] = {
    "title": str,
    "extends": str,
    "n_variants": _VARIANTS,
    "teachers": tuple[str, ...],
}

#: Tables of a recipe, and what they are settings of.
TABLES: dict[str, Any] = {
    "model": ClafSerConfig,
    "training": TrainSettings,
    "batches": BatchSettings,
    "augment": AugmentSettings,
    "features": FeatureSpec,
}

#: Settings that a run has and a recipe has not, and where they come from.
NOT_OF_A_RECIPE = {
    "training.seed": "give the seed to the command: --seed",
    "model.n_features": "it follows from [features]",
    "model.n_labels": "it follows from the recordings",
    "model.n_domains": "it follows from the recordings",
}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Settings of a training.

    Parameters
    ----------
    name : str
        Of the file, without ``.toml``, for one of this package; with it and the beginning of
        the file's SHA-256 for a person's own, which may bear any name.
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
    parent : Recipe or None
        The one that it extends, whose settings are among these.
    own : mapping
        By table, the keys that it sets itself; those of no table under the empty text.
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
    parent: Recipe | None = None
    own: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)

    def owner(self, key: str, table: str | None = None) -> str:
        """Whose a setting is: ``"recipe"``, ``"default"``, or the name of the one extended.

        Parameters
        ----------
        key : str
        table : str, optional
            None: ``n_variants``.
        """
        here = key in self.own.get(table or "", ())
        if here or self.parent is None:
            return "recipe" if here else "default"
        above = self.parent.owner(key, table)
        return self.parent.name if above == "recipe" else above

    @property
    def knows_references(self) -> bool:
        """Whether the model is trained with references for voices, a column more of its input."""
        return self.batch_settings().reference_share > 0

    def config(self, **changes: Any) -> ClafSerConfig:
        """Sizes of the model, with some of them changed."""
        wide = {"n_features": self.feature_spec().n_features + self.knows_references}
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
    text = read_own_file(name, recipe_names())
    recipe = parse_recipe(Path(name).stem, text)
    return dataclasses.replace(recipe, name=name_of_file(name, text))


def parse_recipe(name: str, text: str) -> Recipe:
    """Read a recipe from TOML; what it leaves out is as in the recipe that it ``extends``.

    Raises
    ------
    RecipeError
        If the text is no TOML, or has a key or a value that is not known.
    """
    data = parse_toml(name, text)
    if "seed" in data:
        _refuse_key(name, "seed", data["seed"], NOT_OF_A_RECIPE["training.seed"])
    _refuse_unknown(name, data, [*_HEAD, *TABLES])
    for table in TABLES:
        if not isinstance(data.get(table, {}), dict):
            raise RecipeError(f"recipe {name}: {table} is {shown(data[table])}, a table is wanted")
    given = {key: _check(name, key, data[key], kind) for key, kind in _HEAD.items() if key in data}
    if "title" not in given:
        raise RecipeError(f"recipe {name} has no title: one line that says what it is is wanted")
    if Path(given.get("extends", "")).suffix == ".toml":
        # Files that extend files could go in a circle.
        raise RecipeError(
            f"recipe {name} extends {given['extends']!r}, one of {', '.join(recipe_names())} is "
            "wanted"
        )
    parent = load_recipe(given["extends"]) if "extends" in given else None
    tables = {
        table: {
            **(getattr(parent, table) if parent else {}),
            **_checked_table(name, table, data.get(table, {})),
        }
        for table in TABLES
    }
    teachers = given.get("teachers", ())
    strangers = sorted(set(teachers) - set(recipe_names()))
    if strangers:
        raise RecipeError(
            f"recipe {name} has the teachers {strangers}, recipes of {', '.join(recipe_names())} "
            "are wanted"
        )
    n_variants = given.get("n_variants", parent.n_variants if parent else 8)
    own = {"": frozenset(given), **{table: frozenset(data.get(table, ())) for table in TABLES}}
    recipe = Recipe(name, given["title"], n_variants, teachers, **tables, parent=parent, own=own)
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


def table_types(table: str) -> dict[str, Any]:
    """Names of a table's settings, and their types with their ranges."""
    settings_type = TABLES[table]
    if settings_type is FeatureSpec:
        # Its ranges are the device's, which checks them.
        return {
            key: tuple[str, ...] if isinstance(default, tuple | list) else type(default)
            for key, default in default_settings().items()
        }
    return {field.name: field.type for field in fields_of(settings_type)}


def table_defaults(table: str) -> dict[str, Any]:
    """Names and defaults of a table; the features' are those of the flat JSON."""
    settings_type = TABLES[table]
    if settings_type is FeatureSpec:
        return default_settings()
    defaults: dict[str, Any] = settings_type().to_dict()
    return defaults


def feature_ranges() -> dict[str, str]:
    """Ranges of the features' settings by their keys, as the device declares and checks them."""
    ranges = {}
    records: tuple[Any, ...] = (FeatureSpec, *FAMILIES.values(), FrontEnd)
    for record in records:
        for field in dataclasses.fields(record):
            key, about = setting_key(field), field.metadata
            if key and "largest" in about:
                ranges[key] = f">= 1, <= {about['largest']}"
            elif key and "only" in about:
                ranges[key] = str(about["only"])
            elif key:
                ranges[key] = f">= 0, <= {LARGEST_FLOAT:g}"
    ranges["order"] = f"list of {' | '.join(FAMILIES)}"
    return ranges


def _checked_table(name: str, table: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a table as they are written, once they are known and in their ranges."""
    for key, value in data.items():
        if why := NOT_OF_A_RECIPE.get(f"{table}.{key}"):
            _refuse_key(name, f"[{table}] {key}", value, why)
    kinds = table_types(table)
    own = [key for key in kinds if f"{table}.{key}" not in NOT_OF_A_RECIPE]
    _refuse_unknown(name, data, own, f" in [{table}]")
    for key, value in data.items():
        _check(name, f"[{table}] {key}", value, kinds[key])
    return dict(data)


def _check(name: str, key: str, value: object, kind: Any) -> Any:
    return check(value, kind, f"recipe {name}: {key}", RecipeError)


def _refuse_unknown(name: str, data: Mapping[str, Any], known: list[str], at: str = "") -> None:
    if sentence := unknown_keys(data, known, at):
        raise RecipeError(f"recipe {name} has {sentence}")


def _refuse_key(name: str, key: str, value: object, why: str) -> None:
    raise RecipeError(f"recipe {name}: {key} is {shown(value)}, none is wanted there: {why}")
