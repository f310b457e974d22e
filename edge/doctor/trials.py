"""Artifacts and backends, tried in processes of their own."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from edge.doctor.look import Look
from edge.machine.programs import Ran
from edge.runtimes.deaths import how_it_died

__all__ = ["Trial", "last_object", "try_artifact", "try_import"]

_TRIAL = "edge.runtimes.trial"
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
    is_cut : bool
        It had less time than it is given, since other checks had used it up.
    """

    ms: float | None = None
    problem: str | None = None
    error: str | None = None
    is_late: bool = False
    is_cut: bool = False


def try_artifact(look: Look, folder: Path) -> Trial:
    """Open an artifact, replay its reference and time it, once for the checks of a lane."""
    known = look.notes.setdefault("trials", {})
    if folder not in known:
        known[folder] = _try(look, _TRIAL, str(folder), _LIMIT_S)
    trial: Trial = known[folder]
    return trial


def try_import(look: Look, backend: str) -> Trial:
    """Import what a backend needs."""
    return _try(look, "edge.doctor.import_trial", backend, _IMPORT_LIMIT_S)


def _try(look: Look, module: str, argument: str, own_limit_s: float) -> Trial:
    limit_s = look.within_s(own_limit_s)
    ran = look.system.start_python(module, [argument], limit_s)
    look.outputs[f"python -m {module} {argument}"] = ran.out + ran.err
    if ran.is_good:
        told = last_object(ran.out)
        ms, sentence = told.get("ms"), told.get("error")
        if isinstance(sentence, str):
            return Trial(problem=f"fails: {sentence}", error=sentence)
        if isinstance(ms, float) or (ms is None and module != _TRIAL and ran.out.strip()):
            return Trial(ms)
        return Trial(problem="says nothing that can be read")
    return Trial(
        problem=_end(ran, limit_s),
        is_late=ran.is_late,
        is_cut=ran.is_late and limit_s < own_limit_s,
    )


def last_object(text: str) -> dict[str, Any]:
    """Read the last line of a child of ours; nothing where it is no object of JSON."""
    try:
        told = json.loads(text.splitlines()[-1])
    except (IndexError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _end(ran: Ran, limit_s: float) -> str:
    if ran.is_late:
        return f"does not answer within {limit_s:.0f} s"
    if ran.code is None:
        return "cannot be tried in a process of its own"
    if ran.code < 0:
        return how_it_died(-ran.code)
    said = ran.err.strip().splitlines()[-1:] or ["it said nothing"]
    return f"ends with exit code {ran.code} ({said[0]})"
