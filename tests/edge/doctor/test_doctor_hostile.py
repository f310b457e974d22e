"""Files of the system and programs that say anything at all: findings, and no check that fails."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from system_fakes import fake_system

from edge.doctor.archive import write_archive
from edge.doctor.examine import examine
from edge.doctor.look import Look, Wishes
from edge.doctor.record import to_line
from edge.doctor.registry import CHECKS
from edge.doctor.table import Table
from edge.machine.programs import Ran

CPU = "/sys/devices/system/cpu/cpu0"
FILES = (
    "/proc/meminfo", "/proc/loadavg", "/proc/cpuinfo", "/proc/device-tree/model", "/etc/group",
    "/etc/passwd", "/etc/hostname", "/etc/machine-id", "/etc/os-release", "/proc/asound/cards",
    "/sys/class/thermal/thermal_zone0/temp", "/sys/class/thermal/thermal_zone0/type",
    f"{CPU}/cpufreq/scaling_governor", f"{CPU}/cpufreq/scaling_max_freq", "/dev/snd/pcmC0D0c",
    f"{CPU}/cpufreq/cpuinfo_max_freq", f"{CPU}/thermal_throttle/core_throttle_count",
    "/sys/fs/cgroup/cpu.max", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current",
    "/sys/class/hwmon/hwmon0/name", "/sys/class/hwmon/hwmon0/in0_lcrit_alarm",
)  # fmt: skip
PIECES = (
    "", "\n", "\0", "-1", "0", "9" * 400, "1e999", "nan", "0x50005", "throttled=", "NTP=", ":",
    "=", "\t", "MemAvailable:", "audio:x:29:", "x:0:0", "\x1b[31m", "ä", "\udcff", "[", "{", "{}",
    "null", '{"step": "portaudio"}', '{"step": "failed", "at": "list"}', '{"step": "captured"}',
    "yes", "max", '{"step": "opened"}', '{"ms": null}', '{"ms": "x"}', "0 0", "rpi_volt", "[1]",
    '{"version": 3, "blas": 1}', '{"error": 3}', "Mute: yes", "Default Source: \x07",
    "1\ta.monitor\t\n", '{"step": ["x"]}',
)  # fmt: skip


def anything(rng: random.Random) -> str:
    return "".join(
        rng.choice(PIECES) + rng.choice(("", "\n", " ")) for _ in range(rng.randrange(6))
    )


@pytest.mark.parametrize("seed", range(25))
def test_whatever_the_system_says_is_a_finding(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)

    def run(command: Sequence[str], timeout_s: float, environ: object = None) -> Ran:
        code = rng.choice([0, 0, 0, 1, -4, -99, None])
        return Ran(code, anything(rng), anything(rng), is_late=code is None)

    files = {
        name: anything(rng).encode(errors="replace").decode()
        for name in FILES
        if rng.random() < 0.8
    }
    look = Look(
        fake_system(
            tmp_path / "system", files, run=run, now_s=lambda: rng.choice([0.0, 1e300, 2e9, -1e9])
        ),
        Wishes(),
    )
    found = list(examine(look))
    assert [each for each in found if "failed itself" in each.sentence] == []
    assert {each.check for each in found} == {row.name for row in CHECKS}
    table = Table(width=80)
    for each in found:
        to_line("finding", each.to_dict())
        assert not any(letter in line for line in table.lines(each) for letter in "\x1b\x07\0")
        assert (each.mend is not None) or each.state in ("ok", "skipped")
    write_archive(tmp_path / "report.zip", look, found, {})
