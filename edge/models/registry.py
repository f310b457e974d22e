"""Architectures by ``architecture.type``: another network is one module and one row here."""

from __future__ import annotations

from typing import Any

from edge.models.base import Architecture
from edge.models.claf_ser import CLAF_SER

__all__ = ["ARCHITECTURES"]

_ROWS: tuple[Architecture[Any], ...] = (CLAF_SER,)

#: Every architecture that a manifest may name.
ARCHITECTURES: dict[str, Architecture[Any]] = {row.name: row for row in _ROWS}
