"""``--sounds``: recordings of everyday sounds, for commands that train or measure."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["NOISE_OF_VARIANTS", "add_sounds_option"]

#: What training does with them.
NOISE_OF_VARIANTS = (
    "noise of augmented variants; a third of the recordings is kept from training, to measure on"
)


def add_sounds_option(parser: argparse._ActionsContainer, what: str) -> None:
    """Folders of everyday sounds; ``what`` says what they are for."""
    parser.add_argument(
        "--sounds",
        nargs="+",
        type=Path,
        default=[],
        metavar="DIR",
        help=f"folders of folders of sounds that are no speech, a kind each: {what}",
    )
