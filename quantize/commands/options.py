"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from edge.cli.answering import label_list
from edge.errors import ParameterError
from edge.jobs import MOST_JOBS
from quantize.basics.errors import CorpusError
from quantize.basics.toml_files import packaged_names
from quantize.commands.numbers import jobs, of_setting, seed
from quantize.commands.roots import add_root_options
from quantize.runs.settings import RunSettings
from quantize.training.batch_settings import BatchSettings
from quantize.training.settings import TrainSettings

__all__ = [
    "add_data_options",
    "add_feature_options",
    "add_pictures_option",
    "add_recipe_option",
    "add_run_options",
    "add_teaching_options",
    "add_worker_options",
    "given_options",
    "label_map",
    "refuse_ignored",
    "refuse_without_data",
    "run_options",
    "set_threads",
    "training_recipe_names",
]


def refuse_ignored(arguments: argparse.Namespace, *names: str, why: str) -> None:
    """Refuse options that were given and would have no say.

    Parameters
    ----------
    arguments : Namespace
        Of a :class:`~quantize.commands.parser.CommandParser`.
    *names : str
        Destinations of the options.
    why : str
        The rest of the sentence: "is for --sensitivity alone".

    Raises
    ------
    ParameterError
        Naming the first one that was given.
    """
    for name in names:
        if name in arguments.given:
            raise ParameterError(f"--{name.replace('_', '-')} {why}")


def refuse_without_data(arguments: argparse.Namespace) -> None:
    """Refuse options of corpora where no corpora are named."""
    if arguments.data is None:
        why = "is of the corpora, and none are named: add --data ROOT, or leave it out"
        refuse_ignored(arguments, "corpora", "map_label", "cache", "workers", "cluster", why=why)


def set_threads(arguments: argparse.Namespace) -> None:
    """Give torch the threads that were asked for."""
    if arguments.threads is not None:
        import torch

        torch.set_num_threads(arguments.threads)


def training_recipe_names() -> list[str]:
    """Names that ``--recipe`` takes, of a training."""
    return packaged_names("training")


def add_data_options(parser: argparse.ArgumentParser, *, without: str | None = None) -> None:
    """Options shared by every command that reads corpora.

    ``without`` says what happens where no corpora are named; None: they must be.
    """
    add_root_options(parser, without=without)
    parser.add_argument(
        "--map-label",
        action="append",
        default=[],
        metavar="WORD=LABEL",
        help="label of a corpus's emotion word, for example boredom=neutral",
    )
    add_feature_options(parser)


def add_feature_options(parser: argparse._ActionsContainer) -> None:
    """Where feature rows lie, and who computes them."""
    parser.add_argument(
        "--cache",
        type=Path,
        default=Path("cache"),
        metavar="DIR",
        help="folder of cached feature rows (default: cache)",
    )
    add_worker_options(parser, "compute features and score segments")


