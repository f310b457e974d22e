"""What kernel and firmware tell of the processor: its clock, heat, and what holds it back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from edge.machine.programs import Ran
from edge.machine.system import System

__all__ = [
    "CPUS", "ClockSpeeds", "Firmware", "ask_firmware", "clock_speeds", "cooling_states",
    "cpu_quota", "firmware_mhz", "is_voltage_low", "thermal_zones", "thermometers",
    "throttle_counts",
]  # fmt: skip

CPUS = "/sys/devices/system/cpu"

_LIMIT_S = 2.0
# Drivers of thermometers in a processor; a disk's and a network card's slow no processor down.
_IN_PROCESSORS = ("coretemp", "cpu_thermal", "k10temp", "k8temp", "via_cputemp", "zenpower")
# What slows the processor down because of heat, as its drivers are named.
_COOLING = ("Processor", "cpufreq", "thermal-cpufreq", "cpu-", "throttle")
# What `vcgencmd get_throttled` tells, by bit; 16 higher: since the start.
_BITS = {
    0: "the supply's voltage is too low",
    1: "the clock speed is capped",
    2: "the processor is throttled",
    3: "the soft temperature limit is reached",
}


def firmware_mhz(run: Callable[[list[str], float], Ran]) -> int | None:
    """Ask a Raspberry Pi for its processors' clock; the kernel tells the one that it asked for.

    Parameters
    ----------
    run : callable
        Runs a program within a time.
    """
    hertz = run(["vcgencmd", "measure_clock", "arm"], _LIMIT_S).out.partition("=")[2].strip()
    return round(int(hertz) / 1e6) or None if hertz.isdecimal() else None


@dataclasses.dataclass(frozen=True, slots=True)
class ClockSpeeds:
    """The clocks of all processors; of each the fastest, where they differ.

    Parameters
    ----------
    governors, drivers : tuple of str
        In alphabetical order.
    now_mhz, limit_mhz, hardware_mhz : int or None
        Now, at most as it is set, and at most as it is built.
    capped_share : float or None
        The lowest limit of one as a share of what it is built for; None where that is not told.
    """

    governors: tuple[str, ...]
    drivers: tuple[str, ...]
    now_mhz: int | None
    limit_mhz: int | None
    hardware_mhz: int | None
    capped_share: float | None


def clock_speeds(system: System, cpus: Iterable[int] | None = None) -> ClockSpeeds | None:
    """Read governors and clocks; None where the system does not tell them.

    Parameters
    ----------
    system : System
    cpus : iterable of int, optional
        Of these alone; None: of all.
    """
    names = ("[0-9]*",) if cpus is None else tuple(map(str, sorted(cpus)))
    folders = [each for name in names for each in system.find(f"{CPUS}/cpu{name}/cpufreq")]
    if not folders:
        return None
    limits = [system.read_number(f"{folder}/scaling_max_freq") for folder in folders]
    hardware = [system.read_number(f"{folder}/cpuinfo_max_freq") for folder in folders]
    shares = [limit / most for limit, most in zip(limits, hardware, strict=True) if limit and most]
    return ClockSpeeds(
        _words(system, folders, "scaling_governor"),
        _words(system, folders, "scaling_driver"),
        _mhz([system.read_number(f"{folder}/scaling_cur_freq") for folder in folders]),
        _mhz(limits),
        _mhz(hardware),
        min(shares, default=None),
    )


def _words(system: System, folders: Sequence[str], name: str) -> tuple[str, ...]:
    return tuple(sorted({system.read(f"{folder}/{name}") or "unknown" for folder in folders}))


def _mhz(khz: Sequence[int | None]) -> int | None:
    known = [each for each in khz if each]
    return round(max(known) / 1000) if known else None


def cpu_quota(system: System) -> float | None:
    """Processors that the control group allows; None: all."""
    words = (system.read("/sys/fs/cgroup/cpu.max") or "").split()
    try:
        if len(words) == 2:
            return None if words[0] == "max" else int(words[0]) / int(words[1])
        quota = system.read_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
        period = system.read_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
        return quota / period if quota and period and quota > 0 else None
    except (ValueError, ZeroDivisionError):
        return None


def thermal_zones(system: System) -> dict[str, float]:
    """Read the kernel's thermometers in degrees Celsius, by name."""
    zones: dict[str, float] = {}
    for folder in system.find("/sys/class/thermal/thermal_zone*"):
        milli = system.read_number(f"{folder}/temp")
        # A thermometer that is switched off shows 0 or far below.
        if milli is not None and 0 < milli < 200_000:
            zone = folder.rpartition("/")[2]
            name = system.read(f"{folder}/type") or zone
            zones[name if name not in zones else f"{name} {zone}"] = milli / 1000
    return zones


