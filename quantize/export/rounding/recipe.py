"""Recipes of post-training quantization: what is rounded, how, and how far that may carry."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from msgspec.structs import force_setattr

from edge.errors import EdgeSerError, shown
from quantize.basics.errors import RecipeError
from quantize.basics.settings import Settings, between, whole
from quantize.export.rounding.layers import ALWAYS_FLOAT, LAYERS, check_layers, is_kept

__all__ = ["BACKENDS", "GRANULARITIES", "METHODS", "RoundingRecipe"]

_Granularity = Literal["none", "per_tensor", "per_output_channel", "per_group"]
GRANULARITIES: tuple[str, ...] = get_args(_Granularity)
"""Weights that share a factor: those of a layer, of an output channel, of some of its inputs."""

#: Ways to store weights, and the bits that each stores them in.
METHODS: dict[str, tuple[int, ...]] = {
    "float": (32,),
    "fp16": (16,),
    "dynamic": (8,),
    "static": (8,),
    "weight_only": (4, 8),
}
# Segments of a calibration, or inputs that share a factor.
_MOST = 1_000_000
_Count = Annotated[int, whole(0, _MOST, f"0 or a whole number up to {_MOST} is wanted")]
_Limit = Annotated[float, between(math.ulp(0.0), 1.0, "a number above 0 and at most 1 is wanted")]
_SMALL = ("conv", "language")
_LSTM = ("lstm.weight_ih", "lstm.weight_hh")


@dataclasses.dataclass(frozen=True)
class _Runtime:
    """What a backend can run: methods, factors, and the layers that it cannot round by method."""

    methods: tuple[str, ...]
    granularities: tuple[str, ...]
    must_be_float: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    # Whether other layers can be kept in float as well.
    may_keep_more: bool = True


# A backend without an entry here cannot be named by a recipe.
_RUNTIMES: dict[str, _Runtime] = {
    "numpy": _Runtime(
        ("float", "fp16", "weight_only"), ("per_tensor", "per_output_channel", "per_group")
    ),
    "onnx": _Runtime(
        ("float", "fp16", "dynamic", "static"),
        ("per_tensor", "per_output_channel"),
        # Static quantization knows no LSTM; ConvInteger is missing in onnxruntime 1.16.3.
        {"static": (*_SMALL, *_LSTM)},
    ),
    "tflite": _Runtime(
        ("float", "fp16", "dynamic"),
        ("per_tensor",),
        {"fp16": _SMALL, "dynamic": ("language",)},
        may_keep_more=False,
    ),
    "torchscript": _Runtime(
        ("float", "dynamic"), ("per_output_channel",), {"dynamic": ("language",)}
    ),
}

BACKENDS = tuple(_RUNTIMES)
"""Backends that a recipe may name."""


class RoundingRecipe(Settings, frozen=True):
    """How the weights of an artifact are stored.

    Parameters
    ----------
    name : str
        Of the file, without ``.toml``; the manifest carries it.
    title : str
        What it is, for people.
    backend : str
        Runtime that runs the result.
    method : str
        ``"float"``: as trained; ``"fp16"``; ``"dynamic"``: whole weights, activations rounded
        as they come; ``"static"``: activations rounded by ranges that calibration found;
        ``"weight_only"``: whole weights, brought back to float when loaded.
    weight_bits : int
        32, 16, 8 or 4.
    granularity : str
        One of :data:`GRANULARITIES`.
    group_size : int
        For ``per_group``: the most inputs that share a factor; else 0.
    float_layers : tuple of str
        Kept in float, see :mod:`quantize.export.rounding.layers`.
    int8_layers : tuple of str
        Stored in 8 bits where the others take 4, with a factor an output channel.
    compensate : bool
        Let the weights that are still to be rounded make up for those that were, on the
        calibration data; for ``weight_only``.
    n_calibration : int
        Segments that it needs to calibrate; 0 for none.
    tolerance : float
        Largest difference of the reference's posterior that a device may see, see
        :class:`quantize.export.Kind`.
    max_difference : float
        Largest difference of any segment's posterior from torch fp32 that ``verify`` lets pass.
    min_agreement : float
        Least share of segments with torch's label that ``verify`` lets pass.
    """

    error_type: ClassVar[type[EdgeSerError]] = RecipeError

    name: str
    title: str
    backend: str
    method: str
    weight_bits: _Count
    granularity: _Granularity
    tolerance: _Limit
    max_difference: _Limit
    min_agreement: _Limit
    group_size: _Count = 0
    float_layers: tuple[str, ...] = ()
    int8_layers: tuple[str, ...] = ()
    compensate: bool = False
    n_calibration: _Count = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("float_layers", "int8_layers"):
            tidy = check_layers(f"{key} of recipe {self.name}", getattr(self, key))
            force_setattr(self, key, tidy)
        self._check_method()
        self._check_granularity()
        self._check_layers()
        self._check_calibration()

    def called(self, name: str) -> str:
        """With the name of the recipe."""
        return f"recipe {self.name}: {name}" if isinstance(self.name, str) else name

    @property
    def kind(self) -> str:
        """Name of the kind of artifact: ``onnx-int8`` for ``onnx_dynamic_wi8``."""
        if self.weight_bits > 8:
            return f"{self.backend}-fp{self.weight_bits}"
        how = "static-" if self.method == "static" else "compensated-" if self.compensate else ""
        return f"{self.backend}-{how}int{self.weight_bits}"

    @property
    def stored_granularity(self) -> str:
        """The granularity as a manifest states it, with the size of a group."""
        return self.granularity + (f"_{self.group_size}" if self.group_size else "")

    def is_float(self, layer: str) -> bool:
        """Tell whether one of :data:`quantize.export.rounding.layers.LAYERS` is kept in float."""
        return self.weight_bits == 32 or is_kept(layer, self.float_layers)

    def bits_of(self, layer: str) -> int:
        """Bits of a rounded layer's weights."""
        return 8 if is_kept(layer, self.int8_layers) else self.weight_bits

    def changed(
        self,
        *,
        float_layers: Iterable[str] = (),
        granularity: str | None = None,
        n_calibration: int | None = None,
    ) -> RoundingRecipe:
        """Override parts of a recipe; ``float_layers`` are added to its own.

        Raises
        ------
        RecipeError
            If the result contradicts itself.
        """
        changes: dict[str, Any] = {"float_layers": (*self.float_layers, *float_layers)}
        if granularity is not None:
            size = (self.group_size or 32) if granularity == "per_group" else 0
            changes |= {"granularity": granularity, "group_size": size}
        if n_calibration is not None:
            changes["n_calibration"] = n_calibration
        return self.replaced(**changes)

    def _check_method(self) -> None:
        if self.backend not in _RUNTIMES:
            raise self._wrong("backend", self.backend, f"one of {', '.join(_RUNTIMES)}")
        methods = _RUNTIMES[self.backend].methods
        if self.method not in methods:
            raise self._wrong(
                "method", self.method, f"one of {', '.join(methods)} for {self.backend}"
            )
        bits = METHODS[self.method]
        if self.weight_bits not in bits:
            wanted = " or ".join(map(str, bits))
            raise self._wrong("weight_bits", self.weight_bits, f"{wanted} for {self.method}")

    def _check_granularity(self) -> None:
        known = ("none",) if self.weight_bits > 8 else _RUNTIMES[self.backend].granularities
        if self.granularity not in known:
            raise self._wrong(
                "granularity",
                self.granularity,
                f"one of {', '.join(known)} for {self.method} on {self.backend}",
            )
        grouped = self.granularity == "per_group"
        if (self.group_size > 0) != grouped:
            raise self._wrong(
                "group_size",
                self.group_size,
                "1 or more with granularity per_group, none with any other",
            )

    def _check_layers(self) -> None:
        if self.int8_layers and self.weight_bits != 4:
            raise self._wrong("int8_layers", list(self.int8_layers), "none without weight_bits 4")
        if self.weight_bits == 32 and self.float_layers:
            raise self._wrong("float_layers", list(self.float_layers), "none where all is float")
        must = _RUNTIMES[self.backend].must_be_float.get(self.method, ())
        rounded = [layer for layer in must if not is_kept(layer, self.float_layers)]
        if rounded:
            raise self._wrong(
                "float_layers",
                list(self.float_layers),
                f"with {', '.join(rounded)}, which {self.backend} cannot run rounded",
            )
        more = set(self.float_layers) - {*must, *ALWAYS_FLOAT}
        if more and not _RUNTIMES[self.backend].may_keep_more:
            raise self._wrong(
                "float_layers",
                list(self.float_layers),
                f"no more than {', '.join(must)} for {self.backend}, which rounds all others",
            )
        one, other = (is_kept(layer, self.float_layers) for layer in _LSTM)
        if self.backend != "numpy" and one != other:
            raise self._wrong(
                "float_layers",
                list(self.float_layers),
                f"both parts of the LSTM or none for {self.backend}, which rounds it as a whole",
            )
        if self.weight_bits < 32 and all(is_kept(n, self.float_layers) for n in LAYERS):
            raise self._wrong(
                "float_layers", list(self.float_layers), f"a layer to round for {self.method}"
            )

    def _check_calibration(self) -> None:
        if self.compensate and self.method != "weight_only":
            raise self._wrong("compensate", self.compensate, "true with weight_only alone")
        needed = self.compensate or self.method == "static"
        if (self.n_calibration > 0) != needed:
            wanted = "1 or more: it calibrates" if needed else "0: it needs no calibration data"
            raise self._wrong("n_calibration", self.n_calibration, wanted)

    def _wrong(self, key: str, value: object, wanted: str) -> RecipeError:
        return RecipeError(f"{self.called(key)} is {shown(value)}, {wanted} is wanted")
