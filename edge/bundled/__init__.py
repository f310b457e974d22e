"""The models and the clip that come with the package."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DEMO_CLIP", "MODELS", "MODELS_DIR"]

#: Folder of the bundled artifacts.
MODELS_DIR = Path(__file__).resolve().parent

#: Bundled models, the default first: their artifact for every backend that has one.
MODELS = {
    "claf-ser": {"numpy": "claf-ser-int8", "onnx": "claf-ser-int8-onnx"},
    "claf-ser-tiny": {"numpy": "claf-ser-tiny", "onnx": "claf-ser-tiny-onnx"},
}

#: A dialogue of two synthetic voices.
DEMO_CLIP = MODELS_DIR / "demo" / "dialogue.wav"
