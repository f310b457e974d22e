"""With what a step was done is noted by content, and outlives a kill."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from pathlib import Path

from test_scorecard_steps import PYTHON, age, step

from benchmarks.scorecard.ledger import Ledger
from benchmarks.scorecard.step import Step
from benchmarks.scorecard.steps import pending, run_steps

COPY = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(open(sys.argv[2]).read()[:3])"


def copy(folder: Path, name: str, source: str, *what: str) -> Step:
    """A step that copies the first three letters of its input."""
    made = step(folder, name, source, code=COPY)
    return dataclasses.replace(made, words=(*made.words, str(folder / source)), what=what)


def chain(folder: Path, *, how: str = "fast") -> list[Step]:
    return [
        copy(folder, "a", "one", how),
        copy(folder, "b", "a"),
        copy(folder, "c", "two"),
        copy(folder, "d", "c"),
    ]


def run(steps: list[Step], folder: Path) -> list[str]:
    """Say which were run; a new ledger each time, as after a kill."""
    ran: list[str] = []
    run_steps(steps, Ledger(folder / "ledger"), program=PYTHON, after=lambda s: ran.append(s.name))
    return ran


def test_what_depends_on_a_changed_input_is_done_again_and_nothing_else(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text("first")
    assert run(chain(tmp_path), tmp_path) == ["a", "b", "c", "d"]
    # Written anew, and what it holds is as it was: whatever its age.
    (tmp_path / "one").write_text("first")
    age(tmp_path / "two", 2_000_000_000)
    assert run(chain(tmp_path), tmp_path) == []
    # Changed, and older than what was made of it: a folder that was copied, a clock set back.
    (tmp_path / "one").write_text("other")
    age(tmp_path / "one", 0)
    assert [s.name for s in pending(chain(tmp_path), Ledger(tmp_path / "ledger"))] == ["a", "b"]
    assert run(chain(tmp_path), tmp_path) == ["a", "b"]
    assert (tmp_path / "b").read_text() == "oth"
    # What comes to the same ends it.
    (tmp_path / "one").write_text("others")
    assert run(chain(tmp_path), tmp_path) == ["a"]
    # Another way to make it.
    assert run(chain(tmp_path, how="slow"), tmp_path) == ["a"]
    (tmp_path / "d").unlink()
    assert run(chain(tmp_path, how="slow"), tmp_path) == ["d"]


def test_what_was_done_before_there_was_a_ledger_is_taken_over(tmp_path):
    steps = chain(tmp_path)
    for second, name in enumerate(("one", "two", "a", "b", "c", "d")):
        (tmp_path / name).write_text("first")
        age(tmp_path / name, second)
    assert run(steps, tmp_path) == []
    (tmp_path / "one").write_text("other")
    age(tmp_path / "one", 0)
    assert run(steps, tmp_path) == ["a", "b"]


def test_a_ledger_that_was_cut_off_goes_on(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text("first")
    steps = chain(tmp_path)
    run(steps, tmp_path)
    ledger = tmp_path / "ledger"
    content = ledger.read_bytes()
    for n_bytes in range(0, len(content), 37):
        ledger.write_bytes(content[:n_bytes] + b"\0\xff[")
        assert run(steps, tmp_path) == []
        assert ledger.read_bytes().count(b"\n") >= 4
        again = Ledger(ledger)
        assert all(again.is_as_noted(s.name, s.what, s.inputs) for s in steps)


KILLED = """
import pathlib, sys, time
own = pathlib.Path(sys.argv[1])
if not (own.parent / "go").exists():
    try:
        (own.parent / "started").write_text("")
        time.sleep(60)
    except KeyboardInterrupt:
        (own.parent / "interrupted").write_text("")
        sys.exit(130)
own.write_text("made")
"""
KILLED_PARENT = """
import pathlib, sys
sys.path[:0] = {path!r}
from test_scorecard_ledger import KILLED, run, step
folder = pathlib.Path(sys.argv[1])
run([step(folder, "a"), step(folder, "b", "a", code=KILLED)], folder)
"""


def test_killed_it_goes_on_with_what_it_was_at(tmp_path):
    code = KILLED_PARENT.format(path=[str(Path(__file__).parent)])
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as parent:
        until_s = time.monotonic() + 60
        while not (tmp_path / "started").exists():
            assert time.monotonic() < until_s
            time.sleep(0.02)
        parent.kill()
    if sys.platform == "linux":
        while not (tmp_path / "interrupted").exists():
            assert time.monotonic() < until_s
            time.sleep(0.02)
    (tmp_path / "go").write_text("")
    age(tmp_path / "a", 0)
    assert run([step(tmp_path, "a"), step(tmp_path, "b", "a", code=KILLED)], tmp_path) == ["b"]
