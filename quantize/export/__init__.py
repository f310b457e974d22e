"""Exporters: each kind is a whole artifact folder, made from the same trained model."""

from __future__ import annotations

from quantize.export.common import ExportFacts
from quantize.export.exporter import KINDS, export_artifact

__all__ = ["KINDS", "ExportFacts", "export_artifact"]
