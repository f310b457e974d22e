"""Try an artifact in a process of its own: what kills a runtime must not take ``listen`` down.

The child is :mod:`edge.runtimes.trial`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import edge.errors
from edge.artifact import Artifact
from edge.digest import sha256_hex
from edge.errors import BackendError, EdgeSerError
from edge.runtimes.deaths import how_it_died
from edge.runtimes.instead import instead_of
from edge.runtimes.trial import CPU_S

__all__ = ["TIMEOUT_S", "Probe", "can_try", "probe_artifact", "try_artifact"]

#: torch alone takes 10 s to import from the memory card of a small board.
TIMEOUT_S = 60.0


@dataclasses.dataclass(frozen=True)
class Probe:
    """What came of trying an artifact.

    Parameters
    ----------
    ms : float or None
        Median time of the model for one window, in milliseconds; None where it failed.
    problem : str or None
        What the runtime does instead of working: the end of a sentence that begins with its
        name.
    error : EdgeSerError or None
        The same as an error; its message is a whole sentence.
    digest : str or None
        SHA-256 of the model file that was tried.
    """

    ms: float | None
    problem: str | None = None
    error: EdgeSerError | None = None
    digest: str | None = None


#: What worked in this process: a manifest's digest to its probe.
_good: dict[str, Probe] = {}


def can_try() -> bool:
    """Whether a child can be started: a frozen program's executable is the program itself."""
    return bool(sys.executable) and not getattr(sys, "frozen", False)


def try_artifact(artifact: Artifact) -> Probe:
    """Open and time an artifact in a child process, once in this process if it works."""
    manifest = artifact.manifest
    # The manifest names the model file by its digest, and the lengths that it is tried with.
    key = sha256_hex(manifest.to_json().encode())
    if key in _good:
        return _good[key]
    probe = probe_artifact(artifact.path)
    if probe.digest is not None and probe.digest != manifest.model_sha256:
        probe = _failed(artifact.path, "was given another model while it was tried")
    if probe.error is None:
        _good[key] = probe
    return probe


def probe_artifact(
    path: str | os.PathLike[str], timeout_s: float = TIMEOUT_S, cpu_s: float = CPU_S
) -> Probe:
    """Open and time an artifact in a child process.

    Parameters
    ----------
    path : path
        Folder of the artifact.
    timeout_s : float
        When to give up.
    cpu_s : float
        Seconds of computing that it may take once its runtime is imported.

    Returns
    -------
    Probe

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C ended the child.
    """
    root = Path(edge.errors.__file__).resolve().parents[1]
    # The child must find the packages that this process would import, and no others.
    search = [str(root), *(os.path.abspath(entry) for entry in sys.path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(search))}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment.setdefault(name, "1")
    command = [sys.executable, "-m", "edge.runtimes.trial", os.path.abspath(path), repr(cpu_s)]
    try:
        child = subprocess.run(
            command,
            cwd=root,
            env=environment,
            # What is piped to `listen` is not for the child.
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _failed(path, f"does not answer within {timeout_s:g} s")
    except OSError as error:
        return _failed(path, f"cannot be tried in a process of its own ({error.strerror})")
    if child.returncode == -signal.SIGINT:
        raise KeyboardInterrupt
    if child.returncode < 0:
        return _failed(path, how_it_died(-child.returncode))
    try:
        answer = json.loads(child.stdout.splitlines()[-1])
        if "ms" in answer:
            return Probe(float(answer["ms"]), digest=str(answer["digest"]))
        sentence, kind = str(answer["error"]), getattr(edge.errors, answer["type"])
    except (IndexError, ValueError, KeyError, TypeError, AttributeError):
        said = child.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        return _failed(path, f"ends with exit code {child.returncode} ({said[0]})")
    return Probe(None, f"fails: {sentence}", kind(sentence))


def _failed(path: str | os.PathLike[str], problem: str) -> Probe:
    error = BackendError(f"{path} cannot be used: its runtime {problem}; {instead_of(path)}")
    return Probe(None, problem, error)
