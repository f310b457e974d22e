"""What the child of :mod:`edge.runtimes.probe` does: open an artifact within limits, and time it.

    python -m edge.runtimes.trial ARTIFACT [SECONDS]

opens an artifact with its own runtime, replays its reference, times it and prints one line of JSON.
"""

from __future__ import annotations

import json
import signal
import sys

from edge.artifact import Artifact, read_artifact
from edge.errors import EdgeSerError
from edge.runtimes.deaths import WALL_S
from edge.runtimes.open import open_model
from edge.runtimes.registry import RUNTIMES
from edge.runtimes.timing import time_model

__all__ = ["CPU_S", "MEMORY_BYTES"]

#: Seconds of computing for opening, reference and timing, the runtime's import aside.  The
#: bundled models take 0.05 s on x86, and less than 1 s on the slowest board.
CPU_S = 2.0

#: Address space beyond what the runtime has when it is imported.  The bundled models take 7 MB.
MEMORY_BYTES = 64_000_000


def main(path: str, cpu_s: float = CPU_S) -> None:
    """Try an artifact and print what came of it."""
    answer: dict[str, object]
    try:
        artifact = read_artifact(path)
        _limit(artifact, cpu_s)
        ms = time_model(artifact, open_model(artifact))
        answer = {"ms": ms, "digest": artifact.manifest.model_sha256}
    except EdgeSerError as error:
        answer = {"error": str(error), "type": type(error).__name__}
    # A line of its own, whatever a runtime printed before.
    print("\n" + json.dumps(answer))


def _limit(artifact: Artifact, cpu_s: float) -> None:
    """Bound what a hostile file can take, once the runtime itself is there.

    Each of these ends the process in the kernel, so no loop in C++ outlasts it.
    """
    row = RUNTIMES.get(artifact.manifest.backend)
    if row is None:
        return
    row.prepare()
    if row.is_program:
        return  # It was asked for by name, and compiles itself at its own pace.
    signal.setitimer(signal.ITIMER_PROF, cpu_s)
    signal.setitimer(signal.ITIMER_REAL, WALL_S)
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            n_pages = int(file.read().split()[0])
    except (ImportError, OSError):
        return
    used = n_pages * resource.getpagesize()
    limit = used + MEMORY_BYTES + 4 * min(artifact.manifest.model_bytes, MEMORY_BYTES // 4)
    _, hardest = resource.getrlimit(resource.RLIMIT_AS)
    if hardest == resource.RLIM_INFINITY or limit < hardest:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    # What it died of is told by its signal; nobody reads a core file of 100 MB.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1], *map(float, sys.argv[2:]))
