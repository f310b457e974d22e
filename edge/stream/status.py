"""Word of something that is no sound."""

from __future__ import annotations

import dataclasses
from typing import Any

from edge.stream.records import head

__all__ = ["Status"]


@dataclasses.dataclass(frozen=True, slots=True)
class Status:
    """What a source has to say between two blocks.

    Parameters
    ----------
    kind : str
        ``"waiting"``, ``"lost"`` and ``"back"`` of a microphone, ``"channel"``, ``"muted"`` and
        ``"loud"`` of what it gives, ``"stalled"`` of a pipe, ``"reloaded"`` of the settings.
    sentence : str
        The same for a person.
    away_s : float, optional
        Seconds without sound, for ``"back"``.
    time_s : float, optional
        Unix time; filled in by the pipeline.
    """

    kind: str
    sentence: str
    away_s: float | None = None
    time_s: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types in a stable order: the keys of docs/records.md."""
        return {
            **head("status", self.time_s),
            "status": self.kind,
            "message": self.sentence,
            "away_s": None if self.away_s is None else round(self.away_s, 3),
        }
