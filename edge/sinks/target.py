"""Where decisions are sent, as a person names it: ``--to``, or a table ``[[to]]`` of a file."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from edge.errors import ParameterError, printable, shown
from edge.sinks.kinds import SINKS, forms

__all__ = ["Target", "target_from_table", "target_from_text"]

#: ``user:password@`` in front of a host.  A password that is not written as in a URL may hold a
#: slash or another @, so all up to the last is taken for one, and slashes may have been forgotten.
_PASSWORD = re.compile(r"\A(/{0,2}[^@:]*):.*@", re.DOTALL)
#: The same behind a word that need not be a kind.
_PASSWORD_IN_TEXT = re.compile(r"\A([^@:]*(?::/{0,2}[^@:]*)?):.*@", re.DOTALL)
_OPTION = re.compile(r"[a-z][a-z_]*=")


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """One sink as it was named; its text holds no password.

    Parameters
    ----------
    kind : str
        A name of :data:`edge.sinks.kinds.SINKS`.
    address : str
        What stands behind the kind's colon: a file, ``//host:port/topic``, ``host:port``.
    options : mapping of str to str
        Further ones of its kind.
    """

    kind: str
    address: str = ""
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def has_secret(self) -> bool:
        """Whether the address holds a password, which is not shown."""
        return self.uses_network and bool(_PASSWORD.match(self.address))

    def __str__(self) -> str:
        address = self.address
        if self.has_secret:
            address = _PASSWORD.sub(r"\1@", address, count=1)
        text = f"{self.kind}:{address}" if address else self.kind
        options = "&".join(f"{name}={value}" for name, value in self.options.items())
        return f"{text}?{options}" if options else text

    __repr__ = __str__

    @property
    def file(self) -> str | None:
        """The file that it writes, if it does."""
        return self.address if self.address and SINKS[self.kind].writes_file else None

    @property
    def reads(self) -> dict[str, str]:
        """The files that it reads, by option."""
        wanted = SINKS[self.kind].reads
        return {name: path for name, path in self.options.items() if name in wanted and path}

    @property
    def uses_network(self) -> bool:
        """Whether it needs the network."""
        return self.kind in SINKS and SINKS[self.kind].uses_network

    def option(self, name: str, default: str) -> str:
        """Give one of the options, or what holds without it."""
        return self.options.get(name, default)


def target_from_text(text: str) -> Target:
    """Read ``KIND``, ``KIND:ADDRESS`` or ``KIND:ADDRESS?NAME=VALUE&NAME=VALUE``.

    Raises
    ------
    ParameterError
        If there is no such kind, it does not take an address or wants one, or knows no such option.
    """
    front, mark, query = text.rpartition("?")
    pairs = query.split("&")
    # A file's name may hold a question mark as well.
    if not mark or not all(_OPTION.match(pair) for pair in pairs):
        front, pairs = text, []
    kind, _, address = front.partition(":")
    options: dict[str, str] = {}
    for name, _, value in (pair.partition("=") for pair in pairs):
        if name in options:
            raise ParameterError(f"{_shown(kind)} has {name} twice, one of them is wanted")
        options[name] = value
    return _checked(Target(kind, address, options), text)


def target_from_table(table: Mapping[str, Any]) -> Target:
    """Read a table ``[[to]]``: ``sink = "KIND:ADDRESS"`` and a key for each option.

    Raises
    ------
    ParameterError
        If it has no sink, or a value that is neither text nor a number; or as
        :func:`target_from_text`.
    """
    sink = table.get("sink")
    if not isinstance(sink, str):
        got = "missing" if sink is None else shown(sink)
        raise ParameterError(f'sink is {got}, text is wanted: sink = "jsonl:decisions.jsonl"')
    target = target_from_text(sink)
    options = dict(target.options)
    for name, value in table.items():
        if name == "sink":
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ParameterError(f"{printable(name)} is {shown(value)}, text or a number is wanted")
        if name in options:
            raise ParameterError(f"{_shown(target.kind)} has {name} twice, one of them is wanted")
        options[name] = str(value)
    return _checked(Target(target.kind, target.address, options), sink)


def _checked(target: Target, text: str) -> Target:
    row = SINKS.get(target.kind)
    if row is None:
        raise ParameterError(f"the sink is {_shown(text)}, one of {forms()} is wanted")
    if target.address and not row.takes_address:
        raise ParameterError(f"the sink is {_shown(text)}, {row.form} takes nothing behind it")
    if not target.address and row.needs_address:
        raise ParameterError(f"the sink is {_shown(text)}, {row.form} is wanted")
    for name in target.options:
        if name not in row.options:
            wanted = f"one of {', '.join(row.options)} is wanted" if row.options else "it has none"
            raise ParameterError(
                f"{printable(name)[:40]} is no option of the sink {row.form}: {wanted}"
            )
    return target


def _shown(text: str) -> str:
    # Whatever it is, it may hold a password, and goes to a journal.
    hidden = _PASSWORD_IN_TEXT.sub(r"\1:...@", text, count=1)
    return repr(printable(hidden))[:80]
