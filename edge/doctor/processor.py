"""How fast the processor may run, and what holds it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge.doctor.finding import Finding, error, ok, skipped, warning
from edge.doctor.look import Look
from edge.machine.processor import (
    CPUS,
    ask_firmware,
    clock_speeds,
    cpu_quota,
    is_voltage_low,
    thermal_zones,
    throttle_counts,
)

__all__ = ["clock_speed", "load", "temperature", "throttling"]

# Drivers whose "powersave" goes up to full speed all the same.
_OWN_MIND = ("intel_pstate", "amd-pstate", "amd-pstate-epp")
_MOST = 0.9
# A Raspberry Pi slows down at 80 °C, most others between 85 and 95.
_WARM_DEGREES = 80.0


def clock_speed(look: Look) -> Iterator[Finding]:
    """Governor and limits of the clock speed."""
    speeds = clock_speeds(look.system)
    if speeds is None:
        yield skipped("the system does not tell its clock speed")
        return
    facts: dict[str, Any] = {
        "governors": list(speeds.governors),
        "drivers": list(speeds.drivers),
        "now_mhz": speeds.now_mhz,
        "limit_mhz": speeds.limit_mhz,
        "hardware_mhz": speeds.hardware_mhz,
    }
    share = speeds.capped_share
    slow = "powersave" in speeds.governors and not set(speeds.drivers) & set(_OWN_MIND)
    if slow:
        yield warning(
            "the governor powersave keeps the processor at its lowest clock speed",
            f"echo ondemand | sudo tee {CPUS}/cpu*/cpufreq/scaling_governor",
            **facts,
        )
    elif share is not None and share < _MOST:
        yield warning(
            f"the clock speed is limited to {100 * share:.0f} % of what the processor can",
            f'for c in {CPUS}/cpu*/cpufreq; do sudo cp "$c/cpuinfo_max_freq" '
            '"$c/scaling_max_freq"; done',
            **facts,
        )
    else:
        upto = f" up to {speeds.limit_mhz / 1000:.2g} GHz" if speeds.limit_mhz else ""
        yield ok(f"governor {', '.join(speeds.governors)}{upto}", **facts)


def load(look: Look) -> Iterator[Finding]:
    """Whether other programs, or a container's limit, leave a processor for it."""
    cpus = len(look.system.find(f"{CPUS}/cpu[0-9]*")) or 1
    quota = cpu_quota(look.system)
    try:
        load_1min = float((look.system.read("/proc/loadavg") or "").split()[0])
    except (IndexError, ValueError):
        yield skipped("the system does not tell its load")
        return
    processors = f"{cpus} processor{'s' * (cpus > 1)}"
    facts: dict[str, Any] = {"n_cpus": cpus, "load_1min": load_1min, "cpu_quota": quota}
    if quota is not None and quota < 0.5:
        yield warning(
            f"the container may use {quota:.2g} of one processor, half of one is wanted",
            "start it with more, with docker: --cpus 1",
            **facts,
        )
    elif load_1min > 2 * cpus:
        yield warning(
            f"the load is {load_1min:.1f} with {processors}: other programs want all there is",
            "top -o %CPU",
            **facts,
        )
    else:
        yield ok(f"load {load_1min:.1f} with {processors}", **facts)


def temperature(look: Look) -> Iterator[Finding]:
    """The hottest of the system's thermometers."""
    zones = thermal_zones(look.system)
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
    firmware = ask_firmware(look.system, look.run)
    if firmware.bits is None:
        yield _without_firmware(look, firmware.is_missing)
        return
    bits, now, before = firmware.bits, firmware.now, firmware.since_start
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
    is_low = is_voltage_low(look.system)
    if is_low:
        return error(
            "the supply's voltage is too low",
            "use the board's own power supply and a short, thick cable",
        )
    if is_low is not None:
        return ok("the kernel knows of no low voltage")
    if not is_missing:
        return skipped(
            "vcgencmd may not ask the firmware",
            'sudo usermod -aG video "$USER", then log out and in again',
        )
    counts = throttle_counts(look.system)
    if counts:
        return ok(f"throttled {max(counts)} times since the start", n_times=max(counts))
    return skipped("the system does not tell whether the processor is throttled")
