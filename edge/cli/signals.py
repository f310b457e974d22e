"""Ctrl-C, SIGTERM and SIGHUP end a command in good order; a second one, later, the hard way.

SIGHUP, which a terminal sends that is closed, and others can be given another meaning than the end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge.sources.base import Stop

__all__ = ["GRACE_S", "SIGNALS", "end_if_hung_up", "own_the_process", "stopped_by_signals"]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: A signal this soon after the first one is taken for the same wish: whoever holds Ctrl-C, or
#: a supervisor that sends both, does not mean to lose the summary.
GRACE_S = 2.0

#: When the interpreter itself does not come to its end in this time, SIGALRM ends it.
_LAST_S = 10

#: Time for a thread to come back from the system's handler.
_NOTING_S = 0.02

_is_ours = False
_is_hung_up = False


def own_the_process() -> None:
    """Say that the process ends when the command does.

    A stopped command then leaves its signals ignored: the interpreter sets them back to
    their defaults on its way out, and one more of a storm would turn a good end into a bad.
    """
    global _is_ours  # noqa: PLW0603 - there is one process
    _is_ours = True


def end_if_hung_up() -> None:
    """End by SIGHUP where that ended the command: whoever sent it looks for it, as a shell does."""
    if _is_hung_up:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGHUP)


@contextlib.contextmanager
def stopped_by_signals(
    stop: Stop, told: Mapping[int, Callable[[], None]] | None = None
) -> Iterator[None]:
    """Request ``stop`` on any of ``SIGNALS``; one that comes 2 s or more later acts as ever.

    Parameters
    ----------
    stop : Stop
        The handler sets a flag and does nothing else: it may run between any two
        instructions of the main thread, also while that holds a lock or is in the middle of
        writing a line.
    told : mapping, optional
        Signals with another meaning, and what is called on each, by a thread that must not be
        held up.

    Notes
    -----
    A signal that was ignored when the process started (``nohup``, a background job of a
    plain shell) stays ignored.  Python's own handlers wait for the interpreter, which a
    runtime that loops in C never gives back; the second signal is therefore watched for by a
    thread, through ``signal.set_wakeup_fd``.  A runtime that keeps the interpreter's lock
    while it loops is beyond that thread too: SIGKILL remains.
    """
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may handle signals; a program around us has its own way.
        yield
        return
    told = told or {}
    before = {number: signal.getsignal(number) for number in (*SIGNALS, *told)}
    # None: a handler that Python did not set and could not set back.
    ours = [number for number in before if before[number] not in (signal.SIG_IGN, None)]

    def handle(number: int, _: FrameType | None) -> None:
        global _is_hung_up  # noqa: PLW0603 - there is one process
        stop.requested = True
        _is_hung_up = _is_hung_up or number == signal.SIGHUP

    with _watched(frozenset(ours), told):
        for number in ours:
            # Of what is told the thread hears; the main thread only has to live on.
            signal.signal(number, _live_on if number in told else handle)
        try:
            yield
        finally:
            is_last = _is_ours and stop.requested
            if is_last:
                # The default action of SIGALRM ends whatever does not end by itself.
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                signal.alarm(_LAST_S)
                _ignore(ours)
            else:
                for number in ours:
                    signal.signal(number, before[number])


@contextlib.contextmanager
def _watched(numbers: frozenset[int], told: Mapping[int, Callable[[], None]]) -> Iterator[None]:
    """Let a thread see every signal as it comes, whatever the main thread is at."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    thread = threading.Thread(
        target=_watch,
        args=(read_end, numbers, _default_action(), told),
        name="signals",
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        # The thread sees the end of the pipe and closes the other side.
        os.close(write_end)
        thread.join()


def _live_on(_: int, __: FrameType | None) -> None:
    """Do nothing, which is more than the signal's own action."""


def _watch(
    read_end: int,
    numbers: frozenset[int],
    end: Callable[[int], None],
    told: Mapping[int, Callable[[], None]],
) -> None:
    # Those that are watched for interrupt the main thread, not this one.
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    first_s: float | None = None
    while data := os.read(read_end, 65_536):
        now_s = time.monotonic()
        for number in numbers.intersection(data, told):
            told[number]()
        came = [number for number in data if number in numbers and number not in told]
        if not came:
            continue
        if first_s is None:
            first_s = now_s
        elif now_s - first_s >= GRACE_S:
            end(came[-1])
    os.close(read_end)


def _ignore(numbers: Sequence[int]) -> None:
    """Ignore signals from now on, also those that come at this very moment."""
    # The system first, and a moment for what another thread is still noting: Python complains
    # of a signal that it has noted and whose handler is gone when it looks.
    set_handler = _system_signal()
    if set_handler is not None:
        for number in numbers:
            set_handler(number, 1)  # SIG_IGN
        time.sleep(_NOTING_S)
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


def _default_action() -> Callable[[int], None]:
    """Give what ends the process as if nobody had ever handled the signal."""
    # Python lets the main thread alone set handlers, and that one may be lost in a runtime.
    set_handler = _system_signal()

    def end(number: int) -> None:
        if set_handler is None:
            # Without a way to the C library: an end all the same, and its exit code.
            os._exit(128 + number)
        set_handler(number, None)  # SIG_DFL is the null pointer everywhere
        os.kill(os.getpid(), number)

    return end


def _system_signal() -> Any:
    """Give the C library's ``signal``, or None where it cannot be reached."""
    try:
        import ctypes

        set_handler: Any = ctypes.CDLL(None).signal
        set_handler.argtypes = (ctypes.c_int, ctypes.c_void_p)
        set_handler.restype = ctypes.c_void_p
    except (ImportError, OSError, AttributeError, TypeError):
        return None
    return set_handler
