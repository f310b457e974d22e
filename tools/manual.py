"""Write the manual page ``edge-ser.1`` from what the commands say of themselves.

python -m tools.manual > edge-ser.1
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence

from edge import __version__
from edge.cli.main import _parser

__all__ = ["manual"]

_FILES = (
    ("/etc/edge-ser/config.toml", "Options of listen, for everybody on this machine."),
    ("~/.config/edge-ser/config.toml", "The same for one user, stronger key by key."),
    ("/var/lib/edge-ser", "What the service of the whole machine writes."),
)


def manual(date: str) -> str:
    """Write the page.

    Parameters
    ----------
    date : str
        ``YYYY-MM-DD``, as the page's foot shows it.

    Returns
    -------
    str
        For ``man``, with a line end at its end.
    """
    parser = _parser()
    [commands] = [
        action for action in parser._actions if isinstance(action, argparse._SubParsersAction)
    ]
    lines = [
        f'.TH EDGE\\-SER 1 "{date}" "edge\\-ser {__version__}" "User Commands"',
        ".SH NAME",
        f"edge\\-ser \\- {_first_small(_plain(parser.description or ''))}",
        ".SH SYNOPSIS",
        ".B edge\\-ser",
        ".I COMMAND",
        "[\\fIOPTION\\fR ...]",
        ".SH DESCRIPTION",
        _text(parser.description or ""),
        ".SH COMMANDS",
    ]
    for name, command in commands.choices.items():
        lines += [f".SS {_text(name)}", _text(command.description or "")]
        lines += _options(command._actions)
    lines.append(".SH FILES")
    for path, what in _FILES:
        lines += [".TP", f".I {_text(path)}", _text(what)]
    lines += [
        ".SH EXIT STATUS",
        _text((parser.epilog or "").partition(":")[2].strip()),
        ".SH SEE ALSO",
        "The documents of the program, in README.md and docs/.",
    ]
    return "\n".join(lines) + "\n"


def _options(actions: Sequence[argparse.Action]) -> Iterator[str]:
    for action in actions:
        if action.help == argparse.SUPPRESS:
            continue
        names = ", ".join(f"\\fB{_text(name)}\\fR" for name in action.option_strings)
        value = ""
        if action.nargs != 0:
            shown = action.metavar or (
                "|".join(map(str, action.choices)) if action.choices else action.dest.upper()
            )
            words = shown if isinstance(shown, tuple) else (shown,)
            value = " ".join(f"\\fI{_text(str(word))}\\fR" for word in words)
        yield ".TP"
        yield " ".join(part for part in (names, value) if part)
        given = {**vars(action), "prog": "edge-ser"}
        yield _text((action.help or "") % given)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().rstrip(".")


def _first_small(text: str) -> str:
    return text[:1].lower() + text[1:]


def _text(text: str) -> str:
    """Write words so that the page shows them as they are."""
    text = re.sub(r"\s+", " ", text).strip()
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    # A full stop or an apostrophe in front would be a command.
    return f"\\&{text}" if text[:1] in (".", "'") else text


if __name__ == "__main__":
    sys.stdout.write(manual(sys.argv[1] if len(sys.argv) > 1 else "2026-01-01"))
