"""The options of ``listen`` from files: which are read, which value wins, and showing the result.

Read are, the stronger last: ``/etc/edge-ser/config.toml``, then ``config.toml`` in the folder
``edge-ser`` of ``$XDG_CONFIG_HOME`` (``~/.config``).  ``--config FILE`` is read instead of both.  A
later file overrides an earlier one key by key, the command line overrides all of them.
"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
import importlib
import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from edge.cli.options_in_files import Option, as_toml, can_be_toml, options_of
from edge.cli.rule_options import rules_of
from edge.cli.toml_file import ConfigurationError, read_toml
from edge.errors import ParameterError, printable, shown

if TYPE_CHECKING:
    from edge.cli.options import Parser

__all__ = ["COMMAND_LINE", "Configured", "add_config", "configure", "default_files"]

#: Of everybody on this machine.
SYSTEM_FILE = "/etc/edge-ser/config.toml"

#: Where a value came from, when it was given; otherwise it is the file's path.
COMMAND_LINE = "command line"

#: The table of a file.
_TABLE = "listen"
#: What is, or may be, a table of its own, as often as wanted, and what reads one.
_OWN_TABLES = {
    "to": "edge.sinks.target:target_from_table",
    "on": "edge.sinks.rule:rule_from_table",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Configured:
    """What a command runs with.

    Parameters
    ----------
    args : argparse.Namespace
        Every option, from wherever it came.
    origins : mapping of str to str
        By destination: :data:`COMMAND_LINE` or the file that gave the value.  What has its
        default is not there.
    files : tuple of str
        Those that were read, the stronger last.
    """

    args: argparse.Namespace
    origins: Mapping[str, str]
    files: tuple[str, ...]

    def leave_out(self, dest: str, because_of: str) -> bool:
        """Give an option its default where a stronger hand chose what it does not go with.

        Parameters
        ----------
        dest : str
            The option: a microphone's name in a file.
        because_of : str
            What was chosen: ``--source demo`` on the command line.

        Returns
        -------
        bool
            False where the same hand gave both, which is a mistake.
        """
        if self._rank(because_of) <= self._rank(dest):
            return False
        setattr(self.args, dest, self.args.parser.get_default(dest))
        return True

    def _rank(self, dest: str) -> int:
        origin = self.origins.get(dest)
        if origin is None:
            return -1
        return len(self.files) if origin == COMMAND_LINE else self.files.index(origin)

    def explained(self, error: ParameterError) -> ParameterError:
        """Say of an error that names options which files those came from."""
        named = re.findall(r"--([a-z][a-z-]*)", str(error))
        came = {
            f"--{name} comes from {printable(origin)}"
            for name in named
            for dest, origin in self.origins.items()
            if origin != COMMAND_LINE and dest == name.replace("-", "_")
        }
        if not came:
            return error
        return ConfigurationError(f"{error}; {', '.join(sorted(came))}")


def add_config(parser: Parser) -> None:
    """Add ``--config`` and ``--print-config``; all options of the parser may then be in a file."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="options from this TOML file alone (default: /etc/edge-ser/config.toml, overridden "
        f"by ~/.config/edge-ser/config.toml; {os.devnull}: none)",
    )
    parser.add_argument(
        "--print-config",
        action="store_true",
        help="print the options as a TOML file, with where each came from, and end",
    )
    parser.tells_given = True


def default_files() -> list[str]:
    """Give the files that are there to be read without ``--config``, the stronger last."""
    folder = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(folder):  # what the specification wants to be ignored
        folder = os.path.join(os.path.expanduser("~"), ".config")
    user_file = os.path.join(folder, "edge-ser", "config.toml")
    found = []
    for path in (SYSTEM_FILE, user_file):
        try:
            os.stat(path)
        except OSError:
            # None there, or in a folder that this user cannot enter: no file of his.
            continue
        found.append(path)
    return found


def configure(args: argparse.Namespace) -> Configured:
    """Merge the command line with the files.

    Parameters
    ----------
    args : argparse.Namespace
        From a parser with ``tells_given``.  It is left as it is, so that the files can be read
        once more.

    Raises
    ------
    ConfigurationError
        If a file cannot be read, has a key that is none, or a value that the option refuses.
    """
    parser: Parser = args.parser
    options = options_of(parser.actions)
    if args.config is None:
        files = default_files()
    elif args.config == "":
        raise ConfigurationError("--config is empty, the name of a TOML file is wanted")
    else:
        files = [args.config]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    rivals = _rivals(parser)
    for path in files:
        layer = _layer(path, options)
        _refuse_both(path, layer, rivals, options)
        _put(layer, dict.fromkeys(layer, path), values, origins, rivals)
    named = {*(option.dest for option in options.values()), *_OWN_TABLES}
    given = {dest: getattr(args, dest) for dest in sorted(named) if dest in args.given}
    _put(given, dict.fromkeys(given, COMMAND_LINE), values, origins, rivals)
    merged = argparse.Namespace(**vars(args))
    for dest in named.intersection(values):
        setattr(merged, dest, values[dest])
    return Configured(merged, origins, tuple(files))


