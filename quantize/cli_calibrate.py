"""``edge-ser-quantize calibrate``: temperatures of folds, and of a model for devices."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.calibration import Calibration, fit_temperature, tempered, write_calibration
from quantize.cli_runs import are_folds
from quantize.cli_train import add_data_options, label_map
from quantize.corpora import LABELS, Clip, load_corpora
from quantize.dataset import FeatureCache
from quantize.evaluate import check_features, held_out, language_ids, torch_runner
from quantize.metrics import expected_calibration_error
from quantize.scoring import Segments, score_files

__all__ = ["add_command"]


@dataclasses.dataclass(frozen=True)
class _Fold:
    run: Path
    split: str
    clips: list[Clip]
    segments: list[Segments]

    @property
    def truth(self) -> NDArray[np.int64]:
        return np.array([LABELS.index(c.label) for c in self.clips])


def add_command(commands: Any) -> None:
    """Add ``calibrate`` to the parser."""
    parser = commands.add_parser(
        "calibrate",
        help="choose the temperatures that make posteriors right as often as they say",
        description="The temperature of each fold is chosen on the speakers that the other folds "
        "hold out: training speakers of its own. It goes to calibration.json in the run folder, "
        "and from there to measurements and exported artifacts.",
    )
    add_data_options(parser)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="all folds of one split")
    parser.add_argument(
        "--also",
        nargs="+",
        type=Path,
        default=[],
        metavar="RUN",
        help="runs of --split all, whose temperature all the folds choose together",
    )
    parser.set_defaults(function=_calibrate)


def _calibrate(arguments: argparse.Namespace) -> int:
    clips, _ = load_corpora(arguments.data, arguments.corpora, label_map(arguments))
    sides = [held_out(run, clips) for run in arguments.runs]
    splits = [split.id for split, _ in sides]
    if not are_folds(splits):
        raise ParameterError(
            f"the runs have the splits {', '.join(splits)}: two or more folds of one rule are "
            "wanted, each once, as of train --split speaker --fold 0, 1, ..."
        )
    for run in arguments.also:
        if (run / "split.json").exists():
            raise ParameterError(
                f"{run} holds clips out: --also is for runs of --split all; name its folds first"
            )
    folds = [
        _Fold(run, split.id, chosen, _score(run, clips, chosen, arguments))
        for run, (split, chosen) in zip(arguments.runs, sides, strict=True)
    ]
    print(f"{'run':20s}  temperature  ECE at 1  ECE")
    for fold in folds:
        others = [other for other in folds if other is not fold]
        temperature = _fit(others, fold.run)
        before, after = (
            expected_calibration_error(fold.truth, tempered(fold.segments, t))
            for t in (1.0, temperature)
        )
        print(f"{fold.run.name:20s}  {temperature:11.3f}  {before:8.3f}  {after:.3f}")
    for run in arguments.also:
        print(f"{run.name:20s}  {_fit(folds, run):11.3f}         -  -")
    return 0


def _score(
    run: Path, clips: list[Clip], chosen: list[Clip], arguments: argparse.Namespace
) -> list[Segments]:
    """Segments of the clips that a run holds out, at temperature 1."""
    runner = dataclasses.replace(torch_runner(run), temperature=1.0)
    cache = FeatureCache(arguments.cache, runner.spec)
    check_features(runner, cache)
    rows = cache.load(clips, 0, arguments.workers)
    return score_files(
        runner.infer,
        [rows[c.clip_id] for c in chosen],
        language_ids(chosen, "unknown"),
        window_frames=runner.window_frames,
        **runner.scoring(),
    )


def _fit(folds: list[_Fold], run: Path) -> float:
    """Choose a temperature on some folds and keep it in a run folder."""
    segments = [each for fold in folds for each in fold.segments]
    corpora = [c.corpus for fold in folds for c in fold.clips]
    temperature = fit_temperature(
        segments, np.concatenate([fold.truth for fold in folds]).tolist(), corpora
    )
    calibration = Calibration(temperature, tuple(fold.split for fold in folds))
    write_calibration(run, calibration, len(segments))
    return temperature
