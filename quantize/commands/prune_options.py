"""Options of ``edge-ser-quantize prune``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Annotated

from quantize.basics.settings import ProperShare, whole
from quantize.commands.numbers import count, jobs, number, of_setting, seed
from quantize.commands.options import add_feature_options, refuse_ignored, training_recipe_names
from quantize.commands.paths import file_to_write
from quantize.commands.sounds import NOISE_OF_VARIANTS, add_sounds_option
from quantize.models.config import ClafSerConfig
from quantize.prune.choices import IMPORTANCES, PRUNABLE
from quantize.runs.settings import RunSettings
from quantize.training.settings import TrainSettings

__all__ = ["SIZE_OPTIONS", "add_prune_options", "refuse_what_has_no_say"]

#: Fields of a model's sizes, and their options.
SIZE_OPTIONS = dict(zip(PRUNABLE, ("hidden", "heads", "conv", "classifier"), strict=True))


def add_prune_options(parser: argparse.ArgumentParser) -> None:
    """Add all of them."""
    parser.add_argument("run", type=Path, metavar="RUN", help="trained run folder")
    parser.add_argument("--out", type=Path, metavar="RUN2", help="run folder to write")
    sizes = parser.add_argument_group("what is pruned")
    sizes.add_argument(
        "--parameters",
        type=number(ProperShare),
        metavar="SHARE",
        help="leave at most this share of the exported parameters, by fewer LSTM units alone",
    )
    for field, option in SIZE_OPTIONS.items():
        sizes.add_argument(
            f"--{option}",
            type=of_setting(ClafSerConfig, field),
            metavar="N",
            help=f"{field} to leave (default: all)",
        )
    sizes.add_argument(
        "--importance",
        choices=IMPORTANCES,
        default=IMPORTANCES[0],
        help="taylor: what the loss would change, on training batches; magnitude: size of the "
        "weights (default: %(default)s)",
    )
    sizes.add_argument(
        "--batches", type=count, default=64, metavar="N", help="of taylor (default: %(default)s)"
    )
    sizes.add_argument(
        "--seed",
        type=seed,
        default=0,
        metavar="N",
        help="of taylor's batches and the sweep's segments",
    )
    sizes.add_argument("--unstructured", action="store_true", help="set single weights to zero")
    sizes.add_argument(
        "--sparsity",
        type=number(ProperShare),
        metavar="SHARE",
        help="of --unstructured: weights to set to zero",
    )
    sweep = parser.add_argument_group("sensitivity sweep")
    sweep.add_argument(
        "--sensitivity",
        action="store_true",
        help="only measure what each structure's loss costs, on clips of the training side",
    )
    sweep.add_argument(
        "--segments", type=count, default=512, metavar="N", help="to measure on (default: 512)"
    )
    sweep.add_argument(
        "--window-frames",
        type=count,
        metavar="N",
        help="length of a segment (default: 2 s, the device's)",
    )
    sweep.add_argument("--picture", type=file_to_write, metavar="PNG", help="draw the sweep there")
    tuning = parser.add_argument_group("fine-tuning")
    tuning.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="ROOT",
        help="folders of corpora, or tables of recordings, that the run was trained on",
    )
    add_feature_options(tuning)
    tuning.add_argument(
        "--recipe",
        choices=training_recipe_names(),
        default="claf-ser-pruned",
        help="default: %(default)s",
    )
    tuning.add_argument(
        "--epochs",
        type=number(Annotated[int, whole(0, 1_000_000)]),
        metavar="N",
        help="default: the recipe's; 0 writes the pruned model as it is",
    )
    tuning.add_argument(
        "--learning-rate",
        type=of_setting(TrainSettings, "learning_rate"),
        metavar="R",
        help="peak (default: the recipe's)",
    )
    tuning.add_argument("--precision", choices=("fp32", "bf16"), help="default: the recipe's")
    tuning.add_argument(
        "--variants",
        type=of_setting(RunSettings, "n_variants"),
        metavar="N",
        help="default: the recipe's",
    )
    tuning.add_argument(
        "--teachers",
        nargs="+",
        type=Path,
        default=[],
        metavar="RUN",
        help="runs of the same split to learn from beside the pruned one, such as its own teachers",
    )
    add_sounds_option(tuning, NOISE_OF_VARIANTS)
    tuning.add_argument("--threads", type=jobs, metavar="N", help="threads of torch")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def refuse_what_has_no_say(arguments: argparse.Namespace) -> None:
    """Refuse options that the rest of the command would pass over without a word."""
    sizes = ("parameters", *SIZE_OPTIONS.values())
    tuning = ("learning_rate", "precision", "variants", "teachers", "recipe", "sounds")
    if arguments.sensitivity:
        why = "is for pruning, and --sensitivity only measures: leave one of them out"
        names = ("out", *sizes, "unstructured", "sparsity", "epochs", *tuning)
        refuse_ignored(arguments, *names, why=why)
    else:
        names = ("segments", "window_frames", "picture")
        refuse_ignored(arguments, *names, why="is for --sensitivity alone: add it, or leave it out")
    if arguments.unstructured:
        why = "is for pruning units, and --unstructured prunes weights by their size"
        refuse_ignored(arguments, "importance", "batches", "seed", why=why)
    if arguments.importance == "magnitude":
        refuse_ignored(arguments, "batches", why="is for --importance taylor")
    if arguments.epochs == 0:
        why = "is for fine-tuning, and --epochs 0 does none: leave one of them out"
        refuse_ignored(arguments, *tuning, why=why)