def print_config(configured: Configured) -> str:
    """Write what a command runs with as a configuration file.

    Returns
    -------
    str
        TOML that gives the same once more, with where each value came from behind it.
    """
    parser: Parser = configured.args.parser
    read = ", ".join(map(printable, configured.files)) or "none"
    lines = [f"# The options of `{parser.prog}`. Files read, the stronger last: {read}", ""]
    lines.append(f"[{_TABLE}]")
    for option in options_of(parser.actions).values():
        value = getattr(configured.args, option.dest)
        origin = printable(configured.origins.get(option.dest, "default"))
        if _has_secret(value):
            lines.append(f"# a password in {option.key} is not shown: it belongs into a file")
        if value is None:
            lines.append(f"# {option.key} =  # {origin}")
        elif can_be_toml(text := as_toml(value)):
            lines.append(f"{option.key} = {text}  # {origin}")
        else:
            lines.append(f"# {option.key} is {printable(text)}, which TOML cannot hold  # {origin}")
    for rule in rules_of(configured.args):
        lines += ["", "[[on]]", *(f"{k} = {as_toml(v)}" for k, v in rule.to_table().items())]
    return "\n".join(lines) + "\n"


def _has_secret(value: Any) -> bool:
    return isinstance(value, list) and any(getattr(one, "has_secret", False) for one in value)


def _put(
    layer: Mapping[str, Any],
    came: Mapping[str, str],
    values: dict[str, Any],
    origins: dict[str, str],
    rivals: Mapping[str, frozenset[str]],
) -> None:
    """Lay a stronger layer over the weaker ones; options that exclude each other go as one."""
    for dest in layer:
        for rival in rivals.get(dest, ()):
            if rival not in layer:
                values.pop(rival, None)
                origins.pop(rival, None)
    values.update(layer)
    origins.update(came)


def _rivals(parser: Parser) -> dict[str, frozenset[str]]:
    rivals: dict[str, frozenset[str]] = {}
    for group in parser.exclusive:
        for dest in group:
            rivals[dest] = frozenset(group) - {dest} | rivals.get(dest, frozenset())
    return rivals


def _refuse_both(
    path: str,
    layer: Mapping[str, Any],
    rivals: Mapping[str, frozenset[str]],
    options: Mapping[str, Option],
) -> None:
    keys = {option.dest: option.key for option in options.values()}
    for dest in layer:
        for rival in rivals.get(dest, ()):
            if rival in layer and layer[dest] and layer[rival]:
                raise ConfigurationError(
                    f"{printable(path)}: {keys[dest]} and {keys[rival]} exclude each other, one "
                    "of them is wanted"
                )


def _layer(path: str, options: Mapping[str, Option]) -> dict[str, Any]:
    try:
        tables = read_toml(path)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"the configuration file {printable(path)} is not there; "
            "`edge-ser listen --print-config > FILE` writes one"
        ) from error
    name = printable(path)
    own = {name: tables.pop(name) for name in _OWN_TABLES if name in tables}
    for table, content in tables.items():
        if table != _TABLE:
            if table in options or table.replace("-", "_") in options:
                raise ConfigurationError(
                    f"{name}: {table} is in no table, the line [{_TABLE}] is wanted above it"
                )
            raise ConfigurationError(f"{name}: {_unknown(table, 'table', [_TABLE], always=True)}")
        if not isinstance(content, dict):
            raise ConfigurationError(f"{name}: {_TABLE} is a value, a table [{_TABLE}] is wanted")
    layer = {}
    for key, got in tables.get(_TABLE, {}).items():
        option = options.get(key)
        if option is None:
            raise ConfigurationError(f"{name}: {_unknown(key, 'key', options)}")
        try:
            layer[option.dest] = option.value(got)
        except ConfigurationError as error:
            raise ConfigurationError(f"{name}: {error}") from error
    for table, content in own.items():
        if table in layer:
            raise ConfigurationError(
                f"{name}: {table} is both a key of [{_TABLE}] and a table [[{table}]], one of "
                "them is wanted"
            )
        layer[table] = _read_each(name, table, content)
    return layer


def _read_each(name: str, table: str, content: Any) -> list[Any]:
    """Read a table that may stand there as often as wanted."""
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise ConfigurationError(
            f"{name}: {table} is {shown(content)}, tables [[{table}]] are wanted"
        )
    module, _, function = _OWN_TABLES[table].partition(":")
    read = getattr(importlib.import_module(module), function)
    try:
        return [read(each) for each in content]
    except ParameterError as error:
        raise ConfigurationError(f"{name}: [[{table}]]: {error}") from error


def _unknown(word: str, sort: str, known: Iterable[str], *, always: bool = False) -> str:
    words = list(known)
    near = difflib.get_close_matches(word.replace("-", "_"), words, n=1, cutoff=0.5)
    if always and not near:
        near = words[:1]
    mend = f"did you mean {near[0]}?" if near else "`edge-ser listen --print-config` shows all"
    return f"{printable(word)[:60]} is an unknown {sort}: {mend}"
