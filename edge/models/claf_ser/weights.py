"""The weights of a CLAF-SER: their names and shapes, and those that are multiplied beforehand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from edge.models import base
from edge.models.claf_ser.sizes import ClafSerSizes

__all__ = ["MAY_BE_WHOLE", "fold_classifier", "fold_output", "matrix_shape", "weight_shapes"]

MAY_BE_WHOLE = frozenset(
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

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


def weight_shapes(sizes: ClafSerSizes) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight, in the order of a packed file.

    The leading axis of the LSTM's is the direction (forward, backward); its
    gates are in torch's order i, f, g, o, and ``lstm.bias`` is the sum of
    torch's two.  There is no bias of the attention's keys: it adds the same to
    every score of a query, so the softmax removes it.
    """
    a = sizes
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
        "language.weight": (a.n_corpora, width),
        "fc1.weight": (a.classifier, width + a.conv_channels),
        "fc1.bias": (a.classifier,),
        "norm.weight": (a.classifier,),
        "norm.bias": (a.classifier,),
        "fc2.weight": (a.n_labels, a.classifier),
        "fc2.bias": (a.n_labels,),
    }


def matrix_shape(name: str, shape: tuple[int, ...]) -> tuple[int, int]:
    """Output channels and inputs of a weight; the convolution's inputs have two axes."""
    if name == "conv.weight":
        return shape[0], shape[1] * shape[2]
    return base.matrix_shape(name, shape)


def fold_output(weights: Mapping[str, Floats]) -> tuple[Doubles, Doubles, Doubles]:
    """Multiply the attention's output projection into the first classifier layer.

    Nothing but the sum with the corpus's row stands between them, so both are one matrix.
    That meets the values without their bias, beside the phonetic vector; the corpus's row,
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
    language : float64 [shape=(n_corpora, classifier)]

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
    rows : float64 [shape=(n_corpora, classifier)]
        Its bias with every corpus's row, centred.
    """
    fc1, bias, language = fold_output(weights)
    rows = language + bias
    return fc1 - fc1.mean(axis=0), rows - rows.mean(axis=1, keepdims=True)
