"""Weights of 4, 8, 16 and 32 bits side by side in a handful of arrays.

An array in an archive costs 300 bytes of headers, which for a small model is more
than many of its weights.  So all weights of one width lie end to end, in the order
of its architecture's ``weight_shapes``:

``plan``
    int32 [shape=(n_weights, 2)], a row for each weight: its bits, and how many groups
    of inputs an output channel has, each with a factor of its own; 0 for one factor
    for the whole weight, and where the weight is float.
``float32``, ``float16``
    Weights that were not rounded.
``int8``
    Whole numbers.
``int4``
    uint8, two whole numbers from -8 to 7 in each, the first in the low half.  A weight
    with an odd count leaves its last half unused.
``scale``
    float16, the factors: weight by weight, channel by channel, group by group.

An array without content is left out.  ``n`` groups of ``k`` inputs hold
``ceil(k / n)`` each, the last one the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from edge.errors import ArtifactError, how_many

__all__ = ["PLAN", "group_size", "unpack_int4", "unpack_weights"]

PLAN = "plan"
"""The array that tells a packed file from one with an array for each weight."""

Floats = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[np.generic]]

_DTYPES: dict[str, type[np.generic]] = {
    "float32": np.float32,
    "float16": np.float16,
    "int8": np.int8,
    "int4": np.uint8,
    "scale": np.float16,
}


def group_size(n_inputs: int, n_groups: int) -> int:
    """Inputs that share a factor; the last group may have fewer."""
    return -(-n_inputs // n_groups)


def unpack_int4(packed: npt.NDArray[np.uint8], n: int) -> npt.NDArray[np.int8]:
    """Take ``n`` whole numbers from -8 to 7 out of ``(n + 1) // 2`` bytes."""
    halves = np.stack([packed & 15, packed >> 4], axis=1).reshape(-1)[:n]
    # The sign is the fourth bit.
    return (halves.astype(np.int8) ^ 8) - np.int8(8)


def unpack_weights(
    arrays: Arrays,
    shapes: Mapping[str, tuple[int, ...]],
    matrix_shape: Callable[[str, tuple[int, ...]], tuple[int, int]],
) -> dict[str, Floats]:
    """Bring every weight of a packed file to float32.

    Parameters
    ----------
    arrays : dict
        Content of the file; what is used is removed.
    shapes : mapping
        Name and shape of every weight, in order.
    matrix_shape : callable
        Name and shape of a weight to its output channels and inputs.

    Raises
    ------
    ArtifactError
        If an array has another type or length than the plan needs, or holds numbers
        that are not finite.
    """
    plan = _take(arrays, PLAN, np.int32)
    if plan.shape != (len(shapes), 2):
        raise ArtifactError(f"plan has the shape {plan.shape}, {(len(shapes), 2)} is wanted")
    streams = {
        name: _Stream(name, _take(arrays, name, dtype))
        for name, dtype in _DTYPES.items()
        if name in arrays
    }
    weights = {}
    for (name, shape), (bits, n_groups) in zip(shapes.items(), plan.tolist(), strict=True):
        matrix = matrix_shape(name, shape)
        weights[name] = _weight(streams, name, shape, matrix, bits, n_groups)
    for stream in streams.values():
        stream.check_end()
    return weights


class _Stream:
    """One array that is taken piece by piece."""

    def __init__(self, name: str, values: npt.NDArray[np.generic]) -> None:
        if values.ndim != 1:
            raise ArtifactError(f"{name} has the shape {values.shape}, one axis is wanted")
        self._name, self._values, self._used = name, values, 0

    def take(self, n: int) -> npt.NDArray[np.generic]:
        """Take the next ``n`` numbers."""
        end = self._used + n
        if end > len(self._values):
            raise ArtifactError(
                f"{self._name} holds {how_many(len(self._values), 'number')}, the plan needs at "
                f"least {end}"
            )
        part = self._values[self._used : end]
        self._used = end
        return part

    def check_end(self) -> None:
        """Refuse numbers that belong to no weight."""
        if self._used != len(self._values):
            raise ArtifactError(
                f"{self._name} holds {how_many(len(self._values), 'number')}, the plan needs "
                f"{self._used}"
            )


def _weight(
    streams: Mapping[str, _Stream],
    name: str,
    shape: tuple[int, ...],
    matrix: tuple[int, int],
    bits: int,
    n_groups: int,
) -> Floats:
    n = int(np.prod(shape))
    if bits in (16, 32):
        return _next(streams, f"float{bits}", n, name).astype(np.float32).reshape(shape)
    if bits not in (4, 8):
        raise ArtifactError(f"plan gives {name} {how_many(bits, 'bit')}, 4, 8, 16 or 32 are wanted")
    n_rows, n_inputs = matrix
    if not 0 <= n_groups <= n_inputs:
        raise ArtifactError(
            f"plan gives {name} {how_many(n_groups, 'group')}, 0 to {n_inputs} are wanted"
        )
    if bits == 4:
        packed = _next(streams, "int4", (n + 1) // 2, name).astype(np.uint8)
        whole = unpack_int4(packed, n)
    else:
        whole = _next(streams, "int8", n, name).astype(np.int8)
    values = whole.astype(np.float32).reshape(n_rows, n_inputs)
    if n_groups:
        scale = _next(streams, "scale", n_rows * n_groups, name).reshape(n_rows, n_groups)
        scale = np.repeat(scale, group_size(n_inputs, n_groups), axis=1)[:, :n_inputs]
    else:
        scale = _next(streams, "scale", 1, name)
    values *= scale.astype(np.float32)
    return values.reshape(shape)


def _next(
    streams: Mapping[str, _Stream], stream: str, n: int, name: str
) -> npt.NDArray[np.generic]:
    if stream not in streams:
        raise ArtifactError(f"the model lacks {stream}, which {name} needs")
    return streams[stream].take(n)


def _take(arrays: Arrays, name: str, dtype: type[np.generic]) -> npt.NDArray[np.generic]:
    array = arrays.pop(name)
    if array.dtype != dtype:
        raise ArtifactError(f"{name} is {array.dtype}, {np.dtype(dtype).name} is wanted")
    if not np.isfinite(array).all():
        raise ArtifactError(f"{name} holds numbers that are not finite")
    return array
