"""Which of several artifacts of one model this device runs best, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from edge.artifact import MANIFEST_FILE, Artifact, read_artifact
from edge.errors import ArtifactError, BackendError, EdgeSerError, ParameterError
from edge.runtimes.base import Model
from edge.runtimes.open import open_model
from edge.runtimes.registry import AUTO, RUNTIMES, known_runtimes

__all__ = ["Choice", "choose_backend", "find_artifacts"]

# A backend that is less than this part faster than NumPy is not worth another package.
_TIE = 0.1


@dataclasses.dataclass(frozen=True)
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


@dataclasses.dataclass
class _Candidate:
    folder: Path
    artifact: Artifact | None = None
    ms: float | None = None
    problem: str | None = None
    error: EdgeSerError | None = None
    model: Model | None = None

    @property
    def backend_name(self) -> str:
        return self.artifact.manifest.backend if self.artifact else self.folder.name

    @property
    def is_numpy(self) -> bool:
        return self.artifact is not None and self.artifact.manifest.backend == "numpy"

    def fail(self, error: EdgeSerError, problem: str | None = None) -> None:
        self.error, self.problem = error, problem or f"fails: {error}"


def choose_backend(
    folders: Sequence[Path], backend: str = AUTO, *, attentive: bool = False
) -> Choice:
    """Pick the fastest artifact that works on this device, and open it.

    A runtime other than NumPy is first tried in a process of its own, where an illegal
    instruction or a lack of memory ends nothing else; one whose package is not installed is
    passed over without.  Where only NumPy is left, nothing is tried and nothing is timed.

    Parameters
    ----------
    folders : sequence of path
        Artifacts of one model; one or more.
    backend : str
        :data:`AUTO`, or the one backend that may be picked.
    attentive : bool
        Prefer NumPy's, which tells what it attends to.

    Returns
    -------
    Choice
        Within 10 % of the fastest, NumPy's is picked; among those of one backend, the one with
        the most exact weights.

    Raises
    ------
    ParameterError
        If there is no backend of that name, or no folder.
    EdgeSerError
        If there is one artifact and it cannot be used: what :func:`~edge.artifact.read_artifact`,
        :func:`~edge.runtimes.open.open_model` or the process that tried it had to say.
    BackendError
        If there are several and none can be used.
    """
    if backend != AUTO and backend not in RUNTIMES:
        raise ParameterError(
            f"backend is {backend!r}, {AUTO} or one of {known_runtimes()} is wanted"
        )
    if not folders:
        raise ParameterError("there is no artifact to choose from, at least one is wanted")
    candidates = _of_backend([_read(folder) for folder in folders], backend, folders)
    if attentive:
        candidates = [c for c in candidates if c.is_numpy] or candidates
    for candidate in candidates:
        if not candidate.is_numpy and not candidate.error:
            _try(candidate)
    working = [c for c in candidates if not c.error]
    if any(not c.is_numpy for c in working) or len(working) > 1:
        for candidate in working:
            if candidate.is_numpy:
                _time(candidate)
        working = [c for c in working if not c.error]
    for candidate in _best_first(working):
        try:
            return _chosen(candidate, candidates)
        except EdgeSerError as error:
            candidate.fail(error)
    if len(candidates) == 1 and candidates[0].error is not None:
        raise candidates[0].error
    problems = "; ".join(f"{_name(c, candidates)} {c.problem}" for c in candidates)
    raise BackendError(f"none of {len(candidates)} artifacts can be used: {problems}")


def find_artifacts(folder: Path) -> list[Path]:
    """Return a folder that is an artifact, or the artifacts that lie in it, by name.

    One that is neither comes back as it is: reading it says what is wrong.
    """
    if not folder.is_dir() or (folder / MANIFEST_FILE).exists():
        return [folder]
    return sorted(entry.parent for entry in folder.glob(f"*/{MANIFEST_FILE}")) or [folder]


def _read(folder: Path) -> _Candidate:
    candidate = _Candidate(folder)
    try:
        candidate.artifact = read_artifact(folder)
    except ArtifactError as error:
        candidate.fail(error)
    return candidate


def _of_backend(
    candidates: list[_Candidate], backend: str, folders: Sequence[Path]
) -> list[_Candidate]:
    if backend == AUTO:
        return candidates
    readable = [c for c in candidates if c.artifact]
    fitting = [c for c in readable if c.backend_name == backend]
    if fitting or not readable:
        return fitting or candidates
    if len(readable) == 1 and readable[0].artifact:
        # It says what the artifact was made for.
        open_model(readable[0].artifact, backend)
    made_for = ", ".join(sorted({c.backend_name for c in readable}))
    raise ArtifactError(
        f"{folders[0].parent} holds artifacts for {made_for} and none for {backend!r}; choose one "
        "of those or export the model for it"
    )


def _try(candidate: _Candidate) -> None:
    from edge.runtimes.probe import probe_artifact

    name = candidate.backend_name
    if not RUNTIMES[name].is_installed:
        try:
            assert candidate.artifact is not None
            # Nothing can be loaded: this tells which package to install, and how.
            open_model(candidate.artifact)
        except EdgeSerError as error:
            candidate.fail(error, "is not installed")
            return
    probe = probe_artifact(candidate.folder)
    candidate.ms = probe.ms
    if probe.error is not None:
        candidate.fail(probe.error, probe.problem)


def _time(candidate: _Candidate) -> None:
    from edge.runtimes.probe import time_model

    try:
        assert candidate.artifact is not None
        candidate.model = open_model(candidate.artifact)
        candidate.ms = time_model(candidate.artifact, candidate.model)
    except EdgeSerError as error:
        candidate.fail(error)


def _best_first(working: Sequence[_Candidate]) -> list[_Candidate]:
    """Fastest first; those within a tenth of it by NumPy, then by exactness."""
    if len(working) < 2:
        return list(working)
    fastest_ms = min(c.ms or 0.0 for c in working)

    def order(candidate: _Candidate) -> tuple[float, bool, int, float]:
        ms = candidate.ms or 0.0
        is_tie = ms <= (1 + _TIE) * fastest_ms
        bits = candidate.artifact.manifest.quantization.weight_bits if candidate.artifact else 0
        if not is_tie:
            return (ms, False, 0, ms)
        return (fastest_ms, not candidate.is_numpy, -bits, ms)

    return sorted(working, key=order)


def _chosen(candidate: _Candidate, candidates: Sequence[_Candidate]) -> Choice:
    assert candidate.artifact is not None
    model = candidate.model or open_model(candidate.artifact)
    if len(candidates) == 1:
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


def _are_told_apart(candidates: Sequence[_Candidate]) -> bool:
    return len({c.backend_name for c in candidates}) == len(candidates)


def _name(candidate: _Candidate, candidates: Sequence[_Candidate]) -> str:
    return candidate.backend_name if _are_told_apart(candidates) else candidate.folder.name
