"""Names of the layers whose weights can be rounded, alone and in groups."""

from __future__ import annotations

from collections.abc import Iterable

from edge.errors import EdgeSerError, shown
from quantize.basics.errors import RecipeError

__all__ = ["ALWAYS_FLOAT", "GROUPS", "LAYERS", "check_layers", "is_kept", "layer_names"]

LAYERS = (
    "lstm.weight_ih",
    "lstm.weight_hh",
    "attention.query",
    "attention.key",
    "attention.value",
    "attention.output",
    "conv",
    "language",
    "fc1",
    "fc2",
)
"""Layers that have a matrix of weights; biases are never rounded to whole numbers."""

GROUPS = ("lstm", "attention")
"""Names that stand for every layer that begins with them."""

ALWAYS_FLOAT = ("norm",)
"""Layers without a matrix: no recipe rounds them, and one may say so."""


def layer_names() -> tuple[str, ...]:
    """Everything that a list of layers may name."""
    return (*LAYERS, *GROUPS, *ALWAYS_FLOAT)


def check_layers(
    where: str, layers: Iterable[str], error: type[EdgeSerError] = RecipeError
) -> tuple[str, ...]:
    """Check and tidy names of layers: ``fc1.weight`` is ``fc1``, and none comes twice.

    Raises
    ------
    RecipeError
        If a name is not known; or another ``error``.
    """
    if isinstance(layers, str) or not isinstance(layers, Iterable):
        raise error(f"{where} is {shown(layers)}, a list of names of layers is wanted")
    layers = tuple(layers)
    for name in layers:
        if not isinstance(name, str):
            raise error(
                f"{where} names the layer {shown(name)}, one of {', '.join(layer_names())} is "
                "wanted"
            )
    tidy = [name.removesuffix(".weight") for name in layers]
    for name in tidy:
        if name not in layer_names():
            raise error(
                f"{where} names the layer {name!r}, one of {', '.join(layer_names())} is wanted"
            )
    return tuple(dict.fromkeys(tidy))


def is_kept(layer: str, float_layers: Iterable[str]) -> bool:
    """Tell whether a layer of :data:`LAYERS` is kept in float, by its own or its group's name."""
    return any(layer == name or layer.startswith(f"{name}.") for name in float_layers)
