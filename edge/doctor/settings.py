"""The configuration file that ``listen`` would read."""

from __future__ import annotations

from collections.abc import Iterator

from edge.doctor.finding import Finding, error, ok, skipped
from edge.doctor.look import Look
from edge.errors import EdgeSerError

__all__ = ["configuration"]


def configuration(look: Look) -> Iterator[Finding]:
    """Read it as ``listen`` does."""
    if look.wishes.configuration is None:
        yield skipped("this program reads no configuration file")
        return
    try:
        files = list(look.wishes.configuration())
    except EdgeSerError as problem:
        yield error(str(problem), "edge-ser listen --print-config")
        return
    if files:
        yield ok(f"{', '.join(files)} can be read, every key is known", files=files)
    else:
        yield ok("there is no configuration file, every option has its default", files=[])
