"""Which sinks there are: a leaf that names modules and imports none."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["SINKS", "SinkRow", "forms"]


# A named tuple: a dataclass takes Python ten times as long to make, at every start of `listen`.
class SinkRow(NamedTuple):
    """One kind of sink.

    Parameters
    ----------
    factory : str
        ``module:function``, imported when the sink is made.  It takes a ``Target`` and
        ``SinkSettings`` and gives a ``Sink``, or raises ``ParameterError`` or
        ``MissingDependencyError`` for what a person can mend: the run does not begin then.
    form : str
        How it is named, for people.
    options : tuple of str
        What may stand behind ``?``.
    needs_address, takes_address : bool
        Whether something must or may stand behind the colon.
    writes_file, uses_network : bool
        Whether that is a file it writes, or the sink needs the network: what a service may do.
    reads : tuple of str
        Those of the options that name a file which it reads.
    """

    factory: str
    form: str
    options: tuple[str, ...] = ()
    needs_address: bool = False
    takes_address: bool = True
    writes_file: bool = False
    uses_network: bool = False
    reads: tuple[str, ...] = ()


def _broker(word: str) -> SinkRow:
    return SinkRow(
        "edge.sinks.mqtt.sink:make",
        f"{word}://HOST[/TOPIC]",
        ("user", "password_file", "ca_file", "node", "name", "client_id", "discovery", "records"),
        needs_address=True,
        uses_network=True,
        reads=("password_file", "ca_file"),
    )


#: By the word in front of the colon; a new sink is a module and a row here.
SINKS = {
    "terminal": SinkRow("edge.sinks.terminal:make", "terminal", takes_address=False),
    "jsonl": SinkRow(
        "edge.sinks.json_lines:make", "jsonl[:FILE]", ("size", "files"), writes_file=True
    ),
    "sqlite": SinkRow(
        "edge.sinks.sqlite:make",
        "sqlite:FILE",
        ("keep", "size"),
        needs_address=True,
        writes_file=True,
    ),
    "mqtt": _broker("mqtt"),
    "mqtts": _broker("mqtts"),
    "web": SinkRow(
        "edge.sinks.web.sink:make",
        "web:HOST:PORT",
        ("token_file", "history"),
        needs_address=True,
        uses_network=True,
        reads=("token_file", "history"),
    ),
}


def forms() -> str:
    """Say how sinks are named, for people."""
    return ", ".join(row.form for row in SINKS.values())
