"""What ``tegrastats`` of an NVIDIA Jetson tells."""

from __future__ import annotations

import dataclasses
import re

from edge.machine.system import System

__all__ = ["Tegrastats", "ask_tegrastats"]

# It goes on until it is killed, and writes its first line after an interval.
_COMMAND = ("tegrastats", "--interval", "200")
_LIMIT_S = 1.0
# A thermometer that is not built in: it shows one figure for ever.
_NO_THERMOMETER = "PMIC"


@dataclasses.dataclass(frozen=True, slots=True)
class Tegrastats:
    """One line of it.

    Parameters
    ----------
    degrees_celsius : dict of str to float
        By the name of the thermometer.
    cpu_mhz : int or None
        The fastest of the processors that are switched on.
    power_mw : dict of str to int
        By the name of the rail, at the moment of the line.
    """

    degrees_celsius: dict[str, float]
    cpu_mhz: int | None
    power_mw: dict[str, int]


def ask_tegrastats(system: System) -> Tegrastats | None:
    """Read a line of it; None where there is no such program, or it tells nothing."""
    lines = system.run(_COMMAND, _LIMIT_S, {**system.environ, "LC_ALL": "C"}).out.splitlines()
    line = lines[-1] if lines else ""
    degrees = {
        name: float(number)
        for name, number in re.findall(r"(\w+)@(-?\d+(?:\.\d+)?)C\b", line)
        if name != _NO_THERMOMETER and float(number) > 0
    }
    clocks = [
        int(mhz) for mhz in re.findall(r"\d+%@(\d+)", line.partition("CPU [")[2].split("]")[0])
    ]
    power = {
        name: int(now_mw)
        for name, now_mw in re.findall(r"\b((?:POM|VDD|VIN)\w*) (\d+)(?:mW)?/\d+", line)
    }
    if not (degrees or clocks or power):
        return None
    return Tegrastats(degrees, max(clocks, default=None), power)
