"""``edge-ser-quantize calibrate``: temperatures, and when a model had better say nothing."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge.errors import ParameterError
from quantize.basics.files import write_json
from quantize.basics.redo import corpora_words, runs_words, shell_text
from quantize.basics.tables import aligned
from quantize.commands.options import add_data_options, label_map
from quantize.commands.paths import file_to_write
from quantize.measure.goal import GOAL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from quantize.data.corpora import Clip
    from quantize.data.splits import Split
    from quantize.measure.abstention import Judged
    from quantize.measure.answers import Answers
    from quantize.measure.crossfit import Choice, Chosen, Facts
    from quantize.measure.scoring import Segments
    from quantize.runs.run import Run

__all__ = ["add_command"]


@dataclasses.dataclass(frozen=True)
class _Fold:
    run: Run
    split: Split
    clips: list[Clip]
    #: As ``classify`` has them, and as a stream does.
    segments: list[Segments]
    windows: Answers

    @property
    def truth(self) -> NDArray[np.int64]:
        from quantize.data.corpora import label_numbers

        return label_numbers(self.clips, self.windows.labels)

    def files(self, temperature: float, bar: float) -> Judged:
        """Whole clips, as ``classify`` answers them."""
        from quantize.measure.abstention import Judged
        from quantize.measure.answers import Answers
        from quantize.measure.temperature_fit import tempered

        posteriors = tempered(self.segments, temperature)
        labels, domains = self.windows.labels, self.windows.domains
        return Judged.of(Answers.of_clips(posteriors, self.clips, labels, domains), bar=bar)


def add_command(commands: Any) -> None:
    """Add ``calibrate`` to the parser."""
    parser = commands.add_parser(
        "calibrate",
        help="choose the temperatures that make posteriors right as often as they say, and the "
        "bar under which nothing is said",
        description="The temperature of each fold is chosen on the speakers that the other folds "
        "hold out: training speakers of its own. So are the bar under which no label is said and "
        "the scale of the activation, on single windows as a device judges them: the smallest bar "
        f"at which {100 * GOAL:.0f} % of what is answered is right, with a margin. All goes to "
        "calibration.json in the run folder, and from there to measurements and exported "
        "artifacts.",
    )
    add_data_options(parser)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="all folds of one split")
    parser.add_argument(
        "--also",
        nargs="+",
        type=Path,
        default=[],
        metavar="RUN",
        help="runs of --split all, for which all the folds choose together",
    )
    parser.add_argument(
        "--into",
        nargs="+",
        type=Path,
        default=[],
        metavar="ARTIFACT",
        help="artifacts that get the bar and the activation's scale which all the folds choose, "
        "where their own folds are not at hand; their temperature stays",
    )
    parser.add_argument(
        "--output",
        type=file_to_write,
        metavar="FILE",
        help="write what was measured of abstaining there, as JSON",
    )
    parser.add_argument(
        "--json", action="store_true", help="print what was measured as one JSON object"
    )
    parser.set_defaults(function=_calibrate)


def _calibrate(arguments: argparse.Namespace) -> int:
    from edge.artifact import read_artifact
    from quantize.commands.runs import are_folds
    from quantize.export.into import put_abstention
    from quantize.measure.crossfit import cross_fit
    from quantize.measure.metrics import expected_calibration_error
    from quantize.measure.temperature_fit import tempered
    from quantize.runs.clips import load_clips
    from quantize.runs.leaned_on import same_labels
    from quantize.runs.run import open_run

    runs = [open_run(folder) for folder in arguments.runs]
    also = [open_run(folder) for folder in arguments.also]
    splits = [run.held_out_split().id for run in runs]
    if not are_folds(splits):
        raise ParameterError(
            f"the runs have the splits {', '.join(splits)}: two or more folds of one rule are "
            "wanted, each once, as of train --split speaker --fold 0, 1, ..."
        )
    for run in also:
        if run.split is not None:
            raise ParameterError(
                f"{run.folder} holds clips out: --also is for runs of --split all; name its folds "
                "first"
            )
    words = label_map(arguments)
    clips = load_clips([*runs, *also], arguments.data, arguments.corpora, words, arguments.cache)
    for folder in arguments.into:
        # Before the long part.
        same_labels(runs[0], read_artifact(folder).manifest.labels, "fold", str(folder))
    folds = [_fold(run, clips, arguments) for run in runs]
    temperatures = [_fit([o for o in folds if o is not fold]) for fold in folds]
    chosen = cross_fit([fold.windows for fold in folds], temperatures)
    facts = _facts(arguments, folds)
    lines = [["run", "temperature", "ECE at 1", "ECE", "bar"]]
    for fold, temperature, choice in zip(folds, temperatures, chosen.folds, strict=True):
        _keep(fold.run, temperature, [o for o in folds if o is not fold], choice, facts)
        before, after = (
            expected_calibration_error(fold.truth, tempered(fold.segments, t))
            for t in (1.0, temperature)
        )
        figures = [f"{temperature:.3f}", f"{before:.3f}", f"{after:.3f}", _bar(choice)]
        lines.append([fold.run.folder.name, *figures])
    if also:
        temperature = _fit(folds)
        for run in also:
            _keep(run, temperature, folds, chosen.together, facts)
            lines.append([run.folder.name, f"{temperature:.3f}", "-", "-", _bar(chosen.together)])
    report = _report(chosen, facts, folds, temperatures)
    if arguments.json:
        print(json.dumps(report))
    else:
        print("\n".join(aligned(lines)))
        _tell(chosen)
    _warn(chosen)
    if arguments.output:
        write_json(arguments.output, report)
        print(f"figures: {arguments.output}", file=sys.stderr)
    for folder in arguments.into:
        recipe = read_artifact(folder).manifest.training.get("recipe")
        abstention = chosen.together.abstention(facts, str(recipe) if recipe else None)
        put_abstention(folder, abstention)
        print(f"{folder}: min_probability {abstention.min_probability:g}", file=sys.stderr)
    return 0


def _fold(run: Run, clips: list[Clip], arguments: argparse.Namespace) -> _Fold:
    """Segments of the clips that a run holds out, at temperature 1."""
    from edge.stream.posterior import file_hop
    from quantize.data.corpora import choose_domains
    from quantize.data.features.cache import FeatureCache
    from quantize.measure.evaluate import check_features, language_ids, torch_runner
    from quantize.measure.scoring import score_segments
    from quantize.measure.windows import live_windows, picked

    chosen = run.held_out(clips)
    runner = dataclasses.replace(
        # Not even read: what was chosen before is about to be replaced.
        torch_runner(run, temperature=1.0),
        n_jobs=arguments.workers,
        cluster=arguments.cluster,
    )
    cache = FeatureCache(arguments.cache, runner.spec, cluster=arguments.cluster)
    check_features(runner, cache)
    rows = cache.load(clips, 0, arguments.workers)
    frames, hop = runner.window_frames, runner.window_hop
    # Fine enough for a file's segments and for a stream's.
    fine = math.gcd(file_hop(hop), hop)
    scored = score_segments(
        runner.infer,
        [rows[c.clip_id] for c in chosen],
        language_ids(chosen, "unknown", runner),
        window_frames=frames,
        **{**runner.scoring(), "window_hop": fine},
    )
    return _Fold(
        run,
        run.held_out_split(),
        chosen,
        [picked(each, frames, file_hop(hop)) for each in scored],
        live_windows(
            chosen,
            scored,
            frames,
            hop,
            domains=choose_domains(clips),
            labels=runner.labels,
        ),
    )


def _fit(folds: Sequence[_Fold]) -> float:
    """Choose a temperature on some folds."""
    import numpy as np

    from quantize.measure.temperature_fit import fit_temperature

    return fit_temperature(
        [each for fold in folds for each in fold.segments],
        np.concatenate([fold.truth for fold in folds]).tolist(),
        [c.corpus for fold in folds for c in fold.clips],
    )


def _keep(
    run: Run, temperature: float, folds: Sequence[_Fold], choice: Choice, facts: Facts
) -> None:
    """Keep in a run folder what some folds chose for it."""
    from quantize.runs.temperature import Tempering

    tempering = Tempering(
        temperature, tuple(fold.split.id for fold in folds), choice.abstention(facts)
    )
    run.keep(tempering, sum(len(fold.segments) for fold in folds))


def _facts(arguments: argparse.Namespace, folds: Sequence[_Fold]) -> Facts:
    from quantize.measure.crossfit import Facts
    from quantize.runs.provenance import commit

    words = ["edge-ser-quantize", "calibrate"]
    words += [*runs_words([fold.run.folder for fold in folds]), *corpora_words(len(arguments.data))]
    if arguments.corpora:
        words += ["--corpora", *arguments.corpora]
    recipe = _recipe(folds[0].run)
    return Facts(recipe, folds[0].split.name, shell_text(words), commit())


def _recipe(run: Run) -> str:
    """Name of a run's recipe, or of the folder that it is in."""
    return str(run.config.get("recipe") or run.folder.resolve().parent.name)


