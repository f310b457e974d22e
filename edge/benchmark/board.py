"""The state of the board before and after, and whether what was measured between them counts."""

from __future__ import annotations

import dataclasses
import datetime
import time
from collections.abc import Callable, Iterator
from typing import Any

from edge.errors import how_many
from edge.machine.jetson import ask_tegrastats
from edge.machine.load import Load, own_processor_s, read_load, usable_cpus
from edge.machine.processor import (
    Firmware,
    ask_firmware,
    clock_speeds,
    cooling_states,
    cpu_quota,
    firmware_mhz,
    is_voltage_low,
    thermometers,
    throttle_counts,
)
from edge.machine.system import System

__all__ = ["Board", "BoardState", "judge"]

#: Share of the processors it could use beyond which others disturb.
_OTHERS = 0.1
#: What clock and speed may lose from the beginning to the end.
_SLOWER = 0.1
#: Pages of 4 kB that may be swapped.
_SWAPPED_PAGES = 256
# A piece of work that takes about 2 ms of a Raspberry Pi 4, done again until the clock is up.
_WORK = 20_000
_PACE_S = 0.3


@dataclasses.dataclass(frozen=True, slots=True)
class BoardState:
    """What a board tells at one moment; None and empty where it does not.

    Parameters
    ----------
    time : str
        RFC 3339, in UTC.
    governors : list of str
    clock_mhz, limit_mhz, hardware_mhz : int or None
        While it works, at most as it is set, and at most as it is built.
    pace_ms : float
        Least time of a fixed piece of work, with which clocks can be compared that nobody tells.
    degrees_celsius : dict of str to float
    firmware : Firmware
    is_voltage_low : bool or None
    cooling : dict of str to int
        What slows the processor down at this moment because of heat, and by how many steps.
    throttle_counts : list of int
        How often each processor was, since the start.
    power_mw : dict of str to int
        Of a Jetson, by rail.
    quota : float or None
        Processors that a container may use.
    load : Load
    """

    time: str
    governors: list[str]
    clock_mhz: int | None
    limit_mhz: int | None
    hardware_mhz: int | None
    pace_ms: float
    degrees_celsius: dict[str, float]
    firmware: Firmware
    is_voltage_low: bool | None
    cooling: dict[str, int]
    throttle_counts: list[int]
    power_mw: dict[str, int]
    quota: float | None
    load: Load

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; ``throttling`` has the firmware's word bit by bit."""
        bits = self.firmware.bits
        return {
            "time": self.time,
            "governors": self.governors,
            "clock_mhz": self.clock_mhz,
            "limit_mhz": self.limit_mhz,
            "hardware_mhz": self.hardware_mhz,
            "pace_ms": round(self.pace_ms, 4),
            "degrees_celsius": self.degrees_celsius,
            "throttling": {
                "bits": None if bits is None else hex(bits),
                "now": self.firmware.now,
                "since_start": self.firmware.since_start,
                "voltage_low": self.is_voltage_low,
                "cooling": self.cooling,
                "n_times": max(self.throttle_counts, default=None),
            },
            "power_mw": self.power_mw,
            "cpu_quota": self.quota,
            "load_average": list(self.load.load_average),
        }


class Board:
    """Reads states.

    Parameters
    ----------
    system : System
    pace_ms : callable, optional
        Keeps a processor busy and gives the least time of a fixed piece of work.
    own_s : callable, optional
        Processor time of this program and its ended children.
    cpus : set of int, optional
        Processors that it may use.
    """

    def __init__(
        self,
        system: System,
        *,
        pace_ms: Callable[[], float] | None = None,
        own_s: Callable[[], float] = own_processor_s,
        cpus: frozenset[int] | None = None,
    ) -> None:
        self._system = system
        self._pace_ms = pace_ms or measure_pace_ms
        self._own_s = own_s
        self._cpus = usable_cpus() if cpus is None else cpus

    def read(self) -> BoardState:
        """Read the state; takes about half a second, most of it work to get the clock up."""
        system = self._system
        pace_ms = self._pace_ms()
        # At once, before an idle processor is clocked down again.
        clock_mhz = firmware_mhz(system.run)
        speeds = clock_speeds(system, self._cpus)
        tegrastats = ask_tegrastats(system)
        degrees = thermometers(system)
        if tegrastats is not None:
            degrees = {**tegrastats.degrees_celsius, **degrees}
        now_s = datetime.datetime.fromtimestamp(system.now_s(), datetime.timezone.utc)
        # Of those that know it the best first.
        clocks_mhz = (
            clock_mhz,
            speeds.now_mhz if speeds else None,
            tegrastats.cpu_mhz if tegrastats else None,
        )
        return BoardState(
            time=now_s.isoformat(timespec="seconds").replace("+00:00", "Z"),
            governors=list(speeds.governors) if speeds else [],
            clock_mhz=next((mhz for mhz in clocks_mhz if mhz), None),
            limit_mhz=speeds.limit_mhz if speeds else None,
            hardware_mhz=speeds.hardware_mhz if speeds else None,
            pace_ms=pace_ms,
            degrees_celsius=degrees,
            firmware=ask_firmware(system, system.run),
            is_voltage_low=is_voltage_low(system),
            cooling=cooling_states(system),
            throttle_counts=throttle_counts(system),
            power_mw=tegrastats.power_mw if tegrastats else {},
            quota=cpu_quota(system),
            load=read_load(system, self._cpus, self._own_s()),
        )


