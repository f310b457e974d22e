"""A Ray cluster that is there already."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from typing import Any

from edge.errors import MissingDependencyError, WorkerError, shown
from edge.jobs.dask_cluster import call
from edge.jobs.processes import pickled

__all__ = ["RayCluster"]

#: How often an item is done again whose worker was lost.
_RETRIES = 3


class RayCluster:
    """The workers of a Ray cluster; an item whose worker is lost is done again by another.

    Parameters
    ----------
    address : str
        ``ray://HOST:PORT``, or ``ray`` for the one that runs on this machine.
    function : callable
        Of one item.

    Raises
    ------
    MissingDependencyError
        If ``ray`` is not installed.
    WorkerError
        If the cluster does not answer.
    """

    def __init__(self, address: str, function: Callable[[Any], Any]) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingDependencyError(
                f"the cluster {address} needs a package: pip install ray"
            ) from error
        sent = pickled(function, "the function")
        self._ray = ray
        self._address = address
        try:
            ray.init(
                "auto" if address == "ray" else address,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
        except Exception as error:
            raise WorkerError(
                f"the cluster {address} does not answer: {shown(str(error), 120)}; "
                "`ray start --head` starts one"
            ) from error
        self.n_workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._call = ray.remote(max_retries=_RETRIES)(call)
        self._function = ray.put(sent)
        from edge import __version__

        self._version = __version__

    def submit(self, item: Any) -> Any:
        """Hand an item to the cluster."""
        sent = pickled(item, "an item")
        return _Promise(self, self._call.remote(self._version, self._function, sent))

    def result(self, reference: Any) -> Any:
        """Wait for a result."""
        try:
            return pickle.loads(self._ray.get(reference))
        except self._ray.exceptions.RayTaskError as error:
            # What the function raised, without Ray's own class around it.
            raise error.cause from error
        except self._ray.exceptions.RayError as error:
            raise WorkerError(
                f"the cluster {self._address} lost an item: {shown(str(error), 200)}"
            ) from error

    def close(self, *, is_done: bool) -> None:
        """Leave the cluster as it was."""
        self._ray.shutdown()


class _Promise:
    def __init__(self, cluster: RayCluster, reference: Any) -> None:
        self._cluster = cluster
        self._reference = reference

    def result(self) -> Any:
        return self._cluster.result(self._reference)
