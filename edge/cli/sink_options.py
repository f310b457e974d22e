"""Where decisions go: standard output, unless ``--to`` says so."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from edge.errors import ParameterError

if TYPE_CHECKING:
    from edge.sinks.registry import About
    from edge.sinks.target import Target
    from edge.stream.stream import Stream

__all__ = ["SINK_FORMS", "about", "add_sinks", "targets"]

#: Those of :data:`edge.sinks.kinds.SINKS`, which are not asked: a help text needs no NumPy.
SINK_FORMS = "terminal, jsonl[:FILE], mqtt://HOST[/TOPIC], mqtts://HOST[/TOPIC], web:HOST:PORT"


def add_sinks(parser: argparse.ArgumentParser) -> None:
    """Add ``--to`` and ``--json``."""
    parser.add_argument(
        "--to",
        action="append",
        type=_target,
        metavar="SINK",
        help=f"send decisions there, as often as wanted: {SINK_FORMS} (default: "
        "terminal); options follow behind ?, or in a table [[to]] of a file",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line, as --to jsonl")


def targets(args: argparse.Namespace) -> list[Target]:
    """Give the sinks that were asked for."""
    from edge.sinks.target import Target

    named: list[Target] = list(args.to or ())
    if args.json and not any(str(target) == "jsonl" for target in named):
        named.append(Target("jsonl"))
    return named or [Target("terminal")]


def about(args: argparse.Namespace, stream: Stream) -> About:
    """Say what decides."""
    from edge import __version__
    from edge.sinks.registry import About

    manifest = stream.classifier.artifact.manifest
    return About(
        __version__,
        manifest.name,
        manifest.model_sha256,
        args.source,
        stream.hop_s,
        manifest.accuracy,
    )


def _target(text: str) -> Target:
    from edge.sinks.target import target_from_text

    try:
        return target_from_text(text)
    except ParameterError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
