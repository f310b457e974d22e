"""One thread for everything that is compared; this module imports no NumPy, whose BLAS reads it."""

from __future__ import annotations

import os

__all__ = ["VARIABLES", "one_thread"]

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def one_thread() -> None:
    """Keep BLAS, OpenMP and numba to one thread; before NumPy is imported."""
    for name in VARIABLES:
        os.environ[name] = "1"
