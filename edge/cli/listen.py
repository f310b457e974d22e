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

if TYPE_CHECKING:
    from edge.sources import Source

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Decide on speech as it goes until it ends or a signal comes."""
    if args.device is not None and args.source != "mic":
        raise ParameterError(f"--device names a microphone, --source is {args.source!r}")
    if args.fast and args.source == "mic":
        raise ParameterError("--fast is for a file: a microphone cannot run ahead of time")
    stop = threading.Event()
    # First of all, so that a signal ends even the loading in good order.
    with _stopped_by_signals(stop):
        from edge.cli.model import open_classifier
        from edge.pipeline import run_pipeline
        from edge.sinks import JsonLinesSink, TerminalSink

        try:
            classifier = open_classifier(args)
        except KeyboardInterrupt:
            # It ended the process that tried the backend; ours was told to stop.
            if not stop.is_set():
                raise
            return 0
        stream = classifier.stream(args.segment, args.hop)
        source = _open_source(args, classifier.spec.sample_rate)
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


def _open_source(args: argparse.Namespace, sample_rate: int) -> Source:
    from edge.bundled import DEMO_CLIP
    from edge.sources import FileSource, MicrophoneSource, StdinSource

    def listening(description: str) -> None:
        _say(f"listening to {description}, Ctrl-C ends")

    def warn(sentence: str) -> None:
        _say(f"warning: {sentence}")

    if args.source == "mic":
        return MicrophoneSource(args.device, sample_rate, warn=warn, opened=listening)
    if args.source == "-":
        if sys.stdin is None:
            raise ParameterError("standard input is closed, raw samples are wanted there")
        listening("standard input")
        return StdinSource(sys.stdin.buffer, sample_rate, warn=warn)
    is_demo = args.source == "demo"
    path = DEMO_CLIP if is_demo else args.source
    listening("the bundled dialogue" if is_demo else args.source)
    return FileSource(path, sample_rate, fast=args.fast)


@contextlib.contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Set ``stop`` on SIGINT or SIGTERM; the second signal acts as ever."""
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may handle signals; a program around us has its own way.
        yield
        return

    def handle(number: int, _: FrameType | None) -> None:
        stop.set()
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
