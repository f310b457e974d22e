"""What the commands that measure run folders share; imported when one runs: it needs torch."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from edge.artifact import Quantization, read_artifact
from quantize.basics.files import write_json
from quantize.commands.export import export_run
from quantize.commands.options import label_map
from quantize.data.corpora import Clip, load_corpora
from quantize.export import KINDS
from quantize.measure.evaluate import Runner, artifact_runner, torch_runner
from quantize.runs.provenance import commit
from quantize.runs.temperature import read_calibration

__all__ = ["are_folds", "measure_runs", "redo_command", "report_of", "runner_of", "write_report"]

Part = TypeVar("Part")
OneRun = Callable[[Path, list[Clip], argparse.Namespace], tuple[Part, dict[str, Any]]]


def are_folds(splits: Sequence[str]) -> bool:
    """Tell whether split ids are different folds of one rule, which may be pooled."""
    rules = {re.sub(r"-f\d+$", "", split) for split in splits}
    return len(set(splits)) == len(splits) > 1 == len(rules)


def runner_of(folder: Path, kind: str) -> Runner:
    """The checkpoint of a run folder, or its artifact, exported if need be.

    An artifact that was exported before the run was calibrated, or by another version of its
    quantization recipe, is exported again.

    Raises
    ------
    EdgeSerError
        If the checkpoint or artifact cannot be used.
    """
    if kind == "torch":
        return torch_runner(folder)
    artifact = folder / "artifacts" / kind
    if (artifact / "manifest.json").is_file():
        manifest, calibration = read_artifact(artifact).manifest, read_calibration(folder)
        if (
            manifest.quantization == Quantization.from_dict(KINDS[kind].quantization(None))
            and manifest.temperature == calibration.temperature
            and manifest.abstention == calibration.abstention
        ):
            return artifact_runner(artifact)
    export_run(folder, kind, artifact)
    return artifact_runner(artifact)


def redo_command(arguments: argparse.Namespace) -> list[str]:
    """Words of the command to measure again, with folders by name alone."""
    words = ["evaluate", *(f"runs/{run.name}" for run in arguments.runs)]
    words += ["--data", "CORPORA", "--kind", arguments.kind, "--corpus", arguments.corpus]
    if arguments.protocol != "utterances":
        words += ["--protocol", arguments.protocol]
    if arguments.conditions:
        words += ["--conditions", *arguments.conditions]
    if arguments.corpora:
        words += ["--corpora", *arguments.corpora]
    return words


def measure_runs(
    arguments: argparse.Namespace, one_run: OneRun[Part]
) -> tuple[list[Part], list[dict[str, Any]]]:
    """Measure every run of the command: what its folds are pooled of, and its figures."""
    clips, _ = load_corpora(arguments.data, arguments.corpora, label_map(arguments))
    measured = [one_run(folder, clips, arguments) for folder in arguments.runs]
    return [part for part, _ in measured], [figures for _, figures in measured]


def report_of(arguments: argparse.Namespace, results: list[dict[str, Any]]) -> dict[str, Any]:
    """What every report of a measurement begins with."""
    return {
        "kind": arguments.kind,
        "language": arguments.corpus,
        "commit": commit(),
        "command": "edge-ser-quantize " + shlex.join(redo_command(arguments)),
        "runs": results,
    }


def write_report(arguments: argparse.Namespace, report: dict[str, Any]) -> None:
    """Write the report where ``--output`` says, and print it for ``--json``."""
    if arguments.json:
        print(json.dumps(report))
    if arguments.output:
        write_json(arguments.output, report)
        print(f"figures: {arguments.output}", file=sys.stderr)
