"""A Dask cluster of this machine for tests: a scheduler and workers that can be killed."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import re
import sys
import time
import warnings
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path

PROGRAMS = ("distributed.cli.dask_scheduler", "distributed.cli.dask_worker")


def run_program(name: str, options: list[str], log: str) -> None:
    """Be one of the cluster's processes."""
    with open(log, "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    warnings.simplefilter("ignore")
    os.chdir(Path(log).parent)
    os.environ["OMP_NUM_THREADS"] = "1"
    # What a worker wants of one that was killed it may ask for half a minute long.
    dask_config = importlib.import_module("dask.config")
    dask_config.set({"distributed.comm.timeouts.connect": "1s"})
    sys.argv = [name, *options]
    importlib.import_module(name).main(options)


class LocalCluster:
    """Processes of a cluster, each of which imports what these tests do."""

    def __init__(self, folder: Path, n_workers: int) -> None:
        self._folder = folder
        # What they all import is imported once, by the process that they are copies of.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*PROGRAMS])
        self._log = folder / "scheduler.log"
        local = ("--host", "127.0.0.1")
        self.scheduler = self._start(
            PROGRAMS[0], *local, "--port", "0", "--no-dashboard", log=self._log
        )
        self.address = self._wait_for(r"Scheduler at:\s+(tcp://\S+)", self._log, 1)[0]
        self.workers = [
            self._start(
                PROGRAMS[1], self.address, *local, "--nthreads", "1", "--no-nanny",
                "--no-dashboard", "--memory-limit", "0", "--local-directory", str(folder),
                log=folder / f"worker{index}.log",
            )
            for index in range(n_workers)
        ]  # fmt: skip
        self._wait_for(r"(Register worker)", self._log, n_workers)

    def _start(self, name: str, *options: str, log: Path) -> ForkServerProcess:
        log.touch()
        process = self._context.Process(target=run_program, args=(name, [*options], str(log)))
        process.start()
        return process

    def _wait_for(self, pattern: str, log: Path, n: int) -> list[str]:
        last_s = time.monotonic() + 60
        while len(found := re.findall(pattern, log.read_text())) < n:
            assert time.monotonic() < last_s, log.read_text()
            time.sleep(0.05)
        return found

    def stop(self) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.join()


@contextlib.contextmanager
def local_cluster(folder: Path, n_workers: int = 2) -> Iterator[LocalCluster]:
    """Run a cluster for a while; its files lie in ``folder``."""
    cluster = LocalCluster(folder, n_workers)
    try:
        yield cluster
    finally:
        cluster.stop()
