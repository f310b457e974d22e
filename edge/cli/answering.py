"""The options of what is said: how probable, of which labels, and how steady."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from edge.cli.options import from_zero_s, number
from edge.errors import ParameterError

__all__ = [
    "add_answering",
    "add_deciding",
    "answering",
    "deciding",
    "label_list",
    "named_as_options",
    "probability",
]


def add_answering(parser: argparse.ArgumentParser) -> None:
    """Add ``--min-probability`` and ``--labels``: what is said of a posterior, and ``--vad``."""
    parser.add_argument(
        "--min-probability",
        type=probability,
        metavar="P",
        help='say no label less probable than P, but "uncertain" (default: the model\'s, which '
        "was measured, or 0 where it has none)",
    )
    parser.add_argument(
        "--labels",
        type=label_list,
        metavar="L,L,...",
        help="the labels that may be said, two or more; probabilities are shared out among them "
        "(default: all)",
    )
    parser.add_argument(
        "--vad",
        choices=("gate", "silero", "energy", "off"),
        help="what tells whether somebody speaks: gate, the model's own; silero, which needs the "
        "extra vad; energy, the level alone; off, nothing (default: the model's own, or the level "
        "where it has none)",
    )


def add_deciding(parser: argparse.ArgumentParser) -> None:
    """Add ``--smooth`` and ``--hold`` as well: how steady a label is."""
    add_answering(parser)
    parser.add_argument(
        "--smooth",
        type=from_zero_s,
        metavar="S",
        help="seconds after which what was heard weighs a third; 0: every decision stands alone "
        "(default: 0.7)",
    )
    parser.add_argument(
        "--hold",
        type=from_zero_s,
        metavar="S",
        help="hold a label S s at least before another takes over (default: 0)",
    )


def answering(args: argparse.Namespace) -> dict[str, Any]:
    """What :func:`add_answering` read, as keywords of a stream or a file's answer."""
    return {
        "min_probability": args.min_probability,
        "labels": args.labels,
        "vad": args.vad,
    }


def deciding(args: argparse.Namespace) -> dict[str, Any]:
    """What :func:`add_deciding` read, as keywords of :meth:`Classifier.stream`."""
    from edge.stream.smoothing import SmootherSettings

    smooth: bool | SmootherSettings = True
    if args.smooth == 0 and not args.hold:
        smooth = False
    elif args.smooth is not None or args.hold is not None:
        steady = SmootherSettings(hold_s=args.hold or 0.0)
        if args.smooth is not None:
            steady = dataclasses.replace(steady, time_constant_s=args.smooth)
        smooth = steady
    return {"smooth": smooth, **answering(args)}


@contextlib.contextmanager
def named_as_options() -> Iterator[None]:
    """Call what was refused by its option, which a file may have set."""
    try:
        yield
    except ParameterError as error:
        name, _, rest = str(error).partition(" ")
        option = {"labels": "labels", "voice_reference": "reference"}.get(name)
        if option is None:
            raise
        raise ParameterError(f"--{option} {rest}") from None


def probability(text: str) -> float:
    """Read a number from 0 to 1."""
    value = number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a probability from 0 to 1")
    return value


def label_list(text: str) -> tuple[str, ...]:
    """Read labels with commas between them."""
    labels = tuple(label.strip() for label in text.split(","))
    if not all(labels):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of labels with a comma between two, such as angry,happy"
        )
    return labels
