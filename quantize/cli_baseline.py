"""``edge-ser-quantize baseline``: the paper's own SimpleRNN on the same splits."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from quantize.baseline.features import BaselineSpec
from quantize.baseline.model import STEPS, SimpleRnnConfig
from quantize.cli_train import add_data_options, label_map
from quantize.runs import SPLITS, RunSettings, train_run

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``baseline`` to the parser."""
    parser = commands.add_parser(
        "baseline",
        help="train the paper's SimpleRNN to compare with; the same command resumes it",
        description="Trains the SimpleRNN of section 3.3 on LPCC, MFCC, pitch, energy and chroma. "
        "Its run folder is one of train: evaluate puts both side by side.",
    )
    add_data_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="run folder")
    parser.add_argument(
        "--split", choices=SPLITS, default="paper", help="as of train (default: paper)"
    )
    parser.add_argument("--fold", type=int, default=0, help="of the split, from 0")
    parser.add_argument("--seed", type=int, default=0, help="split, weights, batches (default: 0)")
    parser.add_argument(
        "--steps",
        choices=STEPS,
        default="one",
        help="one: statistics of a window as a single step, the paper's input of (1, 204); "
        "frames: the sequence of its frames (default: one)",
    )
    parser.add_argument("--epochs", type=int, default=None, help="default: 100")
    parser.add_argument("--learning-rate", type=float, default=None, help="peak (default: 0.001)")
    parser.add_argument(
        "--variants",
        type=int,
        default=0,
        metavar="N",
        help="augmented variants of every clip (default: 0, as in the paper)",
    )
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument(
        "--threads",
        type=int,
        default=None,
        metavar="N",
        help="threads of torch (default: torch's own choice)",
    )
    parser.set_defaults(function=_baseline)


def _baseline(arguments: argparse.Namespace) -> int:
    import torch

    from quantize.baseline.train import BaselineTrainer, batch_settings, train_settings

    if arguments.threads is not None:
        torch.set_num_threads(max(1, arguments.threads))
    chosen = {
        name: value
        for name in ("epochs", "learning_rate")
        if (value := getattr(arguments, name)) is not None
    }
    spec = BaselineSpec()
    path = train_run(
        arguments.data,
        arguments.out,
        arguments.cache,
        corpora=arguments.corpora,
        run=RunSettings(
            (), arguments.split, arguments.seed, arguments.fold, n_variants=arguments.variants
        ),
        config=SimpleRnnConfig(n_features=spec.n_inputs, steps=arguments.steps),
        settings=train_settings(arguments.seed, **chosen),
        batches=batch_settings(arguments.batch_size),
        label_map=label_map(arguments),
        n_workers=arguments.workers,
        spec=spec,
        trainer_type=BaselineTrainer,
    )
    print(path)
    return 0
