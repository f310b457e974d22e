"""The machine's own pace: a fixed piece of work, timed again and again between what is measured.

A machine is not as fast at one time as at another: its clock changes, another program or another
guest of its host takes caches away.  That changes more slowly than a run of the benchmark takes
and faster than two of them, so that no number of runs tells it from a change of the program.  Work
that never changes does.
"""

from __future__ import annotations

import json
import math
import time

import numpy as np
from numpy.typing import NDArray

__all__ = ["WORK", "FixedWork"]

#: Which piece of work it is.  Whatever changes what :class:`FixedWork` does is another number, and
#: paces of different numbers are not compared.
WORK = 1

#: Of a moment: enough that one that was interrupted does not count.
_N_MOMENT = 15


class FixedWork:
    """Work of the kind that a decision is made of, and of a few per cent of its length.

    Small NumPy calls, each another one and made once, since what slows a decision down most is
    that the code that it needs has left the nearest cache; a transform, a product, plain Python.
    """

    def __init__(self) -> None:
        # No noise: NumPy's generator would be 6 MB.
        self._row, self._rows = _waves(64), _waves(16, 64)
        self._frames, self._weights = _waves(16, 512), _waves(257, 80)
        self._places = np.arange(0, 64, 3)
        self._record = {f"key {i}": [0.1 * i] * 4 for i in range(10)}

    def run_ms(self) -> float:
        """Do it once, and give the milliseconds that it took."""
        started_s = time.perf_counter()
        self._small_calls()
        np.abs(np.fft.rfft(self._frames, axis=1)).astype(np.float32) @ self._weights
        json.dumps(self._record)
        total = 0
        for number in range(200):
            total += number
        return 1000 * (time.perf_counter() - started_s)

    def moment_ms(self) -> float:
        """Give the median of a few milliseconds' work."""
        return float(np.median([self.run_ms() for _ in range(_N_MOMENT)]))

    def _small_calls(self) -> None:
        row, rows = self._row, self._rows
        np.multiply(row, row)
        np.add(row, 1.5)
        np.exp(row)
        np.sqrt(np.square(row))
        np.log(np.maximum(row, 1e-3))
        row.clip(-0.5, 0.5)
        np.concatenate([row, row])
        row.argmax()
        row.mean()
        row.std()
        np.cumsum(row)
        np.sort(row)
        np.where(row > 0, row, 0.0)
        row @ row
        np.abs(row).max()
        np.isfinite(row).all()
        row[self._places]
        row.astype(np.float64)
        rows.T.copy()
        rows.sum(axis=1)


def _waves(*shape: int) -> NDArray[np.float32]:
    waves: NDArray[np.float32] = np.sin(0.7 * np.arange(math.prod(shape))).astype(np.float32)
    return waves.reshape(shape)
