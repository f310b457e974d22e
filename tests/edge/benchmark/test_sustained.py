"""Drift, the thermal curve and energy, on boards that a test makes up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from system_fakes import fake_system

import edge.benchmark.sustained
from edge.benchmark.sustained import drift, measure_sustained
from edge.machine.meters import CountedMeter, Meter, SampledMeter, find_meter

RAPL = "/sys/class/powercap/intel-rapl:0"
ZONE = "/sys/class/thermal/thermal_zone0"


class Clock:
    """Stands still but for what is done."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def perf_counter(self) -> float:
        return self.now_s

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(edge.benchmark.sustained, "time", clock)
    return clock


def hops(clock: Clock, hop_ms: Callable[[float], float]) -> Callable[[float], list[float]]:
    start_s = clock.now_s

    def hops(duration_s: float) -> list[float]:
        clock.now_s += duration_s
        return [hop_ms(clock.now_s - start_s)] * 100

    return hops


def test_a_board_that_keeps_its_speed_does_not_drift(tmp_path: Path, clock: Clock) -> None:
    noise = np.random.default_rng(1)
    told = measure_sustained(
        hops(clock, lambda _: 5.0 + noise.normal(0, 0.02)), fake_system(tmp_path), 600.0,
        meter="none here",
    )  # fmt: skip
    assert (told["duration_s"], told["bucket_s"], len(told["buckets"])) == (600.0, 10.0, 60)
    assert told["hops"] == 6000
    assert told["drifts"] is False
    assert told["energy"] == {"meter": None, "reason": "not measured: none here"}
    assert (told["degrees_celsius"], told["clock_mhz"], told["throttled"]) == (None, None, [])


def test_a_board_that_becomes_slower_as_it_warms_up_is_told(tmp_path: Path, clock: Clock) -> None:
    def heat(at_s: float) -> float:
        (tmp_path / ZONE[1:] / "temp").write_text(str(45_000 + round(50 * at_s)))
        return 5.0 * (1 + 0.1 * at_s / 600)

    system = fake_system(
        tmp_path, {f"{ZONE}/type": "cpu-thermal", f"{ZONE}/temp": "45000"},
        {"vcgencmd": "throttled=0x80008"},
    )  # fmt: skip
    told = measure_sustained(hops(clock, heat), system, 600.0, meter="none")
    assert told["drifts"] is True
    # A tenth in 10 min, of the median, which is that of the middle.
    assert told["drift"]["percent_per_min"] == pytest.approx(1 / 1.05, abs=0.02)
    assert told["drift"]["low"] <= told["drift"]["percent_per_min"] <= told["drift"]["high"]
    curve = told["degrees_celsius"]
    assert (curve["first"], curve["last"], curve["most"]) == (45.5, 75.0, 75.0)
    assert told["throttled"] == ["the soft temperature limit is reached"]
    assert told["buckets"][0]["at_s"] == 0.0


def test_one_bucket_that_was_disturbed_is_no_drift() -> None:
    times_s = [10.0 * i for i in range(12)]
    found = drift(times_s, [5.0] * 11 + [50.0])
    assert found is not None
    assert (found.percent_per_min, found.is_there) == (0.0, False)
    assert drift(times_s[:5], [1.0, 2.0, 3.0, 4.0, 5.0]) is None
    assert drift([1.0] * 12, [5.0] * 12) is None


def test_a_short_run_has_shorter_buckets(tmp_path: Path, clock: Clock) -> None:
    told = measure_sustained(hops(clock, lambda _: 1.0), fake_system(tmp_path), 3.0, meter="none")
    assert (len(told["buckets"]), told["bucket_s"]) == (6, 0.5)


def test_energy_of_a_decision_with_a_meter_of_the_processors(tmp_path: Path, clock: Clock) -> None:
    files = {
        f"{RAPL}/name": "package-0", f"{RAPL}/energy_uj": "0",
        f"{RAPL}/max_energy_range_uj": "999999999",
        # A part of the package, which would count twice.
        f"{RAPL}:0/name": "core", f"{RAPL}:0/energy_uj": "0",
    }  # fmt: skip
    system = fake_system(tmp_path, files)
    counter = tmp_path / RAPL[1:] / "energy_uj"
    start_s = clock.now_s

    def rest(duration_s: float) -> None:
        clock.now_s += duration_s
        counter.write_text(str(round(1e6 * 2 * (clock.now_s - start_s))))

    clock.sleep = rest  # type: ignore[method-assign]
    meter = find_meter(system)
    assert isinstance(meter, CountedMeter)

    def hop(duration_s: float) -> list[float]:
        Clock.sleep(clock, duration_s)
        counter.write_text(str(round(1e6 * (10 + 5 * (clock.now_s - start_s - 5.0)))))
        return [1.0] * 1000

    energy = measure_sustained(hop, system, 60.0)["energy"]
    assert energy == {
        "meter": "RAPL package-0", "reason": None, "joules": 300.0, "watts": 5.0,
        "idle_watts": 2.0, "joules_per_decision": 0.05, "joules_per_decision_above_idle": 0.03,
    }  # fmt: skip


def test_a_counter_that_begins_again_loses_nothing() -> None:
    told = iter([900, 950, 20])
    meter = CountedMeter("RAPL", [(lambda: next(told), 999)])
    with meter:
        assert meter.joules() == pytest.approx(50e-6)
        assert meter.joules() == pytest.approx(120e-6)


def test_a_sensor_is_added_up_over_time() -> None:
    watts = iter([2.0, 4.0, None, 4.0])
    meter = SampledMeter("ina219", lambda: next(watts))
    for now_s in (10.0, 11.0, 12.0, 13.0):
        meter.sample(now_s)
    assert meter._joules == 3.0 + 8.0


HWMON = "/sys/class/hwmon/hwmon3"
INA: dict[str, dict[str, str]] = {
    "jetson": {
        f"{HWMON}/name": "ina3221", f"{HWMON}/in1_label": "VDD_CPU", f"{HWMON}/in1_input": "5000",
        f"{HWMON}/curr1_input": "400", f"{HWMON}/in2_label": "VDD_IN", f"{HWMON}/in2_input": "5000",
        f"{HWMON}/curr2_input": "900",
    },
    "a sensor on wires": {f"{HWMON}/name": "ina219", f"{HWMON}/power1_input": "4500000"},
    "an older jetson": {
        "/sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/rail_name_0": "POM_5V_IN",
        "/sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/in_power0_input": "4500",
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("board", "name"),
    [
        ("jetson", "ina3221 VDD_IN"),
        ("a sensor on wires", "ina219 1"),
        ("an older jetson", "ina3221 POM_5V_IN"),
    ],
)
def test_the_rail_of_the_whole_board_is_found_by_its_name(
    tmp_path: Path, board: str, name: str
) -> None:
    meter = find_meter(fake_system(tmp_path, INA[board]))
    assert isinstance(meter, SampledMeter)
    assert meter.name == name
    assert meter._watts() == pytest.approx(4.5)
    with meter:
        assert meter.joules() >= 0


def test_without_a_meter_the_reason_is_told(tmp_path: Path) -> None:
    none: Meter | str = find_meter(fake_system(tmp_path))
    assert none == "this machine has no meter that is known here (INA sensors, RAPL)"
    # Since 2020 only root may read it.
    (tmp_path / RAPL[1:]).mkdir(parents=True)
    locked: Any = find_meter(fake_system(tmp_path, {f"{RAPL}/name": "package-0"}))
    assert locked == f"only root may read the processor's meter: sudo chmod a+r {RAPL}/energy_uj"
