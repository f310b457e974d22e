"""What can be asked of a pruning; a command's help needs no more."""

from __future__ import annotations

__all__ = ["IMPORTANCES", "PRUNABLE"]

#: Ways to score units, the first is the default.
IMPORTANCES = ("taylor", "magnitude")

#: Fields of :class:`~quantize.models.claf_ser.ClafSerConfig` that pruning makes smaller.
PRUNABLE = ("hidden", "n_heads", "conv_channels", "classifier")
