"""Clock, processor, power, memory and disk of machines that a test makes up."""

from __future__ import annotations

from pathlib import Path

import pytest
from system_fakes import NOW_S, Reply, fake_look, one

from edge.doctor.clock import clock, time_service
from edge.doctor.processor import clock_speed, load, temperature, throttling
from edge.doctor.room import disk, memory
from edge.machine.programs import Ran
from edge.machine.system import Space

CPU0 = "/sys/devices/system/cpu/cpu0"
FREQ = f"{CPU0}/cpufreq"


def test_a_clock_that_was_never_set_is_an_error(tmp_path: Path) -> None:
    finding = one(clock(fake_look(tmp_path, now_s=lambda: 86_400.0 * 365)))
    assert finding.state == "error"
    assert "1971" in finding.sentence
    assert finding.mend == "sudo timedatectl set-ntp true"


def test_a_clock_before_the_installation_is_an_error(tmp_path: Path) -> None:
    # 2024-06-01: past the first year, and long before this file was written.
    finding = one(clock(fake_look(tmp_path, now_s=lambda: 1_717_200_000.0)))
    assert (finding.state, "before edge-ser was" in finding.sentence) == ("error", True)


@pytest.mark.parametrize("now_s", [1e20, float("inf"), -1e15])
def test_no_date_at_all_is_an_error_and_no_traceback(tmp_path: Path, now_s: float) -> None:
    assert one(clock(fake_look(tmp_path, now_s=lambda: now_s))).state == "error"


def test_a_right_clock_is_ok(tmp_path: Path) -> None:
    finding = one(clock(fake_look(tmp_path, now_s=lambda: 10 * NOW_S)))
    assert (finding.state, finding.mend) == ("ok", None)


@pytest.mark.parametrize(
    ("programs", "kernel", "state"),
    [
        ({"timedatectl": "NTP=yes\nNTPSynchronized=yes\n"}, None, "ok"),
        ({"timedatectl": "NTP=no\nNTPSynchronized=no\n"}, True, "warning"),
        ({"timedatectl": Ran(None, is_late=True)}, False, "warning"),
        ({"timedatectl": Ran(1, err="no bus")}, True, "ok"),
        ({}, False, "warning"),
        ({}, None, "skipped"),
    ],
)
def test_who_keeps_the_clock(
    tmp_path: Path, programs: dict[str, Reply], kernel: bool | None, state: str
) -> None:
    look = fake_look(tmp_path, programs=programs, is_clock_synchronised=lambda: kernel)
    finding = one(time_service(look))
    assert finding.state == state
    if state == "warning":
        assert finding.mend == "sudo timedatectl set-ntp true"


def test_a_clock_in_a_container_is_the_hosts(tmp_path: Path) -> None:
    look = fake_look(tmp_path, {"/.dockerenv": ""}, is_clock_synchronised=lambda: False)
    assert one(time_service(look)).state == "skipped"


def test_a_governor_that_saves_power_is_told_with_the_line_that_changes_it(tmp_path: Path) -> None:
    files = {
        f"{FREQ}/scaling_governor": "powersave\n", f"{FREQ}/scaling_driver": "cpufreq-dt",
        f"{FREQ}/scaling_max_freq": "1500000", f"{FREQ}/cpuinfo_max_freq": "1500000",
    }  # fmt: skip
    finding = one(clock_speed(fake_look(tmp_path, files)))
    assert finding.state == "warning"
    assert finding.mend.endswith("| sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor")
    assert finding.facts["hardware_mhz"] == 1500
    # Intel's own driver goes up to full speed with a governor of the same name.
    files[f"{FREQ}/scaling_driver"] = "intel_pstate"
    assert one(clock_speed(fake_look(tmp_path, files))).state == "ok"


def test_a_capped_clock_speed_is_told(tmp_path: Path) -> None:
    files = {
        f"{FREQ}/scaling_governor": "ondemand", f"{FREQ}/scaling_driver": "cpufreq-dt",
        f"{FREQ}/scaling_max_freq": "600000", f"{FREQ}/cpuinfo_max_freq": "1500000",
    }  # fmt: skip
    finding = one(clock_speed(fake_look(tmp_path, files)))
    assert (finding.state, "40 %" in finding.sentence) == ("warning", True)


def test_a_machine_without_clock_speeds_is_passed_over(tmp_path: Path) -> None:
    assert one(clock_speed(fake_look(tmp_path))).state == "skipped"


def test_load_and_a_containers_share(tmp_path: Path) -> None:
    assert one(load(fake_look(tmp_path))).state == "ok"
    busy = one(load(fake_look(tmp_path, {"/proc/loadavg": "5.00 1 1 1/1 1"})))
    assert (busy.state, busy.mend) == ("warning", "top -o %CPU")
    files = {"/proc/loadavg": "0 0 0 1/1 1", "/sys/fs/cgroup/cpu.max": "20000 100000"}
    assert "--cpus 1" in one(load(fake_look(tmp_path, files))).mend
    files["/sys/fs/cgroup/cpu.max"] = "max 100000"
    assert one(load(fake_look(tmp_path, files))).state == "ok"


