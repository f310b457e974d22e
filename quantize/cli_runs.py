"""What the commands that measure run folders share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from quantize.cli_export import export_run
from quantize.evaluate import Runner, artifact_runner, torch_runner

__all__ = ["are_folds", "redo_command", "runner_of"]


def are_folds(splits: Sequence[str]) -> bool:
    """Tell whether split ids are different folds of one rule, which may be pooled."""
    rules = {re.sub(r"-f\d+$", "", split) for split in splits}
    return len(set(splits)) == len(splits) > 1 == len(rules)


def runner_of(folder: Path, kind: str) -> Runner:
    """The checkpoint of a run folder, or its artifact, exported if need be.

    Raises
    ------
    EdgeSerError
        If the checkpoint or artifact cannot be used.
    """
    if kind == "torch":
        return torch_runner(folder)
    artifact = folder / "artifacts" / kind
    if not (artifact / "manifest.json").is_file():
        export_run(folder, kind, artifact)
    return artifact_runner(artifact)


def redo_command(arguments: argparse.Namespace) -> list[str]:
    """Words of the command to measure again, with folders by name alone."""
    words = ["evaluate", *(f"runs/{run.name}" for run in arguments.runs)]
    words += ["--data", "CORPORA", "--kind", arguments.kind, "--language", arguments.language]
    if arguments.protocol != "utterances":
        words += ["--protocol", arguments.protocol]
    if arguments.conditions:
        words += ["--conditions", *arguments.conditions]
    if arguments.corpora:
        words += ["--corpora", *arguments.corpora]
    return words
