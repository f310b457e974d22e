"""How fast the processor may run, and what holds it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge.doctor.finding import Finding, error, ok, skipped, warning
from edge.doctor.look import Look

__all__ = ["clock_speed", "load", "temperature", "throttling"]

_CPUS = "/sys/devices/system/cpu"
# Drivers whose "powersave" goes up to full speed all the same.
_OWN_MIND = ("intel_pstate", "amd-pstate", "amd-pstate-epp")
_MOST = 0.9
_LIMIT_S = 2.0
# A Raspberry Pi slows down at 80 °C, most others between 85 and 95.
_WARM_DEGREES = 80.0
# What `vcgencmd get_throttled` tells, by bit; 16 higher: since the start.
_BITS = {
    0: "the supply's voltage is too low",
    1: "the clock speed is capped",
    2: "the processor is throttled",
    3: "the soft temperature limit is reached",
}


def clock_speed(look: Look) -> Iterator[Finding]:
    """Governor and limits of the clock speed."""
    read, number = look.system.read, look.system.read_number
    folders = look.system.find(f"{_CPUS}/cpu[0-9]*/cpufreq")
    if not folders:
        yield skipped("the system does not tell its clock speed")
        return
    governors = sorted({read(f"{folder}/scaling_governor") or "unknown" for folder in folders})
    drivers = sorted({read(f"{folder}/scaling_driver") or "unknown" for folder in folders})
    limits = [number(f"{folder}/scaling_max_freq") for folder in folders]
    hardware = [number(f"{folder}/cpuinfo_max_freq") for folder in folders]
    now_khz = [number(f"{folder}/scaling_cur_freq") for folder in folders]
    facts: dict[str, Any] = {
        "governors": governors,
        "drivers": drivers,
        "now_mhz": _mhz(now_khz),
        "limit_mhz": _mhz(limits),
        "hardware_mhz": _mhz(hardware),
    }
    capped = [
        limit / most
        for limit, most in zip(limits, hardware, strict=True)
        if limit and most and limit < _MOST * most
    ]
    slow = "powersave" in governors and not set(drivers) & set(_OWN_MIND)
    if slow:
        yield warning(
            "the governor powersave keeps the processor at its lowest clock speed",
            f"echo ondemand | sudo tee {_CPUS}/cpu*/cpufreq/scaling_governor",
            **facts,
        )
    elif capped:
        yield warning(
            f"the clock speed is limited to {100 * min(capped):.0f} % of what the processor can",
            f'for c in {_CPUS}/cpu*/cpufreq; do sudo cp "$c/cpuinfo_max_freq" '
            '"$c/scaling_max_freq"; done',
            **facts,
        )
    else:
        most = max((each for each in limits if each), default=0)
        upto = f" up to {most / 1e6:.2g} GHz" if most else ""
        yield ok(f"governor {', '.join(governors)}{upto}", **facts)


def _mhz(khz: list[int | None]) -> int | None:
    known = [each for each in khz if each]
    return round(max(known) / 1000) if known else None


def load(look: Look) -> Iterator[Finding]:
    """Whether other programs, or a container's limit, leave a processor for it."""
    cpus = len(look.system.find(f"{_CPUS}/cpu[0-9]*")) or 1
    quota = _quota(look)
    try:
        load_1min = float((look.system.read("/proc/loadavg") or "").split()[0])
    except (IndexError, ValueError):
        yield skipped("the system does not tell its load")
        return
    facts: dict[str, Any] = {"n_cpus": cpus, "load_1min": load_1min, "cpu_quota": quota}
    if quota is not None and quota < 0.5:
        yield warning(
            f"the container may use {quota:.2g} of one processor, half of one is wanted",
            "start it with more, with docker: --cpus 1",
            **facts,
        )
    elif load_1min > 2 * cpus:
        yield warning(
            f"the load is {load_1min:.1f} with {cpus} processors: other programs want them all",
            "top -o %CPU",
            **facts,
        )
    else:
        yield ok(f"load {load_1min:.1f} with {cpus} processor{'s' * (cpus > 1)}", **facts)


