"""Neighbouring frames side by side, as ``quantize.models.claf_ser.stack_frames``, in TFLite."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quantize.export.tflite.graph import TfliteGraph

__all__ = ["stack_frames"]

# Any number of frames.
_T = -1
# A bit for each axis that is taken from its beginning, or to its end: all but time.
_WHOLE, _WHOLE_AND_TIME = 0b101, 0b111


def stack_frames(graph: TfliteGraph, rows: int, n_stacked: int, step_width: int) -> int:
    """(1, T, k) -> (1, ceil(T / n_stacked), step_width), ``step_width`` being ``n_stacked * k``.

    Parameters
    ----------
    graph : TfliteGraph
        Gets the operators.
    rows : int
        The tensor of the frames.
    n_stacked : int
        Frames a step; 1 leaves the rows as they are.
    step_width : int
        Numbers a step.

    Returns
    -------
    int
        The tensor of the steps.
    """
    if n_stacked == 1:
        return rows
    width = step_width // n_stacked
    last = _frames(graph, "last", rows, -1, 0, 1, width)
    padded = _concatenate(graph, [rows] + [last] * (n_stacked - 1), 1, width)
    # Of the padding, each slice leaves what the others need.
    parts = [
        _frames(graph, f"part.{i}", padded, i, i + 1 - n_stacked, n_stacked, width)
        for i in range(n_stacked)
    ]
    return _concatenate(graph, parts, 2, step_width)


def _frames(
    graph: TfliteGraph, name: str, rows: int, begin: int, end: int, stride: int, width: int
) -> int:
    """Take ``rows[:, begin:end:stride]``; an end of 0 is behind the last frame."""
    limits = {"begin": begin, "end": end, "strides": stride}
    inputs = [rows] + [
        graph.constant(
            f"stack.{name}.{what}", np.array([what == "strides", value, what == "strides"], "int32")
        )
        for what, value in limits.items()
    ]
    return graph.operator(
        "STRIDED_SLICE",
        inputs,
        [1, _T, width],
        options="StridedSlice",
        beginMask=_WHOLE,
        endMask=_WHOLE if end else _WHOLE_AND_TIME,
    )


def _concatenate(graph: TfliteGraph, tensors: Sequence[int], axis: int, width: int) -> int:
    return graph.operator(
        "CONCATENATION", tensors, [1, _T, width], options="Concatenation", axis=axis
    )