def add_worker_options(parser: argparse._ActionsContainer, what: str) -> None:
    """Who does the work: ``what`` says which, as a verb."""
    parser.add_argument(
        "--workers",
        type=jobs,
        # There are machines of more cores than may work at once.
        default=min(os.cpu_count() or 1, MOST_JOBS),
        metavar="N",
        help=f"processes that {what} (default: one a core)",
    )
    parser.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help=f"{what} on a Dask or Ray cluster that finds the corpora under the same paths, for "
        "example tcp://HOST:8786 (default: processes of this machine)",
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
        choices=("paper", "speaker", "leave-one-corpus-out", "german-to-english", "given", "all"),
        default="paper",
        help="paper: random 80/20; speaker: one of five speaker-disjoint folds; "
        "leave-one-corpus-out: test on one corpus, by fold ravdess, savee, emo-db, tess, then the "
        "others by the alphabet; "
        "german-to-english: train on emo-db, test on the others; given: as the recordings "
        "came, by a table's column split or folders train and test; all: hold nothing out "
        "(default: paper)",
    )
    parser.add_argument(
        "--fold",
        type=of_setting(RunSettings, "fold"),
        default=0,
        metavar="N",
        help="of speaker (0-4) or leave-one-corpus-out (0-3), for these alone (default: 0)",
    )
    parser.add_argument(
        "--lessons",
        nargs="+",
        default=(),
        metavar="NAME",
        help="corpora whose clips are all learnt from: the split is one of the others (default: "
        "none)",
    )
    add_pictures_option(parser)
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse clips that nothing can be learnt from, instead of leaving them out",
    )
    parser.add_argument(
        "--validation",
        action="store_true",
        help="hold out a fifth of the training side instead, its speakers where the split keeps "
        "speakers apart: to choose between settings without looking at the test side",
    )
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="split, weights, batches (default: 0)"
    )
    parser.add_argument(
        "--epochs",
        type=of_setting(TrainSettings, "epochs"),
        metavar="N",
        help=f"default: {default}",
    )
    parser.add_argument(
        "--learning-rate",
        type=of_setting(TrainSettings, "learning_rate"),
        metavar="R",
        help=f"peak (default: {default})",
    )
    parser.add_argument(
        "--variants",
        type=of_setting(RunSettings, "n_variants"),
        metavar="N",
        help=f"augmented variants of every clip (default: {default})",
    )
    parser.add_argument(
        "--batch-size",
        type=of_setting(BatchSettings, "batch_size"),
        metavar="N",
        help=f"default: {default}",
    )
    threads = "threads of torch (default: torch's own choice)"
    parser.add_argument("--threads", type=jobs, metavar="N", help=threads)


def add_recipe_option(parser: argparse.ArgumentParser, default: str) -> None:
    """Settings of a training by name or file."""
    parser.add_argument(
        "--recipe",
        metavar="NAME|FILE.toml",
        default=default,
        help=f"named settings, {', '.join(training_recipe_names())} or a file; the options below "
        "change one at a time (default: %(default)s)",
    )


def add_pictures_option(parser: argparse.ArgumentParser) -> None:
    """Whether figures are drawn, too."""
    parser.add_argument(
        "--no-pictures",
        dest="pictures",
        action="store_false",
        help="draw none, which takes most of the time of a very small run; figures are kept alike",
    )


def add_teaching_options(parser: argparse.ArgumentParser) -> None:
    """How a student learns from its teachers."""
    parser.add_argument(
        "--embeddings",
        nargs="+",
        type=Path,
        default=[],
        metavar="FILE",
        help="what a large model heard in the clips, one vector each (NPZ or CSV): a linear "
        "classifier on them, fitted on the training side alone, teaches beside the labels",
    )
    parser.add_argument(
        "--encoder-share",
        type=of_setting(TrainSettings, "encoder_share"),
        metavar="P",
        help="how often that one is asked where trained runs teach too (default: the recipe's)",
    )
    parser.add_argument(
        "--distil-share",
        type=of_setting(TrainSettings, "distil_share"),
        metavar="P",
        help="share of the teachers in the loss, the rest is the labels' (default: the recipe's)",
    )
    parser.add_argument(
        "--repeat-epochs",
        type=of_setting(TrainSettings, "repeat_epochs"),
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
    if arguments.split not in ("speaker", "leave-one-corpus-out"):
        refuse_ignored(
            arguments,
            "fold",
            why=f"is for --split speaker or leave-one-corpus-out, and the split is "
            f"{arguments.split}: name one of these, or leave --fold out",
        )
    set_threads(arguments)
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
            lessons=tuple(sorted(set(arguments.lessons))),
        ),
        "label_map": label_map(arguments),
        "labels": arguments.labels,
        "n_workers": arguments.workers,
        "cluster": arguments.cluster,
        "strict": arguments.strict,
        "pictures": arguments.pictures,
    }
