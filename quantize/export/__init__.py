"""Exporters: each kind is a whole artifact folder, made from the same trained model.

The names below are imported when they are first asked for: a command's help asks for the names of
kinds in :mod:`quantize.export.rounding.load`, and needs no exporter.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quantize.export.common import ExportFacts
    from quantize.export.exporter import KINDS, Kind, export_artifact

__all__ = ["KINDS", "ExportFacts", "Kind", "export_artifact"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "common" if name == "ExportFacts" else "exporter"
    return getattr(importlib.import_module(f"quantize.export.{module}"), name)
