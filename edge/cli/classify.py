"""``edge-ser classify``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import AudioFileError, EdgeSerError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.stream.classifier import Classifier
    from edge.stream.decision import Decision

__all__ = ["run"]

#: A longer path than this pushes the columns of its own line only.
_WIDEST_PATH = 60


def run(args: argparse.Namespace) -> int:
    """Decide on files; 2 when one of them failed."""
    from edge.audio.file import find_audio_files
    from edge.cli.model import open_classifier
    from edge.sinks import JsonLinesSink

    if args.explain is not None:
        _check_explain(args)
    classifier = open_classifier(args, attentive=args.explain is not None)
    if args.explain is not None:
        from edge.explain.explain import attentive

        attentive(classifier.model)
    # Settings that cannot be used are one error, not one for every file.
    classifier.file_stream(args.segment, args.hop)
    files: dict[Path, None] = {}
    n_done = n_failed = 0
    for path in args.paths:
        try:
            files.update(dict.fromkeys(find_audio_files([path])))
        except EdgeSerError as error:
            n_failed += 1
            _complain(error)
    width = min(_WIDEST_PATH, max((len(str(file)) for file in files), default=0))
    progress = _Progress(len(files))
    for file in files:
        progress.show(file)
        try:
            record = _classify(classifier, file, args)
        except EdgeSerError as error:
            n_failed += 1
            progress.clear()
            _complain(error)
            continue
        n_done += 1
        progress.clear()
        if args.json:
            JsonLinesSink(sys.stdout).write(record)
        else:
            print(_line(record, width), flush=True)
    if n_failed and n_failed + n_done > 1:
        print(f"edge-ser: {n_failed} failed, {n_done} classified", file=sys.stderr)
    return 2 if n_failed else 0


def _check_explain(args: argparse.Namespace) -> None:
    """Refuse what cannot be drawn before any work is done."""
    from edge.audio.file import find_audio_files
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


def _classify(classifier: Classifier, file: Path, args: argparse.Namespace) -> dict[str, Any]:
    from edge.audio.file import read_audio
    from edge.stream.posterior import average_posterior

    started_s = time.perf_counter()
    explanation = None
    decisions: Sequence[Decision]
    try:
        samples, sample_rate = read_audio(file)
        if args.explain is None:
            decisions = classifier.classify(
                samples, sample_rate, segment_s=args.segment, hop_s=args.hop
            )
        else:
            from edge.explain.explain import explain

            explanation = explain(
                classifier, samples, sample_rate, segment_s=args.segment, hop_s=args.hop
            )
            decisions = explanation.decisions
    except EdgeSerError as error:
        if str(file) in str(error):
            raise
        raise AudioFileError(f"{file} cannot be classified: {error}") from error
    except MemoryError as error:
        raise AudioFileError(f"{file} does not fit into memory: cut it into pieces") from error
    nothing = [0.0] * len(classifier.labels)
    posterior = average_posterior(
        [list(each.posterior.values()) if each.posterior else nothing for each in decisions],
        [each.level_db or 0.0 for each in decisions],
        [each.speech for each in decisions],
    )
    record = {
        "type": "file",
        "path": str(file),
        "state": "quiet" if posterior is None else "speech",
        "label": None if posterior is None else classifier.labels[int(posterior.argmax())],
        "posterior": None
        if posterior is None
        else {
            label: round(float(p), 4) for label, p in zip(classifier.labels, posterior, strict=True)
        },
        "n_segments": len(decisions),
        "ms": round(1000 * (time.perf_counter() - started_s), 2),
    }
    if explanation is not None:
        from edge.explain.picture import draw_explanation

        draw_explanation(explanation, args.explain, file.name)
    return record


def _line(record: dict[str, Any], width: int) -> str:
    n_segments = record["n_segments"]
    label = record["label"]
    share = "     " if label is None else f"{100 * record['posterior'][label]:3.0f} %"
    return (
        f"{record['path']:<{width}}  {label or record['state']:<10} {share}  "
        f"{n_segments:4} segment{' ' if n_segments == 1 else 's'}  {record['ms']:8.1f} ms"
    )


def _complain(error: EdgeSerError) -> None:
    print(f"edge-ser: error: {error}", file=sys.stderr, flush=True)


class _Progress:
    """How far a batch is, where somebody watches and no result would be overwritten."""

    def __init__(self, n_files: int) -> None:
        self._n_files = n_files
        self._n_begun = 0
        self._is_on = n_files > 1 and sys.stderr.isatty() and not sys.stdout.isatty()

    def show(self, file: Path) -> None:
        self._n_begun += 1
        if self._is_on:
            text = f"{self._n_begun}/{self._n_files} {file.name}"[:78]
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self._is_on:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
