"""What ``edge-ser listen`` does, over and over when its options are read anew."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.cli.answering import deciding, named_as_options
from edge.cli.config import Configured, configure
from edge.cli.microphone_options import microphone_settings
from edge.cli.notices import Notices
from edge.cli.notify import Notifier, ServiceTap
from edge.cli.pipe_options import pipe_settings
from edge.cli.reload import KeptSource, Reloader, RunStop
from edge.cli.rule_options import rules_of, sink_of
from edge.cli.saving_options import saving
from edge.cli.sink_options import about, targets
from edge.cli.voice_options import VoiceKeeper, know_voice, wanted_voice
from edge.errors import ParameterError
from edge.sources import SourceSettings, Stop
from edge.sources.base import Status
from edge.sources.registry import SourceRow, open_source

if TYPE_CHECKING:
    from edge.sinks.rule import Rule
    from edge.sinks.target import Target
    from edge.stream.events import EventSettings
    from edge.stream.stream import Stream

__all__ = ["Listening"]


@dataclasses.dataclass(frozen=True, slots=True)
class _Plan:
    """What a run is made of, checked and loaded."""

    args: argparse.Namespace
    row: SourceRow
    stream: Stream
    settings: SourceSettings
    events: EventSettings | None
    state: str | None
    sinks: list[Target]
    rules: list[Rule]


class Listening:
    """One run after the other: each ends where new options begin.

    Parameters
    ----------
    args : argparse.Namespace
        The command line, to which the files are added once more on SIGHUP.
    notifier : Notifier
    check : callable
        Checks options and gives the source that they name.

    Attributes
    ----------
    stop : Stop
        Ends all of it.
    reloader : Reloader
        Whom to ask for new options.
    voice : VoiceKeeper
        Whom to ask to forget the voice.
    """

    def __init__(
        self, args: argparse.Namespace, notifier: Notifier, check: Callable[[Configured], SourceRow]
    ) -> None:
        self.stop = Stop()
        self.reloader = Reloader(self._read_anew, self._change_over, self._keep)
        self._args = args
        self._check = check
        self._notices = Notices()
        self._notifier = notifier
        self._tap = ServiceTap(notifier)
        self.voice = VoiceKeeper(self._notices.warn, self._notices.say)
        self._warn: Callable[[str], None] = self._notices.warn
        self._has_lost = False
        self._next: _Plan | None = None
        # Of the run that goes on: where it ends, its source, and what that was opened with.
        self._run_stop = RunStop(self.stop)
        self._source: KeptSource | None = None
        self._opened: tuple[SourceRow, SourceSettings] | None = None

    @property
    def has_failed(self) -> bool:
        """Whether what the last run heard could not be told or kept to its end."""
        return self._has_lost or self.voice.has_failed

    def run(self, configured: Configured, row: SourceRow) -> None:
        """Listen until the source ends or a signal comes."""
        self._notifier.tell(status="loading the model")
        try:
            plan = self._plan(configured, row)
        except KeyboardInterrupt:
            # It ended the process that tried the backend; ours was told to stop.
            if not self.stop.requested:
                raise
            return
        heard_s = 0.0
        with self.reloader:
            try:
                while True:
                    left_s = None if plan.args.duration is None else plan.args.duration - heard_s
                    if left_s is not None and left_s <= 0:
                        break
                    heard_s += self._listen(plan, left_s)
                    if self._next is None or self.stop.requested or self._has_ended():
                        break
                    plan, self._next = self._next, None
            finally:
                self._let_go()
                self.voice.close()
        self._notifier.tell("STOPPING=1", status="ended")

    def _plan(self, configured: Configured, row: SourceRow) -> _Plan:
        from edge.cli.model import open_classifier
        from edge.sinks.registry import SinkSettings
        from edge.sinks.several import make_sinks
        from edge.stream.events import EventSettings

        args = configured.args
        classifier = open_classifier(args)
        try:
            if classifier.artifact.manifest.voice_reference is None and args.reference == "on":
                # A file's, for the model of the daily run.
                configured.leave_out("reference", "artifact")
            with named_as_options():
                stream = classifier.stream(
                    args.segment, args.hop, voice_reference=wanted_voice(args), **deciding(args)
                )
            state = know_voice(configured, stream)
            rules = rules_of(args, classifier.labels)
        except ParameterError as error:
            raise configured.explained(error) from None
        settings = SourceSettings(
            sample_rate=classifier.spec.sample_rate,
            path=args.source,
            **microphone_settings(args),
            fast=args.fast,
            **pipe_settings(args),
        )
        events = EventSettings(args.event_min, args.event_merge) if args.events else None
        sinks = targets(args)
        if args.to:
            # Made once to see whether they can be: nothing is opened yet.
            make_sinks(sinks, SinkSettings(sys.stdout), is_patient=False)
        return _Plan(args, row, stream, settings, events, state, sinks, rules)

    def _listen(self, plan: _Plan, left_s: float | None) -> float:
        """Run once; gives the seconds of audio that went by."""
        from edge.pipeline import WallClock, run_pipeline
        from edge.sinks.group import SinkGroup
        from edge.sinks.registry import SinkSettings
        from edge.sinks.several import make_sinks

        args, clock = plan.args, WallClock()
        self.voice.begin(plan.stream, plan.state)
        settings = SinkSettings(
            sys.stdout,
            # Standard error has them; a person would read them twice.
            shows_warnings=False,
            events=args.events,
            time_of_day=plan.row.is_live,
            now=clock.now_s,
            labels=plan.stream.classifier.labels,
            warn=self._notices.warn,
            say=self._notices.say,
            about=about(args, plan.stream),
            history=next((each.address for each in plan.sinks if each.kind == "sqlite"), ""),
        )
        sinks = SinkGroup(
            [
                *make_sinks(plan.sinks, settings, is_patient=not plan.row.takes_device),
                *sink_of(plan.rules, now=clock.now_s, warn=self._notices.warn),
            ],
            self._notices.warn,
            self._notices.report,
        )
        self._warn = sinks.warn
        with saving(
            args,
            plan.settings.sample_rate,
            warn=sinks.warn,
            say=self._notices.say,
            now=clock.now_s,
        ) as savers:
            summary = run_pipeline(
                self._open(plan),
                plan.stream,
                sinks,
                duration_s=left_s,
                stop=self._run_stop,
                taps=[self._tap, self.voice, *savers],
                events=plan.events,
                clock=clock,
            )
        self._has_lost = sinks.has_failed or any(saver.has_failed for saver in savers)
        self._notices.say(summary.sentence())
        return summary.audio_s + summary.dropped_samples / plan.settings.sample_rate

    def _open(self, plan: _Plan) -> KeptSource:
        """Open the source, or go on with the one that is open where it stays the same."""
        self._run_stop = RunStop(self.stop)
        is_first = self._source is None
        if self._source is None or self._source.stop.requested or self._is_other(plan):
            self._let_go()
            settings = dataclasses.replace(
                plan.settings,
                warn=self._pass_on,
                opened=self._say_opened,
                attempted=self._tap.attempted,
            )
            self._source = KeptSource(open_source(plan.row, settings), self.stop)
            self._opened = plan.row, plan.settings
        if not is_first:
            word = Status("reloaded", "the options were read anew, and the clock begins again")
            self._source.go_on(word, plan.stream.classifier.spec.win_length)
        if self._next is not None:
            # It was prepared while this run began.
            self._change_over(self._next)
        return self._source

    def _say_opened(self, name: str) -> None:
        self._tap.opened(name)
        self._notices.say(f"listening to {name}, Ctrl-C ends")

    def _pass_on(self, sentence: str) -> None:
        # The source may outlive the sinks that it was opened with.
        self._warn(sentence)

    def _is_other(self, plan: _Plan) -> bool:
        return self._opened != (plan.row, plan.settings)

    def _has_ended(self) -> bool:
        return self._source is not None and self._source.has_ended

    def _let_go(self) -> None:
        if self._source is not None:
            self._source.close()

    # What follows is called by the thread that reads the options anew.

    def _read_anew(self) -> _Plan:
        self._notifier.reloading()
        configured = configure(self._args)
        return self._plan(configured, self._check(configured))

    def _change_over(self, plan: _Plan) -> None:
        # In this order: whoever begins a run meanwhile looks for a plan after setting its stop.
        self._next = plan
        if self._is_other(plan) and self._source is not None:
            self._source.stop.request()
        self._run_stop.request()
        self._notifier.tell("READY=1")

    def _keep(self, error: Exception) -> None:
        self._notices.say(f"warning: the options stay as they were: {error}")
        self._notifier.tell("READY=1", status=f"the options stay as they were: {error}")
