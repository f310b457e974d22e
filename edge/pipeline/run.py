"""Wiring: a source into a stream into sinks."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Iterator, Sequence

from edge.arrays import as_number
from edge.errors import AudioFileError, EdgeSerError, how_many
from edge.pipeline.decided import Run
from edge.pipeline.summary import Summary
from edge.pipeline.taps import Tap, Taps
from edge.pipeline.wall_clock import WallClock
from edge.sinks import Sink
from edge.sinks.group import SinkGroup
from edge.sources.base import Block, Gap, Source, Stop, say_nothing
from edge.stream.events import EventSettings
from edge.stream.status import Status
from edge.stream.stream import Stream

__all__ = ["run_pipeline"]

#: 30,000 years.
_LONGEST_S = 1e12


def run_pipeline(
    source: Source,
    stream: Stream,
    sinks: Sequence[Sink] | SinkGroup,
    *,
    duration_s: float | None = None,
    stop: Stop | None = None,
    taps: Sequence[Tap] = (),
    events: EventSettings | None = None,
    clock: WallClock | None = None,
) -> Summary:
    """Run until the source ends or is stopped.

    Parameters
    ----------
    source : Source
        Yields blocks, gaps and word of itself.
    stream : Stream
        Fresh or reset.
    sinks : sequence of Sink, or SinkGroup
        Each is told everything.  One that fails is closed and named; the others go on.
    duration_s : float, optional
        Seconds of audio after which to end, lost ones among them.
    stop : Stop, optional
        Ends the run when requested; what was heard since the last decision is left.
    taps : sequence of callable
        Each is called with every block, gap and status before it is decided on, in this
        order.  One that fails is named and not called again.
    events : EventSettings, optional
        Tell the sinks of beginnings and endings, too; None: of decisions alone.
    clock : WallClock, optional
        For the time of day of what the sinks are told.

    Returns
    -------
    Summary

    Raises
    ------
    ParameterError
        If ``duration_s`` is no number above 0.
    AudioFileError
        If the source ended by itself before a single frame was whole, and lost nothing.
    BackendError
        If the model fails again and again, or never worked.  A failure among others is a
        warning: its segment is lost and nothing else.
    OSError, EdgeSerError
        What the last sink failed with, when none is left.
    """
    group = sinks if isinstance(sinks, SinkGroup) else SinkGroup(sinks, say_nothing)
    run = Run(stream, group, clock or WallClock(), events)
    heard = Taps(taps, group.warn)
    spec = stream.classifier.spec
    n_left = None
    if duration_s is not None:
        wanted = "a number of seconds above 0 is wanted"
        seconds = as_number(duration_s, "duration_s", wanted, math.ulp(0.0), _LONGEST_S)
        n_left = max(1, round(seconds * spec.sample_rate))
    stop = stop or Stop()
    want = getattr(source, "want", None)

    def ask() -> None:
        """Say how long the next block may be, before the source waits for it."""
        if want is not None:
            lengths = (stream.n_wanted, heard.most_samples(spec.sample_rate), n_left)
            want(min(length for length in lengths if length is not None))

    started_s = time.perf_counter()
    with group:
        with _ending_events(run), _closing(source.blocks(stop)) as blocks:
            ask()
            for came in blocks:
                if isinstance(came, Status):
                    heard.tell(came)
                    run.status(came)
                    continue
                item = _within(came, n_left)
                heard.tell(item)
                if isinstance(item, Gap):
                    run.skip(item)
                else:
                    run.push(item.samples, item.arrived_s, live=not item.waits)
                if n_left is not None:
                    n_left -= _length(item)
                    if n_left == 0:
                        break
                ask()
        if not stop.requested:
            # A device that was away all along was there to be told of as a gap.
            if run.n_samples < spec.win_length and not run.n_dropped:
                raise AudioFileError(
                    f"{source.name} ended after {how_many(run.n_samples, 'sample')} at "
                    f"{spec.sample_rate} Hz, "
                    f"{spec.win_length} or more "
                    f"({1000 * spec.win_length / spec.sample_rate:.0f} ms) are wanted"
                )
            run.flush()
        run.finish()
        run.check_model()
        work_s = time.perf_counter() - started_s - source.waited_s
        summary = run.summary(work_s)
        group.summary(summary.to_dict())
    return summary


def _length(item: Block | Gap) -> int:
    return item.n_samples if isinstance(item, Gap) else item.samples.size


def _within(item: Block | Gap, n_left: int | None) -> Block | Gap:
    """Cut what is behind the end of the run."""
    if n_left is None or _length(item) <= n_left:
        return item
    if isinstance(item, Gap):
        return dataclasses.replace(item, n_samples=n_left)
    return dataclasses.replace(item, samples=item.samples[:n_left])


@contextlib.contextmanager
def _ending_events(run: Run) -> Iterator[None]:
    """Give every beginning its ending, also where a microphone was given up."""
    try:
        yield
    except EdgeSerError:
        # What went wrong is the one thing to say; a sink may be it.
        with contextlib.suppress(Exception):
            run.finish()
        raise


@contextlib.contextmanager
def _closing(
    blocks: Iterator[Block | Gap | Status],
) -> Iterator[Iterator[Block | Gap | Status]]:
    """Close the blocks whatever happens, and with them a microphone."""
    try:
        yield blocks
    finally:
        close = getattr(blocks, "close", None)
        if close is not None:
            close()
