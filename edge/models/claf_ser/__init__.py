"""CLAF-SER: a bidirectional LSTM with attention, beside a convolution, and a row a corpus."""

from __future__ import annotations

from edge.models.base import Architecture
from edge.models.claf_ser.network import ClafSerNetwork
from edge.models.claf_ser.sizes import ClafSerSizes, window_cost
from edge.models.claf_ser.weights import MAY_BE_WHOLE, matrix_shape, weight_shapes

__all__ = ["CLAF_SER", "ClafSerNetwork", "ClafSerSizes"]

CLAF_SER = Architecture(
    name="claf-ser",
    sizes=ClafSerSizes,
    inputs=("features", "language"),
    weight_shapes=weight_shapes,
    network=ClafSerNetwork.of,
    may_be_whole=MAY_BE_WHOLE,
    matrix_shape=matrix_shape,
    window_cost=window_cost,
)
"""The registry's row."""
