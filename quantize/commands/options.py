"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from edge.cli.answering import label_list
from quantize.basics.errors import CorpusError
from quantize.basics.toml_files import packaged_names

__all__ = [
    "add_data_options",
    "add_recipe_option",
    "add_run_options",
    "add_teaching_options",
    "given_options",
    "label_map",
    "run_options",
    "training_recipe_names",
]


def training_recipe_names() -> list[str]:
    """Names that ``--recipe`` takes, of a training."""
    return packaged_names("training")


def add_data_options(parser: argparse.ArgumentParser, *, without: str | None = None) -> None:
    """Options shared by every command that reads corpora.

    ``without`` says what happens where no corpora are named; None: they must be.
    """
    optional = f" (default: {without})" if without else ""
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=without is None,
        metavar="ROOT",
        help="folders that hold known corpora, or one folder per label, or tables (CSV, TSV, "
        f"JSONL, Parquet) with the columns path and label{optional}",
    )
    parser.add_argument(
        "--corpora",
        nargs="+",
        metavar="NAME",
        help="use these only, as the command corpora calls them (default: all that are found)",
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
        help="label of a corpus's emotion word, for example boredom=neutral",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes that compute features (default: one a core)",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="compute features on a Dask or Ray cluster that finds the corpora under the same "
        "paths, for example tcp://HOST:8786 (default: processes of this machine)",
    )


def label_map(arguments: argparse.Namespace) -> dict[str, str | None]:
    """``--map-label`` options as a mapping."""
    mapped: dict[str, str | None] = {}
    for pair in arguments.map_label:
        word, equals, label = pair.partition("=")
        word, label = word.strip(), label.strip()
        if not equals or not word or not label or "," in label or not label.isprintable():
            raise CorpusError(
                f"--map-label is {pair!r}, WORD=LABEL is wanted, such as boredom=neutral"
            )
        if mapped.setdefault(word, label) != label:
            raise CorpusError(
                f"--map-label gives {word!r} both {mapped[word]!r} and {label!r}, one label is "
                "wanted"
            )
    return mapped


def add_run_options(parser: argparse.ArgumentParser, *, default: str) -> None:
    """Options of every command that trains; ``default`` says where their defaults come from."""
    add_data_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="run folder")
    parser.add_argument(
        "--labels",
        type=label_list,
        default=(),
        metavar="L,L,...",
        help="labels that the model tells apart, in the order of its outputs; clips of others are "
        "left out (default: all that occur, or the eight of the four corpora)",
    )
    parser.add_argument(
        "--split",
        choices=("paper", "speaker", "leave-one-corpus-out", "german-to-english", "all"),
        default="paper",
        help="paper: random 80/20; speaker: one of five speaker-disjoint folds; "
        "leave-one-corpus-out: test on one corpus, by fold ravdess, savee, emo-db, tess, then the "
        "others by the alphabet; "
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
        help=f"named settings, {', '.join(training_recipe_names())} or a file; the options below "
        "change one at a time (default: %(default)s)",
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
        "labels": arguments.labels,
        "n_workers": arguments.workers,
        "cluster": arguments.cluster,
    }
