"""CLAF-SER as the ``model.npz`` of a NumPy artifact."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edge.models.claf_ser.weights import matrix_shape
from edge.runtimes.numpy.packed import PLAN
from quantize.export.rounding.codes import Rounded, round_compensated, round_nearest
from quantize.export.rounding.layers import LAYERS
from quantize.export.rounding.recipe import RoundingRecipe

if TYPE_CHECKING:
    from quantize.models.claf_ser import CLAFSER

__all__ = [
    "model_of",
    "numpy_model",
    "pack_int4",
    "pack_rounded",
    "pack_weights",
    "round_weights",
    "weights_of",
]

Floats = npt.NDArray[np.float32]

_LARGEST_FLOAT16 = 65504.0
_PROJECTIONS = (
    "query.weight",
    "query.bias",
    "key.weight",
    "value.weight",
    "value.bias",
    "output.weight",
    "output.bias",
)


def weights_of(model: CLAFSER) -> dict[str, Floats]:
    """Name and order a model's weights as ``edge.models.claf_ser.weights.weight_shapes``."""
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
        "conv.weight": state["conv.weight"],
        "conv.bias": state["conv.bias"],
        "language.weight": state["language.weight"],
    }
    for layer in ("fc1", "norm", "fc2"):
        weights[f"{layer}.weight"] = state[f"{layer}.weight"]
        weights[f"{layer}.bias"] = state[f"{layer}.bias"]
    return weights


def model_of(weights: Mapping[str, Floats], n_heads: int, frame_stack: int = 1) -> CLAFSER:
    """Build the torch model that :func:`weights_of` gives these weights for.

    Parameters
    ----------
    weights : mapping
        Every weight by name, as ``edge.models.claf_ser.weights.weight_shapes`` lists them.
    n_heads, frame_stack : int
        Of the attention, and frames a step: the weights do not tell.

    Returns
    -------
    CLAFSER
        In evaluation mode.  What no artifact carries, the keys' bias and the domain
        branch, is 0.
    """
    import torch

    from quantize.models.claf_ser import CLAFSER, ClafSerConfig

    channels, step_width, kernel = weights["conv.weight"].shape
    model = CLAFSER(
        ClafSerConfig(
            n_features=step_width // frame_stack,
            frame_stack=frame_stack,
            hidden=weights["lstm.weight_hh"].shape[2],
            n_heads=n_heads,
            conv_channels=channels,
            conv_kernel=kernel,
            classifier=weights["fc1.weight"].shape[0],
            n_labels=weights["fc2.weight"].shape[0],
            n_domains=weights["language.weight"].shape[0] - 1,
        )
    )
    state = {name: np.zeros(t.shape, dtype=np.float32) for name, t in model.state_dict().items()}
    for direction, suffix in enumerate(("", "_reverse")):
        state[f"lstm.weight_ih_l0{suffix}"] = weights["lstm.weight_ih"][direction]
        state[f"lstm.weight_hh_l0{suffix}"] = weights["lstm.weight_hh"][direction]
        state[f"lstm.bias_ih_l0{suffix}"] = weights["lstm.bias"][direction]
    attention = {name: weights[f"attention.{name}"] for name in _PROJECTIONS}
    state["attention.in_proj_weight"] = np.concatenate(
        [attention[f"{name}.weight"] for name in ("query", "key", "value")]
    )
    bias = attention["query.bias"]
    state["attention.in_proj_bias"] = np.concatenate(
        [bias, np.zeros_like(bias), attention["value.bias"]]
    )
    state["attention.out_proj.weight"] = attention["output.weight"]
    state["attention.out_proj.bias"] = attention["output.bias"]
    state |= {name: weight for name, weight in weights.items() if name in state}
    model.load_state_dict(
        {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in state.items()}
    )
    return model.eval()


