"""What else keeps the machine busy: processor time, swapping, a container's limit."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Set as AbstractSet

from edge.machine.system import System

__all__ = ["Load", "own_processor_s", "read_load", "usable_cpus"]

# Columns of a line of /proc/stat: user nice system idle iowait irq softirq steal.  What guests
# used is a part of the first two.
_N_COLUMNS = 8
_IDLE = (3, 4)


@dataclasses.dataclass(frozen=True, slots=True)
class Load:
    """Counters of the kernel's, from its start on; of two readings the difference counts.

    Parameters
    ----------
    busy_s, total_s : float or None
        Of the processors that this program may use: what they did, and what there was, in seconds
        of one processor.  None where the system does not tell.
    n_cpus : int
        How many those are.
    own_s : float
        Of them by this program, and by those of its children that have ended.
    swapped_pages : int or None
        In and out, of any program.
    n_held_back : int or None
        How often the control group's limit of processor time stopped us.
    load_average : tuple of float
        Of 1, 5 and 15 minutes; empty where unknown.
    """

    busy_s: float | None
    total_s: float | None
    n_cpus: int
    own_s: float
    swapped_pages: int | None
    n_held_back: int | None
    load_average: tuple[float, ...]


def usable_cpus() -> frozenset[int]:
    """Processors that this program may use."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def own_processor_s() -> float:
    """Processor time of this program and its ended children, in seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def read_load(system: System, cpus: AbstractSet[int], own_s: float) -> Load:
    """Read the counters.

    Parameters
    ----------
    system : System
    cpus : set of int
        As of :func:`usable_cpus`.
    own_s : float
        As of :func:`own_processor_s`.
    """
    busy = total = 0
    for line in (system.read("/proc/stat") or "").splitlines():
        name, *columns = line.split()
        if name[:3] == "cpu" and name[3:].isdigit() and int(name[3:]) in cpus:
            numbers = [int(column) for column in columns[:_N_COLUMNS]]
            total += sum(numbers)
            busy += sum(numbers) - sum(numbers[column] for column in _IDLE)
    ticks_s = os.sysconf("SC_CLK_TCK")
    paging = _counters(system, "/proc/vmstat")
    swapped = [paging[name] for name in ("pswpin", "pswpout") if name in paging]
    group = _counters(system, "/sys/fs/cgroup/cpu.stat")
    try:
        words = (system.read("/proc/loadavg") or "").split()[:3]
        average = tuple(float(word) for word in words)
    except ValueError:
        average = ()
    return Load(
        busy / ticks_s if total else None,
        total / ticks_s if total else None,
        len(cpus),
        own_s,
        sum(swapped) if swapped else None,
        group.get("nr_throttled"),
        average,
    )


def _counters(system: System, name: str) -> dict[str, int]:
    pairs = (line.split() for line in (system.read(name) or "").splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
