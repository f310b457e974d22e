"""``edge-ser-quantize quantize``: round a trained model by a recipe, and say what was lost."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ParameterError
from quantize.basics.files import write_json
from quantize.basics.settings import NotNegative
from quantize.commands.numbers import count, number, seed
from quantize.commands.options import (
    add_data_options,
    label_map,
    refuse_without_data,
)
from quantize.commands.paths import file_to_write
from quantize.export.rounding.layers import GROUPS, LAYERS
from quantize.export.rounding.load import load_rounding_recipe, rounding_recipe_names
from quantize.export.rounding.recipe import GRANULARITIES
from quantize.measure.rounding_loss.counts import N_GENERATED, N_SEGMENTS

if TYPE_CHECKING:
    from edge.artifact import Artifact
    from quantize.data.features.segments import SegmentSet
    from quantize.export.common import ExportFacts
    from quantize.measure.rounding_loss.report import Report
    from quantize.measure.rounding_loss.speech import Speech
    from quantize.models.claf_ser import CLAFSER
    from quantize.runs.run import Run

__all__ = ["add_command"]


def add_command(commands: Any) -> None:
    """Add ``quantize`` to the parser."""
    parser = commands.add_parser(
        "quantize",
        help="round a trained model's weights by a recipe, and report what that costs",
        description="Writes an artifact folder that a device loads, and reports its size, what "
        "every layer and gate lost, and how often it answers as torch does with float32: on the "
        "run's held-out clips with --data, else on generated speech.",
    )
    parser.add_argument(
        "source",
        type=Path,
        metavar="SOURCE",
        help="run folder with a checkpoint, or an artifact of export --kind numpy-fp32",
    )
    parser.add_argument(
        "--recipe",
        required=True,
        metavar="NAME|FILE.toml",
        help=f"one of {', '.join(rounding_recipe_names())}, or a file of your own",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="artifact folder")
    parser.add_argument("--name", help="name of the model (default: that of SOURCE)")
    parser.add_argument(
        "--float",
        nargs="+",
        action="extend",
        default=[],
        dest="float_layers",
        metavar="LAYER",
        help=f"keep these layers in float too: {', '.join((*LAYERS, *GROUPS))}",
    )
    parser.add_argument(
        "--granularity",
        choices=GRANULARITIES[1:],
        help="weights that share a factor (default: the recipe's)",
    )
    parser.add_argument(
        "--calibration",
        type=count,
        metavar="N",
        help="segments to calibrate with, for a recipe that does (default: the recipe's)",
    )
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="of the segments chosen (default: 0)"
    )
    parser.add_argument(
        "--segments",
        type=count,
        metavar="N",
        help="segments to compare posteriors and gates on (default: "
        f"{N_SEGMENTS} of corpora, {N_GENERATED} of generated speech)",
    )
    parser.add_argument(
        "--max-drop",
        type=number(NotNegative),
        metavar="POINTS",
        help="keep layers in float, those first whose rounding moves the answers most, until "
        "neither accuracy nor UAR drops by more than that many percentage points below float32; "
        "needs --data, and is chosen on the validation side of a run that has one, else on its "
        "training side, never on a test side; writes DIR/RECIPE-max-drop-POINTS.toml, a recipe "
        "that gives the same artifact. Exit status 1: it cannot be held",
    )
    add_data_options(
        parser,
        without="generated speech; with corpora it calibrates on the run's training side and "
        "measures on what it held out",
    )
    parser.add_argument(
        "--report", type=file_to_write, metavar="FILE.json", help="also write the report there"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the report as JSON Lines, not as tables"
    )
    parser.set_defaults(function=_quantize)


def _quantize(arguments: argparse.Namespace) -> int:
    from quantize.export import Kind, export_artifact
    from quantize.export.rounding.write import write_recipe
    from quantize.measure.rounding_loss.hold_drop import check_max_drop, hold_drop
    from quantize.measure.rounding_loss.report import artifact_facts

    refuse_without_data(arguments)
    recipe = load_rounding_recipe(arguments.recipe).changed(
        float_layers=arguments.float_layers,
        granularity=arguments.granularity,
        n_calibration=arguments.calibration,
    )
    Kind.of(recipe)
    if arguments.max_drop is not None:
        check_max_drop(arguments.max_drop)
        if arguments.data is None:
            raise ParameterError(
                "--max-drop measures accuracy on labelled clips: name the corpora of the training "
                "with --data"
            )
    if arguments.segments is not None and arguments.segments < 1:
        raise ParameterError(f"--segments is {arguments.segments}, at least 1 is wanted")
    run, model, facts = _read_source(arguments)
    speech = _speech_of(run, facts, arguments)
    calibration = used = None
    if recipe.n_calibration:
        calibration, where = speech.calibration(recipe.n_calibration)
        used = {
            "source": where,
            "n_segments": len(calibration),
            "fingerprint": calibration.fingerprint,
        }
    held = None
    if arguments.max_drop is not None:
        held = hold_drop(recipe, run, speech, arguments.max_drop, calibration)
        if held.recipe is None:
            print(held.text(), file=sys.stderr)
            print(f"edge-ser-quantize: {held.best()}", file=sys.stderr)
            return 1
        recipe = held.recipe
    n = arguments.segments or (N_GENERATED if speech.cache is None else N_SEGMENTS)
    # All that can be refused is refused before anything is written.
    seen = speech.report(n)
    artifact = export_artifact(Kind.of(recipe), model, facts, arguments.out, calibration)
    about = artifact_facts(artifact, recipe, used, model.n_parameters())
    report = _report(model, speech, artifact, about, *seen)
    if held is not None:
        written = write_recipe(arguments.out, recipe)
        report = dataclasses.replace(report, held={**held.to_dict(), "recipe": str(written)})
    if arguments.report:
        write_json(arguments.report, report.to_dict())
    if arguments.json:
        print("\n".join(report.lines()))
    else:
        print(report.text() if held is None else f"{held.text()}\n\n{report.text()}")
    return 0


def _read_source(arguments: argparse.Namespace) -> tuple[Run | None, CLAFSER, ExportFacts]:
    """The run, of which an artifact does not tell, and its model as it was trained.

    Raises
    ------
    EdgeSerError
        If it cannot be read, or is an artifact that ``--out`` would replace.
    """
    from quantize.export.read_back import is_artifact, read_float_artifact
    from quantize.runs.artifacts import export_facts
    from quantize.runs.run import open_run

    source, out = arguments.source, arguments.out
    if not is_artifact(source):
        run = open_run(source)
        return run, *export_facts(run, name=arguments.name or source.resolve().name)
    if out.exists() and out.samefile(source):
        raise ParameterError(
            f"--out is {out}, which is SOURCE itself: its float32 weights would be lost, another "
            "folder is wanted"
        )
    return None, *read_float_artifact(source, arguments.name)


def _speech_of(run: Run | None, facts: ExportFacts, arguments: argparse.Namespace) -> Speech:
    """Load the corpora, if any were named, and take the sides of the run's split."""
    from quantize.data.features.cache import FeatureCache
    from quantize.measure.rounding_loss.speech import Speech

    if arguments.data is None:
        return Speech(facts, arguments.seed)
    if run is None:
        raise ParameterError(
            f"{arguments.source} is an artifact, which does not tell the clips it was trained on, "
            "so nothing can be measured on --data: name the run folder, or leave --data out"
        )
    clips = run.clips(arguments.data, arguments.corpora, label_map(arguments), arguments.cache)
    cache = FeatureCache(arguments.cache, facts.spec, cluster=arguments.cluster)
    common = {"clips": clips, "cache": cache, "n_workers": arguments.workers}
    split = run.split
    if split is None:
        return Speech(facts, arguments.seed, train=clips, **common)
    test = run.held_out(clips)
    training = set(split.train)
    train = [c for c in clips if c.clip_id in training]
    return Speech(facts, arguments.seed, split=split, train=train, test=test, **common)


