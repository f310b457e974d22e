"""What one process of several does: its items, and to end when its parent does."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing import connection, parent_process
from multiprocessing.connection import Connection
from typing import Any

from edge.errors import WorkerError, shown

__all__ = ["Answer", "WhereError", "work"]

#: Whether it went well, what came of it, and what the worker's traceback says.
Answer = tuple[bool, Any, str]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class WhereError(Exception):
    """Where in a worker an error was raised; the cause of that error here."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def work(pipe: Connection, function: bytes, parent: int, is_parents_main: bool) -> None:
    """Do what comes through a pipe until it ends: the whole of a worker process.

    Parameters
    ----------
    pipe : Connection
        An item in, an :data:`Answer` out.
    function : bytes
        What to apply, pickled.
    parent : int
        Process that must live for this one to live.
    is_parents_main : bool
        Whether this process was started by the main thread of its parent: Linux takes the end of
        the thread for that of the parent.
    """
    # Ctrl-C goes to all processes of a terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    die_with_parent(parent, is_parents_main)
    # The other end may be gone at any moment: nobody is left who would want to know.
    with contextlib.suppress(EOFError, OSError):
        try:
            apply = pickle.loads(function)
        except BaseException as error:
            refusal = _failure(error)
            while True:
                pipe.recv_bytes()
                pipe.send_bytes(pickle.dumps(refusal))
        while True:
            pipe.send_bytes(_answer(apply, pipe.recv_bytes()))


def die_with_parent(parent: int, is_parents_main: bool) -> None:
    """Let this process be killed when its parent ends, by whatever."""
    threading.Thread(target=_watch, name="parent", daemon=True).start()
    if sys.platform == "linux" and is_parents_main:
        # At once, also from a library that keeps the interpreter to itself.
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # It went before it could be watched.
            os._exit(1)


def _watch() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _answer(function: Callable[[Any], Any], item: bytes) -> bytes:
    try:
        result: Answer = True, function(pickle.loads(item)), ""
        return pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
    except BaseException as error:
        return pickle.dumps(_failure(error))


def _failure(error: BaseException) -> Answer:
    told = "".join(traceback.format_exception(error))
    try:
        # Some errors can be sent and not received: their constructor wants what they do not keep.
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = WorkerError(f"a worker failed: {type(error).__name__}: {shown(str(error), 200)}")
    return False, error, told
