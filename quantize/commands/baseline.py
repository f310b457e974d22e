"""``edge-ser-quantize baseline``: the paper's own SimpleRNN on the same splits."""

from __future__ import annotations

import argparse
from typing import Any

from quantize.commands.options import add_run_options, given_options, run_options
from quantize.models.config import STEPS, SimpleRnnConfig

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``baseline`` to the parser."""
    parser = commands.add_parser(
        "baseline",
        help="train the paper's SimpleRNN to compare with; the same command resumes it",
        description="Trains the SimpleRNN of section 3.3 on LPCC, MFCC, pitch, energy and chroma. "
        "Its run folder is one of train: evaluate puts both side by side.",
    )
    add_run_options(parser, default="that of quantize/training/simple_rnn.py")
    parser.add_argument(
        "--steps",
        choices=STEPS,
        default="one",
        help="one: statistics of a window as a single step, the paper's input of (1, 204); "
        "frames: the sequence of its frames (default: one)",
    )
    parser.set_defaults(function=_baseline)


def _baseline(arguments: argparse.Namespace) -> int:
    from quantize.data.features.simple_rnn import BASELINE_SPEC, N_INPUTS
    from quantize.training.simple_rnn import BaselineTrainer, batch_settings, train_settings
    from quantize.training.train_run import train_run

    path = train_run(
        arguments.data,
        arguments.out,
        arguments.cache,
        config=SimpleRnnConfig(n_features=N_INPUTS, steps=arguments.steps),
        settings=train_settings(
            arguments.seed, **given_options(arguments, "epochs", "learning_rate")
        ),
        batches=batch_settings(**given_options(arguments, "batch_size")),
        spec=BASELINE_SPEC,
        trainer_type=BaselineTrainer,
        # Not augmented, as in the paper.
        **run_options(arguments, n_variants=0),
    )
    print(path)
    return 0
