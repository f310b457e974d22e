"""Entry points: look whether the code is ours, then run it."""

from __future__ import annotations

import sys

from edge_ser.foreign import complaint

__all__ = ["refuse_foreign", "run"]


def run() -> None:
    """Run ``edge-ser``."""
    refuse_foreign("edge-ser", edge="edge-ser")
    from edge.cli.main import run as run_command

    run_command()


def refuse_foreign(program: str, **packages: str) -> None:
    """End with one sentence and exit status 2 when a package is not ours.

    Parameters
    ----------
    program : str
        What the sentence begins with.
    **packages : str
        Package name to the distribution that it must be of.
    """
    for package, distribution in packages.items():
        sentence = complaint(package, distribution)
        if sentence is not None:
            print(f"{program}: error: {sentence}", file=sys.stderr)
            sys.exit(2)
