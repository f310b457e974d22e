"""What a broker is told of now: the state, and how the device is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from edge.stream.decision import GAP, Decision
from edge.stream.records import time_of_day
from edge.stream.status import Status

__all__ = ["Board"]

#: Of a source from which nothing comes: what was heard last is no longer so.
_AWAY = ("waiting", "lost", "stalled")

#: A clock that was set, as at the first word of a time server, moves the beginning.
_MOVED_S = 60.0


class Board:
    """Remembers what was heard last, and counts.

    Parameters
    ----------
    now : callable
        Unix time.
    monotonic : callable
        Seconds that no one sets.

    Notes
    -----
    The state has the keys of the records of docs/records.md and null where there is nothing to
    say: whoever shows it then shows that nothing is known.  A gap leaves the state as it is.
    """

    def __init__(
        self, now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._now, self._monotonic = now, monotonic
        self._began_s = monotonic()
        self._since_s = now()
        self._decision: Decision | None = None
        self._away: str | None = None
        self._told_s: float | None = None
        self._worst_ms: float | None = None
        self._n_dropped = self._n_skipped = 0

    @property
    def kind(self) -> tuple[str | None, str | None]:
        """What a change of is news: the state and the label."""
        if self._away is not None or self._decision is None:
            return self._away, None
        return self._decision.state, self._decision.label

    def take(self, decision: Decision) -> None:
        """Remember a decision."""
        self._n_dropped += decision.dropped_samples
        self._n_skipped += decision.skipped_hops
        if decision.state == GAP:
            return
        self._decision, self._away = decision, None
        self._told_s = decision.time_s
        self._worst_ms = max(self._worst_ms or 0.0, decision.timing.latency_ms)

    def note(self, status: Status) -> None:
        """Remember that nothing comes from the source, if that is what it says."""
        if status.kind in _AWAY:
            self._away, self._told_s = status.kind, status.time_s

    def state(self) -> dict[str, Any]:
        """Give what was heard last.

        Returns
        -------
        dict
            ``time``, ``state``, ``label``, ``probability`` of the label (0 to 1), ``activation``
            (0 to 1), ``level_db`` (dBFS), ``speech``; null where there is nothing to say.
        """
        state, label = self.kind
        found: dict[str, Any] = {
            "time": None if self._told_s is None else time_of_day(self._told_s),
            "state": state,
            "label": label,
            "probability": None,
            "activation": None,
            "level_db": None,
            "speech": None,
        }
        if self._away is None and self._decision is not None:
            record = self._decision.to_dict()
            posterior = record["posterior"] or {}
            found["probability"] = posterior.get(label)
            found |= {key: record[key] for key in ("activation", "level_db", "speech")}
        return found

    def diagnostics(self) -> dict[str, Any]:
        """Give how the device is; the worst latency begins anew with each call.

        Returns
        -------
        dict
            ``latency_ms``, the worst since the call before, null where nothing was decided;
            ``dropped_samples`` and ``skipped_hops`` in all; ``uptime``, the time since when it
            listens.
        """
        since_s = self._now() - (self._monotonic() - self._began_s)
        if abs(since_s - self._since_s) > _MOVED_S:
            self._since_s = since_s
        worst_ms, self._worst_ms = self._worst_ms, None
        return {
            "latency_ms": None if worst_ms is None else round(worst_ms, 1),
            "dropped_samples": self._n_dropped,
            "skipped_hops": self._n_skipped,
            "uptime": time_of_day(round(self._since_s)),
        }
