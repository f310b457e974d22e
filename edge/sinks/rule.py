"""A rule: what is to be heard, for how long and when, until something is started."""

from __future__ import annotations

import dataclasses
import math
import re
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import Any

from edge.errors import ParameterError, printable, shown
from edge.sinks.amounts import read_span
from edge.stream.decision import SPEECH, UNCERTAIN, Decision

__all__ = ["ACTIVATION", "Rule", "rule_from_table", "rule_from_words"]

#: In place of a label: 0 calm to 1 aroused.
ACTIVATION = "activation"

_FOR_S, _EVERY_S, _LIMIT_S = 3.0, 600.0, 30.0
_WORDS = re.compile(
    r"\s*(?P<what>[^\s>]+)\s*(?:>\s*(?P<above>[^\s>]+))?"
    r"(?P<rest>(?:\s+(?:for|every|between|limit)\s+\S+)*)\s*"
)
_HOURS = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-3]):([0-5]\d)")
#: Words without quotes that a shell takes for more than words: pipes, lists and redirections.
_SHELL = re.compile(r"\||\|\||&|&&|;|<|\d?>{1,2}[^>]*")
#: A word as it is written, with its quotes.
_AS_WRITTEN = re.compile(r"""(?:\\.|'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"\\])+""", re.DOTALL)
_KEYS = ("when", "command", "for", "every", "between", "limit")


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """When a command is started.

    Parameters
    ----------
    what : str
        A label, or :data:`ACTIVATION`.
    above : float
        The bar: probability of the label, or activation.
    command : sequence of str
        A program and its words; there is no shell.
    for_s : float
        Seconds that it holds without a break.
    every_s : float
        Seconds from one start to the next at least.
    between : (int, int), optional
        Minutes of the day, the first among them and the second not; over midnight where the
        second is no later.
    limit_s : float
        Seconds after which the command is ended.
    """

    what: str
    above: float
    command: tuple[str, ...]
    for_s: float = _FOR_S
    every_s: float = _EVERY_S
    between: tuple[int, int] | None = None
    limit_s: float = _LIMIT_S

    def __str__(self) -> str:
        return f"{self.what} > {self.above:g}"

    def to_table(self) -> dict[str, Any]:
        """Give what :func:`rule_from_table` reads."""
        table: dict[str, Any] = {
            "when": str(self),
            "command": list(self.command),
            "for": f"{self.for_s:g}s",
            "every": f"{self.every_s:g}s",
            "limit": f"{self.limit_s:g}s",
        }
        if self.between is not None:
            begin, end = (f"{minute // 60:02}:{minute % 60:02}" for minute in self.between)
            table["between"] = f"{begin}-{end}"
        return table

    def holds(self, decision: Decision) -> bool:
        """Whether a decision is over the bar: one that names the label, or any with activation."""
        if self.what == ACTIVATION:
            return decision.activation is not None and decision.activation > self.above
        if decision.state not in (SPEECH, UNCERTAIN) or decision.label != self.what:
            return False
        return decision.posterior is not None and decision.posterior[self.what] > self.above

    def is_in_time(self, time_s: float) -> bool:
        """Whether a Unix time is within the hours, in the time zone of this machine."""
        if self.between is None:
            return True
        local = time.localtime(time_s)
        minute, (begin, end) = 60 * local.tm_hour + local.tm_min, self.between
        return begin <= minute < end if begin < end else minute >= begin or minute < end

    def check(self, labels: Sequence[str]) -> None:
        """See whether a model can say it.

        Raises
        ------
        ParameterError
            If it has no such label, or its labels do not tell the activation.
        """
        if not labels:
            return
        if self.what == ACTIVATION:
            from edge.stream.activation import ActivationMeter

            if not ActivationMeter(labels).can_tell:
                raise ParameterError(
                    f"a rule is for {ACTIVATION}, which the labels of this model do not tell: "
                    f"{', '.join(labels)}"
                )
        elif self.what not in labels:
            raise ParameterError(
                f"a rule is for {shown(self.what)}, one of {', '.join(labels)} or {ACTIVATION} "
                "is wanted"
            )


