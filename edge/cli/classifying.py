"""One pass of ``classify`` over many files: who does the work, and where the answers go."""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.answers.inputs import Inputs
from edge.answers.journal import Journal, stamp_of
from edge.answers.records import line_of, record_of
from edge.answers.request import Answered, Request, Task, answer, keep
from edge.answers.tables import FORMATS, PARQUET, SUFFIXES, Lines, check_pyarrow, write_parquet
from edge.cli.notices import complain, say, warn
from edge.cli.progress_line import ProgressLine
from edge.errors import ParameterError, how_many
from edge.files import atomic_path
from edge.jobs import run_in_order
from edge.sinks import JsonLinesSink

if TYPE_CHECKING:
    from edge.stream.classifier import Classifier

__all__ = ["check_output", "classify_all", "head_of"]

#: A longer path than this pushes the columns of its own line only; where a list tells no lengths,
#: this is the column's.
_WIDEST_PATH, _LISTED_PATH = 60, 40


def check_output(args: argparse.Namespace) -> str | None:
    """Find out in which format answers are written; None: as ever.

    Raises
    ------
    ParameterError
        If the options do not go together, or the output is no file.
    MissingDependencyError
        If a package for the format is not installed.
    """
    if args.json and (args.output_format is not None or args.output is not None):
        raise ParameterError("--json goes without --output and --output-format")
    if args.output is None:
        if args.resume:
            raise ParameterError("--resume goes with --output FILE, which the run was to write")
        if args.output_format == PARQUET:
            raise ParameterError("--output-format parquet goes with --output FILE: it is no text")
        return args.output_format  # type: ignore[no-any-return]
    if os.path.lexists(args.output) and not os.path.isfile(args.output):
        raise ParameterError(f"--output {args.output} is no file: name one that may be replaced")
    kind = args.output_format or SUFFIXES.get(args.output.suffix.lower())
    if kind is None:
        raise ParameterError(
            f"--output {args.output} ends in none of {' '.join(SUFFIXES)}: --output-format "
            f"{'|'.join(FORMATS)} says what to write"
        )
    if kind == PARQUET:
        check_pyarrow()
    return str(kind)


def head_of(classifier: Classifier, settings: dict[str, Any]) -> dict[str, Any]:
    """Say what the answers of a run depend on."""
    from edge import __version__

    artifact = classifier.artifact
    return {
        "version": __version__,
        "model": artifact.digest,
        "backend": artifact.manifest.backend,
        **settings,
    }


def classify_all(
    args: argparse.Namespace, classifier: Classifier, settings: dict[str, Any], kind: str | None
) -> int:
    """Answer all files.

    Parameters
    ----------
    args : argparse.Namespace
        Of the command.
    classifier : Classifier
        The model.
    settings : dict
        Keywords of :meth:`Classifier.classify_file`.
    kind : str or None
        What :func:`check_output` gave.

    Returns
    -------
    int
        The exit code: 2 when there is a file without an answer.
    """
    inputs = Inputs(args.paths, args.list)
    _say_passed_over(inputs)
    request = Request.of(classifier.artifact, settings)
    keep(request, classifier)
    work = functools.partial(answer, request)
    out: _Printed | _Kept
    if args.output is None:
        out = _Printed(args, kind, classifier, inputs)
    else:
        out = _Kept(args, kind, classifier, head_of(classifier, settings))
    with out:
        results = run_in_order(work, out.tasks(inputs), n_jobs=args.jobs, cluster=args.cluster)
        with contextlib.closing(results):
            for answered in results:
                out.take(answered)
        _say_passed_over(inputs)
        if not out.n_files:
            raise ParameterError("there is nothing to classify: the list names no file")
        return out.finish()


def _say_passed_over(inputs: Inputs) -> None:
    passed_over = inputs.passed_over()
    if passed_over is not None:
        warn(passed_over)


class _Out:
    """Takes the answers in the order of the files, and counts.

    Parameters
    ----------
    args : argparse.Namespace
        Of the command.
    """

    n_done = n_failed = n_files = 0

    def __init__(self, args: argparse.Namespace) -> None:
        self._waiting: collections.deque[tuple[int, Task, object]] = collections.deque()
        self._is_alone = args.jobs == 1 and args.cluster is None
        self._progress = _Progress(args)

    def __enter__(self) -> _Out:
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.clear()

    def tasks(self, inputs: Inputs) -> Iterator[Task]:
        """Give what is left to do; runs in a thread of its own where others do the work."""
        self._progress.n_known = inputs.n_known
        for n, task in enumerate(inputs):
            self.n_files = n + 1
            if self.is_known(n, task):
                continue
            self._waiting.append((n, task, self.stamp(task)))
            if self._is_alone:
                self._progress.show(n, task)
            yield task

    def take(self, answered: Answered) -> None:
        """Take the answer of the first file that has none yet."""
        n, task, stamp = self._waiting.popleft()
        if not self._is_alone:
            self._progress.show(n, task)
        if answered.answer is None:
            self.n_failed += 1
            self._progress.clear()
            complain(answered.error)
        else:
            self.n_done += 1
        self.put(n, task, stamp, answered)

    def is_known(self, n: int, task: Task) -> bool:
        return False

    def stamp(self, task: Task) -> object:
        return None

    def put(self, n: int, task: Task, stamp: object, answered: Answered) -> None:
        raise NotImplementedError


