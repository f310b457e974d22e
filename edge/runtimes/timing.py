"""How long a model takes for one window."""

from __future__ import annotations

import time

import numpy as np

from edge.artifact import Artifact
from edge.runtimes.base import Model

__all__ = ["time_model"]

_N_WARM_UP = 5
_N_RUNS = 15
# Enough to tell kinds apart; a model that is slow need not be waited for twenty times.
_LONGEST_S = 0.6
_N_LEAST = 3


def time_model(artifact: Artifact, model: Model) -> float:
    """Median processor time of ``infer`` for one window, in milliseconds.

    Not the clock on the wall: what else runs on the device should not choose its runtime.  And
    the thread's clock, for every runtime is given one: the process's counts in ticks of a
    millisecond while a limit is set to it.
    """
    manifest = artifact.manifest
    shape = (1, manifest.window_frames, manifest.architecture.n_features)
    rows = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    session = model.session()
    times_s: list[float] = []
    for _ in range(_N_WARM_UP + _N_RUNS):
        started_s = time.thread_time()
        session.infer(rows, manifest.reference.corpus)
        times_s.append(time.thread_time() - started_s)
        if len(times_s) >= _N_LEAST and sum(times_s) > _LONGEST_S:
            break
    warm = times_s[_N_WARM_UP:] or times_s[-1:]
    return 1000 * float(np.median(warm))
