"""Word of something that is no sound."""

from __future__ import annotations

import dataclasses

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
