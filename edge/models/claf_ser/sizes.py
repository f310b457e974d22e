"""The shape of a CLAF-SER."""

from __future__ import annotations

import dataclasses

__all__ = ["ClafSerSizes", "window_cost"]


@dataclasses.dataclass(frozen=True)
class ClafSerSizes:
    """Sizes of an exported CLAF-SER; whole numbers of 1 or more."""

    type: str
    n_features: int
    hidden: int
    n_heads: int
    conv_channels: int
    conv_kernel: int
    classifier: int
    n_labels: int
    #: Rows of the corpus embedding, which files call languages.
    n_corpora: int = dataclasses.field(metadata={"key": "n_languages"})
    #: Frames that make one step of the LSTM and the convolution.
    frame_stack: int = 1

    @property
    def step_width(self) -> int:
        """Numbers that the LSTM and the convolution take at a step."""
        return self.n_features * self.frame_stack

    def problem(self) -> str | None:
        """Say in a sentence why no network has these sizes; None where one can."""
        if 2 * self.hidden % self.n_heads or self.conv_kernel % 2 == 0:
            return (
                f"architecture.n_heads {self.n_heads} must divide 2 * hidden = {2 * self.hidden}, "
                f"and conv_kernel {self.conv_kernel} must be odd"
            )
        return None


def window_cost(sizes: ClafSerSizes, n_frames: int) -> tuple[int, int]:
    """Bytes of the buffers and multiplications of one window, within a factor of two.

    The LSTM keeps four gates and a state for each direction and step, and some Python objects
    each of 100 bytes; the attention a score for every pair of steps, head by head, and twice
    that while it takes their softmax; the convolution its inputs side by side.
    """
    n_steps, width = -(-n_frames // sizes.frame_stack), 2 * sizes.hidden
    unfolded = sizes.step_width * sizes.conv_kernel
    pairs = sizes.n_heads * n_steps * n_steps
    numbers = n_steps * (5 * width + 3 * width + unfolded + sizes.conv_channels) + 2 * pairs
    work = n_steps * (
        4 * width * (sizes.step_width + sizes.hidden)
        + 2 * width * width
        + unfolded * sizes.conv_channels
    )
    # The scores, and their softmax: an exponential is worth some ten multiplications.
    return 4 * numbers + 600 * n_steps, work + n_steps * n_steps * width + 10 * pairs