def test_the_hottest_thermometer_counts(tmp_path: Path) -> None:
    zones = "/sys/class/thermal/thermal_zone"
    files = {
        f"{zones}0/temp": "45000", f"{zones}0/type": "gpu", f"{zones}1/temp": "83400",
        f"{zones}1/type": "cpu-thermal", f"{zones}2/temp": "-274000", f"{zones}2/type": "off",
    }  # fmt: skip
    finding = one(temperature(fake_look(tmp_path, files)))
    assert (finding.state, "cpu-thermal is at 83 °C" in finding.sentence) == ("warning", True)
    assert finding.facts["degrees_celsius"] == {"gpu": 45.0, "cpu-thermal": 83.4}
    files[f"{zones}1/temp"] = "51000"
    assert one(temperature(fake_look(tmp_path, files))).state == "ok"


@pytest.mark.parametrize(
    ("bits", "state", "sentence", "mend"),
    [
        ("0x50005", "error", "voltage is too low and the processor is throttled", "power supply"),
        ("0x50000", "warning", "since the start the supply's voltage is too low", "power supply"),
        ("0x80008", "warning", "right now the soft temperature limit is reached", "heat sink"),
        ("0x40000", "warning", "since the start the processor is throttled", "heat sink"),
        ("0x0", "ok", "neither voltage nor heat", None),
    ],
)
def test_what_a_raspberry_pi_says_of_its_supply(
    tmp_path: Path, bits: str, state: str, sentence: str, mend: str | None
) -> None:
    look = fake_look(tmp_path, programs={"vcgencmd get_throttled": f"throttled={bits}\n"})
    finding = one(throttling(look))
    assert finding.state == state
    assert sentence in finding.sentence
    assert (mend or "") in (finding.mend or "")


def test_vcgencmd_without_rights_asks_for_group_video(tmp_path: Path) -> None:
    refusal = Ran(255, err="Can't open device file: /dev/vcio")
    finding = one(throttling(fake_look(tmp_path, programs={"vcgencmd": refusal})))
    assert (finding.state, "video" in finding.mend) == ("skipped", True)


def test_the_kernel_knows_of_a_weak_supply(tmp_path: Path) -> None:
    files = {
        "/sys/class/hwmon/hwmon1/name": "rpi_volt",
        "/sys/class/hwmon/hwmon1/in0_lcrit_alarm": "1",
    }
    assert one(throttling(fake_look(tmp_path, files))).state == "error"


def test_another_machine_tells_how_often_it_was_throttled(tmp_path: Path) -> None:
    files = {f"{CPU0}/thermal_throttle/core_throttle_count": "7"}
    assert one(throttling(fake_look(tmp_path, files))).facts == {"n_times": 7}


@pytest.mark.parametrize(
    ("available_kb", "state"), [(3_000_000, "ok"), (60_000, "warning"), (40_000, "error")]
)
def test_memory_that_is_left(tmp_path: Path, available_kb: int, state: str) -> None:
    files = {"/proc/meminfo": f"MemTotal: 4000000 kB\nMemAvailable: {available_kb} kB"}
    finding = one(memory(fake_look(tmp_path, files)))
    assert (finding.state, finding.facts["available_bytes"]) == (state, 1024 * available_kb)


def test_a_containers_limit_counts_where_it_is_lower(tmp_path: Path) -> None:
    files = {"/sys/fs/cgroup/memory.max": "64000000", "/sys/fs/cgroup/memory.current": "50000000"}
    finding = one(memory(fake_look(tmp_path, files)))
    assert (finding.state, "--memory" in finding.mend) == ("error", True)
    files["/sys/fs/cgroup/memory.max"] = "max"
    assert one(memory(fake_look(tmp_path, files))).state == "ok"


@pytest.mark.parametrize(
    ("space", "state", "word"),
    [
        (Space(10**10, 10**11, 10**6), "ok", "left"),
        (Space(50 * 10**6, 10**11, 10**6), "warning", "logs will fill it"),
        (Space(0, 10**11, 10**6), "error", "it is full"),
        (Space(10**10, 10**11, 0), "error", "inodes"),
        (Space(10**10, 10**11, None), "ok", "left"),
        (Space(0, 0, None), "ok", "without a size"),
    ],
)
def test_disk_that_is_left(tmp_path: Path, space: Space, state: str, word: str) -> None:
    finding = one(disk(fake_look(tmp_path, space=lambda path: space)))
    assert (finding.state, word in finding.sentence) == (state, True)


def test_a_folder_that_cannot_be_asked_is_passed_over(tmp_path: Path) -> None:
    def refuse(path: Path) -> Space:
        raise PermissionError(13, "Permission denied")

    assert {finding.state for finding in disk(fake_look(tmp_path, space=refuse))} == {"skipped"}
