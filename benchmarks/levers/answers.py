"""What the trained models said of validation clips: a file, and the figures that come of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.levers.arrays import reading, write_arrays
from benchmarks.levers.levers import BASES, REFERENCES, SCORED, protocol_of
from edge.errors import ParameterError
from quantize.data.corpora.contents import file_digest
from quantize.measure.bootstrap import accuracy, drawn_speakers, spread, uar

__all__ = ["ALL_TOGETHER", "MEMBERS", "Fold", "Run", "figures", "read_answers", "write_answers"]

#: The mean posterior of all trainings of a fold.
ALL_TOGETHER = "all-together"

#: What these have on average, each for itself.
MEMBERS = "members"

_METRICS = {"speaker-5fold": uar, "paper": accuracy}
_PARTS = ("names", "corpora", "speakers", "labels")

#: Table of a figure and its draws: (1 + n_draws, n_corpora).
_Draws = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fold:
    """Answers to the validation clips of a fold.

    Parameters
    ----------
    number : int
    names : list of str
        The trainings, by the names of :data:`benchmarks.levers.levers.LEVERS`.
    corpora, speakers : str [shape=(n_clips,)]
    labels : int64 [shape=(n_clips,)]
    posteriors : mapping of str to float [shape=(n_names, n_clips, n_labels)]
        Means over a clip's windows, by the reference for the voice.
    """

    number: int
    names: list[str]
    corpora: NDArray[np.str_]
    speakers: NDArray[np.str_]
    labels: NDArray[np.int64]
    posteriors: Mapping[str, NDArray[np.floating]]


@dataclass(frozen=True, slots=True)
class Run:
    """Trainings that went side by side.

    Parameters
    ----------
    about : mapping
        ``epochs``, and whatever else is to stand beside the figures.
    folds : list of Fold
    digest : str
        Of the file that it came from.
    """

    about: Mapping[str, Any]
    folds: list[Fold]
    digest: str = ""


def write_answers(path: Path, run: Run) -> None:
    """Write a run as an NPZ file, whole or not at all."""
    arrays: dict[str, Any] = {"about": np.array(json.dumps(dict(run.about)))}
    for fold in run.folds:
        for part in _PARTS:
            arrays[f"{fold.number} {part}"] = np.asarray(getattr(fold, part))
        for reference, posteriors in fold.posteriors.items():
            arrays[f"{fold.number} {reference}"] = posteriors.astype(np.float16)
    write_arrays(path, arrays)


def read_answers(path: Path) -> Run:
    """Read what :func:`write_answers` wrote.

    Raises
    ------
    ParameterError
        If it is no such file.
    """
    with reading(path, "answers of validation clips", "train PACKED --out FILE") as arrays:
        about = json.loads(str(arrays.pop("about")))
        numbers = sorted({int(name.split(" ")[0]) for name in arrays})
        folds = [_fold(number, arrays) for number in numbers]
    return Run(about, folds, file_digest(path))


def _fold(number: int, arrays: Mapping[str, NDArray[Any]]) -> Fold:
    names, corpora, speakers, labels = (arrays[f"{number} {part}"] for part in _PARTS)
    posteriors = {name: arrays[f"{number} {name}"] for name in REFERENCES}
    shapes = {p.shape[:2] for p in posteriors.values()}
    if shapes != {(len(names), len(labels))} or not len(corpora) == len(speakers) == len(labels):
        raise ValueError(f"the arrays of fold {number} do not fit together")
    return Fold(number, names.tolist(), corpora, speakers, labels.astype(np.int64), posteriors)


def figures(run: Run) -> dict[str, Any]:
    """What every training got right, pooled over the folds of its split.

    Returns
    -------
    dict
        ``protocols`` by name: ``metric``, ``corpora`` (number of clips and speakers) and
        ``levers``, by name, then reference, then corpus: the metric, ``points`` that it is above
        the base with the same reference, and 95 % intervals of both over speakers.  Of all
        together ``above_members``, too.
    """
    told = {}
    for protocol in dict.fromkeys(protocol_of(fold.number) for fold in run.folds):
        folds = [fold for fold in run.folds if protocol_of(fold.number) == protocol]
        told[protocol] = _protocol_figures(protocol, folds)
    return {**run.about, "answers_sha256": run.digest, "protocols": told}


def _protocol_figures(protocol: str, folds: Sequence[Fold]) -> dict[str, Any]:
    metric = _METRICS[protocol].__name__
    names = folds[0].names
    if any(fold.names != names for fold in folds):
        raise ParameterError(
            f"the folds of {protocol} are not of the same trainings: train all of them in one run"
        )
    corpora = np.concatenate([fold.corpora for fold in folds])
    speakers = np.concatenate([fold.speakers for fold in folds])
    present = [corpus for corpus in SCORED if (corpora == corpus).any()]
    bases = [name for name in BASES[protocol] if name in names]
    if not bases:
        raise ParameterError(
            f"none of the trainings {', '.join(names)} of {protocol} is a base to compare them "
            f"with: train {BASES[protocol][0]} beside them"
        )
    levers: dict[str, dict[str, Any]] = {}
    for reference in REFERENCES:
        draws = dict(_drawn(protocol, folds, reference, present))
        draws[MEMBERS] = np.mean([draws[name] for name in names], axis=0)
        base = np.mean([draws[name] for name in bases], axis=0)
        for name, table in draws.items():
            row = levers.setdefault(name, {}).setdefault(reference, {})
            for at, corpus in enumerate(present):
                row[corpus] = {
                    **_rounded(metric, table[:, at]),
                    **_rounded("points", table[:, at] - base[:, at]),
                }
                if name == ALL_TOGETHER:
                    above = table[:, at] - draws[MEMBERS][:, at]
                    row[corpus].update(_rounded("above_members", above))
    return {
        "metric": metric,
        "corpora": {
            corpus: {
                "n_clips": int((corpora == corpus).sum()),
                "n_speakers": len(np.unique(speakers[corpora == corpus])),
            }
            for corpus in present
        },
        "levers": levers,
    }


def _drawn(
    protocol: str, folds: Sequence[Fold], reference: str, present: Sequence[str]
) -> Iterator[tuple[str, _Draws]]:
    """Figures of every training and of all together, and of bootstraps over speakers."""
    names = folds[0].names
    keep = [np.isin(fold.corpora, present) for fold in folds]
    labels = np.concatenate([fold.labels[k] for fold, k in zip(folds, keep, strict=True)])
    corpora = np.concatenate([fold.corpora[k] for fold, k in zip(folds, keep, strict=True)])
    speakers = np.concatenate([fold.speakers[k] for fold, k in zip(folds, keep, strict=True)])
    of = np.array([present.index(corpus) for corpus in corpora], dtype=np.int64)
    said = [fold.posteriors[reference][:, k] for fold, k in zip(folds, keep, strict=True)]
    posteriors = np.concatenate(said, axis=1).astype(np.float64)
    n_labels = posteriors.shape[2]
    told = np.zeros((len(present), n_labels), dtype=bool)
    told[of, labels] = True
    there = np.eye(n_labels)[labels]
    for number, name in enumerate([*names, ALL_TOGETHER]):
        mine = posteriors[number] if number < len(names) else posteriors.mean(axis=0)
        # Nobody is asked for an emotion that a corpus does not have.
        answers = np.where(told[of], mine, -1.0).argmax(axis=1)
        counts = np.concatenate([there, there * (answers == labels)[:, None]], axis=1)
        table = drawn_speakers(counts, of, speakers)[2]
        yield name, _METRICS[protocol](table[..., :n_labels], table[..., n_labels:])


def _rounded(name: str, values: NDArray[np.float64]) -> dict[str, Any]:
    """As :func:`quantize.measure.bootstrap.spread`, in as many digits as mean anything."""
    return {
        key: [round(v, 4) for v in value] if isinstance(value, list) else round(value, 4)
        for key, value in spread(name, values).items()
    }
