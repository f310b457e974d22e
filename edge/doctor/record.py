"""Findings as lines of JSON, see ``docs/doctor.md``."""

from __future__ import annotations

import json
import math
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
    return json.dumps({**head(kind, time.time()), **_finite(dict(fields))}, allow_nan=False)


def _finite(value: Any) -> Any:
    """Give null for what JSON has no word for: a figure of a broken sensor may be NaN."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value
