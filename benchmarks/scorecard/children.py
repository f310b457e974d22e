"""Commands that run now: each in a group of its own, all ended when we end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, TracebackType

from benchmarks.scorecard.ledger import Ledger
from benchmarks.scorecard.step import Step
from quantize.basics.errors import TrainingError
from quantize.basics.progress import progress_note

__all__ = ["Children", "hang_up_as_interrupt"]

#: How long a command may take to end after Ctrl-C before it is killed.
_PATIENCE_S = 20.0

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Children:
    """Commands that run now; on the way out they are interrupted, then killed.

    Parameters
    ----------
    program : sequence of str
        What goes before the words of a step.
    ledger : Ledger
        Each step is noted in it as it ends, with the seconds that it took.
    """

    def __init__(self, program: Sequence[str], ledger: Ledger) -> None:
        self.ledger = ledger
        self.running: dict[Step, subprocess.Popen[bytes]] = {}
        self._began_s: dict[Step, float] = {}
        self._program = tuple(program)

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Each leads a group of its own, with the processes it started in it.
        for child in self.running.values():
            _signal(child, signal.SIGINT)
        deadline_s = time.monotonic() + _PATIENCE_S
        for child in self.running.values():
            try:
                child.wait(max(0.0, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(child, signal.SIGKILL)
                child.wait()
        self.running.clear()

    def start(self, step: Step) -> None:
        """Start the command of a step."""
        self._began_s[step] = time.monotonic()
        progress_note(f"{step.name}: {step.command}")
        step.log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        with open(step.log, "ab") as log:
            log.write(f"$ {step.command}\n".encode())
            log.flush()
            self.running[step] = subprocess.Popen(
                [*self._program, *step.words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one call of the C library
            )

    def ended(self) -> Step | None:
        """Take one that has ended well; None while all run."""
        for step, child in self.running.items():
            code = child.poll()
            if code is None:
                continue
            del self.running[step]
            _check(step, code)
            seconds = time.monotonic() - self._began_s.pop(step)
            self.ledger.note(step.name, step.what, step.inputs, seconds=seconds)
            return step
        return None


def _check(step: Step, code: int) -> None:
    if code:
        lines = step.log.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        last = last.removeprefix("edge-ser-quantize: error: ")
        raise TrainingError(
            f"{step.name} ended with status {code} ({last[-300:]}): its log is {step.log}; the "
            "same command goes on from here"
        )
    missing = [path for path in step.outputs if not path.exists()]
    if missing:
        raise TrainingError(
            f"{step.name} ended well but did not make {missing[0]}: its log is {step.log}"
        )


def _system_prctl() -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    try:
        import ctypes

        prctl: Callable[..., int] = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None
    return prctl


# Found before there is a child to ask for it: that can do little.
_prctl = _system_prctl()


def _end_with_parent() -> None:
    """Let a command be interrupted when we are killed and cannot do it ourselves."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)


@contextlib.contextmanager
def hang_up_as_interrupt() -> Iterator[None]:
    """Take SIGTERM and SIGHUP for Ctrl-C, or the commands would outlive us."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        # nohup's choice stays.
        if signal.getsignal(number) == signal.SIG_DFL:
            # Only the main thread may; elsewhere they stay as they are.
            with contextlib.suppress(ValueError):
                before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
