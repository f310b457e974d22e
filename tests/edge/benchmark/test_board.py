"""Whether a run counts, on boards that a test makes up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from system_fakes import Reply, fake_system

from edge.benchmark.board import Board, BoardState, judge, measure_pace_ms
from edge.machine.programs import Ran

FREQ = "/sys/devices/system/cpu/cpu0/cpufreq"
#: user nice system idle iowait irq softirq steal, in hundredths.
STAT = "cpu  999 0 0 9 0 0 0 0 0 0\ncpu0 {0} 0 0 {1} 0 0 0 0 0 0\ncpu1 {0} 0 0 {1} 0 0 0 0 0 0\n"
PI: dict[str, str] = {
    f"{FREQ}/scaling_governor": "ondemand\n",
    f"{FREQ}/scaling_driver": "cpufreq-dt",
    f"{FREQ}/scaling_cur_freq": "1000000",
    f"{FREQ}/scaling_max_freq": "1000000",
    f"{FREQ}/cpuinfo_max_freq": "1000000",
    "/sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "/sys/class/thermal/thermal_zone0/temp": "48312",
    "/sys/class/hwmon/hwmon0/name": "rpi_volt",
    "/sys/class/hwmon/hwmon0/in0_lcrit_alarm": "0",
    "/proc/stat": STAT.format(100, 900),
    "/proc/vmstat": "pswpin 10\npswpout 20\nnr_dirty 3\n",
}
UNTHROTTLED: dict[str, Reply] = {"vcgencmd get_throttled": "throttled=0x0\n"}


def state(
    root: Path,
    files: dict[str, str] | None = None,
    programs: dict[str, Reply] | None = None,
    pace_ms: float = 2.0,
    own_s: float = 0.0,
) -> BoardState:
    system = fake_system(root, {**PI, **(files or {})}, programs or UNTHROTTLED)
    board = Board(system, pace_ms=lambda: pace_ms, own_s=lambda: own_s, cpus=frozenset({0, 1}))
    return board.read()


#: Two processors for 10 s, of which they worked for 1 s each.
LATER = {"/proc/stat": STAT.format(200, 1800)}


@pytest.fixture
def between(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Judge a Pi that was well at the beginning, and what became of it."""

    def between(files: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
        before = state(tmp_path)
        return judge(before, state(tmp_path, {**LATER, **(files or {})}, **changes))

    return between


def test_a_pi_that_was_left_alone_counts(between: Callable[..., dict[str, Any]]) -> None:
    verdict = between(own_s=1.5)
    assert (verdict["valid"], verdict["reasons"], verdict["notes"]) == (True, [], [])
    assert verdict["between"] == {
        "cpus": 2, "own_s": 1.5, "others_share": 0.025, "swapped_pages": 0, "n_held_back": None,
    }  # fmt: skip
    before = verdict["before"]
    assert before["time"] == "2027-01-15T08:00:00Z"
    assert (before["governors"], before["clock_mhz"]) == (["ondemand"], 1000)
    assert before["degrees_celsius"] == {"cpu-thermal": 48.312}
    assert before["throttling"] == {
        "bits": "0x0", "now": [], "since_start": [], "voltage_low": False, "cooling": {},
        "n_times": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("files", "changes", "reason"),
    [
        (
            {},
            {"programs": {"vcgencmd get_throttled": "throttled=0x50005"}},
            "the supply's voltage is too low, says the firmware (0x50005)",
        ),
        # Over by the time of the second reading, and still known.
        (
            {},
            {"programs": {"vcgencmd get_throttled": "throttled=0x40000"}},
            "the processor is throttled, says the firmware (0x40000)",
        ),
        ({f"{FREQ}/scaling_cur_freq": "600000"}, {}, "the clock fell from 1000 to 600 MHz"),
        ({}, {"pace_ms": 2.5}, "took 2.00 ms at the beginning and 2.50 ms at the end"),
        ({}, {"own_s": 0.1}, ""),
        ({"/proc/stat": STAT.format(400, 1600)}, {"own_s": 1.0}, "other programs used 25 % of 2 p"),
        ({"/proc/vmstat": "pswpin 400\npswpout 20"}, {}, "memory was swapped, 390 pages"),
        ({"/sys/class/hwmon/hwmon0/in0_lcrit_alarm": "1"}, {}, "the supply's voltage is too low"),
        (
            {
                "/sys/class/thermal/cooling_device0/type": "cpufreq-cpu0",
                "/sys/class/thermal/cooling_device0/cur_state": "3",
            },
            {},
            "heat slows the processor down, cpufreq-cpu0 cooling_device0 is at step 3",
        ),
        ({f"{FREQ}/scaling_governor": "powersave"}, {}, "was ondemand and became powersave"),
    ],
)
def test_a_pi_that_was_held_back_or_disturbed_does_not(
    between: Callable[..., dict[str, Any]],
    files: dict[str, str],
    changes: dict[str, Any],
    reason: str,
) -> None:
    verdict = between(files, **changes)
    assert reason in " | ".join(verdict["reasons"])
    assert verdict["valid"] is (reason == "")


def test_the_clock_of_a_pi_is_what_its_firmware_says(tmp_path: Path) -> None:
    def board(mhz: int) -> BoardState:
        # The kernel goes on telling the clock that it asked for.
        return state(tmp_path, programs={
            "vcgencmd get_throttled": "throttled=0x0\n",
            "vcgencmd measure_clock arm": f"frequency(0)={mhz}000384\n",
        })  # fmt: skip

    assert judge(board(1000), board(600))["reasons"] == ["the clock fell from 1000 to 600 MHz"]


def test_each_bit_of_the_firmware_has_its_words(tmp_path: Path) -> None:
    told = state(tmp_path, programs={"vcgencmd get_throttled": "throttled=0xe0008"}).to_dict()[
        "throttling"
    ]
    assert told["now"] == ["the soft temperature limit is reached"]
    assert told["since_start"] == [
        "the clock speed is capped", "the processor is throttled",
        "the soft temperature limit is reached",
    ]  # fmt: skip


def test_what_was_throttled_before_is_a_note_and_no_reason(tmp_path: Path) -> None:
    programs: dict[str, Reply] = {"vcgencmd get_throttled": "throttled=0x20000"}
    before = state(tmp_path, programs=programs)
    verdict = judge(before, state(tmp_path, LATER, programs))
    assert verdict["valid"]
    assert "the clock speed is capped once before" in verdict["notes"][0]


def test_a_pc_and_a_container_count_how_often(tmp_path: Path) -> None:
    count = "/sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count"
    group = "/sys/fs/cgroup/cpu.stat"
    before = state(tmp_path, {count: "7", group: "nr_periods 9\nnr_throttled 1\n"})
    files = {**LATER, count: "9", group: "nr_periods 99\nnr_throttled 4\n"}
    reasons = judge(before, state(tmp_path, files))["reasons"]
    assert reasons == [
        "a processor was throttled 2 times",
        "the container's limit of processor time held it back 3 times",
    ]


JETSON = (
    "11-27-2026 19:30:00 RAM 1540/3964MB (lfb 2x2MB) SWAP 0/1982MB (cached 0MB) "
    "CPU [12%@{mhz},8%@{mhz},off,off] EMC_FREQ 0% GR3D_FREQ 0% PLL@34C CPU@37.5C PMIC@50C "
    "GPU@35.5C thermal@36.5C POM_5V_IN 2450/2450 POM_5V_CPU 480/480\n"
)


def test_a_jetson_is_read_by_its_own_program(tmp_path: Path) -> None:
    def system(mhz: int) -> Any:
        programs: dict[str, Reply] = {
            # It ends only when it is killed.
            "tegrastats": Ran(None, out=JETSON.format(mhz=mhz), is_late=True),
        }
        files = {"/sys/class/hwmon/hwmon4/oc1_event_cnt": "0", "/proc/stat": STAT.format(1, 9)}
        return fake_system(tmp_path, files, programs)

    def read(mhz: int) -> BoardState:
        return Board(system(mhz), pace_ms=lambda: 1.0, cpus=frozenset({0})).read()

    before = read(1479).to_dict()
    assert before["clock_mhz"] == 1479
    assert before["degrees_celsius"] == {"PLL": 34.0, "CPU": 37.5, "GPU": 35.5, "thermal": 36.5}
    assert before["power_mw"] == {"POM_5V_IN": 2450, "POM_5V_CPU": 480}
    assert judge(read(1479), read(921))["reasons"] == ["the clock fell from 1479 to 921 MHz"]


def test_orin_writes_its_rails_with_a_unit(tmp_path: Path) -> None:
    line = "CPU [0%@729,1%@1510] cpu@45.593C soc0@43C VDD_IN 4473mW/4473mW VDD_SOC 1104mW/1104mW"
    system = fake_system(tmp_path, programs={"tegrastats": line})
    told = Board(system, pace_ms=lambda: 1.0).read().to_dict()
    assert told["power_mw"] == {"VDD_IN": 4473, "VDD_SOC": 1104}
    assert (told["clock_mhz"], told["degrees_celsius"]["cpu"]) == (1510, 45.593)


def test_thermometers_of_disks_are_left_out(tmp_path: Path) -> None:
    files = {
        "/sys/class/hwmon/hwmon1/name": "coretemp", "/sys/class/hwmon/hwmon1/temp1_input": "51000",
        "/sys/class/hwmon/hwmon1/temp1_label": "Package id 0",
        "/sys/class/hwmon/hwmon2/name": "nvme", "/sys/class/hwmon/hwmon2/temp1_input": "71000",
    }  # fmt: skip
    system = fake_system(tmp_path, files)
    told = Board(system, pace_ms=lambda: 1.0).read().to_dict()
    assert told["degrees_celsius"] == {"coretemp Package id 0": 51.0}


def test_a_machine_that_tells_nothing_says_so(tmp_path: Path) -> None:
    board = Board(fake_system(tmp_path, {"/proc/loadavg": "none"}), pace_ms=lambda: 1.0)
    verdict = judge(board.read(), board.read())
    assert (verdict["valid"], verdict["before"]["clock_mhz"]) == (True, None)
    assert verdict["before"]["load_average"] == []
    assert verdict["notes"] == ["the system does not tell what other programs used"]


def test_the_pace_is_that_of_this_machine() -> None:
    assert 0 < measure_pace_ms() < 1000
