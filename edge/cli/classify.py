"""``edge-ser classify``."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.answering import add_answering, answering, named_as_options
from edge.cli.notices import complain, say, warn
from edge.cli.options import add_lengths, add_model
from edge.errors import EdgeSerError, ParameterError, printable

if TYPE_CHECKING:
    from edge.cli.options import Commands
    from edge.stream.classifier import Classifier
    from edge.stream.file_answer import FileAnswer

__all__ = ["add_parser", "run"]

#: A longer path than this pushes the columns of its own line only.
_WIDEST_PATH = 60


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "classify",
        help="decide on audio files",
        description="Decide on audio files, one line a file. A file that fails is named on "
        "standard error; the others are still decided on, and the exit code is 2.",
        allow_abbrev=False,
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="an audio file, or a folder")
    add_lengths(parser, "half the model's, mostly 0.25")
    add_answering(parser)
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--explain",
        metavar="PNG",
        help="also draw waveform, pitch, attention and posteriors over time into PNG; for one "
        "audio file at a time and the numpy backend, needs matplotlib",
    )


def run(args: argparse.Namespace) -> int:
    """Decide on files; 2 when one of them failed."""
    from edge.audio.find import search
    from edge.cli.model import open_classifier
    from edge.sinks import JsonLinesSink

    if args.explain is not None:
        _check_explain(args)
    classifier = open_classifier(args, attentive=args.explain is not None)
    if args.explain is not None:
        from edge.explain.attention import attentive

        attentive(classifier.model)
    # Settings that cannot be used are one error, not one for every file.
    with named_as_options():
        classifier.file_stream(args.segment, args.hop, **answering(args))
    found = search(args.paths)
    files = found.files
    n_done, n_failed = 0, len(found.problems)
    for problem in found.problems:
        complain(problem)
    passed_over = found.sentence()
    if passed_over is not None:
        warn(passed_over)
    width = min(_WIDEST_PATH, max((len(str(file)) for file in files), default=0))
    progress = _Progress(len(files))
    for file in files:
        progress.show(file)
        try:
            answer = _classify(classifier, file, args)
        except EdgeSerError as error:
            n_failed += 1
            progress.clear()
            complain(error)
            continue
        n_done += 1
        progress.clear()
        for sentence in answer.warnings:
            warn(f"{answer.path}: {sentence}")
        if args.json:
            JsonLinesSink(sys.stdout).write(answer.to_dict())
        else:
            print(_line(answer, width), flush=True)
    if n_failed and n_failed + n_done > 1:
        say(f"{n_failed} failed, {n_done} classified")
    return 2 if n_failed else 0


def _check_explain(args: argparse.Namespace) -> None:
    """Refuse what cannot be drawn before any work is done."""
    from edge.audio.find import find_audio_files
    from edge.explain.picture import check_matplotlib, check_target

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


def _classify(classifier: Classifier, file: Path, args: argparse.Namespace) -> FileAnswer:
    settings = {"segment_s": args.segment, "hop_s": args.hop, **answering(args)}
    if args.explain is None:
        return classifier.classify_file(file, **settings)
    from edge.explain.explain import explain_file
    from edge.explain.picture import draw_explanation

    answer, explanation = explain_file(classifier, file, **settings)
    draw_explanation(explanation, args.explain, file.name)
    return answer


def _line(answer: FileAnswer, width: int) -> str:
    share = "     "
    if answer.label is not None and answer.posterior is not None:
        # Rounded as in the JSON.
        share = f"{100 * round(answer.posterior[answer.label], 4):3.0f} %"
    activation = "" if answer.activation is None else f"activation {answer.activation:.2f}"
    heard = printable(answer.label or answer.state)
    return (
        f"{printable(answer.path):<{width}}  {heard:<10} {share}  {activation:<15}  "
        f"{answer.n_segments:4} segment{' ' if answer.n_segments == 1 else 's'}  "
        f"{answer.ms:8.1f} ms"
    )


class _Progress:
    """How far a batch is, where somebody watches and no result would be overwritten."""

    def __init__(self, n_files: int) -> None:
        self._n_files = n_files
        self._n_begun = 0
        self._is_on = n_files > 1 and sys.stderr.isatty() and not sys.stdout.isatty()

    def show(self, file: Path) -> None:
        self._n_begun += 1
        if self._is_on:
            self._write(printable(f"{self._n_begun}/{self._n_files} {file.name}")[:78])

    def clear(self) -> None:
        if self._is_on:
            self._write("")

    def _write(self, text: str) -> None:
        # Nobody may be left to watch.
        with contextlib.suppress(OSError, ValueError):
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
