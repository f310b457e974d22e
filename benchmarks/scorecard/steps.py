"""Steps that run once: what is not done, several at a time.

A step is done when all it makes is there and was made with what it needs as that is now, by
content: a ledger says with what. Of a step that the ledger does not know, the age of files decides,
as with make. Trainings resume by themselves, so a step that was interrupted is simply run again.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.scorecard.children import Children, hang_up_as_interrupt
from benchmarks.scorecard.ledger import Ledger
from benchmarks.scorecard.step import Step
from quantize.basics.progress import progress_bar

__all__ = ["PROGRAM", "pending", "run_steps"]

#: What runs the words of a step.
PROGRAM = (sys.executable, "-m", "quantize.commands.main")

_POLL_S = 0.1


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
    """Run what is not done and count it.

    Every step runs after those that make its inputs. One at a time they run in the order given;
    several at a time, the one that most is waiting for goes first, so that none is left alone at
    the end.

    Parameters
    ----------
    steps : sequence of Step
        Each after those that make its inputs.
    ledger : Ledger
        What was done before; each step is noted in it as it ends.
    n_parallel : int
        How many run at a time.
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
    with hang_up_as_interrupt(), Children(program, ledger) as children:
        finished = _run(steps, max(1, n_parallel), children)
        for step in progress_bar(finished, total=n_steps, title="scorecard"):
            n_run += 1
            if after:
                after(step)
    return n_run


def _run(steps: Sequence[Step], n_parallel: int, children: Children) -> Iterator[Step]:
    """Run what is not done, and give every step as it ends."""
    order = list(steps) if n_parallel == 1 else _longest_first(steps)
    rank = {step.name: at for at, step in enumerate(order)}
    waiting = list(order)
    to_run: list[Step] = []
    unmade = {path for step in steps for path in step.outputs}
    while True:
        # What is done already may be all that others wait for.
        while free := [step for step in waiting if unmade.isdisjoint(step.inputs)]:
            for step in free:
                waiting.remove(step)
                if step.is_done(children.ledger):
                    children.ledger.adopt(step.name, step.what, step.inputs)
                    unmade.difference_update(step.outputs)
                else:
                    to_run.append(step)
        if not (to_run or children.running):
            return
        for step in sorted(to_run, key=lambda step: rank[step.name]):
            if len(children.running) < n_parallel and _may_start(step, children):
                to_run.remove(step)
                children.start(step)
        ended = children.ended()
        if ended is None:
            time.sleep(_POLL_S)
            continue
        unmade.difference_update(ended.outputs)
        yield ended


def _may_start(step: Step, children: Children) -> bool:
    """Whether no other that runs is in its way."""
    for other in children.running:
        if step.turn and step.turn == other.turn:
            return False
        # The first one computes what all share.
        is_alike = step.shares is not None and step.shares_as == other.shares_as
        if is_alike and other.shares is not None and not other.shares.exists():
            return False
    return True


def _longest_first(steps: Sequence[Step]) -> list[Step]:
    """Those first after which the longest chain of others is left to do."""
    users: dict[Path, list[Step]] = {}
    for step in steps:
        for path in step.inputs:
            users.setdefault(path, []).append(step)
    length: dict[str, float] = {}
    for step in reversed(steps):
        after = (length[user.name] for path in step.outputs for user in users.get(path, ()))
        length[step.name] = step.cost + max(after, default=0.0)
    return sorted(steps, key=lambda step: -length[step.name])
