"""A Dask cluster that is there already."""

from __future__ import annotations

import functools
import logging
import pickle
from collections.abc import Callable
from typing import Any

from edge.errors import EdgeSerError, MissingDependencyError, WorkerError, shown
from edge.jobs.processes import pickled

__all__ = ["DaskCluster", "call"]

#: Longest wait for the scheduler's answer.
_REACH_S = 10

#: Of every worker the functions that it was sent last, by what was sent.
_N_KEPT = 4


class DaskCluster:
    """A scheduler's workers; an item whose worker is lost is done again by another.

    Parameters
    ----------
    address : str
        Of the scheduler.
    function : callable
        Of one item.

    Raises
    ------
    MissingDependencyError
        If ``distributed`` is not installed.
    WorkerError
        If the scheduler does not answer, or has no workers.
    """

    def __init__(self, address: str, function: Callable[[Any], Any]) -> None:
        try:
            client = _client_type()
        except ImportError as error:
            raise MissingDependencyError(
                f"the cluster {address} needs a package: pip install distributed"
            ) from error
        sent = pickled(function, "the function")
        # What it has to say of lost workers and schedulers is said below, in one sentence.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._address = address
        try:
            self._client = client(address, timeout=_REACH_S, set_as_default=False)
        except Exception as error:
            # An OSError is what a wait ends with, anything else was wrong before it.
            is_late = isinstance(error, OSError)
            found = f"does not answer within {_REACH_S} s" if is_late else "cannot be reached"
            raise WorkerError(
                f"the cluster {address} {found}: {shown(str(error), 120)}; "
                "`dask scheduler` starts one and shows its address"
            ) from error
        self._n_sent = 0
        self.n_workers = sum(self._client.nthreads().values())
        if not self.n_workers:
            self.close(is_done=False)
            raise WorkerError(
                f"the cluster {address} has no workers; `dask worker {address}` starts one"
            )
        # A task like others, whose result every worker fetches once and can be made again.
        self._function = self._client.submit(bytes, sent, pure=False)
        self._version = _own_version()

    def submit(self, item: Any) -> Any:
        """Hand an item to the scheduler."""
        sent = pickled(item, "an item")
        # Handed out first, done first.
        self._n_sent += 1
        future = self._client.submit(
            call, self._version, self._function, sent, priority=-self._n_sent, pure=False
        )
        return _Promise(self._address, future, item)

    def close(self, *, is_done: bool) -> None:
        """Leave the cluster as it was; what is not done is not wanted any more."""
        self._client.close(timeout=_REACH_S)


@functools.cache
def _client_type() -> Any:
    from distributed import Client

    class QuietClient(Client):  # type: ignore[misc]
        """One that never connected has nobody to take leave of.

        ``distributed`` would wait twice the timeout for an answer, and print a traceback.
        """

        def __del__(self) -> None:
            if self.status == "connecting":
                self._loop_runner.stop()
            else:
                super().__del__()

    return QuietClient


class _Promise:
    """A future of the cluster, whose errors are ours."""

    def __init__(self, address: str, future: Any, item: Any) -> None:
        self._address = address
        self._future = future
        self._item = item

    def result(self) -> Any:
        from distributed import CancelledError as LostError
        from distributed import KilledWorker

        try:
            return pickle.loads(self._future.result())
        except EdgeSerError:
            raise
        except KilledWorker as error:
            raise WorkerError(
                f"the cluster {self._address} lost several workers at one item "
                f"({shown(self._item, 200)}): mostly their memory ran out"
            ) from error
        except ModuleNotFoundError as error:
            raise WorkerError(
                f"the workers of the cluster {self._address} lack a package: "
                f"{shown(str(error), 120)}; install edge-ser {_own_version()} on each of them"
            ) from error
        except (LostError, OSError) as error:
            if isinstance(error, OSError) and self._future.status == "error":
                raise  # The function's own.
            raise WorkerError(
                f"the cluster {self._address} was lost: its scheduler has ended or cannot be "
                "reached any more"
            ) from error


def call(version: str, function: bytes, item: bytes) -> bytes:
    """Do an item on a worker.

    Parameters
    ----------
    version : str
        Of edge-ser where the item comes from.
    function, item : bytes
        Pickled.

    Returns
    -------
    bytes
        The result, pickled: so that the scheduler need not know its classes.

    Raises
    ------
    WorkerError
        If this worker has another version.
    """
    if version != _own_version():
        raise WorkerError(
            f"a worker of the cluster has edge-ser {_own_version()} where {version} is asked for: "
            "install the same on each"
        )
    return pickle.dumps(_function(function)(pickle.loads(item)), pickle.HIGHEST_PROTOCOL)


@functools.lru_cache(_N_KEPT)
def _function(sent: bytes) -> Any:
    return pickle.loads(sent)


def _own_version() -> str:
    from edge import __version__

    return __version__
