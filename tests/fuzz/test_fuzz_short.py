"""The harness finds what it is there to find, and a short run finds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.fuzz_faulty import FAULTS
from fuzz.run import missing_packages, run_target
from fuzz.target import TARGETS
from fuzz.tflite_seeds import export_seeds

# Seeds that were tried before this was written; `make fuzz` tries thousands.
_N_TRIALS = {"manifest": 150, "tflite": 20, "onnx": 20, "npz": 50, "voice": 100, "mqtt": 300,
             "web": 200}  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_hostile_input_ends_in_a_typed_error_or_a_right_result(target: str, tmp_path: Path) -> None:
    missing = missing_packages(target)
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")
    if target == "tflite":
        # Here torch is mostly there already, in a process of its own it never is.
        export_seeds(tmp_path)
    report = run_target(target, 0, _N_TRIALS.get(target, 60), seeds=tmp_path)
    said = [f"seed {f.seed}: {f.kind}\n{f.text}" for f in report.findings]
    assert not said, "\n".join(said)
    # Neither all turned away at the door nor all waved through.
    assert report.n_trials == _N_TRIALS.get(target, 60)
    assert report.n_refused > 0
    assert report.n_answered > 0


def test_every_fault_is_found_and_named(tmp_path: Path) -> None:
    report = run_target(
        "fuzz.fuzz_faulty:FaultyTarget",
        100,
        len(FAULTS),
        save=tmp_path,
        hang_s=4.0,
        max_s=0.5,
        warm_up=0,
    )
    found = {finding.seed - 100: finding.kind for finding in report.findings}
    assert found == {n: kind for n, (_, kind) in enumerate(FAULTS) if kind is not None}
    assert report.n_trials == len(FAULTS)
    kept = tmp_path / "fuzz.fuzz_faulty.FaultyTarget"
    assert {int(p.name) - 100: (p / "input.txt").read_text() for p in kept.iterdir()} == {
        n: f"fault {n}" for n in found
    }
    assert not (tmp_path / "elsewhere").exists()


def test_a_fault_that_the_product_contains_is_not_held_against_it() -> None:
    report = run_target("fuzz.fuzz_faulty:ShortRoadTarget", 0, 3, warm_up=0)
    assert (report.n_trials, report.n_contained, report.findings) == (3, 3, [])
