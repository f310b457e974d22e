"""Parity of artifacts: the same segments through every one of them, and through torch.

All run interleaved in one process, so that their times can be compared, and once more in another
order: a runtime that carries a state from one segment into the next answers otherwise then.

A recipe's tolerance is that of a model that tells segments apart.  One of two epochs says nearly
the same of all: there the same rounding moves posteriors less and labels more often, so that both
are judged by how far torch's posteriors move from segment to segment.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.arrays import softmax
from edge.artifact import read_artifact
from edge.errors import ParameterError
from quantize.basics.errors import RecipeError
from quantize.basics.timing import interleave
from quantize.data.features.segments import SegmentSet
from quantize.export.rounding.load import load_rounding_recipe
from quantize.measure.evaluate import Runner, artifact_runner

__all__ = ["MAX_ORDER_DIFFERENCE", "Candidate", "Parity", "compare_artifacts", "read_candidate"]

#: Largest difference of a posterior between two orders of the segments. A runtime may choose other
#: kernels for what it has warmed up; a state that leaks is a thousand times as much.
MAX_ORDER_DIFFERENCE = 1e-5

#: No tolerance makes two labels a near tie that are further apart than this share of how far
#: torch's posteriors move: that of the coarsest recipe here.
_MAX_NEAR_TIE = 0.2


@dataclasses.dataclass(frozen=True)
class Candidate:
    """An artifact, loaded, with what it may differ from torch by.

    Parameters
    ----------
    path : path
    runner : Runner
    model_bytes : int
    recipe : str
        The quantization recipe.
    max_difference : float
        Of a posterior from torch's.
    min_agreement : float
        Share of segments with torch's label, near ties left aside.
    scales : bool
        Whether `max_difference` is a share of how far torch's posteriors move from segment to
        segment, as a recipe's is.
    """

    path: Path
    runner: Runner
    model_bytes: int
    recipe: str
    max_difference: float
    min_agreement: float
    scales: bool = False


@dataclasses.dataclass(frozen=True)
class Parity:
    """How an artifact compares with torch; ``to_dict`` gives stable keys.

    Parameters
    ----------
    name : str
        The artifact's folder.
    recipe : str
    model_bytes : int or None
        None for torch itself.
    max_difference, mean_difference : float
        Of the largest difference of each segment's posterior from torch's.
    allowed_difference : float or None
        What `max_difference` may be; None for torch itself.
    agreement : float
        Share of segments with torch's label.
    n_near_ties : int
        Segments with another label than torch's which torch itself holds for nearly as likely: they
        are no failure.
    order_difference : float
        Largest difference of a posterior when the segments come in another order.
    median_ms, p90_ms : float
        Processor time of one segment, one at a time: the latency where nothing else runs.
    speedup : float
        torch's median time by this one's.
    failures : tuple of str
        What is beyond the tolerance; empty when nothing is.
    """

    name: str
    recipe: str
    model_bytes: int | None
    max_difference: float
    mean_difference: float
    allowed_difference: float | None
    agreement: float
    n_near_ties: int
    order_difference: float
    median_ms: float
    p90_ms: float
    speedup: float
    failures: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**dataclasses.asdict(self), "failures": list(self.failures)}


def read_candidate(
    path: Path,
    reference: Runner,
    max_difference: float | None = None,
    min_agreement: float | None = None,
) -> Candidate:
    """Load an artifact and look up its recipe's tolerance, unless one is given.

    Raises
    ------
    ParameterError
        If it is not of the reference's features and normalisation.
    RecipeError
        If its recipe is none of this package's and no tolerance is given.
    EdgeSerError
        If the artifact or its runtime cannot be used.
    """
    manifest = read_artifact(path).manifest
    recipe = manifest.quantization.recipe
    scales = max_difference is None
    if max_difference is None or min_agreement is None:
        try:
            known = load_rounding_recipe(recipe)
        except RecipeError as error:
            raise RecipeError(
                f"{path} was made by the recipe {recipe!r}, which is none of this package's: say "
                "with --max-difference and --min-agreement what it may differ by"
            ) from error
        max_difference = known.max_difference if max_difference is None else max_difference
        min_agreement = known.min_agreement if min_agreement is None else min_agreement
    runner = artifact_runner(path)
    if runner.labels != reference.labels:
        raise ParameterError(
            f"{path} tells apart {', '.join(runner.labels)}, the reference "
            f"{', '.join(reference.labels)}: name the run that it was exported from with --run"
        )
    same = (
        runner.spec.fingerprint == reference.spec.fingerprint
        and np.array_equal(runner.mean, reference.mean)
        and np.array_equal(runner.std, reference.std)
    )
    if not same:
        raise ParameterError(
            f"{path} has other features or another normalisation than the reference: it was not "
            "exported from this run, name the run that it comes from with --run"
        )
    return Candidate(
        path,
        runner,
        manifest.model_bytes,
        recipe,
        float(max_difference),
        float(min_agreement),
        scales,
    )


def compare_artifacts(
    reference: Runner, candidates: Sequence[Candidate], segments: SegmentSet, *, seed: int = 0
) -> list[Parity]:
    """Run the segments through torch and every candidate, one at a time.

    Parameters
    ----------
    reference : Runner
        torch fp32.
    candidates : sequence of Candidate
    segments : SegmentSet
    seed : int
        Of the second order.

    Returns
    -------
    list of Parity
        The reference first.
    """
    rows = reference.normalised(segments.rows)
    runners = [reference, *(c.runner for c in candidates)]
    order = np.random.default_rng(seed).permutation(len(rows))
    forward, times_s = _replay(runners, rows, np.arange(len(rows)))
    shuffled, _ = _replay(runners, rows, order)
    torch_ms = 1000 * float(np.median(times_s[0]))
    found = []
    for at, runner in enumerate(runners):
        # All at the temperature that the device will use.
        temperature = candidates[at - 1].runner.temperature if at else runner.temperature
        posterior = _posterior(forward[at], temperature)
        wanted = _posterior(forward[0], temperature)
        again = _posterior(shuffled[at], temperature)
        reach = _reach(wanted)
        differences = np.abs(posterior - wanted).max(axis=1)
        ms = 1000 * times_s[at]
        candidate = candidates[at - 1] if at else None
        parity = Parity(
            name=candidate.path.name if candidate else "torch",
            recipe=candidate.recipe if candidate else "fp32",
            model_bytes=candidate.model_bytes if candidate else None,
            max_difference=_finite(differences.max()),
            mean_difference=_finite(differences.mean()),
            allowed_difference=_allowed(candidate, reach) if candidate else None,
            agreement=float((posterior.argmax(axis=1) == wanted.argmax(axis=1)).mean()),
            n_near_ties=_n_near_ties(posterior, wanted, candidate, reach) if candidate else 0,
            order_difference=_finite(np.abs(again - posterior).max()),
            median_ms=float(np.median(ms)),
            p90_ms=float(np.percentile(ms, 90)),
            speedup=torch_ms / float(np.median(ms)),
            failures=(),
        )
        if candidate:
            failures = _failures(parity, candidate, len(rows))
            parity = dataclasses.replace(parity, failures=failures)
        found.append(parity)
    return found


def _replay(
    runners: Sequence[Runner], rows: NDArray[np.float32], order: NDArray[np.int64]
) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
    """Logits by runner, (n_segments, n_labels) in the segments' own order, and seconds of each."""
    logits: list[list[Any]] = [[None] * len(rows) for _ in runners]

    def run(at: int, place: int) -> None:
        number = order[place]
        logits[at][number] = runners[at].infer(rows[number][None], runners[at].unknown)[0]

    calls = [functools.partial(run, at) for at in range(len(runners))]
    # Not the clock on the wall, which comes second: on a shared machine it tells of others.
    seconds = interleave(calls, len(order), "segments")[0]
    return [np.array(each, dtype=np.float64) for each in logits], seconds


