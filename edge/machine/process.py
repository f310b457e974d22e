"""What a running process has used so far: processor time, wake-ups, memory."""

from __future__ import annotations

import dataclasses
import os

from edge.machine.system import System

__all__ = ["ProcessUse", "read_process"]


@dataclasses.dataclass(frozen=True, slots=True)
class ProcessUse:
    """Counters from its start on; of two readings the difference counts.

    Parameters
    ----------
    user_s, system_s : float
        Processor time, in steps of the kernel's clock, mostly 10 ms.
    exact_s : dict of int to float
        Processor time of each thread to the nanosecond; empty where the kernel does not count it.
    voluntary, involuntary : dict of int to int
        Context switches of each thread: it waited and was woken, and it was made to wait.
    rss_mb, peak_rss_mb : float
        Resident memory, in MB (10^6 bytes).
    """

    user_s: float
    system_s: float
    exact_s: dict[int, float]
    voluntary: dict[int, int]
    involuntary: dict[int, int]
    rss_mb: float
    peak_rss_mb: float

    def used_s(self, before: ProcessUse) -> float:
        """Processor time since, in seconds."""
        steps_s = self.user_s + self.system_s - before.user_s - before.system_s
        # A thread that has ended took its count with it.
        if not self.exact_s or before.exact_s.keys() - self.exact_s.keys():
            return steps_s
        return sum(used_s - before.exact_s.get(task, 0.0) for task, used_s in self.exact_s.items())

    def switches(self, before: ProcessUse) -> tuple[int, int]:
        """Count voluntary and involuntary context switches since, of threads that still live."""
        pairs = ((self.voluntary, before.voluntary), (self.involuntary, before.involuntary))
        voluntary, involuntary = (
            sum(count - old.get(task, 0) for task, count in now.items()) for now, old in pairs
        )
        return voluntary, involuntary


def read_process(system: System, pid: int) -> ProcessUse | None:
    """Read its counters; None where it has ended, or the system has no ``/proc``."""
    # The program's name, in brackets, may hold anything.
    columns = (system.read(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    memory = _status(system, f"/proc/{pid}/status")
    if len(columns) < 13 or "VmRSS" not in memory:
        return None
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    exact_s: dict[int, float] = {}
    voluntary: dict[int, int] = {}
    involuntary: dict[int, int] = {}
    for folder in system.find(f"/proc/{pid}/task/[0-9]*"):
        task = int(folder.rpartition("/")[2])
        counts = _status(system, f"{folder}/status")
        if "voluntary_ctxt_switches" not in counts:
            continue
        voluntary[task] = counts["voluntary_ctxt_switches"]
        involuntary[task] = counts.get("nonvoluntary_ctxt_switches", 0)
        ran = (system.read(f"{folder}/schedstat") or "").split()
        if len(ran) == 3 and ran[0].isdigit():
            exact_s[task] = int(ran[0]) / 1e9
    return ProcessUse(
        int(columns[11]) * tick_s,
        int(columns[12]) * tick_s,
        exact_s if len(exact_s) == len(voluntary) else {},
        voluntary,
        involuntary,
        memory["VmRSS"] * 1024 / 1e6,
        memory.get("VmHWM", memory["VmRSS"]) * 1024 / 1e6,
    )


def _status(system: System, name: str) -> dict[str, int]:
    """Whole numbers by their key, whatever their unit."""
    found: dict[str, int] = {}
    for line in (system.read(name) or "").splitlines():
        key, _, value = line.partition(":")
        words = value.split()
        if words and words[0].isdigit():
            found[key] = int(words[0])
    return found
