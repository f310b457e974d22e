"""Whether an emulated processor says of every clip what this one says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from edge.errors import EdgeSerError

__all__ = ["compared", "parsed"]

Answer = Mapping[str, Any]


def parsed(output: str, n_clips: int) -> list[dict[str, Any]]:
    """Read lines of JSON, one a clip.

    Raises
    ------
    EdgeSerError
        If they are not as many as the clips.
    """
    answers = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    if len(answers) != n_clips:
        raise EdgeSerError(f"{len(answers)} answers came for {n_clips} clips")
    return answers


def compared(here: Sequence[Answer], there: Sequence[Answer]) -> dict[str, Any]:
    """Compare the answers of two processors for the same clips.

    Parameters
    ----------
    here, there : sequence of mapping
        ``state``, ``label``, ``posterior``, ``n_speech_segments``.

    Returns
    -------
    dict
        ``n_clips``, ``n_equal`` (state and label), ``n_spoken`` (with a label on this machine),
        ``n_speech_segments_equal``, ``largest_difference`` of a probability, ``least_margin`` (by
        how much the label led on this machine, at the least), ``different`` (names of clips).
    """
    different, largest, margins, n_segments = [], 0.0, [], 0
    for mine, theirs in zip(here, there, strict=True):
        if (mine["state"], mine["label"]) != (theirs["state"], theirs["label"]):
            different.append(str(mine.get("clip", "")))
        n_segments += mine["n_speech_segments"] == theirs["n_speech_segments"]
        if mine["posterior"] and theirs["posterior"]:
            differences = [abs(p - theirs["posterior"][k]) for k, p in mine["posterior"].items()]
            largest = max(largest, *differences)
        if mine["posterior"]:
            first, second = sorted(mine["posterior"].values(), reverse=True)[:2]
            margins.append(first - second)
    return {
        "n_clips": len(here),
        "n_equal": len(here) - len(different),
        "n_spoken": sum(mine["label"] is not None for mine in here),
        "n_speech_segments_equal": n_segments,
        "largest_difference": float(f"{largest:.3g}"),
        "least_margin": float(f"{min(margins):.3g}") if margins else None,
        "different": different,
    }
