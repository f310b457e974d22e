"""A convolution that takes a quarter of the room in a file.

A module of its own: TorchScript names a class by its file, and numbers the classes of one file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from quantize.export.rounding.codes import round_symmetric

__all__ = ["Int8Conv1d"]


class Int8Conv1d(nn.Module):
    """A convolution that is stored in 8 bits, a factor a channel, and computed in float32.

    Parameters
    ----------
    conv : Conv1d
        Of stride and dilation 1; its weights are copied.
    """

    if TYPE_CHECKING:
        # Not when it runs: TorchScript reads annotations, and not these.
        whole: Tensor
        scale: Tensor
        bias: Tensor

    def __init__(self, conv: nn.Conv1d) -> None:
        super().__init__()
        assert conv.bias is not None, "CLAF-SER's convolution has one"
        whole, scale = round_symmetric(conv.weight.detach().numpy(), (1, 2))
        self.register_buffer("whole", torch.from_numpy(whole))
        self.register_buffer("scale", torch.from_numpy(scale))
        self.register_buffer("bias", conv.bias.detach().clone())
        self.padding = int(conv.padding[0])

    def forward(self, x: Tensor) -> Tensor:
        """(B, n_features, T) -> (B, channels, T)."""
        weight = self.whole.to(torch.float32) * self.scale
        return nn.functional.conv1d(x, weight, self.bias, padding=self.padding)
