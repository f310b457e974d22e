"""``edge-ser-quantize``: train, distil, prune, quantize, export, verify, and all the figures."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence

from edge.cli.options import Parser
from edge.errors import EdgeSerError, MissingDependencyError, printable

__all__ = ["guarded", "main", "run"]


#: The modules of the commands, in the order of the help. What needs torch and the like they
#: import when they run.
_MODULES = (
    "corpora",
    "synthesise_corpus",
    "embed",
    "train",
    "train_gate",
    "distill",
    "prune",
    "baseline",
    "show_recipe",
    "evaluate",
    "calibrate",
    "export",
    "quantize",
    "verify",
    "search",
)


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    from edge import __version__
    from quantize.commands.parser import CommandParser

    parser = Parser(
        prog="edge-ser-quantize",
        allow_abbrev=False,
        description="Train CLAF-SER on emotional speech, measure it and export it for a device.",
    )
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", parser_class=CommandParser
    )
    parser.add_argument("--version", action="version", version=f"edge-ser-quantize {__version__}")
    for name in _MODULES:
        importlib.import_module(f"quantize.commands.{name}").add_command(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 for success, 2 for bad input, 130 when interrupted."""
    # torch's libraries announce what they will drop past all of Python's warnings.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")

    def command() -> int:
        try:
            arguments = build_parser().parse_args(argv)
            code: int = arguments.function(arguments)
        except ModuleNotFoundError as error:
            _refuse_missing(error)
            raise
        return code

    return guarded(command, "edge-ser-quantize")


class _Ended(KeyboardInterrupt):
    """A signal that asks a program to end, so that it leaves by the same way as by Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def guarded(command: Callable[[], int], program: str) -> int:
    """Exit code of a command, its errors said in one sentence under the program's name."""
    try:
        with _signals_end_it():
            return command()
    except EdgeSerError as error:
        _say_error(program, str(error))
        return 2
    except BrokenPipeError:
        return 0
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _say_error(program, f"{error.strerror or error}{where}")
        return 2
    except KeyboardInterrupt as interrupt:
        number = interrupt.number if isinstance(interrupt, _Ended) else signal.SIGINT
        how = "interrupted" if number == signal.SIGINT else "ended from outside"
        print(f"{program}: {how}; the same command goes on where it left off", file=sys.stderr)
        return 128 + number


@contextlib.contextmanager
def _signals_end_it() -> Iterator[None]:
    """Leave in order when asked to end: the default would leave processes and locks behind."""

    def end(number: int, _frame: object) -> None:
        # Once is enough: what is on its way out is not to be torn.
        signal.signal(number, signal.SIG_IGN)
        raise _Ended(number)

    before = {}
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # nohup's choice stays, and only the main thread may choose.
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            with contextlib.suppress(ValueError):
                before[number] = signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _refuse_missing(error: ModuleNotFoundError) -> None:
    """Say which package is to be installed; one of ours that is not there is our own fault."""
    package = (error.name or "").partition(".")[0]
    if package not in ("", "edge", "quantize"):
        raise MissingDependencyError(
            f"{error.name} is not installed, the workstation's commands need it: "
            f"pip install {package}"
        ) from error


def run() -> None:
    """Console entry point."""
    sys.exit(main())


def _say_error(program: str, text: str) -> None:
    """Tell of an error, with what a terminal would obey spelt out: a file's name may hold it."""
    lines = "\n".join(map(printable, text.split("\n")))
    print(f"{program}: error: {lines}", file=sys.stderr)


if __name__ == "__main__":
    run()
