"""The models that the trials of TensorFlow Lite start from: python -m fuzz.tflite_seeds FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["export_seeds"]


def export_seeds(folder: Path) -> None:
    """Export two small models."""
    from export_fakes import SIZES, facts, random_model

    from quantize.export import export_artifact

    for kind in ("tflite-fp32", "tflite-int8"):
        export_artifact(kind, random_model(SIZES["small"]), facts(), folder / kind)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "quantize"))
    export_seeds(Path(sys.argv[1]))
