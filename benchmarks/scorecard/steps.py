"""Steps that run once: a command, what it needs and what it makes.

A step is done when all it makes is there and was made with what it needs as that is now, by
content: a ledger says with what. Of a step that the ledger does not know, the age of files decides,
as with make. Trainings resume by themselves, so a step that was interrupted is simply run again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType, TracebackType

from benchmarks.scorecard.ledger import Ledger
from quantize.basics.errors import TrainingError
from quantize.basics.progress import progress_bar, progress_note

__all__ = ["PROGRAM", "Step", "pending", "run_steps"]

#: What runs the words of a step.
PROGRAM = (sys.executable, "-m", "quantize.commands.main")

_POLL_S = 0.1

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

#: How long a command may take to end after Ctrl-C before it is killed.
_PATIENCE_S = 20.0


@dataclasses.dataclass(frozen=True)
class Step:
    """One command.

    Parameters
    ----------
    name : str
        Unlike any other.
    recipe : str
        Which recipe it is of.
    jobs : tuple of str
        Trainings that it is about.
    words : tuple of str
        The command without the program.
    inputs, outputs : tuple of path
        Files.
    what : tuple of str
        What of the command its result depends on, besides the inputs; not folders, nor how many
        do the work.
    log : path
        File that its output goes to.
    side_by_side : bool
        Whether it may run beside the neighbours that may.
    shares : path, optional
        A file that says that whatever its neighbours would compute too is there to be
        read; until then they wait for it.
    """

    name: str
    recipe: str
    jobs: tuple[str, ...]
    words: tuple[str, ...]
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    log: Path
    what: tuple[str, ...] = ()
    side_by_side: bool = False
    shares: Path | None = None

    @property
    def command(self) -> str:
        """The command as a person types it."""
        return shlex.join(("edge-ser-quantize", *self.words))

    def is_done(self, ledger: Ledger) -> bool:
        """Tell whether every output is there, and was made with the inputs as they are."""
        if not all(path.exists() for path in (*self.outputs, *self.inputs)):
            return False
        if ledger.knows(self.name):
            return ledger.is_as_noted(self.name, self.what, self.inputs)
        made_ns = min(path.stat().st_mtime_ns for path in self.outputs)
        return all(path.stat().st_mtime_ns <= made_ns for path in self.inputs)


def pending(steps: Sequence[Step], ledger: Ledger) -> list[Step]:
    """Those that are not done, or may not be once the ones before them have run."""
    result: list[Step] = []
    renewed: set[Path] = set()
    for step in steps:
        if renewed.intersection(step.inputs) or not step.is_done(ledger):
            renewed.update(step.outputs)
            result.append(step)
    return result


def run_steps(
    steps: Sequence[Step],
    ledger: Ledger,
    *,
    n_parallel: int = 1,
    program: Sequence[str] = PROGRAM,
    after: Callable[[Step], None] | None = None,
) -> int:
    """Run what is not done, in order, and count it.

    Parameters
    ----------
    steps : sequence of Step
        Each after those that make its inputs.
    ledger : Ledger
        What was done before; each step is noted in it as it ends.
    n_parallel : int
        How many neighbours of ``side_by_side`` run at a time.
    program : sequence of str
        What goes before the words of a step.
    after : callable, optional
        Called with every step that has run.

    Raises
    ------
    TrainingError
        If a command fails or does not make what it should. Commands beside it are
        interrupted first.
    KeyboardInterrupt
        On Ctrl-C, SIGTERM or SIGHUP, after all commands have ended.
    """
    n_steps = len(pending(steps, ledger))
    n_run = 0
    with _hang_up_as_interrupt(), _Children(program, ledger) as children:
        finished = (
            step for group in _neighbours(steps) for step in _run(group, n_parallel, children)
        )
        for step in progress_bar(finished, total=n_steps, title="scorecard"):
            n_run += 1
            if after:
                after(step)
    return n_run


def _neighbours(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Groups that may run at a time: of one recipe, side by side, or one alone."""
    group: list[Step] = []
    for step in steps:
        if group and not (
            step.side_by_side and group[-1].side_by_side and step.recipe == group[-1].recipe
        ):
            yield group
            group = []
        group.append(step)
    if group:
        yield group


def _run(group: Sequence[Step], n_parallel: int, children: _Children) -> Iterator[Step]:
    waiting = [step for step in group if not step.is_done(children.ledger)]
    for step in group:
        if step not in waiting:
            children.ledger.adopt(step.name, step.what, step.inputs)
    first = waiting[0] if waiting else None
    while waiting or children.running:
        while waiting and len(children.running) < max(1, n_parallel):
            # The first one computes what all share.
            if first in children.running and first.shares and not first.shares.exists():
                break
            children.start(waiting.pop(0))
        step = children.ended()
        if step is None:
            time.sleep(_POLL_S)
            continue
        yield step


class _Children:
    """Commands that run now; on the way out they are interrupted, then killed."""

    def __init__(self, program: Sequence[str], ledger: Ledger) -> None:
        self.ledger = ledger
        self.running: dict[Step, subprocess.Popen[bytes]] = {}
        self._program = tuple(program)

    def __enter__(self) -> _Children:
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
            self.ledger.note(step.name, step.what, step.inputs)
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
def _hang_up_as_interrupt() -> Iterator[None]:
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
