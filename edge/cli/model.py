"""The model of every command that runs one."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from edge.cli.notices import say

if TYPE_CHECKING:
    from edge.stream.classifier import Classifier

__all__ = ["open_classifier"]


def open_classifier(args: argparse.Namespace, *, attentive: bool = False) -> Classifier:
    """Open what ``--artifact`` and ``--backend`` name, and say on stderr what was picked and why.

    Parameters
    ----------
    args : argparse.Namespace
        With ``artifact`` and ``backend``.
    attentive : bool
        Prefer a backend that tells what it attends to.

    Raises
    ------
    EdgeSerError
        As :func:`edge.runtimes.choice.open_artifact`.
    """
    from edge.runtimes.choice import open_artifact
    from edge.stream.classifier import Classifier

    choice = open_artifact(args.artifact, args.backend, attentive=attentive)
    if choice.reason is not None:
        say(choice.reason)
    return Classifier(choice.artifact, choice.model)
