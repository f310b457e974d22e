"""Exporters: each kind is a whole artifact folder, made from the same trained model."""

from __future__ import annotations

from quantize.export.common import ExportFacts
from quantize.export.exporter import KINDS, Kind, export_artifact

__all__ = ["KINDS", "ExportFacts", "Kind", "export_artifact"]
