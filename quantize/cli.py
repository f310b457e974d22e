"""``edge-ser-quantize``: train, distil, prune, quantize, export, verify, and all the figures."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from edge.errors import EdgeSerError, MissingDependencyError, printable

__all__ = ["main", "run"]


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options.

    Raises
    ------
    MissingDependencyError
        If a package of the workstation is not installed.
    """
    try:
        from quantize import (
            cli_baseline,
            cli_calibrate,
            cli_distill,
            cli_evaluate,
            cli_export,
            cli_prune,
            cli_quantize,
            cli_scorecard,
            cli_search,
            cli_train,
            cli_train_gate,
            cli_verify,
        )
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in ("edge", "quantize"):
            raise
        raise MissingDependencyError(
            f"{error.name} is not installed, the workstation's commands need it: "
            f"pip install {(error.name or '').partition('.')[0]}"
        ) from error
    parser = argparse.ArgumentParser(
        prog="edge-ser-quantize",
        description="Train CLAF-SER on emotional speech, measure it and export it for a device.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    cli_train.add_commands(commands)
    cli_train_gate.add_command(commands)
    cli_distill.add_command(commands)
    cli_prune.add_command(commands)
    cli_baseline.add_command(commands)
    cli_evaluate.add_command(commands)
    cli_calibrate.add_command(commands)
    cli_export.add_command(commands)
    cli_quantize.add_command(commands)
    cli_verify.add_command(commands)
    cli_search.add_command(commands)
    cli_scorecard.add_command(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 for success, 2 for bad input, 130 when interrupted."""
    # torch's libraries announce what they will drop past all of Python's warnings.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    try:
        arguments = build_parser().parse_args(argv)
        code: int = arguments.function(arguments)
    except EdgeSerError as error:
        _say_error(str(error))
        return 2
    except BrokenPipeError:
        return 0
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _say_error(f"{error.strerror or error}{where}")
        return 2
    except KeyboardInterrupt:
        print(
            "edge-ser-quantize: interrupted; the same command goes on where it left off",
            file=sys.stderr,
        )
        return 130
    return code


def run() -> None:
    """Console entry point."""
    sys.exit(main())


def _say_error(text: str) -> None:
    """Tell of an error, with what a terminal would obey spelt out: a file's name may hold it."""
    lines = "\n".join(map(printable, text.split("\n")))
    print(f"edge-ser-quantize: error: {lines}", file=sys.stderr)


if __name__ == "__main__":
    run()
