"""What the tests of jobs have done by others; and, run as a program, a parent to be killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from edge.jobs import run_in_order


def square(number: int) -> int:
    return number * number


def square_slowly(number: int) -> tuple[int, str | None, int]:
    """The later in a group of three, the sooner it is done."""
    time.sleep(0.02 * (2 - number % 3))
    return number * number, os.environ.get("OMP_NUM_THREADS"), os.getpid()


def fail_at_three(number: int) -> int:
    if number == 3:
        raise LookupError("three")
    return number


class PickyError(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail_pickily(number: int) -> int:
    raise PickyError(number, number)


def kill_itself(number: int) -> int:
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def ask_others(number: int) -> list[int]:
    return list(run_in_order(square, [number, number], n_jobs=2))


def note_and_wait(folder: str) -> None:
    Path(folder, str(os.getpid())).touch()
    time.sleep(600)


def meet(item: tuple[str, int]) -> int:
    """Say that it was begun, and by whom."""
    folder, number = item
    with open(Path(folder, f"{number}"), "a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(0.05)
    return number * number


if __name__ == "__main__":
    for _ in run_in_order(note_and_wait, [sys.argv[1]] * 2, n_jobs=2):
        pass
