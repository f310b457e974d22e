"""A whole run of the benchmark: the board's state around it, and what was asked for besides."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from edge.benchmark.board import Board, judge
from edge.benchmark.clips import Clips
from edge.benchmark.live import LEAST_S, listen_live
from edge.benchmark.report import Settings, measure
from edge.benchmark.stable_label import demo_turns, measure_stable_label, turns_of
from edge.benchmark.subjects import LeftOut, Subject
from edge.benchmark.sustained import measure_sustained
from edge.benchmark.workers import child_environment, open_worker
from edge.errors import ParameterError
from edge.machine.load import usable_cpus
from edge.machine.system import System
from edge.runtimes.open import open_model
from edge.stream.classifier import Classifier

__all__ = ["Wishes", "run_benchmark"]

# A run that is meant to be quick hears every turn once.
_QUICK_S = 10.0
_N_PHASES = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for besides.

    Parameters
    ----------
    live_s : float or None
        Seconds for which ``listen`` is watched.
    live_source : str or None
        As for :func:`edge.benchmark.live.listen_live`.
    sustained_s : float or None
        Seconds of hop after hop.
    """

    live_s: float | None = None
    live_source: str | None = None
    sustained_s: float | None = None

    def __post_init__(self) -> None:
        if self.live_s is not None and not self.live_s >= LEAST_S:
            raise ParameterError(
                f"live listening is watched for {self.live_s:g} s, {LEAST_S:g} s or more is wanted"
            )


def run_benchmark(
    subjects: Sequence[Subject],
    settings: Settings,
    wishes: Wishes,
    system: System,
    left_out: Iterable[LeftOut] = (),
    clips: Clips | None = None,
    progress: Callable[[str], object] = lambda _: None,
    warn: Callable[[str], object] = lambda _: None,
) -> dict[str, Any]:
    """Measure all that was asked for.

    Parameters
    ----------
    subjects, settings, left_out, clips, progress, warn
        As for :func:`edge.benchmark.report.measure`.
    wishes : Wishes
    system : System
        The device.

    Returns
    -------
    dict
        The report.  ``state`` is of all but ``sustained``, which is meant to warm the board up and
        has a state of its own.

    Raises
    ------
    EdgeSerError
        As :func:`~edge.benchmark.report.measure` and :func:`~edge.benchmark.live.listen_live`.
    """
    board = Board(system)
    before = board.read()
    report = measure(subjects, settings, left_out, clips, progress, warn)
    pairs = list(zip(subjects, report["artifacts"], strict=True))
    for subject, told in pairs:
        progress(f"timing the label of {subject.name}")
        told["stable_label"] = _stable_label(subject, settings, clips)
        if wishes.live_s is not None:
            progress(f"listening with {subject.name} for {wishes.live_s:g} s")
            told["live"] = listen_live(
                subject.artifact.path.resolve(),
                subject.backend,
                system,
                duration_s=wishes.live_s,
                source=wishes.live_source,
                environ=child_environment(settings.n_threads),
            )
    after = board.read()
    report["state"] = judge(before, after)
    for subject, told in pairs if wishes.sustained_s is not None else ():
        sustained = _sustained(subject, settings, wishes.sustained_s or 0.0, system, progress)
        before, after = after, board.read()
        told["sustained"] = {**sustained, "state": judge(before, after)}
    return report


def _stable_label(subject: Subject, settings: Settings, clips: Clips | None) -> dict[str, Any]:
    classifier = Classifier(subject.artifact, open_model(subject.artifact))
    sample_rate = classifier.spec.sample_rate
    n_phases = _N_PHASES if settings.duration_s >= _QUICK_S else 1
    turns = turns_of([clip.path for clip in clips.clips], sample_rate) if clips else []
    if turns:
        return measure_stable_label(classifier, turns, "clips of --audio", n_phases)
    return measure_stable_label(classifier, demo_turns(sample_rate), n_phases=n_phases)


def _sustained(
    subject: Subject,
    settings: Settings,
    duration_s: float,
    system: System,
    progress: Callable[[str], object],
) -> dict[str, Any]:
    worker = open_worker(subject, settings.n_threads)

    def hops(bucket_s: float) -> list[float]:
        return worker.round(bucket_s, 1, only_hops=True)["hop.whole_ms"]

    try:
        # Caches, buffers and clock speed are no drift.
        worker.round(0.0, settings.n_warm_up, only_hops=True)
        return measure_sustained(hops, system, duration_s, cpus=usable_cpus(), progress=progress)
    finally:
        worker.close()
