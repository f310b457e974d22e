"""Boards, what is assumed of their cores, and what instructions then come to in milliseconds.

An estimate, and never a measurement: no board was there.  Time is instructions / (IPC x clock), and
IPC, the instructions that a core completes in a cycle, is an assumption with a range.  A core that
is `width` instructions wide is taken to complete a third of that in such work, from a quarter to a
half: an interpreter that branches, and short products of small matrices that lie in the caches.
The same assumption is held against this machine, whose instructions and milliseconds are known.
Memory that is slower, a governor that clocks down and a hot board are not in it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

__all__ = ["BOARDS", "CORES", "IPC_SHARES", "Board", "Core", "assumptions", "estimates"]

#: Parts of a core's width that it is taken to complete in a cycle: few, about, many.
IPC_SHARES = (1 / 4, 1 / 3, 1 / 2)

#: Seconds from one decision to the next in a live loop, and the bar for its part of a Pi 3's core.
HOP_S = 0.512
LIVE_BOARD = "Raspberry Pi 3"
LIVE_BAR_PERCENT = 2.4


@dataclasses.dataclass(frozen=True, slots=True)
class Core:
    """A processor core.

    Parameters
    ----------
    name : str
        As QEMU calls it.
    part : int
        As ``/proc/cpuinfo`` has it.
    width : int
        Instructions that it decodes in a cycle, by Arm's own description.
    """

    name: str
    part: int
    width: int

    @property
    def ipc(self) -> tuple[float, float, float]:
        """Instructions a cycle: few, about, many."""
        few, about, many = (share * self.width for share in IPC_SHARES)
        return few, about, many


@dataclasses.dataclass(frozen=True, slots=True)
class Board:
    """A board.

    Parameters
    ----------
    name : str
    core : str
        A key of :data:`CORES`.
    clock_hz : float
        The highest that its maker sets.
    """

    name: str
    core: str
    clock_hz: float


CORES = {
    core.name: core
    for core in (
        Core("cortex-a53", 0xD03, 2),
        Core("cortex-a72", 0xD08, 3),
        Core("cortex-a76", 0xD0B, 4),
    )
}

BOARDS = (
    Board("Raspberry Pi Zero 2 W", "cortex-a53", 1.0e9),
    Board("Raspberry Pi 3", "cortex-a53", 1.2e9),
    Board("Raspberry Pi 4", "cortex-a72", 1.5e9),
    Board("Raspberry Pi 5", "cortex-a76", 2.4e9),
)


def assumptions() -> dict[str, Any]:
    """What the estimates rest on, as plain JSON types."""
    return {
        "what": "estimates from instruction counts, not measurements: no board was there",
        "formula": "milliseconds = 1000 x instructions / (IPC x clock)",
        "ipc": "width x 1/4 (high estimate), 1/3 (middle), 1/2 (low), one thread, full clock",
        "cores": [
            {"core": core.name, "width": core.width, "ipc": [round(ipc, 3) for ipc in core.ipc]}
            for core in CORES.values()
        ],
        "boards": [
            {"board": board.name, "core": board.core, "clock_hz": board.clock_hz}
            for board in BOARDS
        ],
        "left out": "slow memory, a governor that clocks down, a hot board, other programs, the "
        "kernel's own work, and PortAudio's",
    }


def estimates(
    instructions: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> list[dict[str, Any]]:
    """Milliseconds of every stage on every board.

    Parameters
    ----------
    instructions : mapping
        Core to artifact to stage to instructions.

    Returns
    -------
    list of dict
        ``board``, ``core``, ``artifact``, ``ms`` (stage to low, middle and high),
        ``live_percent`` of one core for ``listen`` in the same order, and
        ``instructions_within_bar``, what a hop of ``listen`` may be for 2.4 % of a Pi 3's core.
    """
    found = []
    for board in BOARDS:
        core = CORES[board.core]
        for artifact, stages in instructions.get(board.core, {}).items():
            ms = {
                stage: [1000 * count / (ipc * board.clock_hz) for ipc in reversed(core.ipc)]
                for stage, count in stages.items()
            }
            row: dict[str, Any] = {
                "board": board.name,
                "core": board.core,
                "artifact": artifact,
                "ms": {
                    stage: [_rounded(value) for value in range_] for stage, range_ in ms.items()
                },
            }
            if "listen" in ms:
                row["live_percent"] = [_rounded(value / 10 / HOP_S) for value in ms["listen"]]
            if board.name == LIVE_BOARD:
                row["bar_percent"] = LIVE_BAR_PERCENT
                row["instructions_within_bar"] = [
                    round(LIVE_BAR_PERCENT / 100 * HOP_S * ipc * board.clock_hz) for ipc in core.ipc
                ]
            found.append(row)
    return found


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
