"""What a child of :mod:`edge.benchmark.workers` does: measure one artifact when it is asked.

    python -m edge.benchmark.child ARTIFACT THREADS

A child measures one artifact and nothing else, so that its memory is that artifact's alone.  Every
line that it reads asks for a round or names a clip, and every line that it writes answers.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from edge.benchmark.rig import Rig
from edge.errors import EdgeSerError
from edge.runtimes.open import open_model
from edge.runtimes.threads import allow_threads
from edge.stream.classifier import Classifier

__all__ = ["open_rig"]


def open_rig(folder: str, n_threads: int = 1) -> Rig:
    """Open an artifact to be measured in this process.

    Raises
    ------
    EdgeSerError
        If it cannot be opened.
    """
    from edge.artifact import read_artifact

    allow_threads(n_threads)
    artifact = read_artifact(folder)
    return Rig(Classifier(artifact, open_model(artifact)))


def main(folder: str, n_threads: int) -> None:
    """Answer line by line, until nobody asks any more."""
    # A runtime may write what it likes to standard output: answers have a descriptor of their own.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        try:
            rig = open_rig(folder, n_threads)
            _say(answers, rig.facts())
            for line in sys.stdin:
                asked = json.loads(line)
                if "hear" in asked:
                    _say(answers, rig.hear(asked["hear"]))
                else:
                    _say(answers, rig.round(**asked))
        except EdgeSerError as error:
            _say(answers, {"error": str(error)})


def _say(answers: Any, told: dict[str, Any]) -> None:
    answers.write(json.dumps(told) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
