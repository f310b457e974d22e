"""``edge-ser doctor``."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.cli.notices import say
from edge.cli.progress_line import ProgressLine
from edge.errors import EdgeSerError, ParameterError

if TYPE_CHECKING:
    from edge.cli.options import Commands
    from edge.doctor.finding import Finding
    from edge.doctor.look import Wishes

__all__ = ["add_parser", "run"]


def add_parser(commands: Commands) -> None:
    """Add the command and its options."""
    parser = commands.add_parser(
        "doctor",
        help="look for what is wrong on this device, and tell the mend",
        description="Look for what keeps this device from listening, and tell the command that "
        "mends it. Two seconds are recorded, measured and forgotten. Exit code: 0 all is well, "
        "1 there are warnings, 2 there are errors.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--artifact",
        metavar="DIR",
        help="folder of the model to check (default: what `listen` would open)",
    )
    parser.add_argument(
        "--device",
        metavar="NAME",
        help="microphone: its name, a part, or number (default: what `listen` would open)",
    )
    parser.add_argument("--no-capture", action="store_true", help="do not record")
    parser.add_argument(
        "--config", metavar="FILE", help="check this configuration file (default: as for `listen`)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--bundle",
        metavar="FILE.zip",
        help="also write an archive for an issue report: no audio, and no names of host or user, "
        "home folders, addresses or serial numbers",
    )


def run(args: argparse.Namespace) -> int:
    """Run the checks; the exit code is that of the worst finding."""
    target = _archive_target(args.bundle)
    if args.device == "":
        raise ParameterError("--device is empty, the name of a microphone is wanted")
    from edge.doctor.examine import examine
    from edge.doctor.finding import exit_code
    from edge.doctor.look import Look
    from edge.doctor.record import to_line
    from edge.doctor.table import Table, totals
    from edge.machine.programs import Programs
    from edge.machine.system import this_system

    started_s = time.monotonic()
    programs = Programs()
    wishes = _what_listen_takes(args)
    look = Look(this_system(programs), wishes)
    table = Table(shutil.get_terminal_size().columns if sys.stdout.isatty() else None)
    findings: list[Finding] = []
    progress = ProgressLine()
    try:
        for finding in examine(look, waits=lambda row: progress.show(f"looking at {row.name} ...")):
            progress.clear()
            findings.append(finding)
            if args.json:
                print(to_line("finding", finding.to_dict()), flush=True)
            else:
                print("\n".join(table.lines(finding)), flush=True)
    finally:
        progress.clear()
        programs.end()
    summary = _summary(findings, time.monotonic() - started_s)
    print(to_line("diagnosis", summary) if args.json else f"\n{totals(findings)}", flush=True)
    if target is not None:
        from edge.doctor.archive import write_archive

        write_archive(target, look, findings, summary)
        say(f"wrote {target}: look through it before you send it")
    return exit_code(findings)


def _archive_target(name: str | None) -> Path | None:
    """Refuse what cannot be written before any work is done."""
    if name is None:
        return None
    target = Path(name)
    if target.suffix.lower() != ".zip" or target.is_dir() or not target.parent.is_dir():
        raise ParameterError(
            f"--bundle is {name!r}, a file that ends in .zip, in a folder that exists, is wanted"
        )
    return target


def _what_listen_takes(args: argparse.Namespace) -> Wishes:
    """Give artifact, microphone and file as ``listen`` would take them, and what it would read.

    What is wrong with a file is a finding, and no reason to look at nothing else.
    """
    from edge.cli.listen_files import configured_in_files
    from edge.cli.voice_options import state_file
    from edge.doctor.look import Wishes

    captures = not args.no_capture
    try:
        configured = configured_in_files(args.config)
    except EdgeSerError as error:
        problem = error

        def refuse() -> Sequence[str]:
            raise problem

        return Wishes(args.artifact, args.device, captures, refuse)
    taken = configured.args
    return Wishes(
        taken.artifact if args.artifact is None else args.artifact,
        taken.device if args.device is None else args.device,
        captures,
        lambda: configured.files,
        # Of another model than the daily run's it would be no file at all.
        state_file(taken) if args.artifact is None else None,
    )


def _summary(findings: Sequence[Finding], took_s: float) -> dict[str, Any]:
    from edge import __version__
    from edge.doctor.finding import count, exit_code

    return {
        "edge_ser": __version__,
        **count(findings),
        "exit_code": exit_code(findings),
        "took_s": round(took_s, 2),
    }
