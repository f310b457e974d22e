"""The gate's network in torch: what :mod:`edge.stream.gate_network` computes, to be trained."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from edge.artifact import GateColumns
from edge.stream.gate_network import MAX_ABOVE_DB

__all__ = ["GateNetwork", "derived"]


def derived(rows: Tensor, columns: GateColumns, rise_db: float) -> Tensor:
    """Make of every row what the network takes.

    Parameters
    ----------
    rows : float32 [shape=(n_scenes, n_frames, n_features)]
        Not normalised, from the beginning of a stream.
    columns : GateColumns
    rise_db : float
        What the floor rises a frame.

    Returns
    -------
    float32 [shape=(n_scenes, n_frames, n_inputs)]
    """
    level_db = rows[..., columns.level] * columns.level_scale
    rises = torch.arange(rows.shape[1], dtype=rows.dtype) * rise_db
    floor_db = torch.cummin(level_db - rises, dim=1).values + rises
    pitch_hz = rows[..., columns.pitch]
    chroma = rows[..., columns.chroma]
    change = torch.zeros_like(pitch_hz)
    change[:, 1:] = (chroma[:, 1:] - chroma[:, :-1]).abs().mean(dim=2)
    made = [
        torch.clamp(level_db - floor_db, max=MAX_ABOVE_DB),
        (pitch_hz > 0).to(rows.dtype),
        pitch_hz,
        chroma.mean(dim=2),
        change,
    ]
    return torch.cat(
        [torch.stack(made, dim=2), rows[..., columns.shape], rows[..., columns.contrast]], dim=2
    )


class GateNetwork(nn.Module):
    """Three layers, each but the last with memories of what it said.

    Parameters
    ----------
    n_inputs, kernel, widths, memories
        As in :class:`edge.artifact.TrainedGate`.
    """

    def __init__(
        self,
        n_inputs: int,
        kernel: int,
        widths: Sequence[int],
        memories: Sequence[Sequence[float]],
    ) -> None:
        super().__init__()
        self.kernel = kernel
        self.memories = memories
        self.register_buffer("mean", torch.zeros(n_inputs))
        self.register_buffer("std", torch.ones(n_inputs))
        first, second, third = widths
        self.first = nn.Linear(n_inputs * kernel, first)
        self.second = nn.Linear(first * (1 + len(memories[0])), second)
        self.third = nn.Linear(second * (1 + len(memories[1])), third)
        self.last = nn.Linear(third, 1)
        self._triangles: dict[tuple[float, int], Tensor] = {}

    def normalise(self, inputs: Tensor) -> None:
        """Take mean and deviation of the inputs from examples."""
        flat = inputs.reshape(-1, inputs.shape[-1])
        self.mean = flat.mean(dim=0)
        self.std = flat.std(dim=0).clamp(min=1e-3)

    def forward(self, inputs: Tensor) -> Tensor:
        """Log odds of speech, float32 [shape=(n_scenes, n_frames)]."""
        scaled = (inputs - self.mean) / self.std
        n_frames = scaled.shape[1]
        # Before the first frame there was more of the same.
        delayed = [
            torch.cat([scaled[:, :1]] * delay + [scaled[:, : n_frames - delay]], dim=1)
            for delay in range(self.kernel)
        ]
        hidden = torch.relu(self.first(torch.cat(delayed, dim=2)))
        hidden = torch.relu(self.second(self._recall(hidden, self.memories[0])))
        hidden = torch.relu(self.third(self._recall(hidden, self.memories[1])))
        logits: Tensor = self.last(hidden)[..., 0]
        return logits

    def _recall(self, hidden: Tensor, lengths: Sequence[float]) -> Tensor:
        kept = [self._triangle(length, hidden.shape[1]) @ hidden for length in lengths]
        return torch.cat([hidden, *kept], dim=2)

    def _triangle(self, length: float, n_frames: int) -> Tensor:
        if (length, n_frames) not in self._triangles:
            ago = torch.arange(n_frames)[:, None] - torch.arange(n_frames)
            keep = 1 - 1 / length
            weights = (1 - keep) * keep ** ago.clamp(min=0)
            self._triangles[length, n_frames] = torch.where(ago >= 0, weights, torch.zeros(()))
        return self._triangles[length, n_frames]

    def arrays(self) -> dict[str, Tensor]:
        """Weights by the names of :meth:`TrainedGate.shapes`, normalisation folded in."""
        state = {name: value.double() for name, value in self.state_dict().items()}
        scale = (1 / state["std"]).repeat(self.kernel)
        shift = (state["mean"] / state["std"]).repeat(self.kernel)
        first = state["first.weight"]
        return {
            "first": (first * scale).T,
            "first_bias": state["first.bias"] - first @ shift,
            "second": state["second.weight"].T,
            "second_bias": state["second.bias"],
            "third": state["third.weight"].T,
            "third_bias": state["third.bias"],
            "last": state["last.weight"][0],
            "last_bias": state["last.bias"],
        }
