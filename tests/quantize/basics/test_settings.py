"""Numbers of settings: from a file or from Python, every one that is none is one sentence."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge.errors import EdgeSerError, ParameterError
from quantize.basics.errors import RecipeError, TrainingError
from quantize.basics.settings import ProperShare, Share, check, fields_of
from quantize.data.sound.augment import AugmentSettings
from quantize.data.splits import paper_split, speaker_folds
from quantize.export.rounding.load import load_rounding_recipe
from quantize.models.claf_ser import ClafSerConfig
from quantize.models.config import SimpleRnnConfig
from quantize.prune.sizes import config_for_share, pruned_config
from quantize.runs.settings import RunSettings
from quantize.runs.temperature import read_tempering
from quantize.search.pareto import Constraints
from quantize.training.batch_settings import BatchSettings
from quantize.training.gate.settings import GateTraining
from quantize.training.recipe import parse_recipe
from quantize.training.settings import TrainSettings

HUGE = 10**400
# A hexadecimal one has no limit of digits, and cannot be written in decimal ones.
TOO_LONG_TO_WRITE = 16**5000
NO_NUMBERS = (
    HUGE,
    -HUGE,
    TOO_LONG_TO_WRITE,
    True,
    math.nan,
    math.inf,
    -math.inf,
    "1",
    [1],
    None,
    1j,
    np.zeros(2),
)
CLASSES = (
    TrainSettings,
    BatchSettings,
    AugmentSettings,
    ClafSerConfig,
    SimpleRnnConfig,
    RunSettings,
    GateTraining,
)


def _made(kind, **settings):
    return kind(("ravdess",), **settings) if kind is RunSettings else kind(**settings)


def _numbers(kind):
    made = _made(kind)
    values = {f.name: getattr(made, f.name) for f in fields_of(kind)}
    return [name for name, value in values.items() if type(value) in (int, float)]


SETTINGS = [(kind, name) for kind in CLASSES for name in _numbers(kind)]


@pytest.mark.parametrize(("kind", "name"), SETTINGS, ids=lambda v: getattr(v, "__name__", v))
def test_what_is_no_number_is_one_sentence(kind, name):
    for value in NO_NUMBERS:
        with pytest.raises(ParameterError, match=f"^{name} is .* wanted") as caught:
            _made(kind, **{name: value})
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("kind", "name"), SETTINGS, ids=lambda v: getattr(v, "__name__", v))
def test_numbers_of_numpy_are_numbers_and_defaults_stay(kind, name):
    default = getattr(_made(kind), name)
    settings = _made(kind, **{name: np.array([default])[0]})
    assert getattr(settings, name) == default
    assert type(getattr(settings, name)) is type(default)


def test_a_whole_number_for_a_fraction_stays_whole():
    assert repr(TrainSettings(weight_decay=0).weight_decay) == "0"


@pytest.mark.parametrize("value", [*NO_NUMBERS, 0, 1.5], ids=lambda v: type(v).__name__)
def test_shares_of_corpora(value):
    with pytest.raises(ParameterError, match="corpus_share of tess is"):
        BatchSettings(corpus_share={"tess": value})
    with pytest.raises(ParameterError, match="corpus_share is"):
        BatchSettings(corpus_share=value)


@pytest.mark.parametrize("name", ["max_kb", "max_drop", "max_ms"])
def test_limits_of_a_search(name):
    for value in NO_NUMBERS:
        if value is not None:
            with pytest.raises(ParameterError, match=f"--{name.replace('_', '-')} is"):
                Constraints(**{name: value})


@pytest.mark.parametrize(
    "name",
    ["weight_bits", "group_size", "n_calibration", "tolerance", "max_difference", "min_agreement"],
)
def test_numbers_of_rounding_recipes(name):
    recipe = load_rounding_recipe("numpy_weight_only_wi4")
    for value in NO_NUMBERS:
        with pytest.raises(RecipeError, match=f"^recipe .*: {name} is .* wanted"):
            recipe.replaced(**{name: value})


@pytest.mark.parametrize("name", ["title", "backend", "method", "granularity", "float_layers"])
def test_texts_of_rounding_recipes(name):
    recipe = load_rounding_recipe("numpy_weight_only_wi4")
    for value in (3, [3], {}, None, TOO_LONG_TO_WRITE):
        if value != {} or name != "float_layers":
            with pytest.raises(RecipeError, match=name):
                recipe.replaced(**{name: value})


def test_an_agreement_of_all_may_be_written_as_one():
    recipe = load_rounding_recipe("numpy_fp32")
    assert recipe.replaced(min_agreement=1).min_agreement == 1


@pytest.mark.parametrize("digits", ["9" * 400, "0x" + "f" * 5000, "-" + "9" * 400])
@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("", "n_variants"),
        ("[training]", "learning_rate"),
        ("[training]", "seed"),
        ("[batches]", "noise"),
        ("[batches]", "corpus_share.tess"),
        ("[augment]", "pitch"),
        ("[model]", "hidden"),
        ("[features]", "hop_length"),
        ("[features]", "pitch_fmin_hz"),
    ],
)
def test_huge_numbers_in_a_recipe(table, key, digits):
    with pytest.raises(RecipeError, match=r"recipe mine: .* wanted"):
        parse_recipe("mine", f'title = "x"\n{table}\n{key} = {digits}\n')


@pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda v: type(v).__name__)
def test_shares_and_sizes_of_pruning_and_splits(value):
    config = ClafSerConfig()
    for call in (
        lambda: pruned_config(config, hidden=value),
        lambda: config_for_share(config, value),
        lambda: paper_split([], test_share=value),
        lambda: speaker_folds([], value),
    ):
        with pytest.raises(ParameterError, match=r" is .* wanted"):
            call()


def test_a_proper_share_has_no_ends():
    assert check(1, Share, "it") == 1
    for value in (0, 0.0, 1, 1.0):
        with pytest.raises(ParameterError, match="it is"):
            check(value, ProperShare, "it")


@pytest.mark.parametrize("text", ["9" * 400, "1e400", "true", '"1"', "[" * 5000])
def test_a_temperature_that_is_none(tmp_path, text):
    path = tmp_path / "t.json"
    path.write_text(f'{{"temperature": {text}, "chosen_on": []}}')
    with pytest.raises(TrainingError, match="holds no temperature"):
        read_tempering(path)


@pytest.mark.parametrize("value", [3, None, "attention", [[]], [3]])
def test_parts_that_are_no_list_of_parts(value):
    with pytest.raises(EdgeSerError, match="without "):
        ClafSerConfig(without=value)
