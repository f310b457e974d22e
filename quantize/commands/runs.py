"""What the commands that measure run folders share; imported when one runs: it needs torch."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from quantize.basics.files import write_json
from quantize.basics.redo import corpora_words, runs_words, shell_text, sounds_words
from quantize.commands.options import label_map
from quantize.data.corpora import Clip
from quantize.measure.evaluate import Runner, artifact_runner, torch_runner
from quantize.measure.figures.report import REPORT_VERSION
from quantize.runs.clips import load_clips
from quantize.runs.compared import shared_settings
from quantize.runs.provenance import commit
from quantize.runs.run import Run, open_run

__all__ = ["are_folds", "measure_runs", "redo_command", "report_of", "runner_of", "write_report"]

Part = TypeVar("Part")
OneRun = Callable[[Run, list[Clip], argparse.Namespace], tuple[Part, dict[str, Any]]]


def are_folds(splits: Sequence[str]) -> bool:
    """Tell whether split ids are different folds of one rule, which may be pooled."""
    rules = {re.sub(r"-f\d+$", "", split) for split in splits}
    return len(set(splits)) == len(splits) > 1 == len(rules)


def runner_of(run: Run, kind: str, n_jobs: int = 1, cluster: str | None = None) -> Runner:
    """The checkpoint of a run, or its artifact, exported where it is not there or not current.

    ``n_jobs`` processes, or a ``cluster``, run it where there is much to score.

    Raises
    ------
    EdgeSerError
        If the checkpoint or artifact cannot be used.
    """
    runner = torch_runner(run) if kind == "torch" else artifact_runner(run.artifact(kind))
    return dataclasses.replace(runner, n_jobs=n_jobs, cluster=cluster)


def redo_command(arguments: argparse.Namespace) -> list[str]:
    """Words of the command to measure again, for any machine, see :mod:`quantize.basics.redo`."""
    words = ["edge-ser-quantize", "evaluate", *runs_words(arguments.runs)]
    words += corpora_words(len(arguments.data))
    words += ["--kind", arguments.kind, "--corpus", arguments.corpus]
    if arguments.protocol != "utterances":
        words += ["--protocol", arguments.protocol]
    if arguments.conditions:
        words += ["--conditions", *arguments.conditions]
    if arguments.only_corpora:
        words += ["--only-corpora", *arguments.only_corpora]
    words += sounds_words(len(arguments.sounds))
    if arguments.corpora:
        words += ["--corpora", *arguments.corpora]
    return words


def measure_runs(
    arguments: argparse.Namespace, one_run: OneRun[Part]
) -> tuple[list[Part], list[dict[str, Any]]]:
    """Measure every run of the command: what its folds are pooled of, and its figures."""
    runs = [open_run(folder) for folder in arguments.runs]
    clips = load_clips(
        runs, arguments.data, arguments.corpora, label_map(arguments), arguments.cache
    )
    measured = [one_run(run, clips, arguments) for run in runs]
    return [part for part, _ in measured], [figures for _, figures in measured]


def report_of(arguments: argparse.Namespace, results: list[dict[str, Any]]) -> dict[str, Any]:
    """What every report of a measurement begins with; all runs share its ``settings``."""
    settings, differing = shared_settings([open_run(folder) for folder in arguments.runs])
    return {
        "schema_version": REPORT_VERSION,
        "kind": arguments.kind,
        "language": arguments.corpus,
        "commit": commit(),
        "command": shell_text(redo_command(arguments)),
        "settings": settings,
        "differing": differing,
        "runs": results,
    }


def write_report(arguments: argparse.Namespace, report: dict[str, Any]) -> None:
    """Write the report where ``--output`` says, and print it for ``--json``."""
    if arguments.json:
        print(json.dumps(report))
    if arguments.output:
        write_json(arguments.output, report)
        print(f"figures: {arguments.output}", file=sys.stderr)
