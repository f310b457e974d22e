"""``edge-ser listen``."""

from __future__ import annotations

import argparse
import sys

from edge.cli.notices import Notices
from edge.cli.signals import stopped_by_signals
from edge.errors import ParameterError
from edge.sources import SourceSettings, Stop
from edge.sources.registry import find_source, open_source

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Decide on speech as it goes until it ends or a signal comes."""
    row = find_source(args.source)
    if args.device is not None and not row.takes_device:
        raise ParameterError(f"--device names a microphone, --source is {args.source!r}")
    if args.device == "":
        raise ParameterError("--device is empty, the name of a microphone is wanted")
    if args.fast and row.is_paced:
        raise ParameterError("--fast is for a file: a microphone cannot run ahead of time")
    stop = Stop()
    # First of all, so that a signal ends even the loading in good order.
    with stopped_by_signals(stop):
        from edge.cli.model import open_classifier
        from edge.pipeline import run_pipeline
        from edge.sinks.group import SinkGroup
        from edge.sinks.registry import SinkSettings, make_sink

        try:
            classifier = open_classifier(args)
        except KeyboardInterrupt:
            # It ended the process that tried the backend; ours was told to stop.
            if not stop.requested:
                raise
            return 0
        stream = classifier.stream(args.segment, args.hop)
        notices = Notices()
        # Standard error has the warnings; a person would read them twice.
        settings = SinkSettings(sys.stdout, shows_warnings=False)
        sinks = SinkGroup(
            [make_sink("json_lines" if args.json else "terminal", settings)], notices.warn
        )
        source = open_source(
            row,
            SourceSettings(
                sample_rate=classifier.spec.sample_rate,
                path=args.source,
                device=args.device,
                fast=args.fast,
                warn=sinks.warn,
                opened=lambda name: notices.say(f"listening to {name}, Ctrl-C ends"),
            ),
        )
        summary = run_pipeline(source, stream, sinks, duration_s=args.duration, stop=stop)
        notices.say(summary.sentence())
    return 0
