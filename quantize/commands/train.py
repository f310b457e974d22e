"""``edge-ser-quantize train``: a CLAF-SER from random weights, or from another run's."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from edge.errors import how_many
from quantize.basics.errors import RecipeError
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
from quantize.training.settings import DEFAULT_RECIPE, TrainSettings

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``train`` to the parser."""
    parser = commands.add_parser(
        "train", help="train a CLAF-SER; the same command resumes an interrupted run"
    )
    add_recipe_option(parser, DEFAULT_RECIPE)
    add_run_options(parser, default="the recipe's")
    parser.add_argument(
        "--max-alpha",
        type=of_setting(TrainSettings, "max_alpha"),
        metavar="A",
        help="weight of the domain loss in the last epoch (default: the recipe's)",
    )
    parser.add_argument(
        "--mixup",
        type=of_setting(TrainSettings, "mixup"),
        metavar="B",
        help="mix pairs of clips, shares from Beta(B, B); 0 mixes none (default: the recipe's)",
    )
    parser.add_argument(
        "--teachers",
        nargs="+",
        type=Path,
        default=[],
        metavar="RUN",
        help="trained runs of the same split, whose mean posterior is learned beside the labels",
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="RUN",
        help="trained run of the same split to go on from, in place of random weights",
    )
    add_sounds_option(parser, NOISE_OF_VARIANTS)
    add_teaching_options(parser)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default=None, help="default: fp32")
    parser.add_argument(
        "--hidden",
        type=of_setting(ClafSerConfig, "hidden"),
        metavar="N",
        help="BiLSTM units a direction (default: the recipe's)",
    )
    parser.set_defaults(function=_train)


def _train(arguments: argparse.Namespace) -> int:
    from quantize.training.recipe import load_recipe
    from quantize.training.train_run import train_run

    recipe = load_recipe(arguments.recipe)
    if len(arguments.teachers) < len(recipe.teachers):
        raise RecipeError(
            f"the recipe {recipe.name} learns from {how_many(len(recipe.teachers), 'run')}, "
            f"not {len(arguments.teachers)}: train {', '.join(recipe.teachers)} on the same "
            "split and name their runs with --teachers, or take --recipe claf-ser-alone"
        )
    training = given_options(
        arguments,
        "epochs",
        "learning_rate",
        "mixup",
        "max_alpha",
        "distil_share",
        "encoder_share",
        "repeat_epochs",
        "precision",
        "seed",
    )
    path = train_run(
        arguments.data,
        arguments.out,
        arguments.cache,
        config=recipe.config(**given_options(arguments, "hidden")),
        settings=recipe.train_settings(**training),
        batches=recipe.batch_settings(**given_options(arguments, "batch_size")),
        augment=recipe.augment_settings(),
        spec=recipe.feature_spec(),
        recipe=recipe.name,
        teachers=arguments.teachers,
        embeddings=arguments.embeddings,
        start=arguments.start,
        sounds=arguments.sounds,
        **run_options(arguments, recipe.n_variants),
    )
    print(path)
    return 0
