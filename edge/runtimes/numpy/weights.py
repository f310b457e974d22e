"""The ``model.npz`` of a NumPy artifact: which arrays it holds, and reading it.

A weight named ``fc1.weight`` is stored either as float32 under its own name, or
as whole numbers under ``fc1.weight:int8`` with one float32 factor for every
output channel (all axes but the last) under ``fc1.weight:scale``.  A file that
holds a ``plan`` packs them more tightly, see :mod:`edge.runtimes.numpy.packed`.
No array is pickled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edge.errors import ArtifactError
from edge.models.base import Sizes
from edge.models.registry import ARCHITECTURES
from edge.runtimes.numpy.archive import read_arrays
from edge.runtimes.numpy.packed import PLAN, unpack_weights

__all__ = ["read_weights"]

# CLAF-SER has 0.3 million weights.  Ten times as many are no model for a small board; folding
# them takes three times their size for a moment.
_MAX_WEIGHT_BYTES = 16_000_000
# Whole numbers and their factors, or a plan and its streams.
_MAX_ARRAYS_A_WEIGHT = 3
_HEADER_BYTES = 1024

Floats = npt.NDArray[np.float32]


def read_weights(model: bytes, sizes: Sizes) -> dict[str, Floats]:
    """Read ``model.npz`` and bring every weight to float32.

    Raises
    ------
    ArtifactError
        If the file is no such archive, or an array is unknown, missing, not
        finite or of another shape or type than the architecture needs.
    """
    architecture = ARCHITECTURES[sizes.type]
    shapes = architecture.weight_shapes(sizes)
    arrays = read_arrays(model, _budget(shapes), _MAX_ARRAYS_A_WEIGHT * len(shapes))
    if PLAN in arrays:
        weights = unpack_weights(arrays, shapes, architecture.matrix_shape)
    else:
        weights = {
            name: _take(arrays, name, shape, name in architecture.may_be_whole)
            for name, shape in shapes.items()
        }
    if arrays:
        raise ArtifactError(f"the model has unknown arrays: {', '.join(sorted(arrays))}")
    return weights


def _budget(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Bytes that a file with these weights may unpack to.

    Raises
    ------
    ArtifactError
        If they are more than any model here may have, whatever the file holds.
    """
    n_weights = sum(math.prod(shape) for shape in shapes.values())
    if 4 * n_weights > _MAX_WEIGHT_BYTES:
        raise ArtifactError(
            f"the architecture has {n_weights:.3g} weights, at most {_MAX_WEIGHT_BYTES // 4} are "
            "taken"
        )
    # As float32 and, which would be odd, as whole numbers too; then factors and headers.
    return 6 * n_weights + _MAX_ARRAYS_A_WEIGHT * len(shapes) * _HEADER_BYTES


def _take(
    arrays: dict[str, npt.NDArray[np.generic]],
    name: str,
    shape: tuple[int, ...],
    may_be_whole: bool,
) -> Floats:
    """Remove one weight from ``arrays``, checked and as float32."""
    integers = f"{name}:int8"
    if may_be_whole and integers in arrays:
        scale = _checked(arrays, f"{name}:scale", shape[:-1], np.float32)
        whole = _checked(arrays, integers, shape, np.int8)
        return whole.astype(np.float32) * scale.astype(np.float32)[..., None]
    return _checked(arrays, name, shape, np.float32).astype(np.float32)


def _checked(
    arrays: dict[str, npt.NDArray[np.generic]],
    name: str,
    shape: tuple[int, ...],
    dtype: type[np.generic],
) -> npt.NDArray[np.generic]:
    array = arrays.pop(name, None)
    if array is None:
        raise ArtifactError(f"the model lacks {name}")
    if array.shape != shape or array.dtype != dtype:
        raise ArtifactError(
            f"{name} is {array.dtype} {array.shape}, {np.dtype(dtype).name} {shape} is wanted"
        )
    if not np.isfinite(array).all():
        raise ArtifactError(f"{name} holds numbers that are not finite")
    return array
