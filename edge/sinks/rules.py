"""Commands that are started when a rule has held for long enough."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import Any

from edge.errors import printable
from edge.sinks.base import SinkBase
from edge.sinks.rule import Rule
from edge.stream.decision import GAP, Decision
from edge.stream.records import head

__all__ = ["RulesSink", "Started"]

#: Longest wait, at the end, for commands that run.
_LAST_S = 1.0
#: Not the business of a command.
_SECRETS = ("PASSWORD", "TOKEN")


@dataclasses.dataclass(slots=True)
class _Held:
    """How long a rule has held, and when it last started something."""

    since_s: float | None = None
    peak: float = 0.0
    started_s: float | None = None
    running: Started | None = None


class RulesSink(SinkBase):
    """Starts the command of every rule that has held for its time, within its hours.

    Parameters
    ----------
    rules : sequence of Rule
    now : callable
        Unix time of a decision that has none.
    warn : callable
        Takes what went wrong with a command, in any thread; must not raise.

    Notes
    -----
    A rule holds from where a decision over its bar begins to cover new sound; one that is not over
    it, and a gap, break it.  While the command of a rule runs, and until its time is over, it
    starts no other.
    """

    name = "rules"

    def __init__(
        self, rules: Sequence[Rule], *, now: Callable[[], float], warn: Callable[[str], None]
    ) -> None:
        self._held = [(rule, _Held()) for rule in rules]
        self._now, self._warn = now, warn
        self._covered_s = 0.0

    def emit(self, decision: Decision) -> None:
        """See which rules hold, and start what is due."""
        time_s = self._now() if decision.time_s is None else decision.time_s
        for rule, held in self._held:
            self._look(rule, held, decision, time_s)
        self._covered_s = max(self._covered_s, decision.end_s)

    def close(self) -> None:
        """Give commands that run a moment, and end them."""
        for _, held in self._held:
            if held.running is not None:
                held.running.end(_LAST_S)

    def _look(self, rule: Rule, held: _Held, decision: Decision, time_s: float) -> None:
        if decision.state == GAP or not rule.holds(decision):
            held.since_s = None
            return
        if held.since_s is None:
            held.since_s, held.peak = max(decision.start_s, self._covered_s), 0.0
        value = _value(rule, decision)
        held.peak = max(held.peak, value)
        if decision.end_s - held.since_s < rule.for_s or not rule.is_in_time(time_s):
            return
        is_early = held.started_s is not None and 0 <= time_s - held.started_s < rule.every_s
        if is_early or (held.running is not None and held.running.is_running):
            return
        held.started_s = time_s
        record = {
            **head("rule", time_s),
            "rule": str(rule),
            "label": decision.label,
            "value": round(value, 4),
            "peak": round(held.peak, 4),
            "activation": decision.activation,
            "start_s": round(held.since_s, 3),
            "end_s": round(decision.end_s, 3),
        }
        held.running = Started(rule, record, self._warn)


def _value(rule: Rule, decision: Decision) -> float:
    if decision.label == rule.what and decision.posterior is not None:
        return decision.posterior[rule.what]
    return decision.activation or 0.0


class Started:
    """A command that runs, watched by a thread of its own.

    Parameters
    ----------
    rule : Rule
    record : dict
        What it is given on its standard input, as one line of JSON; its standard error is ours.
    warn : callable
    """

    def __init__(self, rule: Rule, record: dict[str, Any], warn: Callable[[str], None]) -> None:
        self._rule, self._record, self._warn = rule, record, warn
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name=f"rule {rule}", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._thread.is_alive()

    def end(self, wait_s: float) -> None:
        """Wait a moment for it, and end it."""
        self._thread.join(wait_s)
        self._is_ending = True
        self._kill()
        self._thread.join(wait_s)

    def _run(self) -> None:
        program = printable(self._rule.command[0])
        environment = {
            name: value
            for name, value in os.environ.items()
            if not (name.startswith("EDGE_SER_") and name.endswith(_SECRETS))
        }
        try:
            # A session of its own, so that whatever it starts is ended with it.
            self._process = subprocess.Popen(
                self._rule.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            self._warn(f"the command {program} of the rule {self._rule} did not start: {reason}")
            return
        line = json.dumps(self._record, allow_nan=False).encode() + b"\n"
        try:
            self._process.communicate(line, timeout=self._rule.limit_s)
        except subprocess.TimeoutExpired:
            self._kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.communicate(timeout=_LAST_S)
            self._warn(
                f"the command {program} of the rule {self._rule} was ended after "
                f"{self._rule.limit_s:g} s; limit gives it longer"
            )
            return
        if self._process.returncode and not self._is_ending:
            self._warn(
                f"the command {program} of the rule {self._rule} failed with exit code "
                f"{self._process.returncode}"
            )

    def _kill(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