def _posterior(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Softmax, NaN where a runtime gave no number."""
    found = np.full(logits.shape, np.nan)
    whole = np.isfinite(logits).all(axis=1)
    if whole.any():
        found[whole] = softmax(logits[whole], temperature)
    return found


def _reach(posterior: NDArray[np.float64]) -> float:
    """How far one label's probability ever is from its mean over the segments, 0 to 1."""
    return float(np.abs(posterior - posterior.mean(axis=0)).max())


def _allowed(candidate: Candidate, reach: float) -> float:
    """What a posterior may differ by."""
    return candidate.max_difference * (reach if candidate.scales else 1.0)


def _n_near_ties(
    posterior: NDArray[np.float64], wanted: NDArray[np.float64], candidate: Candidate, reach: float
) -> int:
    """Count other labels that torch holds for nearly as likely as its own."""
    answered = np.take_along_axis(wanted, posterior.argmax(axis=1)[:, None], axis=1)[:, 0]
    lost = wanted.max(axis=1) - answered
    other = posterior.argmax(axis=1) != wanted.argmax(axis=1)
    whole = np.isfinite(posterior).all(axis=1)
    near = min(candidate.max_difference, _MAX_NEAR_TIE) * reach
    return int((other & whole & (lost <= near)).sum())


def _failures(parity: Parity, candidate: Candidate, n_segments: int) -> tuple[str, ...]:
    found = []
    allowed = parity.allowed_difference or 0.0
    if not parity.max_difference <= allowed:
        found.append(
            f"a posterior is {parity.max_difference:.2g} away from torch's, at most "
            f"{allowed:.2g} is allowed"
        )
    n_fine = round(parity.agreement * n_segments) + parity.n_near_ties
    if n_fine / n_segments < candidate.min_agreement:
        found.append(
            f"{100 * parity.agreement:.1f} % of the labels are torch's and "
            f"{100 * parity.n_near_ties / n_segments:.1f} % near ties, together at least "
            f"{100 * candidate.min_agreement:.1f} % are wanted"
        )
    if not parity.order_difference <= MAX_ORDER_DIFFERENCE:
        found.append(
            f"a posterior changes by {parity.order_difference:.2g} when the segments come in "
            "another order: the runtime carries a state from one to the next"
        )
    return tuple(found)


def _finite(value: Any) -> float:
    """JSON has no NaN: what cannot be compared is as far away as can be."""
    return float(value) if np.isfinite(value) else 1.0
