"""``edge-ser classify``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.answering import add_answering, answering, named_as_options
from edge.cli.notices import warn
from edge.cli.options import add_jobs, add_lengths, add_model
from edge.errors import ParameterError

if TYPE_CHECKING:
    from edge.cli.options import Commands

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "classify",
        help="decide on audio files",
        description="Decide on audio files, one line a file. A file that fails is named on "
        "standard error; the others are still decided on, and the exit code is 2. With --output, "
        "what is known is kept in FILE.partial until FILE is whole.",
        allow_abbrev=False,
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="an audio file, or a folder")
    parser.add_argument(
        "--list",
        action="append",
        default=[],
        metavar="FILE",
        help="a text file with a path a line (or with zero bytes between them); - is standard "
        "input, read as it comes",
    )
    add_lengths(parser, "half the model's, mostly 0.25")
    add_answering(parser)
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="write the answers of all files, errors among them, into FILE (.txt .jsonl .csv "
        ".parquet)",
    )
    parser.add_argument(
        "--output-format",
        choices=("table", "jsonl", "csv", "parquet"),
        help="what to write (default: what the name of --output ends in)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with --output where an earlier run was ended",
    )
    add_jobs(parser)
    parser.add_argument(
        "--explain",
        metavar="PNG",
        help="also draw waveform, pitch, attention and posteriors over time into PNG; for one "
        "audio file at a time and the numpy backend, needs matplotlib",
    )


def run(args: argparse.Namespace) -> int:
    """Decide on files; 2 when one of them failed."""
    if not args.paths and not args.list:
        raise ParameterError(
            "what to classify is required: PATH, an audio file or a folder, or --list FILE"
        )
    settings = {"segment_s": args.segment, "hop_s": args.hop, **answering(args)}
    if args.explain is not None:
        return _explain(args, settings)
    from edge.cli.classifying import check_output, classify_all
    from edge.cli.model import open_classifier

    kind = check_output(args)
    if args.resume:
        _as_before(args)
    classifier = open_classifier(args)
    # Settings that cannot be used are one error, not one for every file.
    with named_as_options():
        classifier.file_stream(args.segment, args.hop, **answering(args))
    return classify_all(args, classifier, settings, kind)


def _as_before(args: argparse.Namespace) -> None:
    """Let ``auto`` be what it was: which is fastest may change from hour to hour."""
    from edge.answers.journal import Journal
    from edge.runtimes.registry import AUTO, RUNTIMES

    before = (Journal.head_of(args.output) or {}).get("backend")
    if args.backend == AUTO and before in RUNTIMES and not RUNTIMES[before].is_program:
        args.backend = before


def _explain(args: argparse.Namespace, settings: dict[str, Any]) -> int:
    """Decide on one file and draw why."""
    from edge.answers.records import line_of, record_of
    from edge.answers.request import Answered, Task
    from edge.cli.model import open_classifier
    from edge.explain.attention import attentive
    from edge.explain.explain import explain_file
    from edge.explain.picture import draw_explanation

    file = _explained(args)
    classifier = open_classifier(args, attentive=True)
    attentive(classifier.model)
    with named_as_options():
        classifier.file_stream(args.segment, args.hop, **answering(args))
    answer, explanation = explain_file(classifier, file, **settings)
    draw_explanation(explanation, args.explain, file.name)
    for sentence in answer.warnings:
        warn(f"{answer.path}: {sentence}")
    if args.json:
        from edge.sinks import JsonLinesSink

        JsonLinesSink(sys.stdout).write(answer.to_dict())
    else:
        record = record_of(Task(answer.path), Answered(answer, None))
        print(line_of(record, len(answer.path), answer.ms, tuple(explanation.labels)), flush=True)
    return 0


def _explained(args: argparse.Namespace) -> Path:
    """Find the one file to explain, and refuse what cannot be drawn before any work is done."""
    from edge.audio.find import find_audio_files
    from edge.explain.picture import check_matplotlib, check_target

    for name in ("list", "output", "output_format", "resume", "cluster"):
        if getattr(args, name):
            option = name.replace("_", "-")
            raise ParameterError(f"--explain draws one audio file: it does not go with --{option}")
    check_target(args.explain)
    files = find_audio_files(args.paths)
    if len(files) > 1:
        raise ParameterError(
            f"--explain draws one audio file and {len(files)} are given: run it once for each, "
            "with a name of its own for each picture"
        )
    target = Path(args.explain)
    if target.exists() and files[0].exists() and target.samefile(files[0]):
        raise ParameterError(
            f"--explain would replace {target}, the file to classify: name another picture"
        )
    check_matplotlib()
    return files[0]