class _Printed(_Out):
    """Answers on standard output, each as it comes."""

    def __init__(
        self, args: argparse.Namespace, kind: str | None, classifier: Classifier, inputs: Inputs
    ) -> None:
        super().__init__(args)
        least = 0 if inputs.n_known is not None else _LISTED_PATH
        longest = max((len(t.path) for t in inputs.known if t.problem is None), default=0)
        self._width = min(_WIDEST_PATH, max(least, longest))
        self._labels = _labels(args, classifier)
        self._lines = None if kind is None else Lines(kind, self._labels, self._width)
        self._json = JsonLinesSink(sys.stdout) if args.json else None
        if self._lines is not None and self._lines.head:
            print(self._lines.head, end="", flush=True)

    def put(self, n: int, task: Task, stamp: object, answered: Answered) -> None:
        """Print it."""
        found = answered.answer
        if found is not None:
            self._progress.clear()
            for sentence in found.warnings:
                warn(f"{found.path}: {sentence}")
        if self._lines is not None:
            print(self._lines.line(record_of(task, answered)), end="", flush=True)
        elif found is None:
            return
        elif self._json is not None:
            self._json.write(found.to_dict())
        else:
            record = record_of(task, answered)
            print(line_of(record, self._width, found.ms, self._labels), flush=True)

    def finish(self) -> int:
        """Say how many failed."""
        if self.n_failed and self.n_files > 1:
            say(f"{self.n_failed} failed, {self.n_done} classified")
        return 2 if self.n_failed else 0


class _Kept(_Out):
    """Answers in a file, which is there when all are; until then in a journal beside it."""

    def __init__(
        self, args: argparse.Namespace, kind: str | None, classifier: Classifier, head: Any
    ) -> None:
        super().__init__(args)
        assert kind is not None
        self._kind = kind
        self._labels = _labels(args, classifier)
        self._output: Path = args.output
        self._place = _place(self._output)
        self._is_whole = False
        self._journal = Journal(self._output, head, is_resumed=args.resume)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        if self._is_whole:
            self._journal.remove()
            return
        self._journal.close()
        n_kept = self._journal.n_kept
        if n_kept:
            say(f"{self._journal.path} keeps {how_many(n_kept, 'answer')}: --resume goes on")

    def is_known(self, n: int, task: Task) -> bool:
        """Ask the journal; and refuse to replace what is to be heard."""
        if self._place is not None and _place(Path(task.path)) == self._place:
            raise ParameterError(
                f"--output would replace {task.path}, a file to classify: name another"
            )
        return self._journal.has(n, task)

    def stamp(self, task: Task) -> object:
        """Look at a file before it is read."""
        return stamp_of(task.path)

    def put(self, n: int, task: Task, stamp: object, answered: Answered) -> None:
        """Keep it."""
        self._journal.write(n, record_of(task, answered), stamp)

    def finish(self) -> int:
        """Write the file."""
        records = self._journal.records
        n_failed = sum(record["type"] == "error" for record in records(self.n_files))
        with atomic_path(self._output) as temporary:
            if self._kind == PARQUET:
                write_parquet(temporary, records(self.n_files), self._labels)
            else:
                longest = max(len(record["path"]) for record in records(self.n_files))
                lines = Lines(self._kind, self._labels, min(_WIDEST_PATH, longest))
                with open(temporary, "w", encoding="utf-8", newline="") as file:
                    file.write(lines.head)
                    file.writelines(lines.line(record) for record in records(self.n_files))
        self._is_whole = True
        failed = f", {n_failed} failed" if n_failed else ""
        say(f"{self.n_files - n_failed} classified{failed}: {self._output}")
        return 2 if n_failed else 0


def _labels(args: argparse.Namespace, classifier: Classifier) -> tuple[str, ...]:
    """Give the labels of the posteriors, in the model's order."""
    if args.labels is None:
        return tuple(classifier.labels)
    return tuple(label for label in classifier.labels if label in args.labels)


def _place(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


class _Progress:
    """How far a pass is, where somebody watches and no result would be overwritten."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.n_known: int | None = None
        self._line = ProgressLine(args.output is not None or not sys.stdout.isatty())

    def show(self, n: int, task: Task) -> None:
        if self.n_known != 1:
            of = "" if self.n_known is None else f"/{self.n_known}"
            self._line.show(f"{n + 1}{of} {Path(task.path).name}")

    def clear(self) -> None:
        self._line.clear()
