"""Meters of energy that are built into some machines: RAPL of a PC, INA sensors of a board."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from edge.machine.system import System

__all__ = ["CountedMeter", "Meter", "SampledMeter", "find_meter"]

_RAPL = "/sys/class/powercap/intel-rapl:[0-9]*"
# What a whole board takes, as the makers of boards name it.
_WHOLE = ("VDD_IN", "POM_5V_IN", "VIN_SYS_5V0", "VIN", "5V_IN")
_SAMPLE_S = 0.1


class Meter(Protocol):
    """Adds up energy while it is entered."""

    name: str

    def joules(self) -> float:
        """Since it was entered."""

    def __enter__(self) -> Meter:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """End."""


class CountedMeter:
    """Counters of the machine's own, which begin again at 0 behind their largest number.

    Parameters
    ----------
    name : str
    counters : sequence of (callable, int)
        Each gives microjoules or None; and its largest number.
    """

    def __init__(self, name: str, counters: list[tuple[Callable[[], int | None], int]]) -> None:
        self.name = name
        self._counters = counters
        self._last = [0] * len(counters)
        self._microjoules = 0

    def joules(self) -> float:
        """Since it was entered; asked once an hour or more often, or a turn is missed."""
        for i, (read, most) in enumerate(self._counters):
            now = read()
            if now is not None:
                self._microjoules += (now - self._last[i]) % (most + 1)
                self._last[i] = now
        return self._microjoules / 1e6

    def __enter__(self) -> CountedMeter:
        self._last = [read() or 0 for read, _ in self._counters]
        self._microjoules = 0
        return self

    def __exit__(self, *_: object) -> None:
        pass


class SampledMeter:
    """A sensor that tells power, asked ten times a second in a thread of its own.

    Parameters
    ----------
    name : str
    watts : callable
        None where it does not answer.
    """

    def __init__(self, name: str, watts: Callable[[], float | None]) -> None:
        self.name = name
        self._watts = watts
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._joules = 0.0
        self._before: tuple[float, float] | None = None

    def joules(self) -> float:
        """Since it was entered."""
        with self._lock:
            self.sample(time.perf_counter())
            return self._joules

    def sample(self, now_s: float) -> None:
        """Add what was taken since the sample before; power between them lies between theirs."""
        watts = self._watts()
        if watts is None:
            return
        if self._before is not None:
            before_s, before_watts = self._before
            self._joules += (now_s - before_s) * (watts + before_watts) / 2
        self._before = (now_s, watts)

    def _run(self) -> None:
        while not self._stop.wait(_SAMPLE_S):
            self.joules()

    def __enter__(self) -> SampledMeter:
        self._joules, self._before = 0.0, None
        self._stop.clear()
        self.joules()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()


def find_meter(system: System) -> Meter | str:
    """Find a meter, or say why there is none.

    Returns
    -------
    Meter or str
        A sensor of the whole board before RAPL, which knows the processor's package alone.
    """
    rails = _rails(system)
    for wanted in (*_WHOLE, *rails):
        for name, watts in rails.items():
            if name == wanted or name.endswith(f" {wanted}"):
                return SampledMeter(name, watts)
    counters: list[tuple[Callable[[], int | None], int]] = []
    names = []
    denied = None
    for folder in system.find(_RAPL):
        name = system.read(f"{folder}/name") or ""
        # Domains inside of a package have a second colon and are a part of it.
        if folder.count(":") != 1 or not name.startswith("package"):
            continue
        read = _reader(system, f"{folder}/energy_uj")
        if read() is None:
            denied = f"{folder}/energy_uj"
            continue
        counters.append((read, system.read_number(f"{folder}/max_energy_range_uj") or 2**32 - 1))
        names.append(name)
    if counters:
        return CountedMeter(f"RAPL {', '.join(names)}", counters)
    if denied is not None:
        return f"only root may read the processor's meter: sudo chmod a+r {denied}"
    return "this machine has no meter that is known here (INA sensors, RAPL)"


def _reader(system: System, name: str) -> Callable[[], int | None]:
    return lambda: system.read_number(name)


def _rails(system: System) -> dict[str, Callable[[], float | None]]:
    """Every rail that an INA sensor looks at, by its name, with what tells its power in watts."""
    rails: dict[str, Callable[[], float | None]] = {}
    for folder in system.find("/sys/class/hwmon/hwmon*"):
        driver = system.read(f"{folder}/name") or ""
        if not driver.startswith(("ina2", "ina3")):
            continue
        for path in system.find(f"{folder}/power[0-9]*_input"):
            number = path.rpartition("/power")[2].removesuffix("_input")
            label = system.read(f"{folder}/power{number}_label") or number
            rails[f"{driver} {label}"] = _scaled(_reader(system, path), 1e-6)
        for path in system.find(f"{folder}/curr[0-9]*_input"):
            number = path.rpartition("/curr")[2].removesuffix("_input")
            label = system.read(f"{folder}/in{number}_label") or number
            volts = _reader(system, f"{folder}/in{number}_input")
            rails.setdefault(f"{driver} {label}", _product(volts, _reader(system, path)))
    # The driver of older Jetsons.
    for path in system.find("/sys/bus/i2c/drivers/ina3221x/*/iio:device*/in_power[0-9]_input"):
        folder, _, name = path.rpartition("/")
        label = system.read(f"{folder}/rail_name_{name[len('in_power')]}") or name
        rails[f"ina3221 {label}"] = _scaled(_reader(system, path), 1e-3)
    return {name: watts for name, watts in rails.items() if watts() is not None}


def _scaled(read: Callable[[], int | None], scale: float) -> Callable[[], float | None]:
    def watts() -> float | None:
        value = read()
        return None if value is None else value * scale

    return watts


def _product(
    millivolts: Callable[[], int | None], milliamperes: Callable[[], int | None]
) -> Callable[[], float | None]:
    def watts() -> float | None:
        volts, amperes = millivolts(), milliamperes()
        return None if volts is None or amperes is None else volts * amperes * 1e-6

    return watts
