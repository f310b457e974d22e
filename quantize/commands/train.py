"""``edge-ser-quantize train``, ``corpora`` and ``synthesise-corpus``."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from edge.errors import how_many
from quantize.basics.errors import CorpusError, RecipeError
from quantize.data.corpora import DOMAINS, LABELS, format_reports, load_corpora
from quantize.data.corpora.synthetic import write_synthetic_corpus
from quantize.training.recipe import DEFAULT_RECIPE, load_recipe, recipe_names

__all__ = [
    "add_commands",
    "add_data_options",
    "add_recipe_option",
    "add_run_options",
    "add_teaching_options",
    "given_options",
    "label_map",
    "run_options",
]


def add_data_options(parser: argparse.ArgumentParser, *, without: str | None = None) -> None:
    """Options shared by every command that reads corpora.

    ``without`` says what happens where no corpora are named; None: they must be.
    """
    optional = f" (default: {without})" if without else ""
    parser.add_argument(
        "--data",
        type=Path,
        required=without is None,
        metavar="ROOT",
        help=f"folder that holds the corpora{optional}",
    )
    parser.add_argument(
        "--corpora",
        nargs="+",
        choices=DOMAINS,
        metavar="NAME",
        help=f"use these only (default: all that are found of {', '.join(DOMAINS)})",
    )
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("cache"),
        metavar="DIR",
        help="folder of cached feature rows (default: cache)",
    )
    parser.add_argument(
        "--map-label",
        action="append",
        default=[],
        metavar="WORD=LABEL",
        help="class of a corpus's emotion word, for example boredom=neutral",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes that compute features (default: one a core)",
    )


def label_map(arguments: argparse.Namespace) -> dict[str, str | None]:
    """``--map-label`` options as a mapping."""
    mapped: dict[str, str | None] = {}
    for pair in arguments.map_label:
        word, equals, label = pair.partition("=")
        if not equals or label not in LABELS:
            raise CorpusError(
                f"--map-label is {pair!r}, WORD=LABEL is wanted with a label of {', '.join(LABELS)}"
            )
        mapped[word] = label
    return mapped


def add_run_options(parser: argparse.ArgumentParser, *, default: str) -> None:
    """Options of every command that trains; ``default`` says where their defaults come from."""
    add_data_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="run folder")
    parser.add_argument(
        "--split",
        choices=("paper", "speaker", "leave-one-corpus-out", "german-to-english", "all"),
        default="paper",
        help="paper: random 80/20; speaker: one of five speaker-disjoint folds; "
        f"leave-one-corpus-out: test on one corpus, by fold {', '.join(DOMAINS)}; "
        "german-to-english: train on emo-db, test on the others; all: hold nothing out "
        "(default: paper)",
    )
    parser.add_argument(
        "--fold", type=int, default=0, help="of speaker (0-4) or leave-one-corpus-out (0-3)"
    )
    parser.add_argument(
        "--validation",
        action="store_true",
        help="hold out a fifth of the training side instead, its speakers where the split keeps "
        "speakers apart: to choose between settings without looking at the test side",
    )
    parser.add_argument("--seed", type=int, default=0, help="split, weights, batches (default: 0)")
    parser.add_argument("--epochs", type=int, default=None, help=f"default: {default}")
    parser.add_argument(
        "--learning-rate", type=float, default=None, help=f"peak (default: {default})"
    )
    parser.add_argument(
        "--variants",
        type=int,
        default=None,
        metavar="N",
        help=f"augmented variants of every clip (default: {default})",
    )
    parser.add_argument("--batch-size", type=int, default=None, help=f"default: {default}")
    parser.add_argument(
        "--threads",
        type=int,
        default=None,
        metavar="N",
        help="threads of torch (default: torch's own choice)",
    )


def add_recipe_option(parser: argparse.ArgumentParser, default: str) -> None:
    """Settings of a training by name or file."""
    parser.add_argument(
        "--recipe",
        metavar="NAME|FILE.toml",
        default=default,
        help=f"named settings, {', '.join(recipe_names())} or a file; the options below change one "
        "at a time (default: %(default)s)",
    )


def add_teaching_options(parser: argparse.ArgumentParser) -> None:
    """How a student learns from its teachers."""
    parser.add_argument(
        "--distil-share",
        type=float,
        metavar="P",
        help="share of the teachers in the loss, the rest is the labels' (default: the recipe's)",
    )
    parser.add_argument(
        "--repeat-epochs",
        type=int,
        metavar="N",
        help="let the same crops come again after so many epochs, without asking the teachers "
        "again, which halves a small student's time; 0: never (default: the recipe's)",
    )


def given_options(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Options that were given, by name; the others keep their defaults."""
    return {name: value for name in names if (value := getattr(arguments, name)) is not None}


