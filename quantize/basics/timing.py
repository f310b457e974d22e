"""Times of several models side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantize.basics.progress import progress_bar

__all__ = ["interleave"]

#: Calls of each before the clock counts.
_N_WARM_UP = 3


def interleave(
    calls: Sequence[Callable[[int], Any]], n_rounds: int, title: str | None = None
) -> NDArray[np.float64]:
    """Time callables in turns, in an order that moves on every round.

    Parameters
    ----------
    calls : sequence of callable
        Each is called with the number of the round, and a few times before with 0.
    n_rounds : int
    title : str, optional
        Of a progress bar; none is shown by default.

    Returns
    -------
    float64 [shape=(2, len(calls), n_rounds)]
        Seconds of the processor, and by the clock.
    """
    seconds = np.zeros((2, len(calls), n_rounds))
    rounds: Iterable[int] = range(-_N_WARM_UP, n_rounds)
    if title:
        rounds = progress_bar(rounds, total=_N_WARM_UP + n_rounds, title=title)
    for number in rounds:
        for turn in range(len(calls)):
            place = (turn + number) % len(calls)
            started_s = time.process_time(), time.perf_counter()
            calls[place](max(0, number))
            ended_s = time.process_time(), time.perf_counter()
            if number >= 0:
                seconds[:, place, number] = np.subtract(ended_s, started_s)
    return seconds
