"""Artifacts and backends, tried in processes of their own."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from edge.doctor.look import Look
from edge.doctor.programs import Ran
from edge.runtimes.deaths import how_it_died

__all__ = ["Trial", "try_artifact", "try_import"]

#: A runtime that is imported from the memory card of a small board.
_LIMIT_S = 6.0
#: torch takes 10 s there, and no bundled model is for it: waiting would take the others' time.
_IMPORT_LIMIT_S = 4.0


@dataclasses.dataclass(frozen=True, slots=True)
class Trial:
    """What came of one.

    Parameters
    ----------
    ms : float or None
        Of the model for one window.
    problem : str or None
        The end of a sentence that begins with the name of what was tried.
    error : str or None
        A whole sentence, where the runtime or the artifact had one to say.
    is_late : bool
        There was not enough time, which may be nobody's fault.
    """

    ms: float | None = None
    problem: str | None = None
    error: str | None = None
    is_late: bool = False


def try_artifact(look: Look, folder: Path) -> Trial:
    """Open an artifact, replay its reference and time it, once for the checks of a lane."""
    known = look.notes.setdefault("trials", {})
    if folder not in known:
        known[folder] = _try(look, "edge.runtimes.trial", str(folder), _LIMIT_S)
    trial: Trial = known[folder]
    return trial


def try_import(look: Look, backend: str) -> Trial:
    """Import what a backend needs."""
    return _try(look, "edge.doctor.import_trial", backend, _IMPORT_LIMIT_S)


def _try(look: Look, module: str, argument: str, limit_s: float) -> Trial:
    limit_s = look.within_s(limit_s)
    ran = look.system.start_python(module, [argument], limit_s)
    look.outputs[f"python -m {module} {argument}"] = ran.out + ran.err
    if ran.is_good:
        try:
            told = json.loads(ran.out.splitlines()[-1])
            sentence = told.get("error")
            return Trial(told.get("ms"), sentence and f"fails: {sentence}", sentence)
        except (IndexError, ValueError, AttributeError):
            return Trial(problem="says nothing that can be read")
    return Trial(problem=_end(ran, limit_s), is_late=ran.is_late)


def _end(ran: Ran, limit_s: float) -> str:
    if ran.is_late:
        return f"does not answer within {limit_s:.0f} s"
    if ran.code is None:
        return "cannot be tried in a process of its own"
    if ran.code < 0:
        return how_it_died(-ran.code)
    said = ran.err.strip().splitlines()[-1:] or ["it said nothing"]
    return f"ends with exit code {ran.code} ({said[0]})"
