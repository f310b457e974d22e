"""Steps run once, side by side where they may, and end when they are told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.scorecard.ledger import Ledger
from benchmarks.scorecard.step import Step
from benchmarks.scorecard.steps import pending, run_steps
from benchmarks.scorecard.times import write_times
from quantize.basics.errors import TrainingError

PYTHON = (sys.executable, "-S", "-c")
TOUCH = "import sys, pathlib; [pathlib.Path(p).write_text('made') for p in sys.argv[1:]]"


def step(
    folder: Path,
    name: str,
    *inputs: str,
    code: str = TOUCH,
    cost: float = 1.0,
    shares: str | None = None,
    turn: str = "",
) -> Step:
    output = folder / name
    return Step(
        name=name,
        recipe="r",
        jobs=(name,),
        words=(code, str(output)),
        inputs=tuple(folder / i for i in inputs),
        outputs=(output,),
        log=folder / "logs" / f"{name}.log",
        cost=cost,
        shares=folder / shares if shares else None,
        turn=turn,
    )


def age(path: Path, seconds: int) -> None:
    os.utime(path, (1_000_000 + seconds, 1_000_000 + seconds))


def test_what_is_done_is_not_done_again(tmp_path):
    steps = [step(tmp_path, "a"), step(tmp_path, "b", "a")]
    ran: list[str] = []
    assert (
        run_steps(
            steps, Ledger(tmp_path / "ledger"), program=PYTHON, after=lambda s: ran.append(s.name)
        )
        == 2
    )
    assert ran == ["a", "b"]
    assert (
        run_steps(
            steps, Ledger(tmp_path / "ledger"), program=PYTHON, after=lambda s: ran.append(s.name)
        )
        == 0
    )
    assert ran == ["a", "b"]


def test_older_than_its_input_is_not_done(tmp_path):
    steps = [step(tmp_path, "a"), step(tmp_path, "b", "a"), step(tmp_path, "c", "b")]
    for second, name in enumerate("abc"):
        (tmp_path / name).write_text(name)
        age(tmp_path / name, second)
    assert pending(steps, Ledger(tmp_path / "ledger")) == []
    age(tmp_path / "a", 2)
    # c follows, although it is newer than b still.
    assert [s.name for s in pending(steps, Ledger(tmp_path / "ledger"))] == ["b", "c"]
    age(tmp_path / "a", 1)
    assert pending(steps, Ledger(tmp_path / "ledger")) == [], "as old as its input is not older"


def test_a_failing_step_names_its_log_and_stops_the_rest(tmp_path):
    code = "import sys; print('well'); sys.exit('no such corpus')"
    steps = [step(tmp_path, "a", code=code), step(tmp_path, "b")]
    with pytest.raises(TrainingError, match=r"a ended with status 1 \(no such corpus\).*a\.log"):
        run_steps(steps, Ledger(tmp_path / "ledger"), program=PYTHON)
    log = (tmp_path / "logs" / "a.log").read_text()
    assert log.startswith("$ edge-ser-quantize ")
    assert "well\n" in log
    assert not (tmp_path / "b").exists()


def test_a_step_must_make_what_it_says(tmp_path):
    with pytest.raises(TrainingError, match=r"ended well but did not make .*a"):
        run_steps([step(tmp_path, "a", code="pass")], Ledger(tmp_path / "ledger"), program=PYTHON)


MEET = """
import pathlib, sys, time
own = pathlib.Path(sys.argv[1])
(own.parent / (own.name + "-here")).write_text("")
while not all((own.parent / (name + "-here")).exists() for name in "ab"):
    time.sleep(0.01)
