"""Rounding matrices to whole numbers: one factor a group, chosen so that little is lost.

A factor is searched among a few dozen: clipping the largest weight of a group a little makes
every other weight's step smaller.  Four bits reach from -8 to 7, so a factor's sign is free too:
it puts the end that reaches farther on the side of the largest weight.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from edge.errors import ParameterError
from edge.runtimes.numpy.packed import group_size

__all__ = ["Rounded", "round_compensated", "round_nearest", "round_symmetric"]

Floats = npt.NDArray[np.float32]

# Shares of the factor that would just reach the largest weight, in steps of 2.5 %.
_SHARES = np.linspace(0.5, 1.0, 21)
# Share of the mean of the inputs' powers that is added to each: keeps what is made up for small
# where calibration data say little.  0.01 to 0.1 gave the same agreement.
_DAMPING = 0.05


@dataclasses.dataclass(frozen=True)
class Rounded:
    """A matrix of whole numbers with their factors.

    Parameters
    ----------
    whole : int8 [shape=(n_rows, n_inputs)]
        From -8 to 7 for 4 bits, from -127 to 127 for 8.
    scale : float16 [shape=(n_rows, n_groups)]
        Factors; shape (1, 1) with ``n_groups`` 0 is one for the whole matrix.
    n_groups : int
    """

    whole: npt.NDArray[np.int8]
    scale: npt.NDArray[np.float16]
    n_groups: int

    def values(self) -> Floats:
        """Give the weights as a device sees them: float32 [shape=(n_rows, n_inputs)]."""
        n_inputs = self.whole.shape[1]
        scale = self.scale.astype(np.float32)
        if self.n_groups:
            scale = np.repeat(scale, group_size(n_inputs, self.n_groups), axis=1)[:, :n_inputs]
        return self.whole.astype(np.float32) * scale


def round_nearest(weight: Floats, bits: int, granularity: str, largest_group: int = 0) -> Rounded:
    """Round every weight to the nearest multiple of its factor.

    Parameters
    ----------
    weight : float32 [shape=(n_rows, n_inputs)]
        A row is an output channel.
    bits : int
        4 or 8.
    granularity : str
        ``"per_tensor"``, ``"per_output_channel"`` or ``"per_group"``.
    largest_group : int
        Most inputs of a group.

    Raises
    ------
    ParameterError
        If a weight is too large for a float16 factor.
    """
    n_rows, n_inputs = weight.shape
    if granularity == "per_tensor":
        scale = _scales(weight.reshape(1, -1), bits)
        return Rounded(_whole(weight, scale, bits), scale.astype(np.float16)[None], 0)
    n_groups, size = _groups(n_inputs, granularity, largest_group)
    whole = np.empty(weight.shape, dtype=np.int8)
    scales = np.empty((n_rows, n_groups), dtype=np.float16)
    for group, first in enumerate(range(0, n_inputs, size)):
        part = weight[:, first : first + size]
        scale = _scales(part, bits)
        whole[:, first : first + size] = _whole(part, scale[:, None], bits)
        scales[:, group] = scale
    return Rounded(whole, scales, n_groups)


def round_symmetric(weight: Floats, axes: tuple[int, ...]) -> tuple[npt.NDArray[np.int8], Floats]:
    """Round to int8 by factors that just reach the largest weight, as runtimes want them.

    Parameters
    ----------
    weight : float32 [shape=(...)]
    axes : tuple of int
        That share a factor.

    Returns
    -------
    whole : int8 [shape=(...)]
        From -127 to 127.
    scale : float32 [shape=(...)]
        Of size 1 along ``axes``.
    """
    largest = np.abs(weight).max(axis=axes, keepdims=True)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    return np.rint(weight / scale).astype(np.int8), scale


def round_compensated(
    weight: Floats,
    bits: int,
    granularity: str,
    largest_group: int,
    moments: npt.NDArray[np.floating],
) -> Rounded:
    """Round input by input; the inputs that are left make up for each one's error.

    Parameters
    ----------
    weight, bits, granularity, largest_group
        As for :func:`round_nearest`; not ``per_tensor``.
    moments : float [shape=(n_inputs, n_inputs)]
        Mean product of every two inputs over calibration data.

    References
    ----------
    Frantar et al. (2023), "GPTQ: accurate post-training quantization for generative pre-trained
    transformers"; Hassibi & Stork (1992), the optimal brain surgeon.
    """
    if granularity == "per_tensor":
        # Its one factor cannot follow what the weights become.
        return round_nearest(weight, bits, granularity)
    n_rows, n_inputs = weight.shape
    n_groups, size = _groups(n_inputs, granularity, largest_group)
    damped = moments.astype(np.float64)
    power = max(float(np.trace(damped)) / n_inputs, 1e-12)
    damped = damped + _DAMPING * power * np.eye(n_inputs)
    # The inverse's upper factor: row j says how inputs after j make up for an error at j.
    upper = np.linalg.cholesky(np.linalg.inv(damped)).T
    left = weight.astype(np.float64)
    whole = np.empty(weight.shape, dtype=np.int8)
    scales = np.empty((n_rows, n_groups), dtype=np.float16)
    scale = np.empty(0, dtype=np.float32)
    for at in range(n_inputs):
        if at % size == 0:
            scale = _scales(left[:, at : at + size].astype(np.float32), bits)
            scales[:, at // size] = scale
        whole[:, at] = _whole(left[:, at], scale, bits)
        error = (left[:, at] - whole[:, at] * scale.astype(np.float64)) / upper[at, at]
        left[:, at + 1 :] -= error[:, None] * upper[at, at + 1 :]
    return Rounded(whole, scales, n_groups)


def _groups(n_inputs: int, granularity: str, largest_group: int) -> tuple[int, int]:
    """Count groups and the inputs of each, which are as even as they can be."""
    size = n_inputs
    if granularity == "per_group":
        size = group_size(n_inputs, -(-n_inputs // largest_group))
    return -(-n_inputs // size), size


def _scales(groups: Floats, bits: int) -> Floats:
    """Choose the factor of every row, as float16 holds it: the least squared error."""
    at = np.abs(groups).argmax(axis=1)
    largest = np.take_along_axis(groups, at[:, None], axis=1)[:, 0]
    top = 2 ** (bits - 1) - 1
    if bits == 8:
        # Nothing is clipped: the steps are small as it is.  Hence upwards.
        return _as_float16(np.abs(largest) / top, upwards=True)
    best = np.ones(len(groups), dtype=np.float32)
    least = np.full(len(groups), np.inf)
    for factor in (np.abs(largest) / top, -largest / (top + 1)):
        for share in _SHARES:
            scale = _as_float16(factor * share)
            error = _whole(groups, scale[:, None], bits) * scale[:, None] - groups
            squares = np.einsum("ij,ij->i", error, error)
            better = squares < least
            best, least = np.where(better, scale, best), np.where(better, squares, least)
    return best.astype(np.float32)


def _as_float16(scale: Floats, *, upwards: bool = False) -> Floats:
    """Round factors to float16; those of nothing but zeros become 1."""
    with np.errstate(over="ignore"):
        half = scale.astype(np.float16)
        if upwards:
            half = np.where(half < scale, np.nextafter(half, np.float16(np.inf)), half)
    if not np.isfinite(half).all():
        raise ParameterError(
            f"a weight is {float(np.abs(scale).max()):.3g} steps large, too large to be rounded: "
            "choose another checkpoint or keep the layer in float"
        )
    return np.where(half == 0, np.float16(1), half).astype(np.float32)


def _whole(values: npt.NDArray[np.floating], scale: Floats, bits: int) -> npt.NDArray[np.int8]:
    top = 2 ** (bits - 1) - 1
    lowest = -127 if bits == 8 else -top - 1
    whole: npt.NDArray[np.int8] = np.rint(values / scale).clip(lowest, top).astype(np.int8)
    return whole
