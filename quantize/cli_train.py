"""``edge-ser-quantize train``, ``corpora`` and ``synthesise-corpus``."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from quantize.batches import BatchSettings
from quantize.corpora import DOMAINS, LABELS, format_reports, load_corpora
from quantize.corpora.synthetic import write_synthetic_corpus
from quantize.errors import CorpusError

__all__ = ["add_commands", "add_data_options", "label_map"]


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Options shared by every command that reads corpora."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="ROOT", help="folder that holds the corpora"
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
    add_data_options(train)
    train.add_argument("--out", type=Path, required=True, metavar="RUN", help="run folder")
    train.add_argument(
        "--split",
        choices=("paper", "speaker", "leave-one-corpus-out", "german-to-english", "all"),
        default="paper",
        help="paper: random 80/20; speaker: one of five speaker-disjoint folds; "
        f"leave-one-corpus-out: test on one corpus, by fold {', '.join(DOMAINS)}; "
        "german-to-english: train on emo-db, test on the others; all: hold nothing out "
        "(default: paper)",
    )
    train.add_argument(
        "--fold", type=int, default=0, help="of speaker (0-4) or leave-one-corpus-out (0-3)"
    )
    train.add_argument("--seed", type=int, default=0, help="split, weights, batches (default: 0)")
    train.add_argument("--epochs", type=int, default=None, help="default: 160")
    train.add_argument("--learning-rate", type=float, default=None, help="peak (default: 0.0015)")
    train.add_argument(
        "--max-alpha",
        type=float,
        default=None,
        metavar="A",
        help="weight of the domain loss in the last epoch (default: 0.1)",
    )
    train.add_argument(
        "--mixup",
        type=float,
        default=None,
        metavar="B",
        help="mix pairs of clips, shares from Beta(B, B) (default: 0, none)",
    )
    train.add_argument("--precision", choices=("fp32", "bf16"), default=None, help="default: fp32")
    train.add_argument(
        "--variants",
        type=int,
        default=8,
        metavar="N",
        help="augmented variants of every clip (default: 8)",
    )
    train.add_argument("--hidden", type=int, default=128, help="BiLSTM units a direction")
    train.add_argument("--batch-size", type=int, default=32)
    train.add_argument(
        "--threads",
        type=int,
        default=None,
        metavar="N",
        help="threads of torch (default: torch's own choice)",
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
    import torch

    from quantize.models.claf_ser import ClafSerConfig
    from quantize.runs import RunSettings, train_run
    from quantize.train_settings import TrainSettings

    if arguments.threads is not None:
        torch.set_num_threads(max(1, arguments.threads))
    chosen = {
        name: value
        for name in ("epochs", "learning_rate", "mixup", "max_alpha", "precision")
        if (value := getattr(arguments, name)) is not None
    }
    path = train_run(
        arguments.data,
        arguments.out,
        arguments.cache,
        corpora=arguments.corpora,
        run=RunSettings(
            (), arguments.split, arguments.seed, arguments.fold, n_variants=arguments.variants
        ),
        config=ClafSerConfig(hidden=arguments.hidden),
        settings=TrainSettings(seed=arguments.seed, **chosen),
        batches=BatchSettings(batch_size=arguments.batch_size),
        label_map=label_map(arguments),
        n_workers=arguments.workers,
    )
    print(path)
    return 0
