"""The ``model.npz`` of a NumPy artifact: which arrays it holds, and reading it.

A weight named ``fc1.weight`` is stored either as float32 under its own name, or
as whole numbers under ``fc1.weight:int8`` with one float32 factor for every
output channel (all axes but the last) under ``fc1.weight:scale``.  A file that
holds a ``plan`` packs them more tightly, see :mod:`edge.runtimes.numpy.packed`.
No array is pickled.
"""

from __future__ import annotations

import io
import zipfile
import zlib

import numpy as np
import numpy.typing as npt

from edge.errors import ArtifactError
from edge.models.base import Sizes
from edge.models.registry import ARCHITECTURES
from edge.runtimes.numpy.packed import PLAN, unpack_weights

__all__ = ["read_weights"]

# A guard against a file that unpacks to more memory than any model needs.
_MAX_UNPACKED_BYTES = 256_000_000

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
    arrays = _read_arrays(model)
    shapes = architecture.weight_shapes(sizes)
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


def _read_arrays(model: bytes) -> dict[str, npt.NDArray[np.generic]]:
    try:
        with zipfile.ZipFile(io.BytesIO(model)) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
        if unpacked > _MAX_UNPACKED_BYTES:
            raise ArtifactError(
                f"the model unpacks to {unpacked} bytes, more than {_MAX_UNPACKED_BYTES}"
            )
        with np.load(io.BytesIO(model), allow_pickle=False) as archive:
            # A member that is no array would come back as bytes.
            return {name: np.asanyarray(archive[name]) for name in archive.files}
    except (
        EOFError,
        KeyError,
        MemoryError,
        NotImplementedError,
        OSError,
        RuntimeError,
        TypeError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ArtifactError(f"the model is not a readable NumPy archive: {error}") from error


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
