"""Recipes say what is rounded, and one that contradicts itself is one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10; pytest brings the same parser there
    import tomli as tomllib

from quantize.basics.errors import RecipeError
from quantize.export import KINDS
from quantize.export.exporter import BUILDERS
from quantize.export.rounding.layers import LAYERS
from quantize.export.rounding.load import (
    load_rounding_recipe,
    parse_rounding_recipe,
    rounding_recipe_names,
)
from quantize.training.recipe import recipe_names

TEXT = """
title = "a recipe"
backend = "numpy"
method = "weight_only"
weight_bits = 4
granularity = "per_group"
group_size = 16
float_layers = ["norm"]

[reference]
tolerance = 1e-4

[verify]
max_difference = 0.2
min_agreement = 0.97
"""


def test_every_recipe_of_the_package_is_whole():
    names = rounding_recipe_names()
    assert {
        "numpy_fp32",
        "numpy_weight_only_wi8",
        "numpy_weight_only_wi4",
        "numpy_compensated_wi4",
        "onnx_fp32",
        "onnx_fp16",
        "onnx_dynamic_wi8",
        "onnx_static_wi8ai8",
    } <= set(names)
    recipes = [load_rounding_recipe(name) for name in names]
    assert len({recipe.kind for recipe in recipes}) == len(names)
    # What needs no data is a kind of `export`.
    wanted = {r.kind for r in recipes if r.backend in BUILDERS and not r.n_calibration}
    assert wanted == set(KINDS)


def test_kinds_keep_their_names():
    assert KINDS["numpy-int8"].recipe.name == "numpy_weight_only_wi8"
    assert KINDS["numpy-int4"].recipe.name == "numpy_weight_only_wi4"
    assert KINDS["onnx-int8"].recipe.name == "onnx_dynamic_wi8"
    assert KINDS["onnx-fp16"].recipe.name == "onnx_fp16"


def test_training_recipes_are_other_recipes():
    assert not set(recipe_names()) & set(rounding_recipe_names())


def test_recipes_are_installed_with_the_package():
    root = Path(__file__).resolve().parents[3]
    project = tomllib.loads((root / "quantize" / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["quantize.export"]
    shipped = {
        path.stem for pattern in patterns for path in (root / "quantize" / "export").glob(pattern)
    }
    assert set(rounding_recipe_names()) <= shipped


def test_a_file_of_ones_own(tmp_path: Path):
    path = tmp_path / "my.toml"
    path.write_text(TEXT)
    recipe = load_rounding_recipe(str(path))
    # A file may bear any name, also one of this package: its digest tells it apart.
    assert re.fullmatch(r"my\.toml@[0-9a-f]{12}", recipe.name)
    assert recipe.stored_granularity == "per_group_16"
    assert recipe.tolerance == 1e-4
    assert [layer for layer in LAYERS if recipe.is_float(layer)] == []


def test_layers_are_added_and_named_by_group():
    recipe = load_rounding_recipe("numpy_weight_only_wi8").changed(
        float_layers=["lstm", "fc1.weight", "norm"], granularity="per_tensor"
    )
    assert recipe.float_layers == ("norm", "lstm", "fc1")
    assert recipe.granularity == "per_tensor"
    kept = [layer for layer in LAYERS if recipe.is_float(layer)]
    assert kept == ["lstm.weight_ih", "lstm.weight_hh", "fc1"]


def test_another_granularity_takes_the_group_size_along():
    recipe = load_rounding_recipe("numpy_weight_only_wi4")
    assert recipe.changed(granularity="per_tensor").stored_granularity == "per_tensor"
    int8 = load_rounding_recipe("numpy_weight_only_wi8")
    assert int8.changed(granularity="per_group").stored_granularity == "per_group_32"


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ('title = "a recipe"', "", "lacks title"),
        ("group_size = 16", "group_sise = 16", r"unknown keys \['group_sise'\]"),
        ("tolerance = 1e-4", "tolerance = 1e-4\nspeed = 1", r"unknown keys \['speed'\] in \[refer"),
        ("tolerance = 1e-4", "", "lacks tolerance"),
        ("tolerance = 1e-4", "tolerance = 0.0", "tolerance is 0.0, a number above 0 and at most 1"),
        ("min_agreement = 0.97", "min_agreement = 97.0", "min_agreement is 97.0, a number above 0"),
        ('"numpy"', '"coreml"', "backend is 'coreml', one of numpy, onnx"),
        ('"numpy"', "3", "backend is 3, a text is wanted"),
        (
            '"weight_only"',
            '"dynamic"',
            "method is 'dynamic', one of float, fp16, weight_only for nu",
        ),
        ("weight_bits = 4", "weight_bits = 5", "weight_bits is 5, 4 or 8 for weight_only"),
        ("weight_bits = 4", "weight_bits = 4\nint8_layers = ['fc9']", "names the layer 'fc9', one"),
        ("weight_bits = 4", "weight_bits = 8\nint8_layers = ['fc1']", "none without weight_bits 4"),
        ('"per_group"', '"per_row"', "granularity is 'per_row', 'none', 'per_tensor'"),
        ('"per_group"', '"per_tensor"', "group_size is 16, 1 or more with granularity per_group"),
        ("group_size = 16", "group_size = 0", "group_size is 0, 1 or more with"),
        ("group_size = 16", "group_size = true", "group_size is True, 0 or a whole number up to"),
        ('["norm"]', '"norm"', "float_layers is 'norm', a list of texts"),
        ('["norm"]', '["head"]', "names the layer 'head', one of lstm.weight_ih"),
        ('["norm"]', '["lstm","attention","conv","language","fc1","fc2"]', "a layer to round"),
        (
            "group_size = 16",
            "group_size = 16\nn_calibration = 8",
            "n_calibration is 8, 0: it needs",
        ),
        ("group_size = 16", "group_size = 16\ncompensate = true", "n_calibration is 0, 1 or more"),
        ("[reference]", "[reference", "is no TOML"),
        ("[reference]\ntolerance = 1e-4", "reference = 3", "reference is 3, a table is wanted"),
    ],
)
def test_bad_recipes(old: str, new: str, match: str):
    assert old in TEXT
    text = TEXT.replace(old, new)
    if new == "reference = 3":
        text = "reference = 3\n" + TEXT.replace(old, "")
    with pytest.raises(RecipeError, match=match) as caught:
        parse_rounding_recipe("mine", text)
    assert str(caught.value).count("\n") == 0 or "TOML" in match


def test_what_a_runtime_cannot_run():
    dynamic = load_rounding_recipe("onnx_dynamic_wi8")
    with pytest.raises(RecipeError, match="both parts of the LSTM or none for onnx"):
        dynamic.changed(float_layers=["lstm.weight_hh"])
    with pytest.raises(RecipeError, match="granularity is 'per_group', one of per_tensor, per_out"):
        dynamic.changed(granularity="per_group")
    with pytest.raises(RecipeError, match="granularity is 'per_tensor', one of none for fp16"):
        load_rounding_recipe("onnx_fp16").changed(granularity="per_tensor")
    with pytest.raises(RecipeError, match=r"float_layers is \['fc1'\], none where all is float"):
        load_rounding_recipe("onnx_fp32").changed(float_layers=["fc1"])
    with pytest.raises(RecipeError, match="n_calibration is 0, 1 or more: it calibrates"):
        load_rounding_recipe("onnx_static_wi8ai8").changed(n_calibration=0)


def test_conv_and_lstm_cannot_be_static(tmp_path: Path):
    text = (
        TEXT.replace("numpy", "onnx").replace("weight_only", "static").replace("= 4", "= 8")
    ).replace('"per_group"\ngroup_size = 16', '"per_tensor"')
    with pytest.raises(RecipeError, match=r"with conv, language, lstm.*which onnx cannot run"):
        parse_rounding_recipe("mine", text)


def test_unknown_names_and_files(tmp_path: Path):
    with pytest.raises(RecipeError, match=r"recipe is 'int2', one of numpy_.* or a file that ends"):
        load_rounding_recipe("int2")
    with pytest.raises(RecipeError, match=r"none.toml cannot be read: No such file"):
        load_rounding_recipe(str(tmp_path / "none.toml"))
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(RecipeError, match="cannot be read: it is no UTF-8 text"):
        load_rounding_recipe(str(tmp_path / "binary.toml"))
