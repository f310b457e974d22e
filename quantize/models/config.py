"""Sizes of the models; nothing here needs torch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from edge.errors import ParameterError, shown
from quantize.basics.bounds import Bounds, check_numbers

__all__ = ["PARTS", "STEPS", "ClafSerConfig", "ModelConfig", "SimpleRnnConfig"]

_LARGEST = 65_536
#: Of a layer, or a count of heads, labels and the like; one beyond the largest has gigabytes.
SIZE = Bounds.whole(1, _LARGEST, f"a whole number >= 1 is wanted, at most {_LARGEST}")
#: Share of the activations that training leaves out.
DROPOUT = Bounds(0.0, math.nextafter(1.0, 0.0), "a share in [0, 1) is wanted")

#: Parts that an ablation can leave out.
PARTS = ("attention", "phonetic", "language")

#: What a step of the recurrence is: all of the window, or a frame.
STEPS = ("one", "frames")

Config = TypeVar("Config", bound="ModelConfig")


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """Settings that go to a checkpoint and come back."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls: type[Config], settings: Mapping[str, Any]) -> Config:
        """Build from :meth:`to_dict`'s output; unknown keys are refused."""
        unknown = sorted(set(settings) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise ParameterError(f"model config has unknown keys {unknown}")
        return cls(**settings)


@dataclasses.dataclass(frozen=True)
class ClafSerConfig(ModelConfig):
    """Sizes of a CLAF-SER; the defaults are the paper's (h, C, K, L) and ours.

    ``n_domains`` is L = 4; the embedding has ``n_domains + 1`` rows, the last
    one for "unknown".  ``frame_stack`` is how many frames make one step of the BiLSTM and the
    convolution, whose rows are then ``frame_stack * n_features`` long.  ``dropout`` acts on the
    BiLSTM's output and in the emotion MLP, and only in training.  ``without`` names parts
    of :data:`PARTS` that are left out, to measure what they are worth: the mean of the BiLSTM's
    output instead of attention, no phonetic branch, no language row.  Such a model cannot be
    exported.
    """

    n_features: int = 34
    frame_stack: int = 1
    hidden: int = 128
    n_heads: int = 4
    conv_channels: int = 16
    conv_kernel: int = 3
    classifier: int = 128
    n_labels: int = 8
    n_domains: int = 4
    domain_hidden: int = 64
    dropout: float = 0.3
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parts = f"parts of {', '.join(PARTS)} are wanted"
        if isinstance(self.without, str) or not isinstance(self.without, Iterable):
            raise ParameterError(f"without is {shown(self.without)}, a list of {parts}")
        # JSON has no tuples.
        object.__setattr__(self, "without", tuple(self.without))
        unknown = [part for part in self.without if part not in PARTS]
        if unknown:
            raise ParameterError(f"without names {shown(unknown)}, {parts}")
        names = [field.name for field in dataclasses.fields(self)]
        check_numbers(self, {n: SIZE for n in names if n not in ("dropout", "without")})
        check_numbers(self, {"dropout": DROPOUT})
        if (2 * self.hidden) % self.n_heads:
            raise ParameterError(
                f"n_heads {self.n_heads} does not divide 2 * hidden = {2 * self.hidden}"
            )
        if self.conv_kernel % 2 == 0:
            raise ParameterError(f"conv_kernel is {self.conv_kernel}, an odd number is wanted")

    @property
    def step_width(self) -> int:
        """Numbers that the BiLSTM and the convolution take at a step."""
        return self.n_features * self.frame_stack

    @property
    def unknown_language(self) -> int:
        """Row of the language embedding for "unknown"."""
        return self.n_domains


@dataclasses.dataclass(frozen=True)
class SimpleRnnConfig(ModelConfig):
    """Sizes of the baseline; the defaults are the paper's.

    ``n_features`` counts the columns of a row that are looked at, the first ones; with
    ``steps="one"`` the network's input is four times as wide.
    """

    n_features: int = 51
    first: int = 256
    second: int = 128
    dense: int = 64
    n_labels: int = 8
    dropout: float = 0.3
    steps: str = "one"

    def __post_init__(self) -> None:
        sizes = ("n_features", "first", "second", "dense", "n_labels")
        check_numbers(self, {**dict.fromkeys(sizes, SIZE), "dropout": DROPOUT})
        if self.steps not in STEPS:
            raise ParameterError(f"steps is {shown(self.steps)}, {' or '.join(STEPS)} is wanted")
