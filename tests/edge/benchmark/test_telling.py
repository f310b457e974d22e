"""A report for people: table, line of a board, picture, page, and the command that tells them."""

from __future__ import annotations

import json
import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from made_reports import measured, report
from runtime_fakes import REPOSITORY

from edge.benchmark.boards import COLUMNS, boards_line
from edge.benchmark.compare import compare
from edge.benchmark.page import page_of
from edge.benchmark.table import format_report
from edge.cli.main import main

HOSTILE = "<script src=//evil>|\x1b[31m`x`&\u202e"


def several() -> dict[str, Any]:
    return report(
        measured("claf-ser-int8", 1),
        measured("claf-ser-int8-onnx", 2, backend="onnx"),
        measured("claf-ser-tiny", 3, factor=0.5),
        measured("claf-ser-tiny-onnx", 4, factor=0.4, backend="onnx"),
        measured("one-with-a-name-that-is-too-long", 5, factor=2),
    )


def cells(line: str) -> list[str]:
    assert line.startswith("| ")
    assert line.endswith(" |")
    return [cell.strip() for cell in line[2:-2].split(" | ")]


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report(measured("a", 1))))
    return path


def test_artifacts_stand_side_by_side_in_100_columns() -> None:
    found = several()
    found["installed"]["bytes"] |= {f"package-{i}": 12_345_678 for i in range(9)}
    lines = format_report(found).split("for docs/boards.md:")[0].splitlines()
    assert max(map(len, lines)) <= 100
    (names,) = (line for line in lines if "claf-ser-tiny-onnx" in line)
    assert names.split() == [each["artifact"]["name"] for each in found["artifacts"][:4]]
    assert any("one-with-a-name..." in line for line in lines)
    whole = next(line for line in lines if line.startswith("  whole"))
    p50s = [f"{each['hop']['whole_ms']['p50']:.2f}" for each in found["artifacts"][:4]]
    assert whole.split()[1::2] == p50s


def test_one_artifact_has_all_percentiles() -> None:
    text = format_report(report(measured("a", 1)))
    head = next(line for line in text.splitlines() if line.startswith("milliseconds"))
    assert head.split() == ["milliseconds", "p50", "p90", "p95", "p99"]


def test_a_run_that_does_not_count_is_said_first() -> None:
    state = {"valid": False, "reasons": ["the clock fell from 1500 to 600 MHz"]}
    second = format_report(report(measured("a", 1), state=state)).splitlines()[1]
    assert second == "NOT VALID         the clock fell from 1500 to 600 MHz"