def round_weights(
    weights: Mapping[str, Floats],
    recipe: RoundingRecipe,
    moments: Mapping[str, Floats] | None = None,
) -> dict[str, Rounded]:
    """Round what a recipe says.

    Parameters
    ----------
    weights : mapping
        From :func:`weights_of`.
    recipe : RoundingRecipe
        Of the method ``weight_only``.
    moments : mapping, optional
        From :func:`quantize.export.rounding.moments.input_moments`, for a recipe that compensates.

    Returns
    -------
    dict of str to Rounded
        By the weight's name; what stays float is not in it.

    Raises
    ------
    ParameterError
        If a weight is too large.
    """
    rounded = {}
    for layer in LAYERS:
        name = layer if layer in weights else f"{layer}.weight"
        if recipe.is_float(layer):
            continue
        matrix = weights[name].reshape(matrix_shape(name, weights[name].shape))
        bits = recipe.bits_of(layer)
        granularity, group = recipe.granularity, recipe.group_size
        if bits != recipe.weight_bits and granularity == "per_group":
            granularity, group = "per_output_channel", 0
        if moments is None or name not in moments:
            rounded[name] = round_nearest(matrix, bits, granularity, group)
            continue
        # Directions of the LSTM have inputs of their own.
        parts = np.split(matrix, len(moments[name]))
        done = [
            round_compensated(part, bits, granularity, group, seen)
            for part, seen in zip(parts, moments[name], strict=True)
        ]
        rounded[name] = Rounded(
            np.concatenate([r.whole for r in done]),
            np.concatenate([r.scale for r in done]),
            done[0].n_groups,
        )
    return rounded


def numpy_model(model: CLAFSER, recipe: RoundingRecipe, calibration: Floats | None) -> bytes:
    """Build ``model.npz`` by a recipe; ``calibration`` is normalised rows, if it wants any."""
    weights = weights_of(model)
    if recipe.method == "float":
        return pack_weights(weights)
    moments = None
    if recipe.compensate and calibration is not None:
        from quantize.export.rounding.moments import input_moments

        moments = input_moments(model, calibration)
    return pack_rounded(weights, recipe, moments)


def pack_weights(weights: Mapping[str, Floats]) -> bytes:
    """Write ``model.npz`` in float32; the same weights always give the same bytes.

    Parameters
    ----------
    weights : mapping
        From :func:`weights_of`.
    """
    return _archive(weights)


def pack_rounded(
    weights: Mapping[str, Floats],
    recipe: RoundingRecipe,
    moments: Mapping[str, Floats] | None = None,
) -> bytes:
    """Write ``model.npz`` as :mod:`edge.runtimes.numpy.packed` describes it.

    Layers that the recipe keeps are float32; biases and the norm are float16.

    Parameters
    ----------
    weights, recipe, moments
        As for :func:`round_weights`; also of the method ``fp16``.

    Raises
    ------
    ParameterError
        If a weight is too large.
    """
    rounded = round_weights(weights, recipe, moments) if recipe.weight_bits < 16 else {}
    kept = {n if n in weights else f"{n}.weight" for n in LAYERS if recipe.is_float(n)}
    plan: list[tuple[int, int]] = []
    streams: dict[str, list[npt.NDArray[np.generic]]] = {
        name: [] for name in ("float32", "float16", "int8", "int4", "scale")
    }
    for name, weight in weights.items():
        if name in rounded:
            each = rounded[name]
            bits = recipe.bits_of(name.removesuffix(".weight") if name not in LAYERS else name)
            flat = each.whole.reshape(-1)
            streams[f"int{bits}"].append(pack_int4(flat) if bits == 4 else flat)
            streams["scale"].append(each.scale.reshape(-1))
            plan.append((bits, each.n_groups))
            continue
        bits = 32 if name in kept or float(np.abs(weight).max()) > _LARGEST_FLOAT16 else 16
        streams[f"float{bits}"].append(weight.reshape(-1).astype(f"f{bits // 8}"))
        plan.append((bits, 0))
    arrays = {PLAN: np.array(plan, dtype=np.int32)}
    arrays |= {name: np.concatenate(parts) for name, parts in streams.items() if parts}
    return _archive(arrays)


def pack_int4(whole: npt.NDArray[np.int8]) -> npt.NDArray[np.uint8]:
    """Put two whole numbers from -8 to 7 in a byte, the first in the low half.

    An odd count leaves the last half 0.
    """
    halves = (whole & 15).astype(np.uint8)
    if len(halves) % 2:
        halves = np.append(halves, np.uint8(0))
    packed: npt.NDArray[np.uint8] = (halves[::2] | halves[1::2] << 4).astype(np.uint8, copy=False)
    return packed


def _archive(arrays: Mapping[str, npt.NDArray[np.generic]]) -> bytes:
    file = io.BytesIO()
    # Stored, not deflated: that saves 2 % of int8 weights, and its bytes depend on the zlib.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            # np.savez would write the time of day.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            with archive.open(entry, "w") as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
    return file.getvalue()
