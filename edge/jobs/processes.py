"""Processes of this machine that share the work."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from edge.errors import ParameterError, WorkerError, shown
from edge.jobs.worker import WhereError, work

__all__ = ["Processes", "pickled"]

#: Time for processes without work to end by themselves.
_GOODBYE_S = 2.0

#: Several processes with several threads each only wait for one another.
_THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)  # fmt: skip

#: One at a time changes the environment that processes are started with.
_starting = threading.Lock()


class Processes:
    """Processes that are started together and end together.

    Not ``concurrent.futures``: its workers outlive a parent that is killed, and a worker that is
    killed does not tell which item it had.

    Parameters
    ----------
    function : callable
        Of one item.
    n_workers : int
        How many.

    Raises
    ------
    ParameterError
        If the function cannot be sent, or this process can have no workers.
    """

    def __init__(self, function: Callable[[Any], Any], n_workers: int) -> None:
        if getattr(sys, "frozen", False):
            raise ParameterError(
                "this program is frozen and starts no Python: one job is what it can do"
            )
        if multiprocessing.current_process().daemon:
            raise ParameterError("this process is a worker itself: one job is what it can do")
        self.n_workers = n_workers
        self._tasks: queue.SimpleQueue[tuple[bytes, Future[Any]] | None] = queue.SimpleQueue()
        self._workers: list[tuple[SpawnProcess, Connection]] = []
        self._servants: list[threading.Thread] = []
        self._is_over = False
        sent = pickled(function, "the function")
        is_main = threading.current_thread() is threading.main_thread()
        try:
            with _starting, _one_thread_each(), _interrupts_later():
                for _ in range(n_workers):
                    self._start(sent, is_main)
        except BaseException:
            self.close(is_done=False)
            raise
        for pair in self._workers:
            thread = threading.Thread(target=self._serve, args=pair, name="serve", daemon=True)
            self._servants.append(thread)
            thread.start()

    def _start(self, function: bytes, is_main: bool) -> None:
        # A new interpreter: a copy of this one would have its locks and none of its threads.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=work, args=(theirs, function, os.getpid(), is_main), name="worker", daemon=True
        )
        try:
            process.start()
        finally:
            theirs.close()
        self._workers.append((process, ours))

    def submit(self, item: Any) -> Future[Any]:
        """Hand an item to whoever is free first."""
        future: Future[Any] = Future()
        self._tasks.put((pickled(item, "an item"), future))
        return future

    def close(self, *, is_done: bool) -> None:
        """Let the processes end, or end them."""
        self._is_over = True
        for _ in self._workers:
            self._tasks.put(None)
        for process, _ in self._workers:
            if is_done:
                process.join(_GOODBYE_S)
            process.kill()
            process.join()
        for servant in self._servants:
            servant.join()
        self._servants.clear()

    def _serve(self, process: SpawnProcess, pipe: Connection) -> None:
        """Bring one process its items, and back what comes of them."""
        # The end of its pipe ends the process.
        with pipe:
            while (task := self._tasks.get()) is not None:
                item, future = task
                try:
                    pipe.send_bytes(item)
                    went_well, result, told = pickle.loads(pipe.recv_bytes())
                except (EOFError, OSError):
                    future.set_exception(self._lost(process, item))
                    return
                except BaseException as error:
                    future.set_exception(error)
                    continue
                if went_well:
                    future.set_result(result)
                else:
                    result.__cause__ = WhereError(told)
                    future.set_exception(result)

    def _lost(self, process: SpawnProcess, item: bytes) -> WorkerError:
        process.join(_GOODBYE_S)
        code = process.exitcode
        what = "" if self._is_over else f" ({shown(pickle.loads(item), 200)})"
        if code is not None and code < 0:
            name = signal.Signals(-code).name if -code in list(signal.Signals) else str(-code)
            mend = "; mostly memory ran out: ask for fewer jobs" if name == "SIGKILL" else ""
            return WorkerError(f"a worker process was ended by {name} at its item{what}{mend}")
        mend = (
            '; a script of your own has its work under `if __name__ == "__main__":`'
            if code == 1
            else ""
        )
        return WorkerError(f"a worker process ended with exit code {code} at its item{what}{mend}")


def pickled(value: Any, name: str) -> bytes:
    """Write what goes to another process.

    Raises
    ------
    ParameterError
        If it cannot be sent: a lambda, an open file.
    """
    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        raise ParameterError(
            f"{name} cannot be sent to another process: {shown(str(error), 200)}; what belongs to "
            "a module, and plain data, can"
        ) from error


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _interrupts_later() -> Iterator[None]:
    """Start processes that Ctrl-C does not end in the middle of their first imports."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
