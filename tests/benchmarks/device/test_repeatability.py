"""Pairs of runs: what agrees and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from made_reports import measured, report

from benchmarks.device import repeatability
from benchmarks.device.__main__ import without_raw
from benchmarks.device.repeatability import agreement_of, main


def test_two_runs_of_the_same_thing_agree() -> None:
    pair = agreement_of(report(measured("a", 1)), report(measured("a", 2)))
    assert pair["agree"] is True
    assert pair["beyond_noise"] == []
    assert 0 < pair["half_width_percent"] < 10
    assert [each["artifact"] for each in pair["decision"]] == ["a on numpy"]


def test_a_change_that_is_none_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    factors = iter((1.0, 1.0, 1.0, 1.2))

    def made(options: Any, path: Path) -> dict[str, Any]:
        return report(measured("a", 1, factor=next(factors)))

    monkeypatch.setattr(repeatability, "measure", made)
    assert main(["--pairs", "2", "--output", str(tmp_path / "r.json")]) == 1
    assert "1 of 2 pairs agree" in capsys.readouterr().out
    assert (tmp_path / "r.json").is_file()


def test_a_kept_report_has_no_single_runs() -> None:
    found = without_raw(report(measured("a", 1)))
    assert "raw" not in found["artifacts"][0]["hop"]["whole_ms"]
    assert found["artifacts"][0]["hop"]["whole_ms"]["p50"] > 0


def test_no_pairs_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--pairs", "0"]) == 2
    assert "--pairs is 0, at least 1 is wanted" in capsys.readouterr().err
