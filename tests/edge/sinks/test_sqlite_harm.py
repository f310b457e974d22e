"""``sqlite:FILE``: a cut, damage, and what a person can mend."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys

import pytest
from sqlite_life import Life, whole

from edge.errors import MissingDependencyError, ParameterError, SinkError
from edge.history import open_history
from edge.sinks.registry import SinkSettings, make_sink


def test_what_a_person_can_mend_is_said_before_anything_is_heard(tmp_path, monkeypatch):
    text = tmp_path / "text"
    text.write_text("no database " * 400)
    newer = tmp_path / "newer"
    Life(newer).sink.close()
    with contextlib.closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version=2")
    other = tmp_path / "other"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
    before = {path: path.read_bytes() for path in (text, newer, other)}
    for name, sentence in (
        (f"sqlite:{text}", "no SQLite file at all"),
        (f"sqlite:{newer}", "a newer edge-ser"),
        (f"sqlite:{other}", "no history of edge-ser"),
        (f"sqlite:{tmp_path}/none/a.db", "there is no folder"),
        (f"sqlite:{tmp_path}", "it is a folder"),
        (f"sqlite:{tmp_path}/a.db?keep=5m", "a span from 3600 seconds"),
        (f"sqlite:{tmp_path}/a.db?size=1M", "a size from 4000000 bytes"),
        ("sqlite", "sqlite:FILE is wanted"),
    ):
        with pytest.raises(ParameterError, match=sentence):
            make_sink(name, SinkSettings(sys.stdout))
    assert {path: path.read_bytes() for path in before} == before
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    with pytest.raises(MissingDependencyError, match="libpython3-stdlib"):
        make_sink(f"sqlite:{tmp_path}/b.db", SinkSettings(sys.stdout))


def test_a_file_that_breaks_meanwhile_is_one_sentence(tmp_path):
    life = Life(tmp_path / "a.db")
    life.hear(60)
    life.sink.close()
    content = bytearray(life.path.read_bytes())
    content[4_096 + 8 :] = bytes(len(content) - 4_096 - 8)
    life.path.write_bytes(content)
    life = Life(tmp_path / "a.db")
    life.hear(600)
    with pytest.raises(SinkError, match=r"a\.db lacks 10 minutes of what was heard, which could"):
        life.sink.close()
    assert 1 <= len(life.said) <= 2
    assert all("\n" not in sentence for sentence in life.said)


CUT = """
import itertools, sys, time
from edge.sinks.registry import SinkSettings, make_sink
from edge.stream.decision import Decision

sink = make_sink(f"sqlite:{sys.argv[1]}", SinkSettings(sys.stdout))
# An hour of the steady clock in a second.
steady = itertools.count()
sink._steady = lambda: next(steady) * 0.5
sink.open()
for n in itertools.count(1):
    decision = Decision(
        n / 2 - 1, n / 2, "speech", "happy", {"happy": 1.0}, "happy", -20.0, time_s=1.8e9 + n / 2
    )
    sink.emit(decision)
    print(n, flush=True)
"""


@pytest.mark.parametrize("after", [1, 59, 61, 130, 400, 800])
def test_a_kill_loses_at_most_the_last_minute(tmp_path, after):
    path = tmp_path / "a.db"
    child = subprocess.Popen(
        [sys.executable, "-c", CUT, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    n_told = 0
    for line in child.stdout:
        n_told = int(line)
        if n_told >= after:
            break
    child.kill()
    n_told = max([n_told, *(int(line) for line in child.stdout if line.endswith("\n"))])
    child.wait()
    child.stdout.close()
    assert whole(path)
    minutes = open_history(path).minutes(0, 1.9e9)
    heard_s = sum(minute.heard_s for minute in minutes)
    assert n_told / 2 - 31 <= heard_s <= n_told / 2 + 1
    # And the next run goes on with it.
    life = Life(path)
    life.hear(5)
    life.sink.close()
    assert life.said == []
    assert len(open_history(path).runs(0, 1.9e12)) == 2


def test_a_file_that_is_damaged_anyhow_ends_nothing(tmp_path):
    life = Life(tmp_path / "whole.db")
    life.hear(600, "speech")
    life.sink.close()
    content = life.path.read_bytes()
    chance = random.Random(3)
    n_refused = n_told = 0
    for n in range(60):
        broken = bytearray(content)
        for _ in range(chance.choice((1, 5, 200))):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        path = tmp_path / f"{n}.db"
        path.write_bytes(broken[: chance.choice((len(broken), chance.randrange(len(broken))))])
        try:
            life = Life(path)
        except ParameterError:
            n_refused += 1
            continue
        life.hear(120, "speech")
        try:
            life.sink.close()
        except SinkError as error:
            life.said.append(str(error))
        n_told += bool(life.said)
        assert not any("\n" in sentence for sentence in life.said)
    assert n_refused > 5
    assert n_told > 5
