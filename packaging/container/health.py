"""Say whether the container listens: by its page, where it has one, else by its process.

EDGE_SER_HEALTH names the page, http://127.0.0.1:8080/healthz unless it is set.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path

ADDRESS = "http://127.0.0.1:8080/healthz"


def is_listening(processes: Path = Path("/proc")) -> bool:
    """Tell whether the container's first process is there and is no zombie."""
    try:
        status = (processes / "1" / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    # The name in parentheses may hold anything; the state follows the last of them.
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def main() -> int:
    """Give 0 where all is well, else 1."""
    address = os.environ.get("EDGE_SER_HEALTH", ADDRESS)
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return 0 if answer.status == 200 else 1
    except urllib.error.HTTPError as error:
        print(f"{address} answers {error.code}", file=sys.stderr)
        return 1
    except (OSError, ValueError):
        # No page there: `--to web:` was not asked for, unless the address was given.
        if "EDGE_SER_HEALTH" in os.environ:
            return 1
    return 0 if is_listening() else 1


if __name__ == "__main__":
    sys.exit(main())
