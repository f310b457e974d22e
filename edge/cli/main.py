"""The command line: ``edge-ser listen | classify | history | doctor | ...``.

Exit codes: 0 when all went well, also when a signal ended ``listen``; 2 when the
usage was wrong or anything failed, also one file among many; 130 when Ctrl-C
ended another command.  ``doctor`` ends with 1 when all it found are warnings,
``benchmark --compare`` when anything is worse than before.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from edge.cli.notices import complain, discard
from edge.cli.options import Parser
from edge.cli.signals import end_if_hung_up, own_the_process
from edge.doctor.numpy_missing import what_numpy_lacks
from edge.errors import EdgeSerError

__all__ = ["main", "run"]

#: The module of every command: ``add_parser`` and ``run``.  None imports NumPy before it
#: runs, so that ``edge-ser --help`` is quick and the threads are set before NumPy starts.
_COMMANDS = {
    "listen": "edge.cli.listen",
    "classify": "edge.cli.classify",
    "benchmark": "edge.cli.benchmark",
    "devices": "edge.cli.devices",
    "history": "edge.cli.history",
    "doctor": "edge.cli.doctor",
    "service": "edge.cli.service",
}


def run() -> NoReturn:
    """Entry point of the ``edge-ser`` script."""
    # A decision takes a few milliseconds of work: one thread does it with the least power,
    # and threads that wait for each other would only be slower on a small board.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    _fill_standard_descriptors()
    # Closed by the caller (`>&-`): nobody wants what would be written there.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115 - open to the end
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # A path that the terminal cannot spell must not end a batch.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    own_the_process()
    code = main()
    end_if_hung_up()
    sys.exit(code)


def _fill_standard_descriptors() -> None:
    """Let no file that is opened later get the number of a closed standard stream.

    A library that writes a line to standard error would write it into that file.
    """
    with contextlib.suppress(OSError):
        while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(descriptor)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; None: those of the process.

    Returns
    -------
    int
        Exit code, see the module.
    """
    code = 2
    try:
        args = _parser().parse_args(argv)
        command: Callable[[argparse.Namespace], int] = importlib.import_module(
            _COMMANDS[args.command]
        ).run
        code = command(args)
        sys.stdout.flush()
    except EdgeSerError as error:
        complain(error)
    except BrokenPipeError:
        # Whoever read our output has seen enough, as `head` does.
        discard(sys.stdout)
        code = 0
    except OSError as error:
        discard(sys.stdout)
        complain(f"reading or writing failed: {error}")
        code = 2
    except MemoryError:
        complain("there is not enough memory for this: close other programs, or ask for less")
    except ImportError as error:
        complain(what_numpy_lacks(error))
    except KeyboardInterrupt:
        code = 130
    except SystemExit as stop:  # argparse after --help and --version
        code = stop.code if isinstance(stop.code, int) else 0
    return code


def _parser() -> argparse.ArgumentParser:
    from edge import __version__

    parser = Parser(
        prog="edge-ser",
        description="Name the emotion in speech, on the device itself.",
        epilog="Exit codes: 0 all went well, 2 wrong usage or something failed.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"edge-ser {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=Parser
    )
    for module in _COMMANDS.values():
        importlib.import_module(module).add_parser(commands)
    return parser


if __name__ == "__main__":
    run()