def rule_from_words(text: str, command: str) -> Rule:
    """Read ``--on``: ``angry``, ``"angry > 0.8 for 10s every 5m between 22:00-06:00"``.

    Raises
    ------
    ParameterError
        If it is none, or the command is empty.
    """
    match = _WORDS.fullmatch(text)
    if match is None:
        raise ParameterError(
            f"a rule is {printable(text)[:60]!r}, LABEL or activation is wanted, then > BAR, for "
            "S, every M, between HH:MM-HH:MM and limit S where they are wanted: "
            "'angry > 0.8 for 10s every 5m'"
        )
    words = match["rest"].split()
    names = words[::2]
    if len(set(names)) != len(names):
        raise ParameterError(f"a rule is {printable(text)[:60]!r}, each word is wanted once")
    return _rule(match["what"], match["above"], command, dict(zip(names, words[1::2], strict=True)))


def rule_from_table(table: Mapping[str, Any]) -> Rule:
    """Read a table ``[[on]]``: ``when``, ``command`` and, where wanted, the words of ``--on``.

    Raises
    ------
    ParameterError
        If something is missing, unknown or not what it should be.
    """
    for name in table:
        if name not in _KEYS:
            raise ParameterError(f"{printable(name)[:40]} is unknown, {', '.join(_KEYS)} are known")
    when, command = table.get("when"), table.get("command")
    match = _WORDS.fullmatch(when) if isinstance(when, str) else None
    if match is None or match["rest"]:
        got = "missing" if when is None else shown(when)
        raise ParameterError(f'when is {got}, a label or a bar is wanted: when = "angry > 0.8"')
    rest = {}
    for name in _KEYS[2:]:
        if name in table:
            value = table[name]
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise ParameterError(f"{name} is {shown(value)}, text or a number is wanted")
            rest[name] = str(value)
    return _rule(match["what"], match["above"], command, rest)


def _rule(what: str, above: str | None, command: Any, words: Mapping[str, str]) -> Rule:
    default = "0.5" if what == ACTIVATION else "0"
    try:
        bar = float(above or default)
    except ValueError:
        bar = math.nan
    if not 0 <= bar < 1:
        raise ParameterError(f"the bar of a rule is {shown(above)}, a number from 0 to 1 is wanted")
    between = None
    if "between" in words:
        hours = _HOURS.fullmatch(words["between"])
        if hours is None:
            raise ParameterError(
                f"between is {shown(words['between'])}, times of the day are wanted: 22:00-06:00"
            )
        begin_h, begin_min, end_h, end_min = map(int, hours.groups())
        between = 60 * begin_h + begin_min, 60 * end_h + end_min
    return Rule(
        what,
        bar,
        _command(command),
        _span("for", words, _FOR_S, 0.0),
        _span("every", words, _EVERY_S, 1.0),
        between,
        _span("limit", words, _LIMIT_S, 1.0),
    )


def _span(name: str, words: Mapping[str, str], default_s: float, least_s: float) -> float:
    return read_span(name, words[name], least_s=least_s) if name in words else default_s


def _command(command: Any) -> tuple[str, ...]:
    try:
        words = shlex.split(command) if isinstance(command, str) else command
        if isinstance(command, str):
            _refuse_shell(command)
    except ValueError as error:
        if isinstance(error, ParameterError):
            raise
        raise ParameterError(
            f"the command of a rule is {shown(command)}: {str(error).lower()}"
        ) from error
    is_list = isinstance(words, list | tuple) and all(isinstance(each, str) for each in words)
    if not is_list or not words or not words[0] or any("\0" in each for each in words):
        got = "missing" if command is None else shown(command)
        raise ParameterError(
            f"the command of a rule is {got}, a program and its words are wanted: "
            "'notify-send \"somebody is angry\"'"
        )
    return tuple(words)


def _refuse_shell(command: str) -> None:
    """Refuse what only a shell understands: the program would get it as a word, and do less."""
    found = [word for word in _AS_WRITTEN.findall(command) if _SHELL.fullmatch(word)]
    if found:
        raise ParameterError(
            f"the command of a rule is {shown(command)}, and no shell reads its {found[0]}: "
            f'{printable(shlex.join(["sh", "-c", command]))} is wanted, or "{found[0]}" in quotes'
        )
