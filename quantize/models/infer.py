"""A torch model as scoring calls it: NumPy in, NumPy out."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

__all__ = ["torch_infer"]


def torch_infer(model: nn.Module) -> Any:
    """Wrap a model for :func:`quantize.measure.scoring.score_utterances`, here or elsewhere."""
    # No inner function: this one can be sent to another process, weights and all.
    return functools.partial(_infer, model)


def _infer(model: nn.Module, rows: NDArray[np.float32], language: int) -> NDArray[np.float32]:
    device = next(model.parameters()).device
    with torch.inference_mode():
        x = torch.from_numpy(rows).to(device)
        languages = torch.full((len(rows),), language, device=device)
        logits: NDArray[np.float32] = model(x, languages).logits.float().cpu().numpy()
        return logits
