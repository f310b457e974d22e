"""What every layer of a CLAF-SER is given: mean products of its inputs over calibration data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from quantize.models.claf_ser import stack_frames

if TYPE_CHECKING:
    from quantize.models.claf_ser import CLAFSER

__all__ = ["input_moments"]

_BATCH = 64


def input_moments(model: CLAFSER, rows: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Second moments of the inputs of every layer but the convolution and the language rows.

    Parameters
    ----------
    model : CLAFSER
        In evaluation mode.
    rows : float32 [shape=(n_segments, n_frames, n_features)]
        Normalised, of one length.

    Returns
    -------
    dict of str to float32 [shape=(n_parts, n_inputs, n_inputs)]
        By the names of :func:`quantize.export.numpy.weights_of`.  The output channels of a
        layer have as many parts with inputs of their own: directions of the LSTM's recurrent
        weights, heads of the values.
    """
    sums: dict[str, torch.Tensor] = {}
    counts: dict[str, int] = {}
    with torch.inference_mode():
        for first in range(0, len(rows), _BATCH):
            x = torch.from_numpy(rows[first : first + _BATCH])
            for name, inputs in _inputs(model, x).items():
                product = inputs.transpose(1, 2) @ inputs
                sums[name] = sums[name] + product if name in sums else product
                counts[name] = counts.get(name, 0) + inputs.shape[1]
    return {name: (total / counts[name]).numpy() for name, total in sums.items()}


def _inputs(model: CLAFSER, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Inputs of every layer: (n_parts, n_examples, n_inputs)."""
    config, attention = model.config, model.attention
    hidden, n_heads = config.hidden, config.n_heads
    x = stack_frames(x, config.frame_stack)
    rows = model.lstm(x)[0]
    n_batch, n_frames, width = rows.shape
    per_head = width // n_heads
    # The state before a frame: that of the frame before, or behind.
    forward, backward = rows[:, :-1, :hidden], rows[:, 1:, hidden:]
    weights, biases = attention.in_proj_weight, attention.in_proj_bias
    both = torch.nn.functional.linear(rows, weights[: 2 * width], biases[: 2 * width])
    both = both.view(n_batch, n_frames, 2, n_heads, per_head).permute(2, 0, 3, 1, 4)
    scores = both[0] @ both[1].transpose(2, 3) * per_head**-0.5
    mixed = scores.softmax(dim=3).mean(dim=2) @ rows
    values = weights[2 * width :].view(n_heads, per_head, width)
    attended = torch.einsum("bhd,hkd->bhk", mixed, values).flatten(1) + biases[2 * width :]
    unknown = torch.full((n_batch,), config.unknown_language)
    pooled = attention.out_proj(attended) + model.language(unknown)
    final = torch.cat([pooled, model.phonetic(x, None)], dim=1)
    flat = rows.reshape(1, -1, width)
    return {
        "lstm.weight_ih": x.reshape(1, -1, x.shape[2]),
        "lstm.weight_hh": torch.stack([forward.reshape(-1, hidden), backward.reshape(-1, hidden)]),
        "attention.query.weight": flat,
        "attention.key.weight": flat,
        "attention.value.weight": mixed.transpose(0, 1),
        "attention.output.weight": attended[None],
        "fc1.weight": final[None],
        "fc2.weight": torch.relu(model.norm(model.fc1(final)))[None],
    }
