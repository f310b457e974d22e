"""``edge-ser history``: what it prints is what docs/history.md and its schema say."""

from __future__ import annotations

import csv
import datetime
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from history_files import a_minute, write_history, zone
from runtime_fakes import REPOSITORY

from edge.cli.main import main
from edge.history import open_history

SCHEMA = json.loads((REPOSITORY / "docs" / "history.schema.json").read_text(encoding="utf-8"))
PAGE = (REPOSITORY / "docs" / "history.md").read_text(encoding="utf-8")
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
START = 1_792_800_000  # a day before the clock is put back in Berlin, 2026

needs_zones = pytest.mark.skipif(
    not hasattr(time, "tzset") or not os.path.exists("/usr/share/zoneinfo/Europe/Berlin"),
    reason="there are no time zones to live in",
)


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "a.db"
    labels = ("happy", "sad", "happy", "a, b\n")
    write_history(path, {START + 60 * n: a_minute(labels[n % 4]) for n in range(3 * 1_440)})
    return str(path)


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["history", *words]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["history", *words]) == 2
    got = capsys.readouterr()
    assert got.out == ""
    assert len(got.err.splitlines()) == 1
    return got.err


@pytest.mark.parametrize("by", ["minute", "hour", "day", "week"])
def test_json_is_what_the_schema_says(file, by, capsys):
    until = "2026-10-24T02:00" if by == "minute" else "2026-10-25"
    text = printed(capsys, file, "--since", "2026-10-24", "--until", until, "--by", by, "--json")
    records = [json.loads(line) for line in text.splitlines()]
    assert records
    for record in records:
        VALIDATOR.validate(record)
        assert list(record) == list(SCHEMA["$defs"]["history"]["properties"])
        parts = ("speech_s", "uncertain_s", "no_speech_s", "quiet_s")
        assert record["heard_s"] == pytest.approx(sum(record[part] for part in parts))
        assert record["speech_s"] == pytest.approx(sum(record["labels"].values()))


def test_events_are_what_the_schema_says(file, capsys):
    records = [
        json.loads(line)
        for line in printed(
            capsys, file, "--since", "1970-01-01", "--events", "--json"
        ).splitlines()
    ]
    assert [record["label"] for record in records] == ["happy", "sad"]
    for record in records:
        VALIDATOR.validate(record)
        assert list(record) == list(SCHEMA["$defs"]["history_event"]["properties"])
    table = printed(capsys, file, "--since", "1970-01-01", "--events").splitlines()
    assert len(table) == 3
    assert table[2].split()[2:] == ["sad", "?", "70", "%", "60", "%"]


def test_the_page_names_every_key():
    for record in SCHEMA["$defs"].values():
        for key in record["properties"]:
            assert f"`{key}`" in PAGE, key


def test_csv_has_the_same_and_no_label_breaks_it(file, capsys):
    words = (file, "--since", "2026-10-24", "--until", "2026-10-25", "--by", "day")
    lines = list(csv.DictReader(io.StringIO(printed(capsys, *words, "--csv"))))
    records = [json.loads(line) for line in printed(capsys, *words, "--json").splitlines()]
    assert len(lines) == len(records) == 2
    for line, record in zip(lines, records, strict=True):
        labels = record.pop("labels")
        assert {label: float(line[f"label_s.{label}"]) for label in labels} == labels
        assert {key: line[key] for key in record} == {key: str(record[key]) for key in record}


def test_the_table_is_aligned_and_in_lines(file, capsys):
    text = printed(capsys, file, "--since", "2026-10-24", "--until", "2026-10-25", "--by", "day")
    header, *lines = text.splitlines()
    assert header.split()[:5] == ["day", "heard", "speech", "lost", "activation"]
    assert header.index("happy") < header.index("a, b\\x0a") < header.index("sad")
    assert len(lines) == 2
    assert {len(line) for line in lines} == {len(header)}
    assert "50 %" in lines[0]


@needs_zones
def test_days_are_those_of_here(file, capsys):
    with zone("Europe/Berlin"):
        words = (file, "--since", "2026-10-25", "--until", "2026-10-25", "--json")
        (day,) = printed(capsys, *words, "--by", "day").splitlines()
        hours = printed(capsys, *words, "--by", "hour").splitlines()
    assert json.loads(day)["heard_s"] == 25 * 3_600
    assert json.loads(day)["start"] == "2026-10-25T00:00:00.000+02:00"
    assert json.loads(day)["end"] == "2026-10-26T00:00:00.000+01:00"
    starts = [json.loads(hour)["start"] for hour in hours]
    assert len(starts) == 25
    assert {"2026-10-25T02:00:00.000+02:00", "2026-10-25T02:00:00.000+01:00"} < set(starts)