def thermometers(system: System) -> dict[str, float]:
    """Read the kernel's thermometers and those inside processors, in degrees Celsius."""
    found = thermal_zones(system)
    for folder in system.find("/sys/class/hwmon/hwmon*"):
        driver = system.read(f"{folder}/name")
        for path in system.find(f"{folder}/temp*_input") if driver in _IN_PROCESSORS else ():
            milli = system.read_number(path)
            label = system.read(f"{path.removesuffix('_input')}_label")
            if milli is not None and 0 < milli < 200_000:
                found[f"{driver} {label or path.rpartition('/')[2][:-6]}"] = milli / 1000
    return found


def cooling_states(system: System) -> dict[str, int]:
    """What slows the processor down at this moment because of heat, and by how many steps."""
    found: dict[str, int] = {}
    for folder in system.find("/sys/class/thermal/cooling_device*"):
        kind = system.read(f"{folder}/type") or ""
        steps = system.read_number(f"{folder}/cur_state")
        # A device that is not in use says -1.
        if kind.startswith(_COOLING) and steps is not None and steps > 0:
            found[f"{kind} {folder.rpartition('/')[2]}"] = steps
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class Firmware:
    """What the firmware of a Raspberry Pi says of supply and heat.

    Parameters
    ----------
    bits : int or None
        As ``vcgencmd get_throttled`` has them; None where it could not be asked.
    is_missing : bool
        There is no such program.
    """

    bits: int | None
    is_missing: bool

    @property
    def now(self) -> list[str]:
        """What is so right now, in words."""
        return self._words(0)

    @property
    def since_start(self) -> list[str]:
        """What was so at least once since the start of the board, in words."""
        return self._words(16)

    def _words(self, shift: int) -> list[str]:
        bits = (self.bits or 0) >> shift
        return [words for bit, words in _BITS.items() if bits >> bit & 1]


def ask_firmware(system: System, run: Callable[[list[str], float], Ran]) -> Firmware:
    """Ask ``vcgencmd``, and the kernel where that is not there.

    Parameters
    ----------
    system : System
    run : callable
        Runs a program within a time.
    """
    ran = run(["vcgencmd", "get_throttled"], _LIMIT_S)
    text = ran.out.partition("throttled=")[2].split()
    if not text:
        sysfs = system.read("/sys/devices/platform/soc/soc:firmware/get_throttled")
        text = [sysfs] if sysfs else []
    try:
        return Firmware(int(text[0], 16), ran.is_missing)
    except (IndexError, ValueError):
        return Firmware(None, ran.is_missing)


def is_voltage_low(system: System) -> bool | None:
    """Whether the kernel of a Raspberry Pi knows of a weak supply; None: of another machine."""
    for folder in system.find("/sys/class/hwmon/hwmon*"):
        if system.read(f"{folder}/name") == "rpi_volt":
            return bool(system.read_number(f"{folder}/in0_lcrit_alarm"))
    return None


def throttle_counts(system: System) -> list[int]:
    """How often each processor was throttled since the start; empty where nothing tells.

    A PC counts heat, a Jetson also currents that are too high.
    """
    paths = system.find(f"{CPUS}/cpu[0-9]*/thermal_throttle/*_throttle_count")
    paths += system.find("/sys/class/hwmon/hwmon*/oc*_event_cnt")
    return [count for path in paths if (count := system.read_number(path)) is not None]
