"""``edge-ser-quantize evaluate --protocol``: all protocols but whole, clean utterances.

Imported when it runs: it needs torch.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from edge.errors import ParameterError, how_many
from quantize.basics.files import write_json
from quantize.basics.progress import progress_note
from quantize.commands.conditions import conditions_of, left_out_of
from quantize.commands.runs import are_folds, measure_runs, report_of, runner_of, write_report
from quantize.data.corpora import Clip
from quantize.data.features.cache import FeatureCache
from quantize.data.sound.recordings import sounds_of
from quantize.data.splits import common_labels
from quantize.measure.evaluate import Runner, check_features
from quantize.measure.protocols.conditions import CLEAN
from quantize.measure.protocols.noise import utterance_trials
from quantize.measure.protocols.reference import NO_REFERENCE, reference_trials
from quantize.measure.protocols.segments import WINDOWS_S, segment_trials, speech_told_by
from quantize.measure.protocols.tables import (
    lost_table,
    mean_conditions,
    noise_table,
    reference_table,
    segments_table,
    speech_table,
    worst_first,
)
from quantize.measure.protocols.trials import Trials
from quantize.runs.run import Run

__all__ = ["evaluate_protocol"]


def evaluate_protocol(arguments: argparse.Namespace) -> int:
    """Measure the runs by ``arguments.protocol`` and print one table."""
    left_out = left_out_of(arguments)
    for name, why in left_out.items():
        progress_note(f"edge-ser-quantize: {name} is left out: {why}")
    parts, results = measure_runs(arguments, _one_run)
    report = {"protocol": arguments.protocol, **report_of(arguments, results)}
    title, shown = f"run {results[0]['run']}", results[0]["conditions"]
    if are_folds([r["split"] for r in results]):
        pooled = {name: Trials.pooled([p[name] for p in parts]) for name in parts[0]}
        title, shown = f"{how_many(len(results), 'fold')} pooled", _figures(pooled)
        report["pooled"] = {"conditions": shown}
    elif len(results) > 1:
        title = f"mean ± sd of {len(results)} runs"
        shown = mean_conditions([r["conditions"] for r in results])
        report["mean"] = {"conditions": shown}
    if arguments.protocol == "conditions":
        report |= {"left_out": left_out, "worst_first": worst_first(shown)}
    splits = ", ".join(r["split"] for r in results)
    if not arguments.json:
        print(f"{title}; split {splits}; {arguments.kind}, corpus {arguments.corpus}\n")
        if arguments.protocol == "segments":
            print(segments_table(shown))
            print(f"\n{speech_table(shown, results[0]['speech_told_by'])}")
        elif arguments.protocol == "reference":
            print(reference_table(shown))
        elif arguments.protocol == "conditions":
            print(lost_table(shown))
        else:
            print(noise_table(shown))
    write_report(arguments, report)
    return 0


def _one_run(
    run: Run, clips: list[Clip], arguments: argparse.Namespace
) -> tuple[dict[str, Trials], dict[str, Any]]:
    split, chosen = run.held_out_split(), _only(run.held_out(clips), arguments.only_corpora)
    runner = runner_of(run, arguments.kind, arguments.workers, arguments.cluster)
    labels = common_labels(split, clips, runner.labels)
    sounds = sounds_of(arguments.sounds, measuring=True)
    cache = FeatureCache(arguments.cache, runner.spec, cluster=arguments.cluster, sounds=sounds)
    check_features(runner, cache)
    rows = cache.load(clips, 0, arguments.workers)
    held_out = _HeldOut(runner, chosen, rows, labels, cache, arguments)
    trials = _MEASURES[arguments.protocol](held_out)
    figures = _figures(trials)
    result = {
        "run": run.folder.name,
        "run_digest": run.digest,
        "split": split.id,
        "split_fingerprint": split.fingerprint,
        "model_sha256": runner.model_sha256,
        "answers": list(labels),
        **({"only_corpora": arguments.only_corpora} if arguments.only_corpora else {}),
        "conditions": figures,
    }
    if arguments.protocol == "segments":
        result["speech_told_by"] = speech_told_by(runner)
    if arguments.protocol == "conditions":
        result["worst_first"] = worst_first(figures)
    name = f"{arguments.protocol}-{arguments.kind}-{arguments.corpus}"
    try:
        write_json(run.files.protocol(name), result)
    except OSError as error:
        progress_note(
            f"edge-ser-quantize: {run.folder} takes no figures ({error.strerror or error}): "
            "--output FILE writes them elsewhere"
        )
    return trials, result


def _only(clips: list[Clip], corpora: list[str]) -> list[Clip]:
    """Clips of some corpora, of all where none is named."""
    found = {clip.corpus for clip in clips}
    if missing := [name for name in corpora if name not in found]:
        raise ParameterError(
            f"--only-corpora names {missing[0]}, of which no clip is held out: "
            f"{', '.join(sorted(found))} are"
        )
    return [clip for clip in clips if not corpora or clip.corpus in corpora]


@dataclasses.dataclass(frozen=True)
class _HeldOut:
    """What a protocol measures on, and by what."""

    runner: Runner
    clips: list[Clip]
    rows: Mapping[str, NDArray[Any]]
    labels: tuple[str, ...]
    cache: FeatureCache
    arguments: argparse.Namespace

    @property
    def asked(self) -> dict[str, Any]:
        """What the model is told, and what it may answer."""
        return {"language": self.arguments.corpus, "labels": self.labels}


def _segments(held_out: _HeldOut) -> dict[str, Trials]:
    each = (held_out.runner, held_out.clips, held_out.rows)
    return {
        f"{window_s} s": segment_trials(*each, window_s, **held_out.asked) for window_s in WINDOWS_S
    }


def _noise(held_out: _HeldOut) -> dict[str, Trials]:
    runner, clips, arguments = held_out.runner, held_out.clips, held_out.arguments
    trials = {CLEAN: utterance_trials(runner, clips, held_out.rows, **held_out.asked)}
    for condition in conditions_of(arguments):
        noisy = held_out.cache.load_condition(clips, condition, arguments.workers)
        trials[condition] = utterance_trials(runner, clips, noisy, **held_out.asked)
    return trials


def _reference(held_out: _HeldOut) -> dict[str, Trials]:
    return reference_trials(held_out.runner, held_out.clips, held_out.rows, **held_out.asked)


_MEASURES = {
    "segments": _segments,
    "noise": _noise,
    "conditions": _noise,
    "reference": _reference,
}


def _figures(trials: Mapping[str, Trials]) -> dict[str, Any]:
    clean = trials.get(CLEAN, trials.get(NO_REFERENCE))
    return {name: each.figures(None if each is clean else clean) for name, each in trials.items()}
