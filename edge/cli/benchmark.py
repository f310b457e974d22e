"""``edge-ser benchmark``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from edge.cli.benchmark_report import Telling, add_telling
from edge.cli.notices import say, warn
from edge.cli.options import add_model, number, positive_s
from edge.cli.progress_line import ProgressLine
from edge.cli.renamed import add_report_options
from edge.errors import ParameterError

if TYPE_CHECKING:
    from edge.benchmark.subjects import LeftOut, Subject
    from edge.cli.options import Commands

__all__ = ["add_parser", "run"]

_UNITS_S = {"s": 1, "m": 60, "h": 3600}
# No board has more cores.
_MOST_THREADS = 256


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "benchmark",
        help="measure speed and memory on this device",
        description="Measure cold start, every stage, the whole and memory on this device.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "artifacts",
        nargs="*",
        metavar="ARTIFACT",
        help="folders of artifacts, or names of bundled ones, measured in turns, each on its "
        "runtime (default: the bundled claf-ser)",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="every bundled model on every runtime that works here; with ARTIFACT, all kinds that "
        "lie in these folders",
    )
    parser.add_argument(
        "--duration",
        type=positive_s,
        default=30.0,
        metavar="S",
        help="seconds of measuring an artifact (default: %(default)s); cold starts come on top",
    )
    parser.add_argument(
        "--threads",
        type=_threads,
        default=1,
        metavar="N",
        help="threads that NumPy and the runtimes may use (default: 1, as when listening)",
    )
    parser.add_argument(
        "--audio",
        metavar="DIR",
        help="also tell how often clips of yours are named as their folders (LABEL/FILE) or "
        "DIR/labels.csv (path,label) name them, and as by the first artifact",
    )
    parser.add_argument(
        "--live",
        type=_duration_s,
        nargs="?",
        const=30.0,
        metavar="S",
        help="also watch the real `listen` for S s (default: %(const)g), over the microphone or, "
        "where none can be opened, over the bundled clip: share of a core, wake-ups, memory",
    )
    parser.add_argument(
        "--live-source",
        metavar="mic|demo|FILE",
        help="what it listens to: the microphone, or a clip at the pace of speech",
    )
    parser.add_argument(
        "--sustained",
        type=_duration_s,
        metavar="TIME",
        help="also do hop after hop for TIME, 600, 10m or 1h, and see whether the board keeps its "
        "speed, how warm it gets and what a decision takes from a meter of energy",
    )
    add_model(parser)
    add_report_options(parser, "all figures")
    add_telling(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, or take what was measured, and tell it."""
    # Better now than after the measuring.
    telling = Telling.of(args)
    return telling.tell(_measured(args) if telling.stored is None else telling.stored)


def _measured(args: argparse.Namespace) -> dict[str, Any]:
    if args.live_source is not None and args.live is None:
        raise ParameterError("--live-source says what --live listens to: add --live")
    from edge.benchmark.report import Settings
    from edge.benchmark.run import Wishes, run_benchmark
    from edge.machine.programs import Programs
    from edge.machine.system import this_system

    wishes = Wishes(args.live, args.live_source, args.sustained)
    clips = None
    if args.audio is not None:
        from edge.benchmark.clips import read_clips

        clips = read_clips(args.audio)
    subjects, left_out = _subjects(args)
    if clips is not None:
        from edge.benchmark.agreement import check_comparable

        check_comparable(clips, subjects)
    settings = Settings(duration_s=args.duration, n_threads=args.threads)
    system = this_system(Programs())
    progress = ProgressLine()
    try:
        return run_benchmark(
            subjects, settings, wishes, system, left_out, clips, progress.show, warn
        )
    finally:
        progress.clear()


def _duration_s(text: str) -> float:
    """Read seconds, or a number with its unit: 90, 90s, 10m, 1h."""
    unit = text[-1:].lower()
    scale = _UNITS_S.get(unit, 1)
    try:
        return scale * positive_s(text[:-1] if unit in _UNITS_S else text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time such as 90, 90s, 10m or 1h; an artifact is named before the "
            "options"
        ) from None


def _threads(text: str) -> int:
    value = number(text)
    if not 1 <= value <= _MOST_THREADS or value != int(value):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a whole number from 1 to {_MOST_THREADS}"
        )
    return int(value)


def _subjects(args: argparse.Namespace) -> tuple[list[Subject], list[LeftOut]]:
    """What is to be measured, and what cannot be."""
    from edge.benchmark.subjects import every_subject, named_subjects
    from edge.runtimes.registry import AUTO

    if args.artifact is not None and args.artifacts:
        raise ParameterError(
            "an artifact is named by --artifact and by ARTIFACT: name all of them without "
            "--artifact"
        )
    names = args.artifacts or ([] if args.artifact is None else [args.artifact])
    if args.all:
        if args.backend != AUTO:
            raise ParameterError(
                "--all is every runtime that works here and does not go with --backend: leave one "
                "of them out"
            )
        subjects, left_out = every_subject(names)
    else:
        subjects, left_out = named_subjects(names or [None], args.backend), []
    for sentence in [*(s.reason for s in subjects), *(each.reason for each in left_out)]:
        if sentence is not None:
            say(sentence)
    return subjects, left_out