def measure_pace_ms() -> float:
    """Give the least milliseconds of a fixed piece of work, done for 0.3 s."""
    least_s = float("inf")
    ends_s = time.perf_counter() + _PACE_S
    started_s = 0.0
    while started_s < ends_s:
        started_s = time.perf_counter()
        total = 0
        for number in range(_WORK):
            total += number
        least_s = min(least_s, time.perf_counter() - started_s)
    return 1000 * least_s


def judge(before: BoardState, after: BoardState) -> dict[str, Any]:
    """Whether figures between two states count.

    Returns
    -------
    dict
        Plain JSON types: both states, ``between`` them what others used, ``valid``, ``reasons``
        why not, and ``notes`` of what nobody can tell.
    """
    others = _others_share(before.load, after.load)
    swapped = _increase(before.load.swapped_pages, after.load.swapped_pages)
    held_back = _increase(before.load.n_held_back, after.load.n_held_back)
    reasons = [*_throttled(before, after), *_slowed(before, after)]
    if others is not None and others > _OTHERS:
        processors = how_many(after.load.n_cpus, "processor")
        reasons.append(f"other programs used {100 * others:.0f} % of {processors}")
    if swapped is not None and swapped > _SWAPPED_PAGES:
        reasons.append(f"memory was swapped, {swapped} pages")
    if held_back:
        reasons.append(
            f"the container's limit of processor time held it back {how_many(held_back, 'time')}"
        )
    return {
        "before": before.to_dict(),
        "after": after.to_dict(),
        "between": {
            "cpus": after.load.n_cpus,
            "own_s": round(after.load.own_s - before.load.own_s, 2),
            "others_share": None if others is None else round(others, 4),
            "swapped_pages": swapped,
            "n_held_back": held_back,
        },
        "valid": not reasons,
        "reasons": reasons,
        "notes": list(_notes(before, others)),
    }


def _others_share(before: Load, after: Load) -> float | None:
    """What others used of the processors; what a host took from a virtual machine is with it."""
    if before.total_s is None or after.total_s is None:
        return None
    assert before.busy_s is not None
    assert after.busy_s is not None
    total_s = after.total_s - before.total_s
    if total_s <= 0:
        return None
    others_s = after.busy_s - before.busy_s - (after.own_s - before.own_s)
    return max(0.0, others_s / total_s)


def _increase(before: int | None, after: int | None) -> int | None:
    return None if before is None or after is None else after - before


def _throttled(before: BoardState, after: BoardState) -> Iterator[str]:
    """Say what held the processor back."""
    now = [*before.firmware.now, *after.firmware.now]
    known = before.firmware.since_start if before.firmware.bits is not None else None
    # What was so once between the two readings, and is over.
    came = [] if known is None else [w for w in after.firmware.since_start if w not in known]
    bits = hex(after.firmware.bits or before.firmware.bits or 0)
    for words in dict.fromkeys([*now, *came]):
        yield f"{words}, says the firmware ({bits})"
    if (before.is_voltage_low or after.is_voltage_low) and not now:
        yield "the supply's voltage is too low"
    for name, steps in {**before.cooling, **after.cooling}.items():
        yield f"heat slows the processor down, {name} is at step {steps}"
    counts = zip(before.throttle_counts, after.throttle_counts, strict=False)
    times = max((later - earlier for earlier, later in counts), default=0)
    if times > 0:
        yield f"a processor was throttled {how_many(times, 'time')}"


def _slowed(before: BoardState, after: BoardState) -> Iterator[str]:
    """Say what became slower from the beginning to the end."""
    if before.governors != after.governors:
        yield f"the governor was {_listed(before.governors)} and became {_listed(after.governors)}"
    if before.clock_mhz and after.clock_mhz and after.clock_mhz < before.clock_mhz * (1 - _SLOWER):
        yield f"the clock fell from {before.clock_mhz} to {after.clock_mhz} MHz"
    elif after.pace_ms > before.pace_ms / (1 - _SLOWER):
        yield (
            f"the processor became slower: a fixed piece of work took {before.pace_ms:.2f} ms at "
            f"the beginning and {after.pace_ms:.2f} ms at the end"
        )


def _listed(governors: list[str]) -> str:
    return " and ".join(governors) or "unknown"


def _notes(before: BoardState, others: float | None) -> Iterator[str]:
    if before.firmware.since_start:
        yield (
            f"{' and '.join(before.firmware.since_start)} once before, so that the firmware would "
            "not tell it again: start the board anew to be sure"
        )
    if others is None:
        yield "the system does not tell what other programs used"
