"""Models of shapes alone: no memory for their weights, and no weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

__all__ = ["shapes_alone"]


@contextlib.contextmanager
def shapes_alone() -> Iterator[None]:
    """Build models without memory; their parameters have shapes and no values."""
    with torch.device("meta"), _NothingDrawn():
        yield


class _NothingDrawn(TorchFunctionMode):
    """Draws no values, for which torch imports its compiler, seconds long."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.__name__ in {"normal_", "uniform_"}:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))
