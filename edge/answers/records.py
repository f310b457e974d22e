"""An answer as a record, and a record as the row of a table: docs/records.md has both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge.answers.request import Answered, Task
from edge.errors import printable

__all__ = ["COLUMNS", "columns_of", "is_record", "line_of", "record_of", "row_of"]

#: Columns of every table, each with the kind of what is in it; those of the labels follow.
COLUMNS: dict[str, type] = {
    "path": str,
    "state": str,
    "label": str,
    "activation": float,
    "n_segments": int,
    "n_speech_segments": int,
    "duration_s": float,
    "warning": str,
    "error": str,
}


def record_of(task: Task, answered: Answered) -> dict[str, Any]:
    """Give what is kept of a task: all that does not depend on when and where it was done.

    Returns
    -------
    dict
        As :meth:`FileAnswer.to_dict` without ``ms``; of a file without an answer ``type``
        ("error"), ``path`` and ``error``, the sentence.
    """
    if answered.answer is None:
        return {"type": "error", "path": task.path, "error": answered.error}
    record = answered.answer.to_dict()
    del record["ms"]
    return record


def is_record(value: Any) -> bool:
    """Whether a value is what :func:`record_of` gives, as far as it is told to people."""
    if not isinstance(value, dict) or not isinstance(value.get("path"), str):
        return False
    if value.get("type") == "error":
        return isinstance(value.get("error"), str)
    wanted = [name for name in COLUMNS if name != "error"]
    return (
        value.get("type") == "file"
        and all(name in value and _fits(value[name], COLUMNS[name]) for name in wanted)
        and None not in (value["state"], value["n_segments"])
        and _is_posterior(value.get("posterior", False), value["label"])
    )


def _is_posterior(value: Any, label: str | None) -> bool:
    if value is None:
        return label is None
    if not isinstance(value, dict) or not all(_fits(share, float) for share in value.values()):
        return False
    return label is None or value.get(label) is not None


def _fits(value: Any, kind: type) -> bool:
    if value is None:
        return True
    if isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)


def columns_of(labels: Sequence[str]) -> dict[str, type]:
    """Give the columns of a table: those of every one, and the probability of each label."""
    return {**COLUMNS, **{f"posterior_{label}": float for label in labels}}


def row_of(record: Mapping[str, Any], columns: Mapping[str, type]) -> list[Any]:
    """Put a record under the columns of a table; None where it has nothing to say."""
    posterior = record.get("posterior") or {}
    flat = {**record, **{f"posterior_{label}": share for label, share in posterior.items()}}
    # What no UTF-8 can spell is spelt out, as on a terminal.
    return [
        printable(value) if isinstance(value, str) else value
        for value in (flat.get(column) for column in columns)
    ]


def line_of(
    record: Mapping[str, Any],
    width: int,
    ms: float | None = None,
    labels: Sequence[str] = (),
) -> str:
    """Write a record for people.

    Parameters
    ----------
    record : mapping
        As :func:`record_of` gives it.
    width : int
        Least letters of the path's column.
    ms : float, optional
        How long it took; None: not said.
    labels : sequence of str
        Those that may be said, which their column must hold.
    """
    path = f"{printable(record['path']):<{width}}"
    heard_width = max(10, *(len(printable(label)) for label in labels), 0)
    if record["type"] == "error":
        return f"{path}  {'error':<{heard_width}} {printable(record['error'])}"
    label, posterior, activation = record["label"], record["posterior"], record["activation"]
    share = "     "
    if label is not None and posterior is not None:
        share = f"{100 * posterior[label]:3.0f} %"
    calm = "" if activation is None else f"activation {activation:.2f}"
    n_segments = record["n_segments"]
    heard = printable(label or record["state"])
    line = f"{path}  {heard:<{heard_width}} {share}  {calm:<15}  {n_segments:4} segment"
    if ms is None:
        return line if n_segments == 1 else f"{line}s"
    return f"{line}{' ' if n_segments == 1 else 's'}  {ms:8.1f} ms"
