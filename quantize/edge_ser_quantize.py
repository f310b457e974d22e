"""Entry point of ``edge-ser-quantize``, a module of its own at the top level when installed.

A distribution that overwrote ``quantize`` could not be told from there.
"""

from __future__ import annotations

import sys

__all__ = ["run"]


def run() -> None:
    """Run ``edge-ser-quantize``; a package that is foreign or missing is one sentence."""
    try:
        from edge_ser.start import refuse_foreign
    except ModuleNotFoundError:
        print(
            "edge-ser-quantize: error: edge-ser itself is not installed: install both from its "
            "folder: pip install . ./quantize",
            file=sys.stderr,
        )
        sys.exit(2)
    refuse_foreign("edge-ser-quantize", edge="edge-ser", quantize="edge-ser-quantize")
    from quantize.commands.main import run as run_command

    run_command()


if __name__ == "__main__":
    run()
