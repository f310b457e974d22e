"""``edge-ser service``."""

from __future__ import annotations

import argparse
import dataclasses
import os
import shlex
import stat
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge.cli.config import COMMAND_LINE, configure
from edge.cli.listen import add_options, check
from edge.cli.notices import warn
from edge.cli.options import Parser
from edge.cli.rule_options import rules_of
from edge.cli.unit import UnitSettings, unit_text
from edge.errors import ParameterError, printable

if TYPE_CHECKING:
    from edge.cli.config import Configured
    from edge.cli.options import Commands

__all__ = ["add_parser", "run"]

_KINDS = ("--user", "--system")


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "service",
        help="print a systemd unit that listens",
        description="Print a hardened systemd unit that runs `edge-ser listen` with the options "
        "that follow. Nothing is installed.",
        allow_abbrev=False,
    )
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument(
        "--user", action="store_true", help="for you: uses your PulseAudio or PipeWire"
    )
    kind.add_argument(
        "--system", action="store_true", help="for the machine: uses the sound card directly"
    )
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Print the unit, once its options are known to be good."""
    words = [word for word in args.words if word not in _KINDS]
    parser = Parser(prog="edge-ser listen", allow_abbrev=False)
    add_options(parser)
    listening = parser.parse_args(words)
    if listening.print_config:
        raise ParameterError(
            "--print-config is of listen: `edge-ser listen --print-config` with the same options"
        )
    configured = configure(listening)
    row = check(configured)
    options = configured.args
    if row.word == "-":
        raise ParameterError("--source is '-', and a service has no pipe on its standard input")
    if any(not word.isprintable() for word in words):
        raise ParameterError("an option holds a line end or another sign that no unit can hold")
    reads = {"artifact": _folder(options.artifact)}
    if row.takes_path:
        reads["source"] = options.source
    files = {**reads, "save-audio": options.save_audio}
    if options.state and os.path.dirname(options.state):
        # A bare name is of the folder that the manager makes for the service.
        files["state"] = options.state
    paths = {
        name: os.path.abspath(path)
        for name, path in files.items()
        if path and _is_the_same_there(configured, name, path)
    }
    writes = [paths["save-audio"]] if "save-audio" in paths else []
    if "state" in paths:
        writes.append(os.path.dirname(paths["state"]))
    sinks = options.to or []
    to_read = [path for each in sinks for path in each.reads.values()]
    to_write = [each.file for each in sinks if each.file]
    started = [rule.command[0] for rule in rules_of(options) if os.sep in rule.command[0]]
    writes += map(os.path.dirname, _as_there(configured, "to", to_write))
    read = [
        *(paths[name] for name in reads if name in paths),
        *_as_there(configured, "to", to_read),
        *_as_there(configured, "on", started),
    ]
    if listening.config:
        paths["config"] = os.path.abspath(listening.config)
        read.append(paths["config"])
    program, folder = _program()
    settings = UnitSettings(
        command=[*program, "listen", *_absolute(words, paths)],
        has_network=any(each.uses_network for each in sinks),
        is_system=args.system,
        folder=folder,
        reads=read,
        writes=list(dict.fromkeys(writes)),
    )
    sys.stdout.write(unit_text(settings))
    if args.system:
        _warn_of_closed_folders([program[0], folder or "/", *settings.reads])
        for path in map(printable, settings.writes):
            warn(
                f"the service's own user must be able to write into {path}: "
                f"`sudo install -d -m 2770 -g audio {path}`"
            )
    return 0


def _is_the_same_there(configured: Configured, name: str, path: str) -> bool:
    """Whether the service is to find a path where it is seen from here.

    What a file names without a leading slash lies in the folder that the service runs in, which
    it may write into.
    """
    dest = name.replace("-", "_")
    return os.path.isabs(path) or configured.origins.get(dest) == COMMAND_LINE


def _as_there(configured: Configured, name: str, paths: Iterable[str]) -> list[str]:
    """Give absolute paths of those that an option names, where they can be told."""
    return [os.path.abspath(path) for path in paths if _is_the_same_there(configured, name, path)]


def _folder(artifact: str | None) -> str | None:
    """Give the artifact's folder; None for a bundled one."""
    return artifact if artifact is not None and os.path.exists(artifact) else None


def _absolute(words: Sequence[str], paths: dict[str, str]) -> list[str]:
    """Write paths so that they mean the same in another folder.

    Raises
    ------
    ParameterError
        If a sink has a password, which anybody could read in the unit.
    """
    made: list[str] = []
    for word in words:
        name, equals, _ = word.partition("=")
        before = made[-1] if made else ""
        if before.startswith("--") and before[2:] in paths:
            made.append(paths[before[2:]])
        elif equals and name.startswith("--") and name[2:] in paths:
            made.append(f"{name}={paths[name[2:]]}")
        elif before == "--to":
            made.append(_sink(word))
        elif equals and name == "--to":
            made.append(f"--to={_sink(word[5:])}")
        elif len(made) > 1 and made[-2] == "--on":
            made.append(_command(word))
        else:
            made.append(word)
    return made


def _command(text: str) -> str:
    """Write a rule's command so that a program in a folder is found from another one."""
    program, *rest = shlex.split(text)
    if os.sep not in program or os.path.isabs(program):
        return text
    return shlex.join([os.path.abspath(program), *rest])


def _sink(text: str) -> str:
    from edge.sinks.target import target_from_text

    target = target_from_text(text)
    if target.has_secret:
        raise ParameterError(
            f"--to {target} has a password, which everybody could read in the unit: put it into a "
            "file that only the service may read, and that file's name behind password_file="
        )
    made = dataclasses.replace(
        target,
        address=target.address if target.file is None else os.path.abspath(target.file),
        options={
            name: os.path.abspath(value) if name in target.reads else value
            for name, value in target.options.items()
        },
    )
    return text if made == target else str(made)


def _program() -> tuple[list[str], str | None]:
    """Give the command of this installation, and the folder it needs where it is not installed."""
    if getattr(sys, "frozen", False):
        return [os.path.abspath(sys.executable)], None
    script = Path(sys.executable).with_name("edge-ser")
    folder = Path(__file__).resolve().parents[2]
    is_installed = folder.name in ("site-packages", "dist-packages")
    if is_installed and os.access(script, os.X_OK):
        return [str(script)], None
    return [sys.executable, "-m", "edge_ser"], None if is_installed else str(folder)


def _warn_of_closed_folders(paths: Sequence[str]) -> None:
    """Say which folder keeps a user that is made for the service from its files."""
    for path in paths:
        for folder in [Path(path), *Path(path).parents]:
            try:
                mode = folder.stat().st_mode
            except OSError:
                continue
            wanted = stat.S_IXOTH if folder != Path(path) else stat.S_IROTH
            if not mode & wanted:
                name = printable(str(folder))
                warn(
                    f"the service's own user may not enter {name}: install into a folder that "
                    f"everybody may read, such as /opt, or `chmod o+rx {name}`"
                )
                return
