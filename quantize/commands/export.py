"""``edge-ser-quantize export``: a trained run as an artifact for the device."""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantize.basics.errors import TrainingError
from quantize.basics.files import atomic_path
from quantize.commands.options import refuse_ignored
from quantize.commands.paths import file_to_write
from quantize.export.rounding.load import kind_names

if TYPE_CHECKING:
    from quantize.runs.run import Run

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``export`` to the parser."""
    parser = commands.add_parser(
        "export", help="write the artifact folder that a device loads, and its model card"
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="run folder with a checkpoint")
    parser.add_argument(
        "--kind",
        choices=kind_names(),
        default="numpy-int8",
        help="runtime and weights (default: numpy-int8)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="artifact folder (default: RUN/artifacts/KIND)"
    )
    parser.add_argument("--name", help="name of the model (default: claf-ser-KIND)")
    parser.add_argument(
        "--figures",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="evaluation written by evaluate --output, to be carried in the manifest: of RUN "
        "itself, or of runs of its recipe, which are then named as such; repeatable",
    )
    parser.add_argument(
        "--scorecard",
        type=Path,
        metavar="FILE",
        help="scorecard.json: its figures of the recipe, and the file's hash, go to the manifest",
    )
    parser.add_argument(
        "--recipe",
        metavar="NAME",
        help="of --scorecard (default: the name of the folder that RUN is in)",
    )
    parser.add_argument(
        "--card",
        type=file_to_write,
        metavar="FILE",
        help="also write a model card in Markdown there",
    )
    parser.add_argument(
        "--gate",
        type=Path,
        metavar="FILE",
        help="speech gate written by train-gate (default: the one that comes along, where it was "
        "trained on the run's features)",
    )
    parser.add_argument(
        "--licence",
        metavar="TEXT",
        help="licence of recordings of your own that RUN was trained on, for manifest and card "
        "(default: licence not stated); those of the known corpora are known",
    )
    parser.add_argument(
        "--json", action="store_true", help="print what was written as one JSON object"
    )
    parser.set_defaults(function=_export)


def _export(arguments: argparse.Namespace) -> int:
    from quantize.export.model_card import model_card
    from quantize.measure.figures.entries import check_same_settings, scorecard_entries
    from quantize.measure.figures.files import read_scorecard
    from quantize.measure.figures.report import report_figures
    from quantize.runs.artifacts import export_run
    from quantize.runs.run import open_run

    if arguments.scorecard is None:
        refuse_ignored(arguments, "recipe", why="is of --scorecard FILE: add it, or leave it out")
    run = open_run(arguments.run)
    reports = [report_figures(path, run, arguments.kind) for path in arguments.figures]
    entries = [entry for report in reports for entry in report.entries]
    digest = None
    if arguments.scorecard:
        recipe = arguments.recipe or arguments.run.resolve().parent.name
        scorecard = read_scorecard(arguments.scorecard)
        check_same_settings(scorecard, recipe, run)
        entries += scorecard_entries(scorecard, recipe, arguments.kind)
        digest = hashlib.sha256(arguments.scorecard.read_bytes()).hexdigest()
    _check_measured(run, arguments, {r.model_sha256 for r in reports} - {None})
    out = arguments.out or run.files.artifact(arguments.kind)
    artifact = export_run(
        run,
        arguments.kind,
        out,
        name=arguments.name,
        accuracy=entries,
        scorecard_sha256=digest,
        gate=arguments.gate,
        licence=arguments.licence,
    )
    if arguments.card:
        with atomic_path(arguments.card) as temporary:
            temporary.write_text(model_card(artifact.manifest), encoding="utf-8")
    manifest = artifact.manifest
    if arguments.json:
        print(
            json.dumps(
                {
                    "artifact": str(out),
                    "kind": arguments.kind,
                    "recipe": manifest.quantization.recipe,
                    "model_bytes": manifest.model_bytes,
                    "model_sha256": manifest.model_sha256,
                }
            )
        )
        return 0
    print(
        f"{out}  {manifest.quantization.recipe}  {manifest.model_bytes / 1000:.1f} kB  "
        f"sha256 {manifest.model_sha256[:12]}"
    )
    return 0


def _check_measured(run: Run, arguments: argparse.Namespace, measured: set[str | None]) -> None:
    """Refuse figures of another artifact of the run than the one that would be exported now."""
    from quantize.runs.artifacts import export_run

    if not measured:
        return
    with tempfile.TemporaryDirectory() as scratch:
        artifact = export_run(run, arguments.kind, Path(scratch) / "artifact", gate=arguments.gate)
    found = artifact.manifest.model_sha256
    for digest in measured - {found}:
        raise TrainingError(
            f"--figures has those of the model file {str(digest)[:12]}, {run.folder} as "
            f"{arguments.kind} is {found[:12]}: measure it again with edge-ser-quantize evaluate "
            f"{run.folder} --kind {arguments.kind} --data CORPORA --output FILE"
        )
