"""Work that is shared by the workers of a Dask cluster, one of which is killed."""

from __future__ import annotations

import gc
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import job_functions as done
import pytest
from local_cluster import LocalCluster, local_cluster

import edge
from edge.errors import ParameterError, WorkerError
from edge.jobs import run_in_order

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    with local_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def test_results_of_a_cluster_come_in_order(cluster: LocalCluster) -> None:
    results = run_in_order(done.square, iter(range(30)), cluster=cluster.address)
    assert list(results) == [number * number for number in range(30)]


def test_an_error_of_a_cluster_has_its_place(cluster: LocalCluster) -> None:
    results = run_in_order(done.fail_at_three, range(9), cluster=cluster.address)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(LookupError, match="three"):
        next(results)


def test_another_version_is_refused(cluster: LocalCluster, monkeypatch) -> None:
    monkeypatch.setattr(edge, "__version__", "9.9")
    with pytest.raises(WorkerError, match=r"has edge-ser 0\S+ where 9.9 is asked for"):
        next(run_in_order(done.square, [1], cluster=cluster.address))


def test_what_a_killed_worker_had_is_done_again(cluster: LocalCluster, tmp_path: Path) -> None:
    items = [(str(tmp_path), number) for number in range(40)]
    results = run_in_order(done.meet, items, cluster=cluster.address)
    found = [next(results) for _ in range(10)]
    victim = cluster.workers[0]
    victim.kill()
    victim.join()
    found += results
    assert found == [number * number for number in range(40)]
    by = [path.read_text().split() for path in tmp_path.iterdir()]
    assert {pid for pids in by for pid in pids} == {str(each.pid) for each in cluster.workers}


def test_a_cluster_that_ends_is_one_sentence(tmp_path: Path) -> None:
    with local_cluster(tmp_path, 1) as running:
        items = [(str(tmp_path), number) for number in range(200)]
        results = run_in_order(done.meet, items, cluster=running.address)
        next(results)
        running.stop()
        with pytest.raises(WorkerError, match="was lost: its scheduler has ended"):
            list(results)


def test_a_cluster_that_is_not_there_is_one_sentence(monkeypatch) -> None:
    monkeypatch.setattr("edge.jobs.dask_cluster._REACH_S", 1)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(WorkerError, match=f"the cluster {address} does not answer within 1 s"):
            next(run_in_order(done.square, [1], cluster=address))


def test_an_empty_address_is_refused() -> None:
    with pytest.raises(ParameterError, match="the cluster's address is empty"):
        run_in_order(done.square, [1], cluster=" ")


@pytest.mark.parametrize("address", ["nonsense", "foo://here:1", "tls://localhost:8786"])
def test_an_address_that_is_none_leaves_nothing_behind(address: str) -> None:
    gc.collect()
    before = set(threading.enumerate())
    began_s = time.monotonic()
    with pytest.raises(WorkerError, match=rf"the cluster {address} cannot be reached: ") as raised:
        next(run_in_order(done.square, [1], cluster=address))
    # The client goes with its traceback, and would say an error of its own.
    del raised
    gc.collect()
    assert time.monotonic() - began_s < 5
    deadline_s = time.monotonic() + 5
    while (left := set(threading.enumerate()) - before) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert not left


def test_a_cluster_without_workers_is_one_sentence(tmp_path: Path) -> None:
    with (
        local_cluster(tmp_path, 0) as running,
        pytest.raises(WorkerError, match=f"has no workers; `dask worker {running.address}`"),
    ):
        next(run_in_order(done.square, [1], cluster=running.address))
