"""Other programs, each with a time limit and none left behind."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence

__all__ = ["Programs", "Ran"]

# What a killed program may still take to end.  One that hangs in a driver does not end at all.
_LAST_S = 0.5


@dataclasses.dataclass(frozen=True, slots=True)
class Ran:
    """What came of a program.

    Parameters
    ----------
    code : int or None
        Its exit code, minus the signal that ended it; None where it was not there or was late.
    out, err : str
        What it wrote, also that of one that was late.
    is_late : bool
        It did not end in time, and was killed.
    is_missing : bool
        There is no such program, or it may not be run.
    """

    code: int | None
    out: str = ""
    err: str = ""
    is_late: bool = False
    is_missing: bool = False

    @property
    def is_good(self) -> bool:
        """It ran, ended in time and had nothing to complain of."""
        return self.code == 0


class Programs:
    """Runs programs on behalf of several threads; :meth:`end` kills what still runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def run(
        self, command: Sequence[str], timeout_s: float, environ: Mapping[str, str] | None = None
    ) -> Ran:
        """Run a program to its end, or to the end of its time.

        Parameters
        ----------
        command : sequence of str
        timeout_s : float
            It and all that it started are killed then.
        environ : mapping, optional
            Its whole environment; None: ours.
        """
        with self._lock:
            if self._ended:
                return Ran(None, is_late=True)
            try:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=None if environ is None else dict(environ),
                    # A group of its own, so that what it starts ends with it.
                    start_new_session=True,
                )
            except (OSError, ValueError):
                return Ran(None, is_missing=True)
            self._running.add(process)
        is_late = False
        try:
            out, err = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired as late:
            is_late = True
            _kill(process)
            try:
                out, err = process.communicate(timeout=_LAST_S)
            except subprocess.TimeoutExpired:
                out, err = late.stdout or b"", late.stderr or b""
        finally:
            with self._lock:
                self._running.discard(process)
        return Ran(
            None if is_late else process.returncode,
            out.decode(errors="replace"),
            err.decode(errors="replace"),
            is_late,
        )

    def end(self) -> None:
        """Kill what still runs, and start nothing more."""
        with self._lock:
            self._ended = True
            running = list(self._running)
        for process in running:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
