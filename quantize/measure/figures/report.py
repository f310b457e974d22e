"""Figures of a report of ``evaluate --output`` as a manifest keeps them, and whose they are.

A manifest says of a model what was measured of this model.  Where nothing was held out of its
training, or folds tell more, runs of its recipe may stand in, and are called what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from edge.errors import how_many
from quantize.basics.errors import TrainingError
from quantize.basics.json_files import read_json_file
from quantize.runs.compared import shared_settings
from quantize.runs.run import Run

__all__ = ["REPORT_VERSION", "Reported", "report_figures"]

#: Of the reports that ``evaluate --output`` writes; the first ones did not tell whose they were.
REPORT_VERSION = 2

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Count = Annotated[int, msgspec.Meta(ge=1)]


class _Part(msgspec.Struct, frozen=True):
    """Figures of some clips."""

    n: _Count
    accuracy: _Share
    uar: _Share
    accuracy_ci95: tuple[_Share, _Share]
    uar_ci95: tuple[_Share, _Share]


class _OneRun(_Part, frozen=True):
    """Figures of one run, and what was measured."""

    run: str
    run_digest: str
    split: str
    split_fingerprint: str
    model_sha256: str | None
    temperature: float


class _Pooled(msgspec.Struct, frozen=True):
    by_corpus: dict[str, _Part]


class _Report(msgspec.Struct, frozen=True):
    schema_version: int
    kind: str
    language: str
    commit: str
    command: str
    settings: dict[str, Any]
    differing: list[str]
    runs: Annotated[list[_OneRun], msgspec.Meta(min_length=1)]
    pooled: _Pooled | None = None
    mean_accuracy: _Share | None = None
    sd_accuracy: _Share | None = None


class Reported(NamedTuple):
    """What a manifest gets of a report.

    ``entries`` are those of its ``accuracy``; ``model_sha256`` is of the artifact that was
    measured, where that was one of the very run.
    """

    entries: list[dict[str, Any]]
    model_sha256: str | None


def report_figures(path: Path, run: Run, kind: str) -> Reported:
    """Read a report for an artifact of a run, and refuse the figures of another model.

    Parameters
    ----------
    path : path
        Written by ``evaluate --output``.
    run : Run
        What is exported.
    kind : str
        As which kind of artifact.

    Raises
    ------
    TrainingError
        If the file is no such report, or of other models than the run and runs of its recipe.
    """
    # A run that held nothing out cannot be measured: others of its recipe stand in.
    whom = "FOLDS" if run.split is None else run.folder
    mend = f"edge-ser-quantize evaluate {whom} --data CORPORA --output {path} writes one"
    if run.split is None:
        mend += " of runs of its recipe and settings, each of a fold or a seed"
    version = read_json_file(path, _Version, "report of evaluate --output", mend).schema_version
    if version != REPORT_VERSION:
        raise TrainingError(
            f"{path} has the schema version {version}, {REPORT_VERSION} is wanted: it does not "
            f"tell whose figures it has; {mend}"
        )
    report = read_json_file(path, _Report, "report of evaluate --output", mend)
    _check_kind(path, report, kind)
    digests = [each.run_digest for each in report.runs]
    if len(set(digests)) != len(digests):
        raise TrainingError(f"{path} measures a run twice, whose mean is of fewer: {mend}")
    if digests == [run.digest]:
        _check_own(path, report.runs[0], run, mend)
        return Reported(list(_entries(report, "this model")), report.runs[0].model_sha256)
    _check_stand_ins(path, report, run, mend)
    return Reported(list(_entries(report, _stand_in(report, run))), None)


class _Version(msgspec.Struct):
    schema_version: int = 1


def _check_kind(path: Path, report: _Report, kind: str) -> None:
    if report.kind not in ("torch", kind):
        raise TrainingError(
            f"{path} has the figures of {report.kind}, those of {kind} or of torch are wanted: "
            f"measure it with --kind {kind}"
        )


def _check_own(path: Path, measured: _OneRun, run: Run, mend: str) -> None:
    """Refuse the run's own figures where the run was changed since."""
    split = run.split
    if split is None or measured.split_fingerprint != split.fingerprint:
        raise TrainingError(
            f"{path} was measured on {measured.split}, {run.folder} holds out "
            f"{split.id if split else 'nothing'}: {mend}"
        )
    if measured.temperature != run.temperature:
        raise TrainingError(
            f"{path} was measured at the temperature {measured.temperature:g}, {run.folder} has "
            f"{run.temperature:g} now: {mend}"
        )


def _check_stand_ins(path: Path, report: _Report, run: Run, mend: str) -> None:
    """Refuse runs that are not of the recipe, the settings and the rule that the run is of."""
    whose = ", ".join(f"{each.run} ({each.run_digest[:12]})" for each in report.runs)
    wanted = f"those of {run.name} ({run.digest[:12]}) are wanted"
    rules = {_rule(each.split) for each in report.runs}
    if len(rules) > 1:
        raise TrainingError(
            f"{path} has the figures of {whose} on {', '.join(sorted(rules))}: a mean over "
            f"different splits is none; {mend}"
        )
    if report.differing:
        raise TrainingError(
            f"{path} has the figures of {whose}, which were trained with different "
            f"{report.differing[0]}: the mean of two models is no model's; {mend}"
        )
    own, _ = shared_settings([run])
    for name in dict.fromkeys((*report.settings, *own)):
        theirs, ours = report.settings.get(name), _as_json(own.get(name))
        if theirs != ours:
            raise TrainingError(
                f"{path} has the figures of {whose}, whose {name} is {theirs!r} where "
                f"{run.name} has {ours!r}: {wanted}; {mend}"
            )
    if run.split is not None and run.digest not in [each.run_digest for each in report.runs]:
        raise TrainingError(
            f"{path} has the figures of {whose}: {wanted}, and it holds out clips to be measured "
            f"on; {mend}"
        )


def _rule(split: str) -> str:
    """A split's id without its seed and fold."""
    return re.sub(r"-s\d+(-f\d+)?$", "", split)


def _as_json(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def _stand_in(report: _Report, run: Run) -> str:
    """Whose the figures are, in words."""
    n = len(report.runs)
    if n == 1:
        return "another run of the recipe, not this model"
    how = f"{n} runs of the recipe pooled" if report.pooled else f"mean of {n} runs of the recipe"
    if run.digest in [each.run_digest for each in report.runs]:
        return f"{how}, this model among them"
    return f"{how}, not of this model"


def _entries(report: _Report, of: str) -> Iterator[dict[str, Any]]:
    runs = report.runs
    common = {
        "of": of,
        "command": report.command,
        "commit": report.commit,
        "kind": report.kind,
        "language": report.language,
    }
    if report.pooled:
        split = runs[0].split.rsplit("-f", 1)[0] + f", {how_many(len(runs), 'fold')}"
        for corpus, part in report.pooled.by_corpus.items():
            yield from _of_part(f"{split}, {corpus}", part, common)
    elif len(runs) == 1:
        yield from _of_part(runs[0].split, runs[0], common)
    elif report.mean_accuracy is not None and report.sd_accuracy is not None:
        yield {
            "split": ", ".join(each.split for each in runs),
            "metric": "accuracy (mean)",
            "value": report.mean_accuracy,
            "n": sum(each.n for each in runs),
            "sd": report.sd_accuracy,
            **common,
        }


def _of_part(split: str, part: _Part, common: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for metric in ("accuracy", "uar"):
        yield {
            "split": split,
            "metric": metric,
            "value": getattr(part, metric),
            "n": part.n,
            "ci95": list(getattr(part, f"{metric}_ci95")),
            **common,
        }