def test_the_line_of_a_board_is_a_row_of_the_page() -> None:
    page = (REPOSITORY / "docs" / "boards.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert cells(rows[0]) == list(COLUMNS)
    assert len(rows) > 1
    for line in [*rows[1:], boards_line(several()), boards_line(report(measured("a", 1)))]:
        assert len(cells(line)) == len(COLUMNS)
        assert all(cells(line))


def test_an_architecture_keeps_its_name() -> None:
    found = report(measured("a", 1))
    found["machine"] |= {"board": None, "architecture": "x86_64"}
    assert cells(boards_line(found))[:2] == ["Cortex-A72", "4 CPUs, x86_64"]


def test_a_strangers_word_stays_in_its_cell() -> None:
    found = report(measured(HOSTILE, 1))
    found["machine"]["board"] = HOSTILE
    found["artifacts"][0]["cold_start"] = None
    found["state"] = {"valid": False, "reasons": [HOSTILE]}
    line = boards_line(found)
    assert len(cells(line)) == len(COLUMNS)
    assert not re.search("[`<>\x1b]", line)
    assert "\x1b" not in format_report(found)


class Elements(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.asked_for: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for key, value in attrs:
            if key in ("src", "href", "xlink:href", "action", "data"):
                self.asked_for.append(value or "")
            if key == "id":
                self.ids.append(value or "")
            if (tag, key) == ("svg", "aria-label"):
                self.labels.append(value or "")


def test_a_page_asks_nobody_for_anything() -> None:
    pytest.importorskip("matplotlib")
    old, new = report(measured(HOSTILE, 1)), report(measured(HOSTILE, 1, factor=1.5))
    new["machine"]["board"] = HOSTILE
    new["state"] = {"valid": False, "reasons": [HOSTILE]}
    new["artifacts"][0]["sustained"] = {"buckets": [
        {"at_s": 0.0, "p50_ms": 1.5, "degrees_celsius": 45.0},
        {"at_s": 120.0, "p50_ms": 3.0, "degrees_celsius": 82.0},
        {"at_s": None},
    ]}  # fmt: skip
    page = page_of(new, compare(old, new))
    found = Elements(page)
    assert not {"script", "link", "img", "iframe", "object"} & set(found.tags)
    assert all(target.startswith("#p") for target in found.asked_for)
    assert not re.search(r"@import|url\((?!#)|\x1b", page)
    assert len(found.ids) == len(set(found.ids))
    # Every picture says in words what it shows.
    assert len(found.labels) == 4
    assert "1.50 ms at first, 3.00 ms after 2.0 minutes" in found.labels[3]
    median_ms = new["artifacts"][0]["hop"]["whole_ms"]["p50"]
    assert f"{median_ms:.2f} ms" in found.labels[0]
    assert f"{median_ms:.3f}" in page
    assert "changed beyond noise" in page
    assert "prefers-color-scheme: dark" in page


def test_an_old_report_is_told_without_measuring(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    picture, page = tmp_path / "r.png", tmp_path / "r.html"
    options = ["--from", str(stored), "--picture", str(picture), "--page", str(page)]
    assert main(["benchmark", *options]) == 0
    assert "\na on numpy, " in capsys.readouterr().out
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_a_matplotlibrc_does_not_decide_how_a_page_looks(stored: Path) -> None:
    mpl = pytest.importorskip("matplotlib")
    found = json.loads(stored.read_text())
    plain = page_of(found)
    with mpl.rc_context({"text.usetex": True, "axes.facecolor": "black", "font.size": 30}):
        assert page_of(found) == plain
        assert mpl.rcParams["font.size"] == 30


def test_the_exit_code_tells_of_a_regression(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slower, out = tmp_path / "slower.json", tmp_path / "out.json"
    slower.write_text(json.dumps(report(measured("a", 2, factor=1.2))))
    both = ["benchmark", "--from", str(slower), "--compare", str(stored)]
    assert main(both) == 1
    assert "are worse by more than the tolerance of 5 %" in capsys.readouterr().out
    assert main([*both, "--tolerance", "40%"]) == 0
    assert main(["benchmark", "--from", str(stored), "--compare", str(slower)]) == 0
    capsys.readouterr()
    assert main([*both, "--json", "--output", str(out)]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["comparison"]["regressed"] is True
    assert record == json.loads(out.read_text())
    schema = json.loads((REPOSITORY / "docs" / "benchmark.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(record)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--compare", "none.json"], "cannot be read: No such file"),
        (["--tolerance", "much"], "'much' is no share in percent, such as 5%"),
        (["--tolerance=-1%"], "no share in percent"),
        (["--tolerance", "3%"], "--tolerance is of --compare, which is not given"),
        (["--all"], "--from takes what was measured before"),
        (["--page", "/"], "--page is '/', a file in a folder that exists is wanted"),
        (["--picture", "r.svg"], "a name that ends in .png is wanted"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    stored: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", "--from", str(stored), *options]) == 2
    assert said in capsys.readouterr().err


def test_a_folder_that_takes_no_files_is_refused_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr("edge.cli.benchmark._measured", lambda args: pytest.fail("it measured"))
    assert main(["benchmark", "--output", str(tmp_path / "a.json")]) == 2
    assert "in a folder that takes no files" in capsys.readouterr().err


def test_without_matplotlib_the_sentence_names_it(
    stored: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["benchmark", "--from", str(stored), "--page", "r.html"]) == 2
    assert "pip install matplotlib" in capsys.readouterr().err
