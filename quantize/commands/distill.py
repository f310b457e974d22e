"""``edge-ser-quantize distill``: a small CLAF-SER taught by trained ones."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from quantize.commands.numbers import of_setting
from quantize.commands.options import (
    add_recipe_option,
    add_run_options,
    add_teaching_options,
    given_options,
    run_options,
)
from quantize.commands.sounds import NOISE_OF_VARIANTS, add_sounds_option
from quantize.models.config import ClafSerConfig
from quantize.training.settings import TrainSettings

__all__ = ["add_command"]

_RECIPE = "claf-ser-tiny"
_SIZES = {
    "hidden": "BiLSTM units a direction",
    "n_heads": "attention heads",
    "conv_channels": "channels of the phonetic branch",
    "classifier": "units of the emotion MLP",
    "frame_stack": "neighbouring frames that make one step, 2 for half the steps",
}


def add_command(commands: Any) -> None:
    """Add ``distill`` to the parser."""
    parser = commands.add_parser(
        "distill",
        help="train a smaller CLAF-SER from one or several teachers; the same command resumes it",
        description="A student learns the labels and the posteriors of trained runs of the same "
        "split, one of them drawn at every step: seeds of one recipe, larger models, models of "
        "other recipes or of other features. Its run folder is one of train.",
    )
    add_run_options(parser, default="the recipe's")
    parser.add_argument(
        "--teachers",
        nargs="+",
        type=Path,
        required=True,
        metavar="RUN",
        help="trained runs of the same split",
    )
    add_recipe_option(parser, _RECIPE)
    for name, what in _SIZES.items():
        parser.add_argument(
            "--" + name.replace("_", "-"),
            type=of_setting(ClafSerConfig, name),
            metavar="N",
            help=f"{what} (default: the recipe's)",
        )
    add_sounds_option(parser, NOISE_OF_VARIANTS)
    add_teaching_options(parser)
    parser.add_argument(
        "--distil-temperature",
        type=of_setting(TrainSettings, "distil_temperature"),
        metavar="T",
        help="what teachers' and student's logits are divided by (default: the recipe's)",
    )
    parser.add_argument(
        "--match-weight",
        type=of_setting(TrainSettings, "match_weight"),
        metavar="W",
        help="weight of the match with the teachers' attention-pooled vectors "
        "(default: the recipe's)",
    )
    parser.set_defaults(function=_distill)


def _distill(arguments: argparse.Namespace) -> int:
    from quantize.training.recipe import load_recipe
    from quantize.training.students import distil_run

    recipe = load_recipe(arguments.recipe)
    training = given_options(
        arguments,
        "epochs",
        "learning_rate",
        "distil_share",
        "encoder_share",
        "repeat_epochs",
        "distil_temperature",
        "match_weight",
        "seed",
    )
    path = distil_run(
        recipe,
        arguments.data,
        arguments.out,
        arguments.cache,
        teachers=arguments.teachers,
        embeddings=arguments.embeddings,
        sounds=arguments.sounds,
        sizes=given_options(arguments, *_SIZES),
        training=training,
        batches=given_options(arguments, "batch_size"),
        **run_options(arguments, recipe.n_variants),
    )
    print(path)
    return 0
