"""Findings as lines of JSON, see ``docs/doctor.md``."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["VERSION", "to_line"]

#: Of the format: a key may be added without a new one, none changes its meaning or goes.
VERSION = 1


def to_line(kind: str, fields: Mapping[str, Any], now: datetime.datetime | None = None) -> str:
    """Write a record on one line.

    Parameters
    ----------
    kind : str
        "finding", or "diagnosis" at the end.
    fields : mapping
        Of plain JSON types.
    now : datetime, optional
        With its offset; None: by this device's clock.
    """
    time = (now or datetime.datetime.now().astimezone()).isoformat(timespec="milliseconds")
    return json.dumps({"version": VERSION, "type": kind, "time": time, **fields}, allow_nan=False)
