"""``edge-ser-quantize verify``: whether artifacts compute what torch does."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import how_many
from quantize.basics.errors import TrainingError
from quantize.basics.settings import Share
from quantize.basics.tables import aligned
from quantize.commands.numbers import count, number, seed
from quantize.commands.options import (
    add_data_options,
    label_map,
    refuse_without_data,
)
from quantize.runs.files import RUN_DIGEST, RunFiles

if TYPE_CHECKING:
    from edge.features.spec import FeatureSpec
    from quantize.data.features.segments import SegmentSet
    from quantize.measure.verify import Parity
    from quantize.runs.run import Run

__all__ = ["add_command", "format_parity"]


def add_command(commands: Any) -> None:
    """Add ``verify`` to the parser."""
    parser = commands.add_parser(
        "verify",
        help="replay segments through artifacts and compare with torch: exit status 1 beyond "
        "the tolerance",
        description="Runs the same segments through every artifact and through the checkpoint in "
        "torch, one at a time and interleaved, and once more in another order. Each must stay "
        "within the tolerance of its rounding recipe, a share of how far torch's posteriors move "
        "from segment to segment. Another label than torch's is a near tie where torch holds it "
        "for nearly as likely as its own; near ties are counted and do not fail.",
    )
    parser.add_argument(
        "artifacts", nargs="+", type=Path, metavar="ARTIFACT", help="artifact folders of one run"
    )
    parser.add_argument(
        "--run",
        type=Path,
        metavar="RUN",
        help="run folder that they were exported from (default: the one that they lie in)",
    )
    add_data_options(parser, without="synthetic speech; else the run's held-out clips are heard")
    parser.add_argument(
        "--segments", type=count, default=500, metavar="N", help="how many (default: 500)"
    )
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="N", help="of their choice and second order"
    )
    parser.add_argument(
        "--max-difference",
        type=number(Share),
        metavar="P",
        help="of a posterior from torch's (default: the recipe's, times how far torch's move)",
    )
    parser.add_argument(
        "--min-agreement",
        type=number(Share),
        metavar="P",
        help="share of segments with torch's label or a near tie, 0 to 1 (default: the recipe's)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(function=_verify)


def format_parity(parities: Sequence[Parity]) -> str:
    """One aligned table."""
    header = [
        "artifact",
        "recipe",
        "kB",
        "max |p - torch|",
        "mean",
        "same label",
        "near ties",
        "order",
        "ms",
        "p90 ms",
        "x torch",
        "",
    ]
    cells = [header]
    for parity in parities:
        size = "-" if parity.model_bytes is None else f"{parity.model_bytes / 1000:.1f}"
        cells.append(
            [
                parity.name,
                parity.recipe,
                size,
                f"{parity.max_difference:.1e}",
                f"{parity.mean_difference:.1e}",
                f"{100 * parity.agreement:.1f} %",
                str(parity.n_near_ties),
                f"{parity.order_difference:.0e}",
                f"{parity.median_ms:.2f}",
                f"{parity.p90_ms:.2f}",
                f"{parity.speedup:.2f}",
                "FAILS" if parity.failures else "ok",
            ]
        )
    return "\n".join(aligned(cells, n_left=2))


def _verify(arguments: argparse.Namespace) -> int:
    import torch

    from edge.artifact import read_artifact
    from quantize.measure.evaluate import torch_runner
    from quantize.measure.verify import compare_artifacts, read_candidate
    from quantize.runs.run import open_run

    refuse_without_data(arguments)
    # Side by side with runtimes that have one.
    torch.set_num_threads(1)
    run = open_run(arguments.run or _run_of(arguments.artifacts))
    reference = torch_runner(run)
    candidates = [
        read_candidate(path, reference, arguments.max_difference, arguments.min_agreement)
        for path in arguments.artifacts
    ]
    for path in arguments.artifacts:
        told = read_artifact(path).manifest.training.get(RUN_DIGEST)
        if told not in (None, run.digest):
            raise TrainingError(
                f"{path} was exported from other weights than {run.folder} holds now: export it "
                "again, or name the run that it comes from with --run"
            )
    segments = _segments(arguments, run, reference.spec)
    parities = compare_artifacts(reference, candidates, segments, seed=arguments.seed)
    if arguments.json:
        for parity in parities:
            print(json.dumps(parity.to_dict()))
    else:
        print(format_parity(parities))
    where = ", ".join(sorted(set(segments.corpora)))
    print(
        f"{how_many(len(segments), 'segment')} of {where}, SHA-256 {segments.fingerprint[:12]}, "
        f"against {run.folder.name} in torch fp32, one thread",
        file=sys.stderr,
    )
    for parity in parities:
        for failure in parity.failures:
            print(f"edge-ser-quantize: {parity.name}: {failure}", file=sys.stderr)
    return 1 if any(parity.failures for parity in parities) else 0


def _segments(arguments: argparse.Namespace, run: Run, spec: FeatureSpec) -> SegmentSet:
    """Segments of a run's held-out clips, or synthetic ones where no corpora are named.

    A run that held nothing out gives all clips: parity is not accuracy.
    """
    from quantize.data.features.cache import FeatureCache
    from quantize.data.features.segments import corpus_segments, generated_segments
    from quantize.data.features.windows import window_of

    window_frames, window_hop = window_of(spec)
    n_segments, seed = arguments.segments, arguments.seed
    if arguments.data is None:
        return generated_segments(n_segments, spec=spec, seed=seed, window_frames=window_frames)
    clips = run.clips(arguments.data, arguments.corpora, label_map(arguments), arguments.cache)
    chosen = run.held_out(clips) if run.split else clips
    return corpus_segments(
        chosen,
        FeatureCache(arguments.cache, spec, cluster=arguments.cluster),
        clips,
        n_segments,
        seed=seed,
        window_frames=window_frames,
        window_hop=window_hop,
        n_workers=arguments.workers,
    )


def _run_of(artifacts: Sequence[Path]) -> Path:
    """The run folder that artifacts lie in, as ``export`` puts them."""
    runs = {path.resolve().parent.parent for path in artifacts}
    found = [run for run in runs if RunFiles(run).checkpoint.is_file()]
    if len(runs) != 1 or not found:
        raise TrainingError(
            f"{artifacts[0]} does not lie in the run folder that it was exported from, in "
            "RUN/artifacts: name that one with --run"
        )
    return found[0]
