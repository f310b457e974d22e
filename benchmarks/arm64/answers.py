"""What one artifact says of clips, one line of JSON each; runs alone, on what it answers for.

    python answers.py ARTIFACT CLIP...

The first line names the versions of what answers.  No label is held back for being improbable,
and no number is rounded.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

from edge.artifact import read_artifact
from edge.runtimes.open import open_model
from edge.stream.classifier import Classifier

_PACKAGES = ("numpy", "onnxruntime", "ai_edge_litert", "tflite_runtime")


def main(artifact: str, *clips: str) -> None:
    """Answer for every clip, as it comes."""
    found = read_artifact(artifact)
    classifier = Classifier(found, open_model(found))
    print("packages", json.dumps(_versions()), flush=True)
    for clip in clips:
        answer = classifier.classify_file(clip, min_probability=0.0)
        posterior = None if answer.posterior is None else dict(answer.posterior)
        record = {
            "clip": Path(clip).name,
            "state": answer.state,
            "label": answer.label,
            "posterior": posterior,
            "n_segments": answer.n_segments,
            "n_speech_segments": answer.n_speech_segments,
        }
        print(json.dumps(record), flush=True)


def _versions() -> dict[str, str]:
    """Versions of Python and of the packages that were imported for it."""
    packages = {name: sys.modules.get(name) for name in _PACKAGES}
    return {
        "python": platform.python_version(),
        **{name: package.__version__ for name, package in packages.items() if package is not None},
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