def _report(
    model: CLAFSER,
    speech: Speech,
    artifact: Artifact,
    about: dict[str, Any],
    segments: SegmentSet,
    where: str,
) -> Report:
    from quantize.data.splits import common_labels
    from quantize.measure.evaluate import artifact_runner
    from quantize.measure.rounding_loss.compare import (
        clip_agreement,
        score_clips,
        segment_agreement,
    )
    from quantize.measure.rounding_loss.report import Report, agreement_rows, layer_report
    from quantize.models.infer import torch_infer

    found = artifact_runner(artifact.path)
    wanted = dataclasses.replace(found, name="torch", infer=torch_infer(model))
    agreement, largest, mean = segment_agreement(wanted.infer, found.infer, segments, found)
    seen = {
        "source": where,
        "n": len(segments),
        "agreement": agreement[0].agreement,
        "max_difference": largest,
        "mean_difference": mean,
        "fingerprint": segments.fingerprint,
    }
    rows = found.normalised(segments.rows)
    layers, gates = layer_report(model, artifact, rows)
    if speech.split is not None and speech.cache is not None:
        labels = common_labels(speech.split, speech.clips, found.labels)
        agreement = clip_agreement(
            *(
                score_clips(
                    runner, speech.test, speech.cache, speech.clips, labels, speech.n_workers
                )
                for runner in (wanted, found)
            )
        )
    return Report(about, layers, gates, seen, agreement_rows(agreement))
