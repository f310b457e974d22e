"""Where decisions go: standard output, unless ``--to`` says so."""

from __future__ import annotations

import argparse
import dataclasses
import os
from typing import TYPE_CHECKING

from edge.cli.voice_options import state_file
from edge.errors import ParameterError, printable
from edge.sinks.kinds import forms

if TYPE_CHECKING:
    from edge.cli.config import Configured
    from edge.sinks.registry import About
    from edge.sinks.target import Target
    from edge.stream.stream import Stream

__all__ = ["about", "add_sinks", "check_sinks", "targets"]

#: Kinds that keep what they write for a while.
_KEEPING = frozenset({"sqlite"})


def add_sinks(parser: argparse.ArgumentParser) -> None:
    """Add ``--to``, ``--json`` and ``--keep``."""
    parser.add_argument(
        "--to",
        action="append",
        type=_target,
        metavar="SINK",
        help=f"send decisions there, as often as wanted: {forms()} (default: "
        "terminal); options follow behind ?, or in a table [[to]] of a file",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line, as --to jsonl")
    parser.add_argument(
        "--keep",
        type=_span,
        metavar="SPAN",
        help="how long every sink sqlite:FILE keeps what it wrote, such as 12h, 90d or 52w "
        "(default: 90d)",
    )


def check_sinks(configured: Configured) -> None:
    """Refuse what belongs to a sink that is not named, and one file for two things.

    Raises
    ------
    ParameterError
    """
    args = configured.args
    _check_files(args)
    if args.keep is None or any(target.kind in _KEEPING for target in args.to or ()):
        return
    if not configured.leave_out("keep", "to"):
        raise ParameterError(
            "--keep is for a history, and no sink has one: --to sqlite:FILE is wanted"
        )


def targets(args: argparse.Namespace) -> list[Target]:
    """Give the sinks that were asked for."""
    from edge.sinks.target import Target

    named: list[Target] = [
        dataclasses.replace(target, options={"keep": args.keep, **target.options})
        if args.keep is not None and target.kind in _KEEPING
        else target
        for target in args.to or ()
    ]
    if args.json and not any(str(target) == "jsonl" for target in named):
        named.append(Target("jsonl"))
    return named or [Target("terminal")]


def _check_files(args: argparse.Namespace) -> None:
    """Refuse to write two things into one file, of which the later would replace the other."""
    wanted = [(f"--to {target}", target.file) for target in args.to or ()]
    if args.reference != "off":
        wanted.append((f"--state {args.state}", state_file(args)))
    written: dict[str, str] = {}
    for option, path in wanted:
        if not path or "\0" in path:  # what no file name can hold is said later
            continue
        place = os.path.realpath(path)
        if place in written:
            raise ParameterError(
                f"{printable(written[place])} and {printable(option)} would write into one file: "
                "name another one for each"
            )
        written[place] = option


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


def _span(text: str) -> str:
    from edge.sinks.amounts import read_span

    try:
        read_span("--keep", text, least_s=3_600.0)
    except ParameterError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _target(text: str) -> Target:
    from edge.sinks.target import target_from_text

    try:
        return target_from_text(text)
    except ParameterError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
