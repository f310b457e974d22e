"""Children that measure, one an artifact, and the artifact that is measured in this process."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from typing import Any, Protocol

import edge
from edge.benchmark.child import open_rig
from edge.benchmark.rig import Times
from edge.benchmark.subjects import Subject
from edge.errors import EdgeSerError
from edge.runtimes.deaths import how_it_died
from edge.runtimes.probe import can_try

__all__ = ["Worker", "child_environment", "open_worker"]


class Worker(Protocol):
    """Measures one artifact when it is asked.

    Attributes
    ----------
    facts : dict
        What is measured, see :meth:`edge.benchmark.rig.Rig.facts`.
    """

    facts: dict[str, Any]

    def round(self, duration_s: float, n_least: int, *, only_hops: bool = False) -> Times:
        """Measure a round, see :meth:`edge.benchmark.rig.Rig.round`."""
        ...

    def hear(self, path: str) -> dict[str, Any]:
        """Say what is heard in a clip, see :meth:`edge.benchmark.rig.Rig.hear`."""
        ...

    def close(self) -> None:
        """End it."""
        ...


def open_worker(subject: Subject, n_threads: int) -> Worker:
    """Open a child that measures an artifact; in a frozen application, this process.

    Raises
    ------
    EdgeSerError
        If the artifact cannot be opened.
    """
    if can_try():
        return _Child(subject, n_threads)
    return _Inside(subject, n_threads)


def child_environment(n_threads: int) -> dict[str, str]:
    """Environment of a child: where this program lies, and how many threads it may use."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(edge.__file__)))
    paths = [root, os.environ.get("PYTHONPATH", "")]
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        **dict.fromkeys(threads, str(n_threads)),
    }


class _Inside:
    def __init__(self, subject: Subject, n_threads: int) -> None:
        self._rig = open_rig(str(subject.artifact.path), n_threads)
        self.facts = self._rig.facts()

    def round(self, duration_s: float, n_least: int, *, only_hops: bool = False) -> Times:
        return self._rig.round(duration_s, n_least, only_hops=only_hops)

    def hear(self, path: str) -> dict[str, Any]:
        return self._rig.hear(path)

    def close(self) -> None:
        pass


class _Child:
    def __init__(self, subject: Subject, n_threads: int) -> None:
        self._name = subject.name
        folder = str(subject.artifact.path.resolve())
        # A file and no pipe: nobody reads what a runtime has to say until the child has died.
        self._stderr = tempfile.TemporaryFile(  # noqa: SIM115 - open as long as the child
            "w+", encoding="utf-8", errors="replace"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-m", "edge.benchmark.child", folder, str(n_threads)],
            env=child_environment(n_threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            encoding="utf-8",
        )
        try:
            self.facts = self._next()
        except BaseException:
            self.close()
            raise

    def round(self, duration_s: float, n_least: int, *, only_hops: bool = False) -> Times:
        return self._ask({"duration_s": duration_s, "n_least": n_least, "only_hops": only_hops})

    def hear(self, path: str) -> dict[str, Any]:
        return self._ask({"hear": os.path.abspath(path)})

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._stderr.close()

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        # What it died of is told where its answer is waited for.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
        return self._next()

    def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise EdgeSerError(f"{self._name} cannot be measured: its process {self._death()}")
        told: dict[str, Any] = json.loads(line)
        if "error" in told:
            raise EdgeSerError(f"{self._name} cannot be measured: {told['error']}")
        return told

    def _death(self) -> str:
        code = self._process.wait()
        if code < 0:
            return how_it_died(-code)
        self._stderr.seek(0)
        said = self._stderr.read().strip().splitlines()[-1:] or ["it said nothing"]
        return f"ends with exit code {code} ({said[0]})"
