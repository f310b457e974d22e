"""From nothing to a first decision, in new processes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge.benchmark.speech import speech_for
from edge.benchmark.subjects import Subject
from edge.benchmark.timings import timings
from edge.benchmark.workers import child_environment
from edge.errors import EdgeSerError
from edge.runtimes.deaths import how_it_died

__all__ = ["PARTS", "ColdStarts"]

#: What a cold start is made of, in this order.
PARTS = ("python_ms", "import_ms", "verify_ms", "load_ms", "first_decision_ms")

# The clock of the monotonic time is one for all processes of a machine.
_CHILD = """
import time
marks = [time.monotonic()]
import json, sys
import numpy
import edge.artifact, edge.runtimes.open, edge.runtimes.registry, edge.stream.classifier
edge.runtimes.registry.RUNTIMES[sys.argv[2]].prepare()
marks.append(time.monotonic())
artifact = edge.artifact.read_artifact(sys.argv[1])
marks.append(time.monotonic())
model = edge.runtimes.open.open_model(artifact)
classifier = edge.stream.classifier.Classifier(artifact, model)
marks.append(time.monotonic())
samples = numpy.fromfile(sys.argv[3], dtype=numpy.float32)
(decision, *_) = classifier.stream().push(samples)
json.dumps(decision.to_dict())
marks.append(time.monotonic())
from edge.benchmark.peak_memory import peak_rss_mb
peak_mb = peak_rss_mb()
from edge.benchmark.pace import FixedWork
print(json.dumps({"marks": marks, "peak_rss_mb": peak_mb, "pace_ms": FixedWork().moment_ms()}))
"""


class ColdStarts:
    """Cold starts of one artifact; the files are in the system's cache.

    Parameters
    ----------
    subject : Subject
    n_threads : int
        That a child may use.
    """

    def __init__(self, subject: Subject, n_threads: int) -> None:
        self._subject, self._environment = subject, child_environment(n_threads)
        self._rows: list[list[float]] = []
        self._peaks_mb: list[float] = []
        self._paces_ms: list[float] = []

    def start(self) -> None:
        """Start a new process and wait for its first decision.

        Raises
        ------
        EdgeSerError
            If it fails.
        """
        artifact = self._subject.artifact
        with _first_segment(self._subject) as samples:
            command = [
                sys.executable, "-c", _CHILD,
                str(artifact.path.resolve()), self._subject.backend, str(samples),
            ]  # fmt: skip
            started_s = time.monotonic()
            child = subprocess.run(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
        if child.returncode:
            said = child.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            death = (
                how_it_died(-child.returncode)
                if child.returncode < 0
                else f"ends with exit code {child.returncode} ({said[0]})"
            )
            raise EdgeSerError(f"a cold start of {self._subject.name} {death}")
        told = json.loads(child.stdout.splitlines()[-1])
        marks = [started_s, *told["marks"]]
        self._rows.append([1000 * float(step) for step in np.diff(marks)])
        self._peaks_mb.append(float(told["peak_rss_mb"]))
        self._paces_ms.append(float(told["pace_ms"]))

    def report(self) -> dict[str, Any] | None:
        """Sum up: ``runs``, times, ``pace_ms``, the largest ``peak_rss_mb``; None of no start."""
        if not self._rows:
            return None
        columns: Sequence[tuple[float, ...]] = list(zip(*self._rows, strict=True))
        return {
            "runs": len(self._rows),
            "total_ms": timings([sum(row) for row in self._rows]),
            **{name: timings(column) for name, column in zip(PARTS, columns, strict=True)},
            "pace_ms": [round(pace_ms, 4) for pace_ms in self._paces_ms],
            "peak_rss_mb": round(max(self._peaks_mb), 1),
        }


@contextlib.contextmanager
def _first_segment(subject: Subject) -> Iterator[Path]:
    """A file with a segment of speech, as a microphone would have handed it over."""
    manifest = subject.artifact.manifest
    spec = manifest.feature_spec
    samples, _ = speech_for(spec, manifest.window_frames)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "segment.f32"
        samples[: spec.n_samples(manifest.window_frames)].tofile(path)
        yield path
