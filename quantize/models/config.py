"""Sizes of the models; nothing here needs torch."""

from __future__ import annotations

import math
from typing import Annotated, Literal, get_args

from edge.errors import ParameterError
from quantize.basics.settings import Settings, between, whole

__all__ = ["PARTS", "STEPS", "ClafSerConfig", "SimpleRnnConfig"]

_LARGEST = 65_536
# Of a layer, or a count of heads, labels and the like; one beyond the largest has gigabytes.
_Size = Annotated[int, whole(1, _LARGEST)]
# Share of the activations that training leaves out.
_Dropout = Annotated[float, between(0.0, math.nextafter(1.0, 0.0), "a share in [0, 1) is wanted")]

#: Parts that an ablation can leave out.
Part = Literal["attention", "phonetic", "language"]
PARTS: tuple[str, ...] = get_args(Part)

#: What a step of the recurrence is: all of the window, or a frame.
Steps = Literal["one", "frames"]
STEPS: tuple[str, ...] = get_args(Steps)


class ClafSerConfig(Settings, frozen=True):
    """Sizes of a CLAF-SER; the defaults are the paper's (h, C, K, L) and ours.

    ``n_domains`` is L = 4; the embedding has ``n_domains + 1`` rows, the last
    one for "unknown".  ``frame_stack`` is how many frames make one step of the BiLSTM and the
    convolution, whose rows are then ``frame_stack * n_features`` long.  ``dropout`` acts on the
    BiLSTM's output and in the emotion MLP, and only in training.  ``without`` names parts
    of :data:`PARTS` that are left out, to measure what they are worth: the mean of the BiLSTM's
    output instead of attention, no phonetic branch, no language row.  Such a model cannot be
    exported.
    """

    n_features: _Size = 34
    frame_stack: _Size = 1
    hidden: _Size = 128
    n_heads: _Size = 4
    conv_channels: _Size = 16
    conv_kernel: _Size = 3
    classifier: _Size = 128
    n_labels: _Size = 8
    n_domains: _Size = 4
    domain_hidden: _Size = 64
    dropout: _Dropout = 0.3
    without: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
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


class SimpleRnnConfig(Settings, frozen=True):
    """Sizes of the baseline; the defaults are the paper's.

    ``n_features`` counts the columns of a row that are looked at, the first ones; with
    ``steps="one"`` the network's input is four times as wide.
    """

    n_features: _Size = 51
    first: _Size = 256
    second: _Size = 128
    dense: _Size = 64
    n_labels: _Size = 8
    dropout: _Dropout = 0.3
    steps: Steps = "one"