def _bar(choice: Choice) -> str:
    return "-" if choice.bar is None else f"{choice.bar:.2f}"


def _tell(chosen: Chosen) -> None:
    """Print what the folds answer at each other's bars."""
    answered, activation = chosen.figures["answered"], chosen.figures["activation"]
    lines = [["speakers never heard", "windows", "answered", "right", "activation UAR"]]
    parts = {**answered["by_corpus"], "mean": answered["mean"], "all windows": answered["pooled"]}
    # None where the labels tell neither an aroused voice nor a calm one.
    sides = {**activation["by_corpus"], "mean": activation["mean"]} if activation else {}
    for name, part in parts.items():
        side = sides.get(name)
        lines.append(
            [
                name,
                str(part["n"]),
                _spread(part, "coverage"),
                _spread(part, "accuracy"),
                _spread(side, "uar") if side else "-",
            ]
        )
    print()
    print("\n".join(aligned(lines)))


def _warn(chosen: Chosen) -> None:
    """Say where no bar does what is asked of it."""
    if chosen.together.bar is None:
        print(
            f"edge-ser-quantize: warning: at no bar are {100 * GOAL:.0f} % of what is answered "
            "right: the bar that artifacts get is 0, every label will be said",
            file=sys.stderr,
        )


def _spread(part: Mapping[str, Any], key: str) -> str:
    if part[key] is None:
        return "-"
    low, high = part[f"{key}_ci95"]
    return f"{100 * part[key]:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _report(
    chosen: Chosen, facts: Facts, folds: Sequence[_Fold], temperatures: Sequence[float]
) -> dict[str, Any]:
    from quantize.measure.abstention import Judged

    runs = [
        {
            "run": fold.run.folder.name,
            "split": fold.split.id,
            "split_fingerprint": fold.split.fingerprint,
            "temperature": temperature,
            "min_probability": choice.bar,
            "activation_scale": dataclasses.asdict(choice.scale),
        }
        for fold, temperature, choice in zip(folds, temperatures, chosen.folds, strict=True)
    ]
    files = Judged.pooled(
        [
            fold.files(temperature, choice.certain_bar)
            for fold, temperature, choice in zip(folds, temperatures, chosen.folds, strict=True)
        ]
    )
    about = {**dataclasses.asdict(facts), "runs": runs, **chosen.figures}
    return {**about, "files": files.figures(), "files_without_bar": files.at(0.0).figures()}
