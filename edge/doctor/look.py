"""One look at a device: what was asked for, how much time is left, and what was seen so far."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from edge.doctor.finding import Finding
from edge.machine.programs import Ran
from edge.machine.system import System

__all__ = ["TOTAL_S", "Check", "Look", "Wishes"]

#: All checks together.  The bar is 15 s; starting Python on a small board takes one, and so may a
#: program that is killed at the end.
TOTAL_S = 12.0

_LEAST_S = 0.05


@dataclasses.dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asked for.

    Parameters
    ----------
    artifact : str or None
        As ``listen --artifact``.
    device : str or None
        As ``listen --device``.
    captures : bool
        Whether to record two seconds and measure them.  Nothing of it is kept.
    configuration : callable or None
        Reads the configuration as ``listen`` would and gives the files it came from; raises an
        :class:`~edge.errors.EdgeSerError` where that cannot be read.
    state : str or None
        As ``listen --state``.
    """

    artifact: str | None = None
    device: str | None = None
    captures: bool = True
    configuration: Callable[[], Iterable[str]] | None = None
    state: str | None = None


class Look:
    """What the checks of one run share; each lane of them is on a thread of its own.

    Parameters
    ----------
    system : System
    wishes : Wishes
    total_s : float
        When all must be over.
    """

    def __init__(self, system: System, wishes: Wishes, total_s: float = TOTAL_S) -> None:
        self.system = system
        self.wishes = wishes
        self._ends_s = time.monotonic() + total_s
        #: What a check leaves for later ones of its lane.
        self.notes: dict[str, Any] = {}
        #: What programs wrote, for an issue report.
        self.outputs: dict[str, str] = {}

    def left_s(self) -> float:
        """Give the time that is left; below 0 when it is over."""
        return self._ends_s - time.monotonic()

    def within_s(self, limit_s: float) -> float:
        """Give the time limit of a program: its own, or what is left of the whole."""
        return max(_LEAST_S, min(limit_s, self.left_s()))

    def run(
        self, command: list[str], timeout_s: float, environ: Mapping[str, str] | None = None
    ) -> Ran:
        """Run a program in English, within its limit, and keep what it wrote."""
        base = self.system.environ if environ is None else environ
        ran = self.system.run(command, self.within_s(timeout_s), {**base, "LC_ALL": "C"})
        if not ran.is_missing:
            end = f"exit code {ran.code}" if not ran.is_late else "killed, it was late"
            self.outputs[" ".join(command)] = f"{ran.out}{ran.err}[{end}]\n"
        return ran


Check = Callable[[Look], "Iterable[Finding]"]