own.write_text("")
"""


def test_steps_run_side_by_side(tmp_path):
    steps = [step(tmp_path, name, code=MEET) for name in "ab"]
    assert run_steps(steps, Ledger(tmp_path / "ledger"), n_parallel=2, program=PYTHON) == 2


def test_a_step_waits_for_its_inputs_alone(tmp_path):
    # b is there only once d has run, and d is behind it in the list.
    wait = MEET.replace('"ab"', '"bd"')
    steps = [
        step(tmp_path, "a"),
        step(tmp_path, "b", "a", code=wait),
        step(tmp_path, "c", "b"),
        step(tmp_path, "d", "a", code=wait),
    ]
    assert run_steps(steps, Ledger(tmp_path / "ledger"), n_parallel=2, program=PYTHON) == 4


def test_what_most_waits_for_goes_first(tmp_path):
    ran: list[str] = []
    code = "import sys, time, pathlib; time.sleep(0.2); pathlib.Path(sys.argv[1]).write_text('')"
    steps = [
        step(tmp_path, "short"),
        step(tmp_path, "long", code=code, cost=3.0),
        step(tmp_path, "first", code=code),
        step(tmp_path, "then", "first", code=code, cost=9.0),
    ]
    run_steps(
        steps,
        Ledger(tmp_path / "ledger"),
        n_parallel=2,
        program=PYTHON,
        after=lambda s: ran.append(s.name),
    )
    assert set(ran[:2]) == {"long", "first"}


def test_steps_of_one_turn_come_one_after_the_other(tmp_path):
    alone = (
        "import pathlib, sys, time\nown = pathlib.Path(sys.argv[1])\nbusy = own.parent / 'busy'\n"
        "busy.touch(exist_ok=False)\ntime.sleep(0.2)\nbusy.unlink()\nown.write_text('')"
    )
    steps = [step(tmp_path, name, code=alone, turn="export") for name in "abc"]
    assert run_steps(steps, Ledger(tmp_path / "ledger"), n_parallel=3, program=PYTHON) == 3


def test_it_is_known_how_long_each_took(tmp_path):
    code = "import sys, time, pathlib; time.sleep(0.3); pathlib.Path(sys.argv[1]).write_text('')"
    steps = [step(tmp_path, "a", code=code), step(tmp_path, "b", "a")]
    ledger = Ledger(tmp_path / "ledger")
    run_steps(steps, ledger, program=PYTHON)
    assert ledger.seconds["a"] >= 0.3
    assert Ledger(tmp_path / "ledger").seconds == ledger.seconds
    times = tmp_path / "logs" / "times.json"
    assert write_times(times, steps, ledger, 66.0).startswith("1.1 min; ")
    told = write_times(times, steps, ledger, 6.0)
    assert told.startswith("0.1 min, 1.2 min with the 1 call before; ")
    found = json.loads(times.read_text())
    assert found["steps"] == ledger.seconds
    assert (found["wall_s"], found["total_wall_s"]) == ([66.0, 6.0], 72.0)
    times.write_text("cut o")
    assert write_times(times, steps, ledger, 60.0).startswith("1.0 min; ")


FIRST = """
import pathlib, sys, time
own = pathlib.Path(sys.argv[1])
time.sleep(0.3)
(own.parent / "shared").write_text("")
while not (own.parent / "b").exists():
    time.sleep(0.01)
own.write_text("")
"""
SECOND = """
import pathlib, sys
own = pathlib.Path(sys.argv[1])
assert (own.parent / "shared").exists(), "came before what it shares"
own.write_text("")
"""


def test_the_others_wait_for_what_the_first_computes_for_all(tmp_path):
    steps = [
        step(tmp_path, "a", code=FIRST, shares="shared"),
        step(tmp_path, "b", code=SECOND, shares="never"),
    ]
    assert run_steps(steps, Ledger(tmp_path / "ledger"), n_parallel=2, program=PYTHON) == 2


def test_one_thread_a_command(tmp_path):
    code = "import os, sys, pathlib; pathlib.Path(sys.argv[1]).write_text(os.environ[{!r}])"
    run_steps(
        [step(tmp_path, "a", code=code.format("OMP_NUM_THREADS"))],
        Ledger(tmp_path / "ledger"),
        program=PYTHON,
    )
    assert (tmp_path / "a").read_text() == "1"


PATIENT = """
import pathlib, sys, time
own = pathlib.Path(sys.argv[1])
try:
    (own.parent / "started").write_text("")
    time.sleep(60)
except KeyboardInterrupt:
    (own.parent / (own.name + "-interrupted")).write_text("")
"""
PARENT = """
import pathlib, sys
from benchmarks.scorecard.ledger import Ledger
from benchmarks.scorecard.step import Step
from benchmarks.scorecard.steps import run_steps
folder = pathlib.Path(sys.argv[1])
step = Step("a", "r", ("a",), ({code!r}, str(folder / "a")), (), (folder / "a",), folder / "log")
try:
    run_steps([step], Ledger(folder / "ledger"), program=(sys.executable, "-S", "-c"))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_its_commands_first(tmp_path, number):
    code = PARENT.format(code=PATIENT)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as parent:
        until_s = time.monotonic() + 60
        while not (tmp_path / "started").exists():
            assert time.monotonic() < until_s
            assert parent.poll() is None
            time.sleep(0.02)
        parent.send_signal(number)
        assert parent.wait(30) == 130
    assert (tmp_path / "a-interrupted").exists()
    assert not (tmp_path / "a").exists()


def test_a_failure_interrupts_those_beside_it(tmp_path):
    fail = (
        "import pathlib, sys, time\nown = pathlib.Path(sys.argv[1])\n"
        "while not (own.parent / 'started').exists(): time.sleep(0.01)\nsys.exit(3)"
    )
    steps = [
        step(tmp_path, "a", code=PATIENT),
        step(tmp_path, "b", code=fail),
    ]
    with pytest.raises(TrainingError, match="b ended with status 3"):
        run_steps(steps, Ledger(tmp_path / "ledger"), n_parallel=2, program=PYTHON)
    assert (tmp_path / "a-interrupted").exists()
