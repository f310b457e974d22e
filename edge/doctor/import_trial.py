"""What the child of the check of a backend without a model does: import it.

    python -m edge.doctor.import_trial NAME

prints one line of JSON.
"""

from __future__ import annotations

import json
import sys

from edge.errors import EdgeSerError
from edge.runtimes.registry import RUNTIMES

__all__ = ["main"]


def main(name: str) -> None:
    """Import a backend's package and tell what came of it."""
    try:
        RUNTIMES[name].prepare()
        answer = {}
    except EdgeSerError as error:
        answer = {"error": str(error), "type": type(error).__name__}
    print("\n" + json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1])
