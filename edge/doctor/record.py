"""Findings as lines of JSON, see ``docs/doctor.md``."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from edge.stream.records import head

__all__ = ["to_line"]


def to_line(kind: str, fields: Mapping[str, Any]) -> str:
    """Write a record on one line; it begins as those of ``listen`` do.

    Parameters
    ----------
    kind : str
        "finding", or "diagnosis" at the end.
    fields : mapping
        Of plain JSON types.
    """
    return json.dumps({**head(kind, time.time()), **fields}, allow_nan=False)
