"""CLAF-SER as the ``model.npz`` of a NumPy artifact."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.backends.numpy_weights import QUANTIZABLE
from edge.errors import ParameterError

if TYPE_CHECKING:
    from quantize.models.claf_ser import CLAFSER

__all__ = ["pack_weights", "quantize_rows", "weights_of"]

Floats = npt.NDArray[np.float32]


def weights_of(model: CLAFSER) -> dict[str, Floats]:
    """Name and order a model's weights as ``edge.backends.numpy_weights.weight_shapes``."""
    state = {
        name: tensor.detach().to("cpu").float().numpy()
        for name, tensor in model.state_dict().items()
    }

    def directions(name: str) -> Floats:
        return np.stack([state[f"lstm.{name}_l0"], state[f"lstm.{name}_l0_reverse"]])

    query, key, value = np.split(state["attention.in_proj_weight"], 3)
    query_bias, _, value_bias = np.split(state["attention.in_proj_bias"], 3)
    weights = {
        "lstm.weight_ih": directions("weight_ih"),
        "lstm.weight_hh": directions("weight_hh"),
        "lstm.bias": directions("bias_ih") + directions("bias_hh"),
        "attention.query.weight": query,
        "attention.query.bias": query_bias,
        "attention.key.weight": key,
        "attention.value.weight": value,
        "attention.value.bias": value_bias,
        "attention.output.weight": state["attention.out_proj.weight"],
        "attention.output.bias": state["attention.out_proj.bias"],
        "language.weight": state["language.weight"],
    }
    for layer in ("conv", "fc1", "norm", "fc2"):
        weights[f"{layer}.weight"] = state[f"{layer}.weight"]
        weights[f"{layer}.bias"] = state[f"{layer}.bias"]
    return weights


def quantize_rows(weight: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """Round to -127..127 with one factor for every output channel.

    Parameters
    ----------
    weight : float32 [shape=(..., n_inputs)]
        All axes but the last count output channels.

    Returns
    -------
    whole : int8 [shape=(..., n_inputs)]
    scale : float32 [shape=(...)]
        ``whole * scale[..., None]`` is within half a step of ``weight``.
    """
    largest = np.abs(weight).max(axis=-1)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.rint(weight / scale[..., None]).clip(-127, 127).astype(np.int8), scale


def pack_weights(weights: Mapping[str, Floats], bits: int) -> bytes:
    """Write ``model.npz``; the same weights always give the same bytes.

    Parameters
    ----------
    weights : mapping
        From :func:`weights_of`.
    bits : int
        32 or 8; 8 leaves everything that is not in
        ``edge.backends.numpy_weights.QUANTIZABLE`` at 32.

    Raises
    ------
    ParameterError
        If ``bits`` is another number.
    """
    if bits not in (8, 32):
        raise ParameterError(f"bits is {bits}, 8 or 32 is wanted")
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for name, weight in weights.items():
        if bits == 8 and name in QUANTIZABLE:
            arrays[f"{name}:int8"], arrays[f"{name}:scale"] = quantize_rows(weight)
        else:
            arrays[name] = weight
    file = io.BytesIO()
    # Stored, not deflated: that saves 2 % of int8 weights, and its bytes depend on the zlib.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            # np.savez would write the time of day.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            with archive.open(entry, "w") as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()
