"""``edge-ser history``."""

from __future__ import annotations

import argparse
import datetime
import math
import sys
import time
from typing import TYPE_CHECKING

from edge.errors import ParameterError, printable

if TYPE_CHECKING:
    from edge.cli.options import Commands
    from edge.history import History

__all__ = ["add_parser", "run"]

_BY = ("minute", "hour", "day", "week")
_SINCE = "1d"
_DAY = "%Y-%m-%d"
_MOMENTS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S")
_WANTED = "a span such as 7d or 12h, a day such as 2026-11-20, or a time such as 2026-11-20T14:30"

#: Seconds that a minute may be ahead of now.
_AHEAD_S = 120.0


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "history",
        help="print what a sink sqlite:FILE wrote",
        description="Print what was heard, by the clock on the wall, from the file that "
        "`edge-ser listen --to sqlite:FILE` writes; also while it does.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="the history (default: that of the sink sqlite:FILE in the configuration files)",
    )
    parser.add_argument(
        "--since",
        default=_SINCE,
        metavar="TIME",
        help="how far back: 7d, 12h, or a day or time of here, 2026-11-20 or 2026-11-20T14:30 "
        f"(default: {_SINCE})",
    )
    parser.add_argument(
        "--until",
        metavar="TIME",
        help="up to when, as --since; a day is in it to its end (default: now)",
    )
    parser.add_argument(
        "--by", choices=_BY, default="hour", help="how much is added up in a line (default: hour)"
    )
    parser.add_argument(
        "--events", action="store_true", help="when which label held, in place of sums"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="comma-separated values with a header")
    form.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="the configuration file that names the sink (default: those that listen reads)",
    )


def run(args: argparse.Namespace) -> int:
    """Print what was heard."""
    from edge.cli.history_tables import Form, write_events, write_periods

    now_s = time.time()
    since_s = _time("--since", args.since, now_s)
    until_s = now_s if args.until is None else _time("--until", args.until, now_s, is_end=True)
    if since_s >= until_s:
        until = "now" if args.until is None else printable(args.until)
        raise ParameterError(
            f"--since {printable(args.since)} is not before --until {until}: an earlier time is "
            "wanted"
        )
    form: Form = "csv" if args.csv else "json" if args.json else "table"
    history = _history(args)
    if args.events:
        n_lines = write_events(history.events(since_s, until_s), form, sys.stdout)
    else:
        # A period that has begun is shown from its beginning.
        from edge.history.periods import start_of

        since_s = start_of(since_s, args.by)
        n_lines = write_periods(
            history.summary(since_s, until_s, by=args.by), args.by, form, sys.stdout
        )
    if not n_lines:
        what = "no label held" if args.events else "nothing was heard"
        sys.stderr.write(f"edge-ser: {what} in that time\n")
    if args.until is None:
        _tell_of_later(history, now_s)
    return 0


def _tell_of_later(history: History, now_s: float) -> None:
    """Say that there is more: the clock was ahead once, or is behind now."""
    later = history.minutes(now_s + _AHEAD_S, math.inf)
    if not later:
        return
    last = datetime.datetime.fromtimestamp(later[-1].start_s)
    sys.stderr.write(
        f"edge-ser: warning: the history goes on to {last:%Y-%m-%d %H:%M}, which is still to come: "
        f"see whether the clock is right; --until {last:%Y-%m-%d} shows it\n"
    )


def _history(args: argparse.Namespace) -> History:
    from edge.history import open_history

    if args.file is not None:
        return open_history(args.file)
    from edge.cli.listen_files import configured_in_files

    configured = configured_in_files(args.config)
    files = [target.address for target in configured.args.to or () if target.kind == "sqlite"]
    if not files:
        read = ", ".join(map(printable, configured.files)) or "none is there"
        raise ParameterError(
            "no FILE is named, and no configuration file has a sink sqlite:FILE "
            f"({read}): `edge-ser history FILE` is wanted"
        )
    return open_history(files[0])


def _time(name: str, text: str, now_s: float, *, is_end: bool = False) -> float:
    """Read a span before now, a local day or a local time."""
    for form in (_DAY, *_MOMENTS):
        try:
            moment = datetime.datetime.strptime(text, form)
            if form == _DAY and is_end:
                moment += datetime.timedelta(days=1)
            return moment.timestamp()
        except (ValueError, OverflowError, OSError):
            continue
    from edge.sinks.amounts import read_span

    try:
        return now_s - read_span(name, text)
    except ParameterError as error:
        raise ParameterError(f"{name} is {printable(text)[:40]!r}, {_WANTED} is wanted") from error
