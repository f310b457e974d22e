"""The shape of a CLAF-SER."""

from __future__ import annotations

import dataclasses

__all__ = ["ClafSerSizes"]


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
