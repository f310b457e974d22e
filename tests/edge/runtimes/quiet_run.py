"""A program that loads, decides, classifies and listens: of an artifact, with a backend."""

from __future__ import annotations

import sys

import edge
from edge.bundled import DEMO_CLIP
from edge.cli.main import main


def run(artifact: str, backend: str) -> None:
    """Use one artifact in every way, and the bundled ones as by default."""
    classifier = edge.load(artifact, backend)
    classifier.classify_file(DEMO_CLIP)
    model = ["--artifact", artifact, "--backend", backend]
    assert main(["classify", str(DEMO_CLIP), *model]) == 0
    assert main(["listen", "--source", "demo", "--fast", "--json", *model]) == 0
    if backend == "onnx":
        # The bundled kinds, the one of onnxruntime tried in a process of its own.
        assert main(["listen", "--source", "demo", "--fast"]) == 0


if __name__ == "__main__":
    run(*sys.argv[1:])
