"""Targets with one fault each: does the harness find what it is there to find?"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge.errors import ParameterError
from fuzz.target import Trial, UnsoundError

__all__ = ["FAULTS", "FaultyTarget", "ShortRoadTarget"]


def _refuse() -> None:
    raise ParameterError("this is refused, as it should be")


def _answer() -> None:
    return None


def _raise() -> None:
    raise KeyError("untyped")


def _warn() -> None:
    np.float32(1e38) * np.float32(1e38)


def _lie() -> None:
    raise UnsoundError("a posterior of 2")


def _wrap_memory_error() -> None:
    try:
        np.ones(1 << 40)
    except MemoryError as error:
        raise ParameterError("too large") from error


def _work() -> None:
    end_s = time.process_time() + 0.6
    while time.process_time() < end_s:
        pass


def _hold() -> None:
    np.ones(300 << 17)


def _start() -> None:
    subprocess.run(["/bin/true"], check=True)


def _write() -> None:
    Path("../elsewhere").write_text("x")


def _die() -> None:
    os.abort()


def _wait() -> None:
    time.sleep(60)


#: What each does, and the kind of finding that it must be.
FAULTS: tuple[tuple[Callable[[], None], str | None], ...] = (
    (_refuse, None), (_answer, None), (_raise, "untyped"), (_warn, "untyped"), (_lie, "unsound"),
    (_wrap_memory_error, "memory"), (_work, "slow"), (_hold, "memory"), (_start, "forbidden"),
    (_write, "forbidden"), (_die, "died"), (_wait, "hang"),
)  # fmt: skip


class FaultyTarget:
    """One fault after the other."""

    may_probe = False
    needs: tuple[str, ...] = ()
    has_short_road = False

    def prepare(self, seeds: Path) -> None:
        """Count, so that the first trial of all has the first fault."""
        self._count = seeds / "count"

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Take the next one."""
        n = int(self._count.read_text()) if self._count.exists() else 0
        self._count.write_text(str(n + 1))
        (trial.folder / "input.txt").write_text(f"fault {n}")
        return FAULTS[n][0]


class ShortRoadTarget:
    """Dies on the short road, and is refused on the product's own."""

    may_probe = False
    needs: tuple[str, ...] = ()
    has_short_road = True

    def prepare(self, seeds: Path) -> None:
        """Nothing to read."""

    def draw(self, trial: Trial) -> Callable[[], None]:
        """Depends on the road alone."""
        return _refuse if trial.product else _die