def _quota(look: Look) -> float | None:
    """Processors that the control group allows; None: all."""
    words = (look.system.read("/sys/fs/cgroup/cpu.max") or "").split()
    try:
        if len(words) == 2:
            return None if words[0] == "max" else int(words[0]) / int(words[1])
        quota = look.system.read_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
        period = look.system.read_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us")
        return quota / period if quota and period and quota > 0 else None
    except (ValueError, ZeroDivisionError):
        return None


def temperature(look: Look) -> Iterator[Finding]:
    """The hottest of the system's thermometers."""
    zones: dict[str, float] = {}
    for folder in look.system.find("/sys/class/thermal/thermal_zone*"):
        milli = look.system.read_number(f"{folder}/temp")
        # A thermometer that is switched off shows 0 or far below.
        if milli is not None and 0 < milli < 200_000:
            zones[look.system.read(f"{folder}/type") or folder.rpartition("/")[2]] = milli / 1000
    if not zones:
        yield skipped("the system has no thermometer")
        return
    name, degrees = max(zones.items(), key=lambda zone: zone[1])
    facts: dict[str, Any] = {"degrees_celsius": zones}
    if degrees >= _WARM_DEGREES:
        yield warning(
            f"{name} is at {degrees:.0f} °C: the processor slows down to stay below "
            f"{_WARM_DEGREES:.0f}",
            "give it a heat sink or a fan, and take it out of the sun",
            **facts,
        )
    else:
        yield ok(f"{name} is at {degrees:.0f} °C", **facts)


def throttling(look: Look) -> Iterator[Finding]:
    """Whether a weak supply or heat slows the processor down, or did since the start."""
    ran = look.run(["vcgencmd", "get_throttled"], _LIMIT_S)
    text = ran.out.partition("throttled=")[2].split()
    if not text:
        sysfs = look.system.read("/sys/devices/platform/soc/soc:firmware/get_throttled")
        text = [sysfs] if sysfs else []
    try:
        bits = int(text[0], 16)
    except (IndexError, ValueError):
        yield _without_firmware(look, ran.is_missing)
        return
    now = [words for bit, words in _BITS.items() if bits >> bit & 1]
    before = [words for bit, words in _BITS.items() if bits >> (bit + 16) & 1]
    facts: dict[str, Any] = {"throttled": hex(bits)}
    supply = "use the board's own power supply and a short, thick cable"
    cooler = "give it a heat sink or a fan, then start it again"
    if bits & 1:
        yield error(f"right now {' and '.join(now)} ({hex(bits)})", supply, **facts)
    elif now:
        yield warning(f"right now {' and '.join(now)} ({hex(bits)})", cooler, **facts)
    elif before:
        mend = supply if bits >> 16 & 1 else cooler
        yield warning(f"since the start {' and '.join(before)} once ({hex(bits)})", mend, **facts)
    else:
        yield ok("neither voltage nor heat has slowed the processor since the start", **facts)


def _without_firmware(look: Look, is_missing: bool) -> Finding:
    """What the kernel knows where the firmware of a Raspberry Pi cannot be asked."""
    for folder in look.system.find("/sys/class/hwmon/hwmon*"):
        if look.system.read(f"{folder}/name") == "rpi_volt":
            if look.system.read_number(f"{folder}/in0_lcrit_alarm"):
                return error(
                    "the supply's voltage is too low",
                    "use the board's own power supply and a short, thick cable",
                )
            return ok("the kernel knows of no low voltage")
    if not is_missing:
        return skipped(
            "vcgencmd may not ask the firmware",
            'sudo usermod -aG video "$USER", then log out and in again',
        )
    counts = [
        count
        for path in look.system.find(f"{_CPUS}/cpu[0-9]*/thermal_throttle/*_throttle_count")
        if (count := look.system.read_number(path)) is not None
    ]
    if counts:
        return ok(f"throttled {max(counts)} times since the start", n_times=max(counts))
    return skipped("the system does not tell whether the processor is throttled")
