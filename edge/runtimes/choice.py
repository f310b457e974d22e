"""Which of several kinds of one model is opened: the one road behind Python and the commands."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

from edge.artifact import Artifact
from edge.errors import BackendError, EdgeSerError, ParameterError, shown
from edge.runtimes.base import Model
from edge.runtimes.kinds import Kind, kinds_of
from edge.runtimes.registry import AUTO, RUNTIMES, known_runtimes

__all__ = ["Choice", "open_artifact"]

# A backend that is less than this part faster than NumPy is not worth another package.
_TIE = 0.1


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """An artifact, opened.

    Parameters
    ----------
    artifact : Artifact
    model : Model
    reason : str or None
        What was picked and why, in one line; None where there was nothing to choose.
    """

    artifact: Artifact
    model: Model
    reason: str | None


def open_artifact(
    source: str | os.PathLike[str] | None = None,
    backend: str | None = None,
    *,
    attentive: bool = False,
    trust_bundled: bool = False,
) -> Choice:
    """Find a model, pick the kind of it that shall run here, and open it.

    Parameters
    ----------
    source : path, optional
        An artifact, or a folder of artifacts of one model, or the name of a bundled one; None:
        those of the bundled default.
    backend : str, optional
        The one backend that may be picked; :data:`~edge.runtimes.registry.AUTO`: the fastest that
        works on this device; None: NumPy's if there is one, else the only one.
    attentive : bool
        Prefer NumPy's, which tells what it attends to.
    trust_bundled : bool
        Do not try a bundled artifact that is named first.

    Returns
    -------
    Choice
        With AUTO: within 10 % of the fastest, NumPy's is picked; among those of one backend, the
        one with the most exact weights.

    Raises
    ------
    ParameterError
        If there is no backend of that name, or ``source`` is empty.
    EdgeSerError
        If there is one artifact and it cannot be used: what :func:`~edge.artifact.read_artifact`,
        :func:`~edge.runtimes.open.open_model` or the process that tried it had to say.
    ArtifactError
        If the artifacts are of different models, or several might be meant.
    BackendError
        If there are several and none can be used, or what there is is a program that was not
        asked for by name.

    Notes
    -----
    A runtime other than NumPy is first tried in a process of its own, where an illegal
    instruction, a lack of memory or a hostile file ends nothing else; one whose package is not
    installed is passed over without.  Where only NumPy is left, nothing is tried and nothing is
    timed.
    """
    known = isinstance(backend, str) and (backend == AUTO or backend in RUNTIMES)
    if backend is not None and not known:
        raise ParameterError(
            f"backend is {shown(backend)}, {AUTO} or one of {known_runtimes()} is wanted"
        )
    candidates, is_bundled = kinds_of(source, backend)
    if attentive:
        candidates = [c for c in candidates if c.is_numpy] or candidates
    is_trusted = is_bundled and trust_bundled and backend != AUTO
    _try_all(candidates, is_trusted=is_trusted, is_auto=backend == AUTO)
    for candidate in _best_first([c for c in candidates if not c.error]):
        try:
            return _chosen(candidate, candidates, backend)
        except EdgeSerError as error:
            candidate.fail(error)
    errors = [c.error for c in candidates if c.error is not None]
    if len(errors) == 1:
        raise errors[0]
    problems = "; ".join(f"{_name(c, candidates)} {c.problem}" for c in candidates)
    raise BackendError(f"none of {len(candidates)} artifacts can be used: {problems}")


def _try_all(candidates: Sequence[Kind], *, is_trusted: bool, is_auto: bool) -> None:
    """Try what is not NumPy's, and time what has rivals."""
    has_numpy = any(c.is_numpy and not c.error for c in candidates)
    for candidate in candidates:
        if not (candidate.is_numpy or candidate.error or is_trusted):
            _try(candidate, is_needed=not (is_auto and has_numpy))
    working = [c for c in candidates if not c.error]
    if len(working) > 1:
        for candidate in working:
            if candidate.ms is None:
                _time(candidate)


def _try(candidate: Kind, *, is_needed: bool) -> None:
    # It brings subprocess along, which the default way does without.
    from edge.runtimes.probe import can_try, try_artifact

    assert candidate.artifact is not None
    if not RUNTIMES[candidate.backend].is_installed:
        candidate.fail(RUNTIMES[candidate.backend].missing(), "is not installed")
    elif can_try():
        trial = try_artifact(candidate.artifact)
        candidate.ms = trial.ms
        if trial.error is not None:
            candidate.fail(trial.error, trial.problem)
    elif not is_needed:
        sentence = "cannot be tried: this program is frozen and starts no Python"
        candidate.fail(BackendError(f"{candidate.folder} {sentence}"), sentence)


def _time(candidate: Kind) -> None:
    from edge.runtimes.timing import time_model

    try:
        candidate.model = candidate.open()
        assert candidate.artifact is not None
        candidate.ms = time_model(candidate.artifact, candidate.model)
    except EdgeSerError as error:
        candidate.fail(error)


def _best_first(working: Sequence[Kind]) -> list[Kind]:
    """Fastest first; those within a tenth of it by NumPy, then by exactness."""
    if len(working) < 2:
        return list(working)
    fastest_ms = min(c.ms or 0.0 for c in working)

    def order(candidate: Kind) -> tuple[float, bool, int, float]:
        ms = candidate.ms or 0.0
        if ms > (1 + _TIE) * fastest_ms:
            return (ms, False, 0, ms)
        return (fastest_ms, not candidate.is_numpy, -candidate.weight_bits, ms)

    return sorted(working, key=order)


def _chosen(candidate: Kind, candidates: Sequence[Kind], backend: str | None) -> Choice:
    assert candidate.artifact is not None
    model = candidate.model or candidate.open()
    if len(candidates) == 1 or backend is None:
        return Choice(candidate.artifact, model, None)
    others = []
    for other in candidates:
        if other is candidate:
            continue
        told = other.problem or (f"{_ms(other.ms)} ms" if other.ms is not None else "")
        others.append(f"{_name(other, candidates)} {told}")
    parts = [f"{_ms(candidate.ms)} ms a window"] if candidate.ms is not None else []
    kind = "backend" if _are_told_apart(candidates) else "artifact"
    reason = f"{kind} {_name(candidate, candidates)}: {', '.join(parts + others)}"
    times = [c.ms for c in candidates if c.ms is not None and not c.error]
    if candidate.ms is not None and candidate.ms > min(times):
        reason += f"; less than {100 * _TIE:.0f} % apart is a tie"
    return Choice(candidate.artifact, model, reason)


def _ms(ms: float | None) -> str:
    return f"{ms:.2g}" if ms is not None and ms < 10 else f"{ms:.0f}"


def _are_told_apart(candidates: Sequence[Kind]) -> bool:
    return len({c.backend for c in candidates}) == len(candidates)


def _name(candidate: Kind, candidates: Sequence[Kind]) -> str:
    return candidate.backend if _are_told_apart(candidates) else candidate.folder.name
