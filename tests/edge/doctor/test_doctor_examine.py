"""The checks together: their order, their time, and none that ends the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from system_fakes import fake_system

from edge.doctor.examine import examine
from edge.doctor.finding import Finding, count, error, exit_code, ok, skipped, warning
from edge.doctor.look import Look, Wishes
from edge.doctor.registry import CHECKS, Row
from edge.doctor.table import Table, totals
from edge.machine.programs import Programs, Ran


def good(look: Look) -> Iterator[Finding]:
    yield ok("fine", n=1)
    yield ok("fine, too", "second")


def broken(look: Look) -> Iterator[Finding]:
    yield ok("so far")
    raise TypeError("a fault\nof ours")


def named(look: Look, rows: list[Row]) -> list[tuple[str, str, str]]:
    return [(each.group, each.check, each.state) for each in examine(look, rows)]


def test_findings_come_in_the_order_of_the_rows_whoever_is_first(tmp_path: Path) -> None:
    order: list[str] = []
    second_is_done = threading.Event()

    def slow(look: Look) -> Iterator[Finding]:
        assert second_is_done.wait(5)
        order.append("slow")
        yield ok("slow")

    def quick(look: Look) -> Iterator[Finding]:
        order.append("quick")
        second_is_done.set()
        yield ok("quick")

    look = Look(fake_system(tmp_path), Wishes())
    rows = [Row("slow", "one", slow, "a"), Row("quick", "two", quick, "b")]
    assert named(look, rows) == [("one", "slow", "ok"), ("two", "quick", "ok")]
    assert order == ["quick", "slow"]


def test_a_check_that_fails_is_a_finding_and_ends_no_other(tmp_path: Path) -> None:
    look = Look(fake_system(tmp_path), Wishes())
    rows = [Row("bad", "g", broken, "a"), Row("good", "g", good, "a")]
    found = list(examine(look, rows))
    assert [each.state for each in found] == ["ok", "warning", "ok", "ok"]
    assert found[1].sentence == "this check failed itself: TypeError a fault of ours"


def test_a_check_that_hangs_is_left_and_the_time_is_kept(tmp_path: Path) -> None:
    release = threading.Event()

    def hang(look: Look) -> Iterator[Finding]:
        yield ok("begun")
        release.wait(20)

    look = Look(fake_system(tmp_path), Wishes(), total_s=-0.9)
    rows = [
        Row("hang", "g", hang, "a"), Row("after", "g", good, "a"), Row("other", "h", good, "b"),
    ]  # fmt: skip
    started_s = time.monotonic()
    found = named(look, rows)
    release.set()
    assert time.monotonic() - started_s < 5
    assert found == [
        ("g", "hang", "ok"), ("g", "hang", "warning"), ("g", "after", "skipped"),
        ("h", "other", "ok"), ("h", "other", "ok"),
    ]  # fmt: skip


def test_programs_that_all_hang_are_ended_within_the_time(tmp_path: Path) -> None:
    programs = Programs()

    def hang(command: object, timeout_s: float, environ: object = None) -> Ran:
        return programs.run(["sleep", "100"], timeout_s)

    look = Look(fake_system(tmp_path, run=hang), Wishes(), total_s=0.5)
    started_s = time.monotonic()
    found = list(examine(look))
    programs.end()
    assert time.monotonic() - started_s < 4
    assert {each.check for each in found} == {row.name for row in CHECKS}


def test_a_toy_check_is_a_function_and_a_row(tmp_path: Path) -> None:
    def toy(look: Look) -> Iterator[Finding]:
        yield ok(f"toys: {look.system.read('/toys')}")

    look = Look(fake_system(tmp_path, {"/toys": "3"}), Wishes())
    assert [each.sentence for each in examine(look, [Row("toy", "toys", toy, "toys")])] == [
        "toys: 3"
    ]


def test_every_check_has_a_name_of_its_own_and_its_group_is_one_block() -> None:
    assert len({row.name for row in CHECKS}) == len(CHECKS)
    groups = [row.group for row in CHECKS]
    assert sorted(groups, key=groups.index) == groups


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([], 0),
        ([ok("a"), skipped("b")], 0),
        ([ok("a"), warning("b", "c")], 1),
        ([error("a", "b"), warning("c", "d")], 2),
    ],
)
def test_the_exit_code_is_that_of_the_worst(findings: list[Finding], code: int) -> None:
    assert exit_code(findings) == code


def test_the_table_is_aligned_and_a_mend_is_one_line() -> None:
    def finding(check: str, group: str, told: Finding) -> Finding:
        return Finding(told.state, told.sentence, told.mend, check=check, group=group)

    long = "word " * 30
    table = Table(width=80)
    findings = [
        finding("python", "software", ok("CPython\x1b[31m 3.11")),
        finding("clock", "machine", error(long, "sudo " + "x" * 100)),
    ]
    lines = [line for each in findings for line in table.lines(each)]
    assert lines[0] == "software"
    assert lines[1] == "  ok       python         CPython\\x1b[31m 3.11"
    assert lines[2:4] == ["", "machine"]
    assert lines[4].startswith("  error    clock          word word")
    assert all(len(line) <= 80 for line in lines[:-1])
    assert lines[-1] == " " * 26 + "mend: sudo " + "x" * 100
    assert totals(findings) == "1 error, 0 warnings, 1 ok, 0 skipped"
    assert count(findings)["n_error"] == 1