def test_a_span_reaches_back_from_now(tmp_path, capsys):
    now = int(time.time()) // 60 * 60
    path = tmp_path / "a.db"
    write_history(path, {now - 60 * n: a_minute() for n in range(1, 300)})
    lines = printed(capsys, str(path), "--since", "30m", "--by", "minute").splitlines()
    assert 30 <= len(lines) - 1 <= 31
    assert main(["history", str(path), "--since", "2d", "--until", "1d"]) == 0
    got = capsys.readouterr()
    assert (got.out, got.err) == ("", "edge-ser: nothing was heard in that time\n")


@pytest.mark.parametrize("words", [(), ("--events",)])
def test_csv_of_nothing_has_the_header_of_something(file, words, capsys):
    with_rows = printed(capsys, file, *words, "--csv", "--since", "2026-10-24", "--until", "1d")
    words = ("--csv", *words)
    assert main(["history", file, *words, "--since", "2020-01-01", "--until", "2020-01-02"]) == 0
    got = capsys.readouterr()
    header = next(csv.reader(io.StringIO(with_rows)))
    found = list(csv.reader(io.StringIO(got.out)))
    assert found == [[name for name in header if "label_s." not in name]]
    what = "no label held" if "--events" in words else "nothing was heard"
    assert got.err == f"edge-ser: {what} in that time\n"


def test_minutes_that_are_still_to_come_are_told_of(tmp_path, capsys):
    now = int(time.time()) // 60 * 60
    path = tmp_path / "a.db"
    write_history(path, {now + 86_400 * day: a_minute() for day in (-1, 3)})
    last = datetime.datetime.fromtimestamp(now + 3 * 86_400)
    assert main(["history", str(path)]) == 0
    assert f"goes on to {last:%Y-%m-%d %H:%M}, which is still to come" in capsys.readouterr().err
    assert main(["history", str(path), "--until", f"{last:%Y-%m-%d}"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--since", "yesterday"), "--since is 'yesterday', a span such as 7d or 12h, a day such"),
        (("--since", "2026-02-30"), "--since is '2026-02-30'"),
        (("--until", "\x1b[1m"), "--until is '\\\\x1b[1m'"),
        (("--since", "2h", "--until", "3h"), "--since 2h is not before --until 3h"),
        (("--since", "9999-12-31"), "is not before --until now"),
        (("--by", "year"), "argument --by: invalid choice"),
        (("--csv", "--json"), "not allowed with argument"),
    ],
)
def test_a_time_that_is_none_is_one_sentence(file, words, sentence, capsys):
    assert sentence in refused(capsys, file, *words)


def test_the_file_is_that_of_the_configuration(file, tmp_path, capsys):
    config = tmp_path / "config.toml"
    config.write_text(f'[[to]]\nsink = "jsonl:x"\n[[to]]\nsink = "sqlite:{file}"\nkeep = "9d"\n')
    since = ("--since", "2026-10-24", "--until", "2026-10-25")
    assert printed(capsys, "--config", str(config), *since) == printed(capsys, file, *since)
    assert "no configuration file has a sink sqlite:FILE" in refused(capsys, "--config", os.devnull)
    assert "there is no history" in refused(capsys, str(tmp_path / "none"))


def test_it_reads_while_listen_writes_and_after_it_was_killed(tmp_path, capsys):
    path = tmp_path / "a.db"
    child = subprocess.Popen(
        [
            *(sys.executable, "-m", "edge_ser", "listen", "--config", os.devnull),
            *("--source", "demo", "--to", f"sqlite:{path}"),
        ],
        cwd=REPOSITORY,
        stderr=subprocess.DEVNULL,
    )
    try:
        end_s = time.monotonic() + 60
        while not path.exists() or not path.stat().st_size:
            assert time.monotonic() < end_s
            time.sleep(0.05)
        while True:
            try:
                assert len(open_history(path).runs()) == 1
                break
            except Exception:
                assert time.monotonic() < end_s
                time.sleep(0.05)
        assert main(["history", str(path)]) == 0
        assert child.poll() is None
    finally:
        child.kill()
        child.wait()
    assert main(["history", str(path), "--since", str(datetime.date.today())]) == 0
