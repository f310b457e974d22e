"""What a history tells: spans of time, events, runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

__all__ = ["By", "HistoryEvent", "HistoryRun", "Period"]

#: How long a period of a summary is, by the clock on the wall.
By = Literal["minute", "hour", "day", "week"]


@dataclasses.dataclass(frozen=True, slots=True)
class Period:
    """What was heard in a minute, an hour, a day or a week.

    Parameters
    ----------
    start_s, end_s : float
        Unix time.  A local day may have 23 or 25 hours.
    heard_s : float
        Seconds of sound that were decided on; lost sound and time without a run are not in it.
    speech_s, uncertain_s, no_speech_s, quiet_s : float
        Seconds by what was decided: a label, speech without one, sound without a voice, nothing.
        They add up to ``heard_s``.
    gap_s : float
        Seconds of sound that were lost.
    labels : mapping of str to float
        Seconds of every label that was said; they add up to ``speech_s``.
    activation : float or None
        Mean over what was spoken, 0 calm to 1 aroused; None where nobody spoke, or the labels
        do not tell.
    probability : float or None
        Mean probability of the labels that were said.
    level_db, peak_db : float or None
        Level of the mean power, and of the loudest segment, in dBFS.
    dropped_samples, skipped_hops, n_decisions : int
    """

    start_s: float
    end_s: float
    heard_s: float
    speech_s: float
    uncertain_s: float
    no_speech_s: float
    quiet_s: float
    gap_s: float
    labels: Mapping[str, float]
    activation: float | None
    probability: float | None
    level_db: float | None
    peak_db: float | None
    dropped_samples: int
    skipped_hops: int
    n_decisions: int

    @property
    def shares(self) -> dict[str, float]:
        """Share of every label in what was labelled, 0 to 1; they add up to 1."""
        total_s = sum(self.labels.values())
        return {label: s / total_s for label, s in self.labels.items()} if total_s > 0 else {}


@dataclasses.dataclass(frozen=True, slots=True)
class HistoryEvent:
    """A label held for a while.

    Parameters
    ----------
    label : str
    start_s : float
        Unix time.
    end_s : float or None
        Unix time; None where it goes on, or its run was cut before it ended.
    duration_s : float or None
        Seconds, whatever the clock did meanwhile.
    peak, mean_probability : float
        Highest and mean probability of the label; of its beginning while it goes on.
    run : int
        Which run heard it: ``HistoryRun.run``.
    """

    label: str
    start_s: float
    end_s: float | None
    duration_s: float | None
    peak: float
    mean_probability: float
    run: int


@dataclasses.dataclass(frozen=True, slots=True)
class HistoryRun:
    """One run of ``listen``, from its beginning to its end or to new options.

    Parameters
    ----------
    run : int
        Its number in the file.
    version : str
        Of edge-ser.
    model, model_sha256, source : str
        What decided, and what was listened to.
    start_s : float
        Unix time.
    end_s : float or None
        Unix time; None where it goes on, or was cut.
    summary : mapping or None
        The record "summary" of docs/records.md.
    """

    run: int
    version: str
    model: str
    model_sha256: str
    source: str
    start_s: float
    end_s: float | None
    summary: Mapping[str, Any] | None
