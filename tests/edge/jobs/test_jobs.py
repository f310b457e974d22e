"""Work that is shared by processes: the order, what goes wrong, and that nobody is left behind."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import job_functions as done
import pytest

from edge.errors import ParameterError, WorkerError
from edge.jobs import run_in_order


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_results_come_in_the_order_of_the_items(n_jobs: int) -> None:
    assert list(run_in_order(done.square, iter(range(30)), n_jobs=n_jobs)) == [
        number * number for number in range(30)
    ]
    assert list(run_in_order(done.square, [], n_jobs=n_jobs)) == []


def test_workers_have_one_thread_each_and_all_of_them_work(monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    results = list(run_in_order(done.square_slowly, range(12), n_jobs=2))
    assert [result[0] for result in results] == [number * number for number in range(12)]
    assert {result[1] for result in results} == {"1"}
    assert len({result[2] for result in results}) == 2
    assert os.environ["OMP_NUM_THREADS"] == "7"


def test_what_a_partial_holds_goes_along() -> None:
    assert list(run_in_order(functools.partial(pow, 2), [1, 2, 3], n_jobs=2)) == [2, 4, 8]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_no_more_is_read_than_was_asked_for(n_jobs: int) -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            yield number

    results = run_in_order(done.square, items(), n_jobs=n_jobs, n_ahead=5)
    for n_taken in range(1, 20):
        next(results)
        time.sleep(0.01)
        assert len(read) <= n_taken + 5
    results.close()


def test_a_result_does_not_wait_for_the_next_item() -> None:
    told = threading.Event()

    def items() -> Iterator[int]:
        yield 3
        assert told.wait(30)
        yield 4

    results = run_in_order(done.square, items(), n_jobs=2)
    assert next(results) == 9
    told.set()
    assert list(results) == [16]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_has_its_place_in_the_order(n_jobs: int) -> None:
    results = run_in_order(done.fail_at_three, range(9), n_jobs=n_jobs)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LookupError, match="three"):
        next(results)
    assert list(results) == []


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_so_has_an_item_that_cannot_be_read(n_jobs: int) -> None:
    def items() -> Iterator[int]:
        yield 2
        raise OSError("the list ended")

    results = run_in_order(done.square, items(), n_jobs=n_jobs)
    assert next(results) == 4
    with pytest.raises(OSError, match="the list ended"):
        next(results)


def test_an_error_that_cannot_travel_is_told_in_a_sentence() -> None:
    with pytest.raises(WorkerError, match="a worker failed: PickyError: '1 and 1'"):
        next(run_in_order(done.fail_pickily, [1, 1], n_jobs=2))


def test_a_worker_that_is_killed_is_one_sentence_with_its_item() -> None:
    results = run_in_order(done.kill_itself, range(5), n_jobs=2)
    with pytest.raises(WorkerError, match=r"SIGKILL at its item \(2\); mostly memory ran out"):
        list(results)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"n_jobs": 0}, "n_jobs is 0, a whole number from 1 to 256 is wanted"),
        ({"n_jobs": -3}, "n_jobs is -3"),
        ({"n_jobs": True}, "n_jobs is True"),
        ({"n_jobs": 2.0}, "n_jobs is 2.0"),
        ({"n_jobs": 257}, "n_jobs is 257"),
        ({"n_ahead": 0}, "n_ahead is 0, a whole number from 1 is wanted"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_at_once(options, what: str) -> None:
    with pytest.raises(ParameterError, match=what):
        run_in_order(done.square, [1], **options)


def test_who_can_have_no_workers_says_so(monkeypatch) -> None:
    with pytest.raises(ParameterError, match="this process is a worker itself"):
        list(run_in_order(done.ask_others, [1, 2], n_jobs=2))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(ParameterError, match="this program is frozen"):
        next(run_in_order(done.square, [1, 2], n_jobs=2))


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(ParameterError, match="the function cannot be sent"):
        next(run_in_order(lambda number: number, [1, 2], n_jobs=2))
    with pytest.raises(ParameterError, match="an item cannot be sent"):
        next(run_in_order(done.square, [threading.Lock(), 1], n_jobs=2))  # type: ignore[list-item]


def _is_there(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        with contextlib.suppress(OSError):
            os.kill(pid, 0)
            return not Path("/proc/self").exists()
        return False


def _gone(pids: list[int]) -> bool:
    last_s = time.monotonic() + 10
    while any(_is_there(pid) for pid in pids):
        if time.monotonic() > last_s:
            return False
        time.sleep(0.02)
    return True


def _noted(folder: Path, n: int) -> list[int]:
    last_s = time.monotonic() + 30
    while len(found := [int(path.name) for path in folder.iterdir()]) < n:
        assert time.monotonic() < last_s
        time.sleep(0.02)
    return found


def test_a_generator_that_is_closed_takes_its_workers_along(tmp_path) -> None:
    results = run_in_order(_first_at_once, [None, str(tmp_path), str(tmp_path)], n_jobs=2)
    next(results)
    workers = _noted(tmp_path, 2)
    began_s = time.monotonic()
    results.close()
    assert time.monotonic() - began_s < 2
    assert _gone(workers)


def _first_at_once(folder: str | None) -> None:
    if folder is not None:
        done.note_and_wait(folder)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_no_worker_outlives_its_parent(tmp_path, number: signal.Signals) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen(
        [sys.executable, done.__file__, str(tmp_path)],
        env=environ,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    workers = _noted(tmp_path, 2)
    # Ctrl-C goes to every process of the terminal.
    (os.killpg if number == signal.SIGINT else os.kill)(parent.pid, number)
    _, told = parent.communicate(timeout=20)
    assert _gone(workers)
    assert b"worker" not in told.replace(b"n_workers", b"")
    assert told.count(b"Traceback") == (1 if number == signal.SIGINT else 0)


def test_nor_the_thread_that_asked_while_the_process_lives() -> None:
    # Linux takes the end of the thread that started a process for that of its parent.
    results = run_in_order(done.square_slowly, range(40), n_jobs=2)
    thread = threading.Thread(target=next, args=(results,))
    thread.start()
    thread.join()
    time.sleep(0.1)
    assert len(list(results)) == 39
