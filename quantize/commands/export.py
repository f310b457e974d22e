"""``edge-ser-quantize export``: a trained run as an artifact for the device."""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from edge.errors import how_many
from quantize.basics.errors import TrainingError
from quantize.basics.files import atomic_path
from quantize.export.rounding.load import kind_names

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
        help="evaluation written by evaluate --output, to be carried in the manifest; repeatable",
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
        "--card", type=Path, metavar="FILE", help="also write a model card in Markdown there"
    )
    parser.add_argument(
        "--gate",
        type=Path,
        metavar="FILE",
        help="speech gate written by train-gate (default: the one that comes along, where it was "
        "trained on the run's features)",
    )
    parser.set_defaults(function=_export)


def accuracy_entries(path: Path) -> list[dict[str, Any]]:
    """Figures of one ``evaluate --output`` file as the manifest keeps them.

    Several seeds of ``paper`` give their mean; folds give the pooled figures of every
    corpus; the model measured is one trained without the clips it is measured on.

    Raises
    ------
    TrainingError
        If the file is not such a report.
    """
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        runs = report["runs"]
        common = {
            "command": report["command"],
            "commit": report["commit"],
            "kind": report["kind"],
            "language": report["language"],
        }
        if "pooled" in report:
            split = runs[0]["split"].rsplit("-f", 1)[0] + f", {how_many(len(runs), 'fold')}"
            return [
                {
                    "split": f"{split}, {corpus}",
                    "metric": metric,
                    "value": figures[metric],
                    "n": figures["n"],
                    "ci95": figures[f"{metric}_ci95"],
                    **common,
                }
                for corpus, figures in report["pooled"]["by_corpus"].items()
                for metric in ("accuracy", "uar")
            ]
        if len(runs) == 1:
            return [
                {
                    "split": runs[0]["split"],
                    "metric": metric,
                    "value": runs[0][metric],
                    "n": runs[0]["n"],
                    "ci95": runs[0][f"{metric}_ci95"],
                    **common,
                }
                for metric in ("accuracy", "uar")
            ]
        splits = ", ".join(r["split"] for r in runs)
        return [
            {
                "split": splits,
                "metric": "accuracy (mean)",
                "value": report["mean_accuracy"],
                "n": sum(r["n"] for r in runs),
                "sd": report["sd_accuracy"],
                **common,
            }
        ]
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise TrainingError(
            f"{path} is no report of edge-ser-quantize evaluate --output: {error!r}"
        ) from error


def _export(arguments: argparse.Namespace) -> int:
    from quantize.export.model_card import model_card
    from quantize.measure.figures.entries import check_same_settings, scorecard_entries
    from quantize.measure.figures.files import read_scorecard
    from quantize.runs.artifacts import export_run
    from quantize.runs.run import open_run

    run = open_run(arguments.run)
    entries = [entry for path in arguments.figures for entry in accuracy_entries(path)]
    digest = None
    if arguments.scorecard:
        recipe = arguments.recipe or arguments.run.resolve().parent.name
        scorecard = read_scorecard(arguments.scorecard)
        check_same_settings(scorecard, recipe, run)
        entries += scorecard_entries(scorecard, recipe, arguments.kind)
        digest = hashlib.sha256(arguments.scorecard.read_bytes()).hexdigest()
    out = arguments.out or run.files.artifact(arguments.kind)
    artifact = export_run(
        run,
        arguments.kind,
        out,
        name=arguments.name,
        accuracy=entries,
        scorecard_sha256=digest,
        gate=arguments.gate,
    )
    if arguments.card:
        with atomic_path(arguments.card) as temporary:
            temporary.write_text(model_card(artifact.manifest), encoding="utf-8")
    manifest = artifact.manifest
    print(
        f"{out}  {manifest.quantization.recipe}  {manifest.model_bytes / 1000:.1f} kB  "
        f"sha256 {manifest.model_sha256[:12]}"
    )
    return 0
