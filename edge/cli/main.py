"""The command line: ``edge-ser listen | classify | benchmark | devices``.

Exit codes: 0 when all went well, also when a signal ended ``listen``; 2 when the
usage was wrong or anything failed, also one file among many; 130 when Ctrl-C
ended another command.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import math
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from edge.cli.notices import complain, discard
from edge.cli.numpy_missing import what_numpy_lacks
from edge.cli.renamed import OldName, add_report_options
from edge.cli.signals import own_the_process
from edge.errors import EdgeSerError

if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction["_Parser"]

__all__ = ["main", "run"]

#: The module of every command; imported when it is asked for, so that
#: ``edge-ser --help`` is quick and the threads are set before NumPy starts.
_COMMANDS = {
    "listen": "edge.cli.listen",
    "classify": "edge.cli.classify",
    "benchmark": "edge.cli.benchmark",
    "devices": "edge.cli.devices",
}


class _UsageError(EdgeSerError):
    """The command line was used wrongly."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"{message}; `{self.prog} --help` tells more")


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
    sys.exit(main())


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

    parser = _Parser(
        prog="edge-ser",
        description="Name the emotion in speech, on the device itself.",
        epilog="Exit codes: 0 all went well, 2 wrong usage or something failed.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"edge-ser {__version__}")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_Parser
    )
    _add_listen(commands)
    _add_classify(commands)
    _add_benchmark(commands)
    _add_devices(commands)
    return parser


def _add_listen(commands: _Commands) -> None:
    parser = commands.add_parser(
        "listen",
        help="decide on live speech, a file or a pipe, as it goes",
        description="Decide on speech as it goes, one line a decision. Ctrl-C ends it.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--source",
        default="mic",
        metavar="mic|demo|FILE|-",
        help="the microphone (default), the bundled clip, an audio file, or raw 16 kHz mono "
        "16-bit samples from standard input; a file called mic is ./mic",
    )
    parser.add_argument("--device", metavar="NAME", help="microphone: its name, a part, or number")
    parser.add_argument("--duration", type=_seconds, metavar="S", help="end after S s of audio")
    parser.add_argument(
        "--fast", action="store_true", help="do not play a file at the pace of speech"
    )
    _add_windows(parser, "the model's, mostly 0.5")
    _add_model(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_classify(commands: _Commands) -> None:
    parser = commands.add_parser(
        "classify",
        help="decide on audio files",
        description="Decide on audio files, one line a file. A file that fails is named on "
        "standard error; the others are still decided on, and the exit code is 2.",
        allow_abbrev=False,
    )
    parser.add_argument("paths", nargs="+", metavar="PATH", help="an audio file, or a folder")
    _add_windows(parser, "half the model's, mostly 0.25")
    _add_model(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--explain",
        metavar="PNG",
        help="also draw waveform, pitch, attention and posteriors over time into PNG; for one "
        "audio file at a time and the numpy backend, needs matplotlib",
    )


def _add_benchmark(commands: _Commands) -> None:
    parser = commands.add_parser(
        "benchmark",
        help="measure speed and memory on this device",
        description="Measure features, model and the whole on this device.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--duration",
        type=_seconds,
        default=10.0,
        metavar="S",
        help="seconds of measuring (default: %(default)s); the cold starts come on top",
    )
    _add_model(parser)
    add_report_options(parser, "all figures")


def _add_devices(commands: _Commands) -> None:
    parser = commands.add_parser(
        "devices",
        help="list the input devices",
        description="List the input devices with their native rate and channels.",
        allow_abbrev=False,
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_windows(parser: argparse.ArgumentParser, hop: str) -> None:
    parser.add_argument(
        "--segment",
        type=_seconds,
        metavar="S",
        help="seconds of audio that a decision looks at (default: the model's, mostly 2.0)",
    )
    # The old name, for one version.
    parser.add_argument(
        "--window", type=_seconds, action=OldName, dest="segment", help=argparse.SUPPRESS
    )
    parser.add_argument(
        "--hop",
        type=_seconds,
        metavar="S",
        help=f"seconds from one decision to the next (default: {hop})",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    from edge.runtimes.registry import AUTO, RUNTIMES

    parser.add_argument(
        "--artifact",
        metavar="DIR",
        help="folder of the model, or of one model in several kinds, or claf-ser-tiny, the smaller "
        "bundled one (default: the bundled claf-ser)",
    )
    parser.add_argument(
        "--backend",
        default=AUTO,
        metavar="|".join((AUTO, *RUNTIMES)),
        help="what runs the model (default: auto, the fastest that works on this device; never a "
        "program, which runs only when it is named)",
    )


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value


if __name__ == "__main__":
    run()
