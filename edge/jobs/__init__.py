"""The same work in many processes or on many machines: results in the order of the items.

``n_jobs=1`` is a plain loop in this process, ``n_jobs=4`` four processes of this machine, and
``cluster`` names a Dask or a Ray cluster that is there already.  What comes out is the same.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Sized
from typing import Any, Protocol, TypeVar

from edge.errors import ParameterError, shown

__all__ = ["MOST_JOBS", "run_in_order"]

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Processes of one machine.
MOST_JOBS = 256

#: Items in flight for every process: one at work, and others for when that one takes long.
_AHEAD = 8


class Promise(Protocol):
    """What a pool or a cluster hands out for an item: ``concurrent.futures.Future`` and others."""

    def result(self) -> Any:
        """Wait for the result, or raise what the work on it raised."""


class Team(Protocol):
    """Those who do the work."""

    n_workers: int

    def submit(self, item: Any) -> Promise:
        """Hand an item over; never waits."""

    def close(self, *, is_done: bool) -> None:
        """Send all away; where not all is done, at once."""


def run_in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    n_jobs: int = 1,
    cluster: str | None = None,
    n_ahead: int | None = None,
) -> Generator[Result, None, None]:
    """Apply a function to every item, and hand out the results in the order of the items.

    Parameters
    ----------
    function : callable
        Of one item.  Beyond this process it goes by its name: a function of a module that the
        workers can import too, or a ``functools.partial`` of one.  It is handed to each worker
        once, what a partial holds as well.  A cluster's worker may call it from several threads.
    items : iterable
        Read as they are needed, by another thread where there is more than one process.
    n_jobs : int
        Processes of this machine, 1 to 256.  Each has one thread for its BLAS.
    cluster : str, optional
        Address of a cluster, instead of processes: ``tcp://HOST:8786`` of a Dask scheduler,
        ``ray://HOST:10001`` or ``ray`` of Ray.  Files are read where the workers are.
    n_ahead : int, optional
        Most items that are read and whose results were not taken yet; None: eight for every
        worker.

    Yields
    ------
    result
        Of each item.

    Raises
    ------
    ParameterError
        If a setting cannot be used, or the function or an item cannot be sent.
    WorkerError
        If a process of this machine is lost, or the cluster is, cannot be reached or has another
        version.  A lost worker of a cluster is none: what it had is done again.
    MissingDependencyError
        If the package for the cluster is not installed.
    Exception
        What the function, or reading the items, raised; what stands before it is handed out first.

    Notes
    -----
    The processes end with the generator, and with this process, however that ends.  A script that
    asks for more than one process has its own work under ``if __name__ == "__main__":``, as for
    any of ``multiprocessing``.
    """
    _check_count("n_jobs", n_jobs, MOST_JOBS)
    if n_ahead is not None:
        _check_count("n_ahead", n_ahead, None)
    if cluster is not None:
        if not cluster.strip():
            raise ParameterError(
                "the cluster's address is empty, one such as tcp://HOST:8786 is wanted"
            )
        return _together(lambda: _reach(cluster, function), items, n_ahead)
    if n_jobs == 1:
        return _alone(function, items)
    from edge.jobs.processes import Processes

    # Nobody is started who would have nothing to do.
    n_workers = min(n_jobs, max(len(items), 1)) if isinstance(items, Sized) else n_jobs
    return _together(lambda: Processes(function, n_workers), items, n_ahead)


def _check_count(name: str, value: object, most: int | None) -> None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or value < 1 or (most is not None and value > most):  # type: ignore[operator]
        wanted = "a whole number from 1" + ("" if most is None else f" to {most}")
        raise ParameterError(f"{name} is {shown(value)}, {wanted} is wanted")


def _reach(address: str, function: Callable[[Any], Any]) -> Team:
    if address == "ray" or address.startswith("ray://"):
        from edge.jobs.ray_cluster import RayCluster

        return RayCluster(address, function)
    from edge.jobs.dask_cluster import DaskCluster

    return DaskCluster(address, function)


def _alone(
    function: Callable[[Item], Result], items: Iterable[Item]
) -> Generator[Result, None, None]:
    for item in items:
        yield function(item)


def _together(
    gather: Callable[[], Team], items: Iterable[Any], n_ahead: int | None
) -> Generator[Any, None, None]:
    team = gather()
    feeder = _Feeder(team, items, n_ahead or _AHEAD * team.n_workers)
    is_done = False
    try:
        feeder.start()
        while (promise := feeder.promises.get()) is not None:
            result = promise.result()
            feeder.slots.release()
            yield result
        is_done = True
    finally:
        feeder.is_over = True
        feeder.slots.release()
        team.close(is_done=is_done)


class _Feeder(threading.Thread):
    """Reads the items and hands them over, as far ahead as is allowed.

    A thread of its own, so that a result is handed out although the next item is not there yet:
    a list of files may come from a pipe.

    Parameters
    ----------
    team : Team
        Who is handed the items.
    items : iterable
        What to read.
    n_ahead : int
        Most items in flight.
    """

    def __init__(self, team: Team, items: Iterable[Any], n_ahead: int) -> None:
        # Nobody waits for it: it may be at a pipe that never ends.
        super().__init__(name="items", daemon=True)
        self.promises: queue.SimpleQueue[Promise | None] = queue.SimpleQueue()
        self.slots = threading.Semaphore(n_ahead)
        self.is_over = False
        self._team = team
        self._items = items

    def run(self) -> None:
        """Read to the end, to an error, or until nobody wants more."""
        try:
            for item in self._slotted():
                self.promises.put(self._team.submit(item))
        except BaseException as error:
            self.promises.put(_Failed(error))
        else:
            self.promises.put(None)

    def _slotted(self) -> Iterable[Any]:
        each = iter(self._items)
        while True:
            # First the room, then the item: what was read is in flight.
            self.slots.acquire()
            if self.is_over:
                return
            try:
                item = next(each)
            except StopIteration:
                return
            yield item


class _Failed:
    """Stands for an item that could not be read or sent."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def result(self) -> Any:
        raise self._error
