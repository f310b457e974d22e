"""A run for programs: what ``edge-ser listen`` does."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence

from edge.errors import ParameterError, shown
from edge.pipeline.run import run_pipeline
from edge.pipeline.summary import Summary
from edge.pipeline.taps import Tap
from edge.pipeline.wall_clock import WallClock
from edge.sinks import Sink
from edge.sinks.group import SinkGroup
from edge.sinks.registry import SinkSettings
from edge.sinks.several import make_sinks
from edge.sources.base import Source, SourceSettings, Stop, say_nothing
from edge.sources.registry import SourceRow, find_source, open_source
from edge.stream.classifier import Classifier
from edge.stream.events import EventSettings
from edge.stream.loading import load
from edge.stream.smoothing import SmootherSettings
from edge.stream.stream import Stream

__all__ = ["listen"]


def listen(
    source: str | Source = "mic",
    sinks: Sequence[Sink | str] = ("terminal",),
    *,
    classifier: Classifier | None = None,
    stream: Stream | None = None,
    smooth: bool | SmootherSettings = True,
    min_probability: float | None = None,
    labels: Sequence[str] | None = None,
    device: str | int | None = None,
    channel: int | str = "auto",
    capture_rate: int | None = None,
    gain_db: float = 0.0,
    give_up_after_s: float | None = None,
    input_format: str | None = None,
    input_rate: int | None = None,
    n_channels: int | None = None,
    fast: bool = False,
    duration_s: float | None = None,
    stop: Stop | None = None,
    taps: Sequence[Tap] = (),
    events: EventSettings | None = None,
) -> Summary:
    """Decide on speech as it goes: what ``edge-ser listen`` does.

    Parameters
    ----------
    source : str or Source
        ``"mic"``, ``"demo"``, ``"-"`` (standard input), the path of an audio file, or an object
        of your own.
    sinks : sequence of Sink or str
        What is told every decision: what ``--to`` takes, of which ``"terminal"`` and ``"jsonl"``
        write to standard output, or objects of your own.  Those of ``--to`` but these two run in
        threads of their own.
    classifier : Classifier, optional
        None: the bundled one.
    stream : Stream, optional
        Of a classifier, fresh or reset; None: the classifier's with its own lengths.
    smooth, min_probability, labels
        As in :meth:`Classifier.stream`, where no ``stream`` is given.
    device : str or int, optional
        Microphone: its identity, its name, a part of it, or its index; None: the default input.
    channel : int or str
        Microphone or pipe: from 0, ``"mix"`` for the mean of all, ``"auto"`` for the loudest of
        the first seconds.
    capture_rate : int, optional
        Microphone: rate to open it at, in Hz; None: its own.
    gain_db : float
        Microphone or pipe: by how much its sound is made louder.
    give_up_after_s : float, optional
        Microphone: seconds without one after which it is an error; None: it is waited for.
    input_format : str, optional
        Standard input without a WAV header: ``"s16le"`` (None), ``"s24le"``, ``"s24_32le"``,
        ``"s32le"``, ``"f32le"``.
    input_rate, n_channels : int, optional
        Of the same, in Hz; None: the model's rate, and 1.
    fast : bool
        Do not play a file at the pace of speech.
    duration_s, stop, taps
        As for :func:`run_pipeline`.
    events : EventSettings, optional
        Tell the sinks of beginnings and endings, too; those that are named write nothing
        else but gaps, status and the summary.

    Returns
    -------
    Summary

    Raises
    ------
    ParameterError
        If something is given that the source has no use for.
    EdgeSerError
        As :func:`run_pipeline`, :func:`edge.load` and the source say.
    """
    if stream is None:
        stream = (classifier or load()).stream(
            smooth=smooth, min_probability=min_probability, labels=labels
        )
    elif smooth is not True or min_probability is not None or labels is not None:
        raise ParameterError(
            "stream is given, and smooth, min_probability or labels beside it: give them to "
            "Classifier.stream()"
        )
    clock = WallClock()
    named = find_source(source) if isinstance(source, str) else None
    how = SourceSettings(
        sample_rate=stream.classifier.spec.sample_rate,
        path=source if isinstance(source, str) else "",
        device=device,
        channel=channel,
        capture_rate=capture_rate,
        gain_db=gain_db,
        give_up_after_s=give_up_after_s,
        input_format=input_format,
        input_rate=input_rate,
        n_channels=n_channels,
        fast=fast,
    )
    _refuse_unused(how, source, named)
    if isinstance(sinks, str):
        raise ParameterError(f"sinks is {sinks!r}, a list of sinks is wanted: [{sinks!r}]")
    settings = SinkSettings(
        sys.stdout,
        events=events is not None,
        time_of_day=named is not None and named.is_live,
        now=clock.now_s,
        labels=stream.classifier.labels,
    )
    made = iter(
        make_sinks(
            [s for s in sinks if isinstance(s, str)],
            settings,
            is_patient=named is None or not named.takes_device,
        )
    )
    group = SinkGroup([next(made) if isinstance(s, str) else s for s in sinks], say_nothing)
    if named is not None:
        source = open_source(named, dataclasses.replace(how, warn=group.warn))
    assert not isinstance(source, str)
    return run_pipeline(
        source,
        stream,
        group,
        duration_s=duration_s,
        stop=stop,
        taps=taps,
        events=events,
        clock=clock,
    )


def _refuse_unused(how: SourceSettings, source: str | Source, named: SourceRow | None) -> None:
    """Refuse what concerns another kind of source, rather than leave it out without a word."""
    microphone, pipe, paced = False, False, True
    if named is not None:
        microphone, pipe, paced = named.takes_device, named.takes_raw, named.is_paced
    # What each is for, whether the source has a use for it, and what it is where none is given.
    rows = {
        "device": ("names a microphone", microphone, None),
        "capture_rate": ("is for a microphone", microphone, None),
        "give_up_after_s": ("is for a microphone", microphone, None),
        "channel": ("is for a microphone or a pipe", microphone or pipe, "auto"),
        "gain_db": ("is for a microphone or a pipe", microphone or pipe, 0.0),
        "input_format": ("is for standard input", pipe, None),
        "input_rate": ("is for standard input", pipe, None),
        "n_channels": ("is for standard input", pipe, None),
        "fast": ("is for a file", not paced, False),
    }
    for name, (what, is_used, default) in rows.items():
        if not is_used and getattr(how, name) != default:
            raise ParameterError(f"{name} {what}, source is {shown(source)}")
