"""A device out of a folder and a table of programs."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.doctor.finding import Finding
from edge.doctor.look import Look, Wishes
from edge.machine.programs import Ran
from edge.machine.system import Space, System

Reply = Ran | str | Callable[[Sequence[str]], Ran]

NOW_S = 1_800_000_000.0  # January 2027


@dataclasses.dataclass
class FakePrograms:
    """Replies by the command's words; a module of ours by its name."""

    replies: dict[str, Reply] = dataclasses.field(default_factory=dict)
    asked: list[str] = dataclasses.field(default_factory=list)
    limits_s: list[float] = dataclasses.field(default_factory=list)

    def run(
        self, command: Sequence[str], timeout_s: float, environ: Mapping[str, str] | None = None
    ) -> Ran:
        words = list(command)
        if words[:2] == [sys.executable, "-m"]:
            words = words[2:]
        line = " ".join(words)
        self.asked.append(line)
        self.limits_s.append(timeout_s)
        for start, reply in self.replies.items():
            if line.startswith(start):
                if callable(reply):
                    return reply(words)
                return reply if isinstance(reply, Ran) else Ran(0, reply)
        return Ran(None, is_missing=True)


def fake_system(
    root: Path,
    files: Mapping[str, str] | None = None,
    programs: Mapping[str, Reply] | None = None,
    **changes: Any,
) -> System:
    """Make a healthy machine, with what a test changes of it."""
    healthy = {
        "/proc/meminfo": "MemTotal: 4000000 kB\nMemAvailable: 3000000 kB\nSwapFree: 0 kB",
        "/proc/loadavg": "0.10 0.20 0.30 1/100 1234",
        "/sys/devices/system/cpu/cpu0/online": "1",
        "/etc/group": "root:x:0:\naudio:x:29:\nvideo:x:44:",
        "/etc/passwd": "root:x:0:0:root:/root:/bin/sh",
    }
    for name, text in {**healthy, **(files or {})}.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    settings: dict[str, Any] = {
        "root": root,
        "environ": {},
        "run": FakePrograms(dict(programs or {})).run,
        "machine": "aarch64",
        "pointer_bits": 64,
        "libc": "glibc 2.36",
        "user_id": 1000,
        "group_ids": frozenset({1000, 29}),
        "now_s": lambda: NOW_S,
        "may_use": lambda path: True,
        "space": lambda path: Space(10**10, 10**11, 10**6),
        "is_clock_synchronised": lambda: True,
        "can_start_python": True,
    }
    return System(**{**settings, **changes})


def fake_look(root: Path, *args: Any, wishes: Wishes | None = None, **changes: Any) -> Look:
    return Look(fake_system(root, *args, **changes), wishes or Wishes())


def one(findings: Any) -> Finding:
    """Take the only finding."""
    (finding,) = findings
    assert isinstance(finding, Finding)
    return finding


def steps(*told: Mapping[str, Any]) -> str:
    """Write what the child of the sound's checks prints."""
    return "".join(f"\n{json.dumps(dict(each))}\n" for each in told)
