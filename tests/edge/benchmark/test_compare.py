"""Two reports next to each other: what is noise, what changed, what is worse."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_reports import measured, report

from edge.benchmark.compare import compare
from edge.benchmark.compare_table import format_comparison
from edge.benchmark.stored import read_report
from edge.benchmark.table import format_report
from edge.benchmark.timings import timings
from edge.errors import ParameterError


def test_the_same_again_is_no_regression() -> None:
    both = compare(report(measured("a", 1)), report(measured("a", 2)))
    assert not both.regressed
    assert not [d.what for d in both.differences if d.beyond_noise]
    assert "none of 29 figures changed beyond noise" in format_comparison(both)


def test_slower_is_a_regression_past_the_tolerance_only() -> None:
    old, new = report(measured("a", 1)), report(measured("a", 2, factor=1.2))
    both = compare(old, new)
    worse = {d.what for d in both.differences if d.regression}
    assert {"hop: whole", "hop: model", "apart: features, hop", "segment: whole"} <= worse
    assert "installed" not in worse
    assert not compare(old, new, tolerance=0.3).regressed
    assert not compare(new, old).regressed


def test_a_regression_is_a_line_of_the_table() -> None:
    old, new = measured("a", 1), measured("a", 1)
    new["hop"]["whole_ms"] = measured("a", 1, factor=1.5)["hop"]["whole_ms"]
    new["artifact"]["model_bytes"] *= 2
    lines = format_comparison(compare(report(old), report(new))).splitlines()
    assert "2 of 29 figures changed beyond noise" in "\n".join(lines)
    (hop,) = (line for line in lines if "hop: whole" in line)
    assert "+50.0 %" in hop
    assert hop.endswith("worse")
    (size,) = (line for line in lines if "model file" in line)
    assert "498.2 kB" in size
    assert "996.5 kB" in size
    assert "2 of them are worse by more than the tolerance of 5 %" in lines
    assert max(map(len, lines)) <= 100


def test_memory_has_a_little_noise_and_size_has_none() -> None:
    old, new = measured("a", 1), measured("a", 1)
    new["memory"] = {"peak_rss_mb": 52.9, "steady_rss_mb": 60.0}
    new["artifact"]["folder_bytes"] -= 1
    changed = [d.what for d in compare(report(old), report(new)).differences if d.beyond_noise]
    assert changed == ["artifact's folder", "memory: steady"]


def test_what_other_artifacts_need_is_no_change_of_one() -> None:
    old, new = report(measured("a", 1)), report(measured("a", 1))
    old["installed"]["total_bytes"] *= 3
    assert not [d.what for d in compare(old, new).differences if d.beyond_noise]
    new["artifacts"][0]["installed_bytes"] *= 2
    assert [d.what for d in compare(old, new).differences if d.regression] == ["installed"]


def test_what_makes_reports_hard_to_compare_is_said() -> None:
    old = report(measured("a", 1), measured("b", 1))
    new = report(
        measured("a", 1), measured("c", 1),
        machine={"cpu": "AMD EPYC", "architecture": "x86_64"},
        method={**old["method"], "threads": 2},
        state={"valid": False, "reasons": ["the processor was throttled"]},
    )  # fmt: skip
    new["artifacts"][0]["artifact"]["model_sha256"] = "cd" * 32
    remarks = "\n".join(compare(old, new).remarks)
    for part in (
        "another machine, Raspberry Pi 4 Model B Rev 1.4, Cortex-A72, aarch64, and this is AMD",
        "another threads, 1 and now 2",
        "the new report is not valid (the processor was throttled): measure it again",
        "b on numpy was not measured this time",
        "c on numpy is not in the old report",
        "a on numpy is another model: SHA-256 abababababab and now cdcdcdcdcdcd",
    ):
        assert part in remarks
    assert remarks in format_comparison(compare(old, new)).replace("  note: ", "")


def test_what_listening_takes_is_compared_slice_by_slice() -> None:
    old, new = measured("a", 1), measured("a", 1)
    old["live"] = {"slices": {"core_share": [0.010, 0.011, 0.010, 0.011], "wakeups_per_s": [30.0]}}
    new["live"] = {"slices": {"core_share": [0.020, 0.021, 0.020, 0.021], "wakeups_per_s": [30.0]}}
    (share,) = (d for d in compare(report(old), report(new)).differences if "share" in d.what)
    assert (share.what, share.unit, share.regression) == ("live: core share", "%", True)
    assert share.old == pytest.approx(1.05)


def changed_in(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return [d.what for d in compare(old, new).differences if d.beyond_noise]


def test_a_slower_clock_alone_is_no_regression() -> None:
    old, new = report(measured("a", 1)), report(measured("a", 2, pace=1.5))
    both = compare(old, new)
    assert not both.regressed
    assert changed_in(old, new) == changed_in(new, old) == []
    (hop,) = (d for d in both.differences if d.what == "hop: whole")
    assert (hop.judged, hop.share) == ("at pace", pytest.approx(0.5, abs=0.02))
    assert hop.at_pace is not None
    assert hop.at_pace.share == pytest.approx(0, abs=0.03)
    assert both.pace.old_ms == pytest.approx(0.2, rel=0.01)
    assert both.pace.new_ms == pytest.approx(0.3, rel=0.01)
    (remark,) = both.remarks
    assert remark == (
        "the machine itself was slower, the fixed piece of work took 0.201 ms then and 0.3 ms now "
        "(+49 %): that is divided out where a change is judged"
    )


def test_a_slower_program_on_a_faster_clock_is_a_regression() -> None:
    old, new = report(measured("a", 1)), report(measured("a", 2, factor=1.5, pace=0.8))
    both = compare(old, new)
    (hop,) = (d for d in both.differences if d.what == "hop: whole")
    assert (hop.regression, hop.share) == (True, pytest.approx(0.2, abs=0.02))
    assert hop.at_pace is not None
    assert hop.at_pace.share == pytest.approx(0.5, abs=0.05)
    table = format_comparison(both)
    (line,) = (line for line in table.splitlines() if "hop: whole" in line)
    assert line.split()[6:10] == [f"{100 * hop.share:+.1f}", "%",
                                  f"{100 * hop.at_pace.share:+.1f}", "%"]  # fmt: skip
    assert max(len(line) for line in table.splitlines() if "note:" not in line) <= 100


@pytest.mark.parametrize("slow", ["capture_copy", "features_increment", "decision"])
def test_one_stage_that_became_a_fifth_slower_is_found_alone(slow: str) -> None:
    old, new = measured("a", 1), measured("a", 2)
    new["stages"][slow] = measured("a", 3, factor=1.2)["stages"][slow]
    both = compare(report(old), report(new))
    assert len([d for d in both.differences if d.regression]) == 1


def without_pace(part: dict[str, Any]) -> dict[str, Any]:
    """What an older edge-ser measured."""
    del part["pace"], part["cold_start"]["pace_ms"]
    return part


def test_an_older_report_is_judged_as_measured() -> None:
    old, new = report(without_pace(measured("a", 1))), report(measured("a", 2, factor=1.2))
    both = compare(old, new)
    assert both.regressed
    assert {d.judged for d in both.differences} == {"as measured"}
    assert both.remarks == (
        "the pace of the machine cannot be divided out, figures are judged as measured: the old "
        "report does not tell it",
    )


def test_of_an_older_report_the_boards_own_pace_is_said() -> None:
    states = [{"valid": True, "before": {"pace_ms": pace_ms}} for pace_ms in (2.0, 2.5, 2.04)]
    reports = [report(without_pace(measured("a", 1)), state=state) for state in states]
    _, remark = compare(reports[0], reports[1]).remarks
    assert "slower, a fixed piece of work took 2 ms then and 2.5 ms now (+25 %)" in remark
    assert len(compare(reports[0], reports[2]).remarks) == 1


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [("numpy", "1.26.4", "NumPy"), ("python", "3.13.1", "Python"), ("board", "Pi 5", "board")],
)
def test_where_the_same_work_takes_another_time_nothing_is_divided_out(
    key: str, value: str, what: str
) -> None:
    old, new = report(measured("a", 1)), report(measured("a", 2, pace=1.5))
    old["machine"][key] = value
    both = compare(old, new)
    assert both.regressed
    assert both.pace.why_not == f"the old report is of another {what}"
    assert any(remark.endswith(f"as measured: {both.pace.why_not}") for remark in both.remarks)


def test_paces_of_other_work_are_not_compared() -> None:
    old, new = report(measured("a", 1)), report(measured("a", 2, pace=1.5))
    old["artifacts"][0]["pace"]["work"] = 2
    assert compare(old, new).pace.why_not == "the old report's is of another piece of work"


def test_what_is_of_a_moment_or_a_handful_is_told_and_not_judged() -> None:
    old, new = measured("a", 1), measured("a", 1)
    for part, factor in ((old, 1.0), (new, 2.0)):
        moment = measured("a", 1, factor=factor)
        part["stable_label"] = {"shown": {"processing_ms": moment["hop"]["whole_ms"]}}
        part["cold_start"]["load_ms"] = timings([factor] * 3)
    both = compare(report(old), report(new))
    assert not both.regressed
    found = {d.what: d for d in both.differences if d.judged == "not"}
    assert list(found) == ["cold start: load", "stable label: shown: processing"]
    assert found["stable label: shown: processing"].share == pytest.approx(1.0, rel=1e-3)
    assert "not judged, too few or of a moment: cold start: load, stable" in format_comparison(both)


def test_without_an_artifact_in_both_there_is_nothing_to_compare() -> None:
    with pytest.raises(ParameterError, match="has a on numpy and the new one a on onnx: an art"):
        compare(report(measured("a", 1)), report(measured("a", 1, backend="onnx")))


def test_a_stage_that_only_one_report_has_is_left_out() -> None:
    old, new = measured("a", 1), measured("a", 1)
    del new["stages"]["gate"]
    new["cold_start"] = None
    assert not [d for d in compare(report(old), report(new)).differences if "gate" in d.what]


def test_listening_to_something_else_is_not_compared() -> None:
    slow, fast = (measured("a", 1), measured("a", 1))
    for part, share, source in ((slow, 0.02, "microphone"), (fast, 0.01, "bundled dialogue")):
        slices = {"core_share": [share] * 10, "wakeups_per_s": [25.0] * 10}
        part["live"] = {"source": source, "slices": slices}

    def found() -> dict[str, Any]:
        differences = compare(report(fast), report(slow)).differences
        return {d.what: d for d in differences if d.what.startswith("live")}

    assert found() == {}
    slow["live"]["source"] = fast["live"]["source"]
    assert found()["live: core share"].regression


def test_the_comparison_is_plain_json() -> None:
    old, new = measured("a", 1), measured("a", 1, factor=2)
    for part in (old, new):
        part["segment"]["whole_ms"]["raw"] = [3.0]
    record = json.loads(json.dumps(compare(report(old), report(new)).to_dict(), allow_nan=False))
    assert record["regressed"] is True
    assert record["n_compared"] == len(record["differences"]) == 29


def test_a_report_comes_back_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(report(measured("a", 1))))
    assert read_report(tmp_path / "r.json") == report(measured("a", 1))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is no report of a benchmark"),
        ("[" * 100_000, "is no report of a benchmark"),
        ('{"type": "record"}', "is no report of a benchmark"),
        ('{"type": "benchmark", "edge_ser": "0.1.0"}', "'0.1.0' in form 0 of the report"),
        ('{"type": "benchmark", "version": 7, "edge_ser": "9"}', "in form 7 of the report"),
        ('{"type": "benchmark", "version": 1}', "is a report without artifacts as it should be"),
    ],
)
def test_what_is_no_report_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "old.json"
    path.write_text(content)
    with pytest.raises(ParameterError, match=said) as caught:
        read_report(path)
    assert "edge-ser benchmark --output FILE" in str(caught.value)


def paths(part: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Everything in a report, but the raw values."""
    for key, value in part.items() if isinstance(part, dict) else enumerate(part):
        yield (*path, key)
        if isinstance(value, (dict, list)) and key != "raw":
            yield from paths(value, *path, key)


def test_a_damaged_report_is_refused_or_told(tmp_path: Path) -> None:
    whole = report(measured("a", 1, n=3))
    whole["state"] = {"valid": True, "reasons": []}
    damages = itertools.cycle(("x", None, [], {}, 10**400, -1, [1]))
    for path in paths(whole):
        spoilt = copy.deepcopy(whole)
        part: Any = spoilt
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = next(damages)
        (tmp_path / "r.json").write_text(json.dumps(spoilt))
        with contextlib.suppress(ParameterError):
            found = read_report(tmp_path / "r.json")
            format_report(found)
            format_comparison(compare(whole, found))


def test_a_report_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="cannot be read: No such file"):
        read_report(tmp_path / "none.json")
