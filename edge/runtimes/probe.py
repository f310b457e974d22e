"""Try an artifact in a process of its own: what kills a runtime must not take ``listen`` down.

    python -m edge.runtimes.probe ARTIFACT

opens an artifact with its own backend, replays its reference, times it and prints one line of JSON.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import edge.errors
from edge.artifact import Artifact, read_artifact
from edge.errors import BackendError, EdgeSerError
from edge.runtimes.base import Model
from edge.runtimes.open import open_model

__all__ = ["TIMEOUT_S", "Probe", "probe_artifact", "time_model"]

#: torch alone takes 10 s to import from the memory card of a small board.
TIMEOUT_S = 60.0

_N_WARM_UP = 5
_N_RUNS = 15

_DEATHS = {
    signal.SIGILL: "dies of an illegal instruction (SIGILL) on this processor",
    signal.SIGSEGV: "crashes on this device (SIGSEGV)",
    signal.SIGBUS: "crashes on this device (SIGBUS)",
    signal.SIGFPE: "crashes on this device (SIGFPE)",
    signal.SIGABRT: "aborts on this device (SIGABRT)",
    signal.SIGKILL: "is killed (SIGKILL), mostly for want of memory",
}


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
    """

    ms: float | None
    problem: str | None = None
    error: EdgeSerError | None = None


def probe_artifact(path: str | os.PathLike[str], timeout_s: float = TIMEOUT_S) -> Probe:
    """Open and time an artifact in a child process.

    Parameters
    ----------
    path : path
        Folder of the artifact.
    timeout_s : float
        When to give up.

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
    command = [sys.executable, "-m", "edge.runtimes.probe", os.path.abspath(path)]
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
        return _failed(path, _death(-child.returncode))
    try:
        answer = json.loads(child.stdout.splitlines()[-1])
        if "ms" in answer:
            return Probe(float(answer["ms"]))
        sentence, kind = str(answer["error"]), getattr(edge.errors, answer["type"])
    except (IndexError, ValueError, KeyError, TypeError, AttributeError):
        said = child.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        return _failed(path, f"ends with exit code {child.returncode} ({said[0]})")
    return Probe(None, f"fails: {sentence}", kind(sentence))


def time_model(artifact: Artifact, model: Model) -> float:
    """Median processor time of ``infer`` for one window, in milliseconds.

    Not the clock on the wall: what else runs on the device should not choose its runtime.
    """
    manifest = artifact.manifest
    shape = (1, manifest.window_frames, manifest.architecture.n_features)
    rows = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    language = manifest.language_id()
    session = model.session()
    times_s = []
    for _ in range(_N_WARM_UP + _N_RUNS):
        started_s = time.process_time()
        session.infer(rows, language)
        times_s.append(time.process_time() - started_s)
    return 1000 * statistics.median(times_s[_N_WARM_UP:])


def _death(number: int) -> str:
    try:
        number = signal.Signals(number)
    except ValueError:
        return f"is ended by signal {number}"
    return _DEATHS.get(number, f"is ended by {number.name}")


def _failed(path: str | os.PathLike[str], problem: str) -> Probe:
    error = BackendError(
        f"{path} cannot be used: its runtime {problem}; choose another backend or artifact"
    )
    return Probe(None, problem, error)


def _main(path: str) -> None:
    answer: dict[str, object]
    try:
        artifact = read_artifact(path)
        answer = {"ms": time_model(artifact, open_model(artifact))}
    except EdgeSerError as error:
        answer = {"error": str(error), "type": type(error).__name__}
    # A line of its own, whatever a runtime printed before.
    print("\n" + json.dumps(answer))


if __name__ == "__main__":
    _main(sys.argv[1])
