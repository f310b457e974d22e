"""``edge-ser listen``."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

from edge.errors import ParameterError
from edge.sources import SourceSettings, Stop
from edge.sources.registry import SourceRow, find_source, open_source

if TYPE_CHECKING:
    from edge.sources import Source

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Decide on speech as it goes until it ends or a signal comes."""
    row = find_source(args.source)
    if args.device is not None and not row.takes_device:
        raise ParameterError(f"--device names a microphone, --source is {args.source!r}")
    if args.fast and row.is_paced:
        raise ParameterError("--fast is for a file: a microphone cannot run ahead of time")
    stop = Stop()
    # First of all, so that a signal ends even the loading in good order.
    with _stopped_by_signals(stop):
        from edge.cli.model import open_classifier
        from edge.pipeline import run_pipeline
        from edge.sinks import JsonLinesSink, TerminalSink

        try:
            classifier = open_classifier(args)
        except KeyboardInterrupt:
            # It ended the process that tried the backend; ours was told to stop.
            if not stop.requested:
                raise
            return 0
        stream = classifier.stream(args.segment, args.hop)
        source = _open_source(row, args, classifier.spec.sample_rate)
        json_sink = JsonLinesSink(sys.stdout) if args.json else None
        summary = run_pipeline(
            source,
            stream,
            [json_sink or TerminalSink(sys.stdout)],
            duration_s=args.duration,
            stop=stop,
        )
        if json_sink is not None:
            json_sink.write(summary.to_dict())
        _say(summary.sentence())
    return 0


def _open_source(row: SourceRow, args: argparse.Namespace, sample_rate: int) -> Source:
    return open_source(
        row,
        SourceSettings(
            sample_rate=sample_rate,
            path=args.source,
            device=args.device,
            fast=args.fast,
            warn=lambda sentence: _say(f"warning: {sentence}"),
            opened=lambda description: _say(f"listening to {description}, Ctrl-C ends"),
        ),
    )


@contextlib.contextmanager
def _stopped_by_signals(stop: Stop) -> Iterator[None]:
    """Set ``stop`` on SIGINT or SIGTERM; the second signal acts as ever."""
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may handle signals; a program around us has its own way.
        yield
        return

    def handle(number: int, _: FrameType | None) -> None:
        stop.request()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(sentence: str) -> None:
    print(f"edge-ser: {sentence}", file=sys.stderr, flush=True)
