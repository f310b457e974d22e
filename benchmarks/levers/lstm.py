"""A bidirectional LSTM of many networks at once, and its gradient by hand.

cuDNN has no LSTM whose weights differ within a batch.  What torch's autograd would keep of every
step, and the launches that it would take, cost more than the products of matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

__all__ = ["PLAIN", "Kernels", "Lstm", "adam", "cell", "cell_gradient", "compiled"]


def cell(gates: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """One step, from the sums before the gates.

    Parameters
    ----------
    gates : float32 [shape=(N, B, 4 * hidden)]
        Input, forget, cell, output, as torch has them.
    memory : float32 [shape=(N, B, hidden)]

    Returns
    -------
    opened : float32 [shape=(N, B, 4 * hidden)]
        The gates after sigmoid and tanh.
    memory, output : float32 [shape=(N, B, hidden)]
    """
    hidden = memory.shape[-1]
    taken = gates[..., :hidden].sigmoid()
    kept = gates[..., hidden : 2 * hidden].sigmoid()
    told = gates[..., 3 * hidden :].sigmoid()
    new = gates[..., 2 * hidden : 3 * hidden].tanh()
    memory = kept * memory + taken * new
    return torch.cat([taken, kept, new, told], -1), memory, told * memory.tanh()


def cell_gradient(
    of_output: Tensor,
    of_next: Tensor,
    of_memory: Tensor,
    opened: Tensor,
    before: Tensor,
    after: Tensor,
) -> tuple[Tensor, Tensor]:
    """Gradients of a step: of the sums before the gates, and of the memory before it.

    Parameters
    ----------
    of_output, of_next, of_memory : float32 [shape=(N, B, hidden)]
        Gradients of what the step gave out, by way of the layers above, the next step, and the
        memory after it.
    opened : float32 [shape=(N, B, 4 * hidden)]
        As :func:`cell` gave it.
    before, after : float32 [shape=(N, B, hidden)]
        The memory.
    """
    hidden = after.shape[-1]
    taken, kept = opened[..., :hidden], opened[..., hidden : 2 * hidden]
    new, told = opened[..., 2 * hidden : 3 * hidden], opened[..., 3 * hidden :]
    output = of_output + of_next
    bent = after.tanh()
    memory = of_memory + output * told * (1 - bent * bent)
    gates = [
        memory * new * taken * (1 - taken),
        memory * before * kept * (1 - kept),
        memory * taken * (1 - new * new),
        output * bent * told * (1 - told),
    ]
    return torch.cat(gates, -1), memory * kept


def adam(
    weights: Tensor,
    average: Tensor,
    first: Tensor,
    second: Tensor,
    gradient: Tensor,
    rate: Tensor,
    decay: Tensor,
    is_decayed: Tensor,
    biases: Tensor,
    kept: Tensor,
) -> None:
    """One step of AdamW, and of the averaged weights, in place.

    Parameters
    ----------
    weights, average, first, second, gradient : float32 [shape=(M, P)]
        ``first`` and ``second`` are the running moments.
    rate, decay, kept : float32 [shape=(M, 1)]
        ``kept`` is the share of the old average.
    is_decayed : float32 [shape=(P,)]
        1 where a weight decays.
    biases : float32 [shape=(2,)]
        What the moments lack at this step.
    """
    first_new = first + 0.1 * (gradient - first)
    second_new = 0.999 * second + 0.001 * gradient * gradient
    moved = weights * (1 - rate * decay * is_decayed)
    moved = moved - rate * (first_new / biases[0]) / ((second_new / biases[1]).sqrt() + 1e-8)
    first.copy_(first_new)
    second.copy_(second_new)
    average.copy_(average + (1 - kept) * (moved - average))
    weights.copy_(moved)


@dataclass(frozen=True, slots=True)
class Kernels:
    """The element-wise parts of a step, which a compiler can make one launch each of."""

    cell: Callable[..., tuple[Tensor, Tensor, Tensor]] = cell
    cell_gradient: Callable[..., tuple[Tensor, Tensor]] = cell_gradient
    adam: Callable[..., None] = adam


PLAIN = Kernels()


def compiled() -> Kernels:
    """The same, compiled by torch at their first use."""
    return Kernels(
        torch.compile(cell, dynamic=False),
        torch.compile(cell_gradient, dynamic=False),
        torch.compile(adam, dynamic=False),
    )


class Lstm(torch.autograd.Function):
    """All steps of ``N`` LSTMs that go one way: (S, N, B, 4 * hidden) to (S, N, B, hidden)."""

    @staticmethod
    def forward(ctx: Any, sums: Tensor, recurrent: Tensor, kernels: Kernels) -> Tensor:
        """Run them.

        Parameters
        ----------
        sums : float32 [shape=(S, N, B, 4 * hidden)]
            What the inputs and the biases bring to the gates.
        recurrent : float32 [shape=(N, hidden, 4 * hidden)]
        kernels : Kernels
        """
        n_steps, n_networks, n_crops, wide = sums.shape
        sums, recurrent = sums.contiguous(), recurrent.contiguous()
        output = sums.new_zeros(n_networks, n_crops, wide // 4)
        memory = torch.zeros_like(output)
        outputs, memories, opened = [output], [memory], []
        for step in range(n_steps):
            gates = torch.baddbmm(sums[step], output, recurrent)
            open_, memory, output = kernels.cell(gates, memory)
            opened.append(open_)
            memories.append(memory)
            outputs.append(output)
        stacked = torch.stack(outputs)
        ctx.save_for_backward(stacked, recurrent, *memories, *opened)
        ctx.kernels = kernels
        return stacked[1:]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        """Gradients of the sums and of the recurrent weights."""
        outputs, recurrent, *rest = ctx.saved_tensors
        n_steps = len(outputs) - 1
        memories, opened = rest[: n_steps + 1], rest[n_steps + 1 :]
        n_networks, n_crops, hidden = memories[0].shape
        gradient = gradient.contiguous()
        of_next, of_memory = torch.zeros_like(memories[0]), torch.zeros_like(memories[0])
        back = recurrent.transpose(1, 2).contiguous()
        of_gates: list[Tensor] = []
        for step in reversed(range(n_steps)):
            gates, of_memory = ctx.kernels.cell_gradient(
                gradient[step],
                of_next,
                of_memory,
                opened[step],
                memories[step],
                memories[step + 1],
            )
            of_gates.append(gates)
            if step:
                of_next = torch.bmm(gates, back)
        of_sums = torch.stack(of_gates[::-1])
        of_recurrent = torch.bmm(
            outputs[:-1].permute(1, 3, 0, 2).reshape(n_networks, hidden, n_steps * n_crops),
            of_sums.permute(1, 0, 2, 3).reshape(n_networks, n_steps * n_crops, 4 * hidden),
        )
        return of_sums, of_recurrent, None
