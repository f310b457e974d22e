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
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edge.artifact import Architecture
from edge.errors import ArtifactError
from edge.runtimes.numpy.packed import PLAN, unpack_weights

__all__ = ["QUANTIZABLE", "fold_classifier", "fold_output", "read_weights", "weight_shapes"]

QUANTIZABLE = frozenset(
    {
        "lstm.weight_ih",
        "lstm.weight_hh",
        "attention.query.weight",
        "attention.key.weight",
        "attention.value.weight",
        "attention.output.weight",
        "fc1.weight",
        "fc2.weight",
    }
)
"""Weights that may be stored as whole numbers; the others are small and stay float32."""

# A guard against a file that unpacks to more memory than any CLAF-SER needs.
_MAX_UNPACKED_BYTES = 256_000_000

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


def weight_shapes(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight of a NumPy artifact.

    The leading axis of the LSTM's is the direction (forward, backward); its
    gates are in torch's order i, f, g, o, and ``lstm.bias`` is the sum of
    torch's two.  There is no bias of the attention's keys: it adds the same to
    every score of a query, so the softmax removes it.
    """
    a = architecture
    width = 2 * a.hidden
    return {
        "lstm.weight_ih": (2, 4 * a.hidden, a.step_width),
        "lstm.weight_hh": (2, 4 * a.hidden, a.hidden),
        "lstm.bias": (2, 4 * a.hidden),
        "attention.query.weight": (width, width),
        "attention.query.bias": (width,),
        "attention.key.weight": (width, width),
        "attention.value.weight": (width, width),
        "attention.value.bias": (width,),
        "attention.output.weight": (width, width),
        "attention.output.bias": (width,),
        "conv.weight": (a.conv_channels, a.step_width, a.conv_kernel),
        "conv.bias": (a.conv_channels,),
        "language.weight": (a.n_languages, width),
        "fc1.weight": (a.classifier, width + a.conv_channels),
        "fc1.bias": (a.classifier,),
        "norm.weight": (a.classifier,),
        "norm.bias": (a.classifier,),
        "fc2.weight": (a.n_labels, a.classifier),
        "fc2.bias": (a.n_labels,),
    }


def read_weights(model: bytes, architecture: Architecture) -> dict[str, Floats]:
    """Read ``model.npz`` and bring every weight to float32.

    Raises
    ------
    ArtifactError
        If the file is no such archive, or an array is unknown, missing, not
        finite or of another shape or type than the architecture needs.
    """
    arrays = _read_arrays(model)
    shapes = weight_shapes(architecture)
    if PLAN in arrays:
        weights = unpack_weights(arrays, shapes)
    else:
        weights = {name: _take(arrays, name, shape) for name, shape in shapes.items()}
    if arrays:
        raise ArtifactError(f"the model has unknown arrays: {', '.join(sorted(arrays))}")
    return weights


def fold_output(weights: Mapping[str, Floats]) -> tuple[Doubles, Doubles, Doubles]:
    """Multiply the attention's output projection into the first classifier layer.

    Nothing but the sum with the language's row stands between them, so both are one matrix.
    That meets the values without their bias, beside the phonetic vector; the language's row,
    multiplied too, is added behind it.

    Parameters
    ----------
    weights : mapping
        By name, as :func:`weight_shapes` lists them.

    Returns
    -------
    fc1 : float64 [shape=(classifier, 2 * hidden + conv_channels)]
    bias : float64 [shape=(classifier,)]
        With those of values and output.
    language : float64 [shape=(n_languages, classifier)]

    Notes
    -----
    In float64, so that what is computed with them differs from the model by rounding alone.
    """
    output = weights["attention.output.weight"].astype(np.float64)
    width = len(output)
    fc1 = weights["fc1.weight"].astype(np.float64)
    attended = fc1[:, :width]
    bias = output @ weights["attention.value.bias"] + weights["attention.output.bias"]
    bias = attended @ bias + weights["fc1.bias"]
    language = weights["language.weight"] @ attended.T
    return np.hstack([attended @ output, fc1[:, width:]]), bias, language


def fold_classifier(weights: Mapping[str, Floats]) -> tuple[Doubles, Doubles]:
    """Do the layer norm's centring beforehand too: what it meets then has the mean 0.

    Returns
    -------
    fc1 : float64 [shape=(classifier, 2 * hidden + conv_channels)]
        As of :func:`fold_output`, centred.
    rows : float64 [shape=(n_languages, classifier)]
        Its bias with every language's row, centred.
    """
    fc1, bias, language = fold_output(weights)
    rows = language + bias
    return fc1 - fc1.mean(axis=0), rows - rows.mean(axis=1, keepdims=True)


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


def _take(arrays: dict[str, npt.NDArray[np.generic]], name: str, shape: tuple[int, ...]) -> Floats:
    """Remove one weight from ``arrays``, checked and as float32."""
    integers = f"{name}:int8"
    if name in QUANTIZABLE and integers in arrays:
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
