"""A Dask cluster of this machine for tests: a scheduler and workers that can be killed."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class LocalCluster:
    """Processes of a cluster, each of which imports what these tests do."""

    def __init__(self, folder: Path, n_workers: int) -> None:
        self._folder = folder
        self._environ = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([*dict.fromkeys(path for path in sys.path if path)]),
            "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "False",
            "OMP_NUM_THREADS": "1",
        }
        self._log = folder / "scheduler.log"
        local = ("--host", "127.0.0.1")
        self.scheduler = self._start(
            "dask_scheduler", *local, "--port", "0", "--no-dashboard", log=self._log
        )
        self.address = self._wait_for(r"Scheduler at:\s+(tcp://\S+)", self._log, 1)[0]
        self.workers = [
            self._start(
                "dask_worker", self.address, *local, "--nthreads", "1", "--no-nanny",
                "--no-dashboard", "--memory-limit", "0", "--local-directory", str(folder),
                log=folder / f"worker{index}.log",
            )
            for index in range(n_workers)
        ]  # fmt: skip
        self._wait_for(r"(Register worker)", self._log, n_workers)

    def _start(self, name: str, *options: str, log: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-W", "ignore", "-m", f"distributed.cli.{name}", *options]
        with open(log, "wb") as file:
            return subprocess.Popen(
                command, stdout=file, stderr=file, env=self._environ, cwd=self._folder
            )

    def _wait_for(self, pattern: str, log: Path, n: int) -> list[str]:
        last_s = time.monotonic() + 60
        while len(found := re.findall(pattern, log.read_text())) < n:
            assert time.monotonic() < last_s, log.read_text()
            time.sleep(0.05)
        return found

    def stop(self) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()


@contextlib.contextmanager
def local_cluster(folder: Path, n_workers: int = 2) -> Iterator[LocalCluster]:
    """Run a cluster for a while; its files lie in ``folder``."""
    cluster = LocalCluster(folder, n_workers)
    try:
        yield cluster
    finally:
        cluster.stop()