def run_options(arguments: argparse.Namespace, n_variants: int) -> dict[str, Any]:
    """What ``train_run`` needs of `add_run_options`. Sets torch's threads.

    ``n_variants`` is what the recipe has, for when the option was not given.
    """
    import torch

    from quantize.runs.settings import RunSettings

    if arguments.threads is not None:
        torch.set_num_threads(max(1, arguments.threads))
    if arguments.variants is not None:
        n_variants = arguments.variants
    return {
        "corpora": arguments.corpora,
        "run": RunSettings(
            (),
            arguments.split,
            arguments.seed,
            arguments.fold,
            n_variants=n_variants,
            validation=arguments.validation,
        ),
        "label_map": label_map(arguments),
        "n_workers": arguments.workers,
    }


def add_commands(commands: Any) -> None:
    """Add the three commands to the parser."""
    corpora = commands.add_parser("corpora", help="what was found under a folder, what is missing")
    corpora.add_argument("data", type=Path, metavar="ROOT")
    corpora.add_argument("--json", action="store_true", help="one JSON object a corpus")
    corpora.set_defaults(function=_corpora)

    synthetic = commands.add_parser(
        "synthesise-corpus", help="write a tiny synthetic corpus, for a first try without data"
    )
    synthetic.add_argument("out", type=Path, metavar="ROOT")
    synthetic.add_argument("--seed", type=int, default=0)
    synthetic.set_defaults(function=_synthesise)

    train = commands.add_parser(
        "train", help="train a CLAF-SER; the same command resumes an interrupted run"
    )
    add_recipe_option(train, DEFAULT_RECIPE)
    add_run_options(train, default="the recipe's")
    train.add_argument(
        "--max-alpha",
        type=float,
        default=None,
        metavar="A",
        help="weight of the domain loss in the last epoch (default: the recipe's)",
    )
    train.add_argument(
        "--mixup",
        type=float,
        default=None,
        metavar="B",
        help="mix pairs of clips, shares from Beta(B, B); 0 mixes none (default: the recipe's)",
    )
    train.add_argument(
        "--teachers",
        nargs="+",
        type=Path,
        default=[],
        metavar="RUN",
        help="trained runs of the same split, whose mean posterior is learned beside the labels",
    )
    train.add_argument(
        "--start",
        type=Path,
        metavar="RUN",
        help="trained run of the same split to go on from, in place of random weights",
    )
    add_teaching_options(train)
    train.add_argument("--precision", choices=("fp32", "bf16"), default=None, help="default: fp32")
    train.add_argument(
        "--hidden", type=int, default=None, help="BiLSTM units a direction (default: the recipe's)"
    )
    train.set_defaults(function=_train)


def _corpora(arguments: argparse.Namespace) -> int:
    _, reports = load_corpora(arguments.data)
    if arguments.json:
        for report in reports:
            print(json.dumps(report.to_dict()))
    else:
        print(format_reports(reports))
    return 0


def _synthesise(arguments: argparse.Namespace) -> int:
    write_synthetic_corpus(arguments.out, seed=arguments.seed)
    print(arguments.out)
    return 0


def _train(arguments: argparse.Namespace) -> int:
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
        start=arguments.start,
        **run_options(arguments, recipe.n_variants),
    )
    print(path)
    return 0
