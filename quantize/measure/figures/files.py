"""``scorecard.json`` on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quantize.basics.errors import TrainingError
from quantize.basics.files import atomic_path
from quantize.basics.json_files import read_json_file

__all__ = ["SCHEMA_VERSION", "read_abstaining", "read_scorecard", "write_scorecard"]

SCHEMA_VERSION = 1


def write_scorecard(path: Path, scorecard: Mapping[str, Any]) -> None:
    """Write ``scorecard.json``, or what folds say of abstaining, whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(
            json.dumps(scorecard, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
            encoding="utf-8",
        )


def read_scorecard(path: Path) -> dict[str, Any]:
    """Read ``scorecard.json``.

    Raises
    ------
    TrainingError
        If there is none, or it is of another version.
    """
    scorecard: dict[str, Any] = read_json_file(
        path, dict, "scorecard", "make scorecard DATA=CORPORA writes one"
    )
    version = scorecard.get("schema_version")
    if version != SCHEMA_VERSION:
        raise TrainingError(
            f"{path} has the schema version {version!r}, {SCHEMA_VERSION} is wanted: it was "
            "written by another version; make scorecard DATA=CORPORA writes one"
        )
    return scorecard


def read_abstaining(path: Path) -> dict[str, Any] | None:
    """Read what folds say of abstaining, which lies beside a scorecard; None where nothing does.

    Raises
    ------
    TrainingError
        If the file cannot be read or is of another version.
    """
    return read_scorecard(path) if path.exists() else None
