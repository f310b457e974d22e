"""What was decided about one segment, or that nothing could be."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from edge.errors import how_many
from edge.stream.posterior import rounded_posterior
from edge.stream.records import head

__all__ = ["GAP", "NO_SPEECH", "QUIET", "SPEECH", "UNCERTAIN", "Decision", "State", "Timing"]

State = Literal["speech", "uncertain", "no-speech", "quiet", "gap"]

#: Somebody spoke loud enough to be judged.
SPEECH: State = "speech"
#: Somebody did, and no label is probable enough to be said.
UNCERTAIN: State = "uncertain"
#: There was sound, but no voice: no label, no posterior.
NO_SPEECH: State = "no-speech"
#: Nobody did: no label, no posterior.
QUIET: State = "quiet"
#: The samples were lost on the way.
GAP: State = "gap"


@dataclasses.dataclass(frozen=True, slots=True)
class Timing:
    """What a decision took, in milliseconds.

    Parameters
    ----------
    features_ms : float
        Time spent on features since the decision before.
    model_ms : float
        Time spent in the model; 0 where it was not asked.
    latency_ms : float
        From the arrival of the block that completed the segment to the
        decision: what the device adds to the length of the segment.
    """

    features_ms: float = 0.0
    model_ms: float = 0.0
    latency_ms: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Decision:
    """What was heard in one segment.

    Parameters
    ----------
    start_s, end_s : float
        The segment, or the gap, in seconds from the start of the stream.  Samples
        that were lost on the way count, so the clock of a microphone does not slip.
    state : {"speech", "uncertain", "no-speech", "quiet", "gap"}
        Whether somebody spoke loud enough to be judged, and can be; a gap is samples that were
        lost, and no segment holds samples from both sides of one.
    label : str or None
        The steady label: smoothed when smoothing is on, else ``raw_label``.  None
        but for "speech".
    posterior : mapping of str to float, or None
        Probability of every label, smoothed when smoothing is on; with "speech" and
        "uncertain" alone, as ``raw_label`` and ``activation``.
    raw_label : str or None
        Most probable label of this segment alone.
    level_db : float or None
        Level of the segment in dBFS, behind the front end; None for a gap.
    dropped_samples : int
        Samples at the model's rate that a gap stands for; 0 for a segment.
    warning : str or None
        What should be known about the sound and was not said before.
    timing : Timing
    activation : float or None
        0 calm to 1 aroused; None where the labels do not tell.
    skipped_hops : int
        Decisions that were due since the record before and left out, as newer sound was
        waiting already.
    time_s : float or None
        Unix time of its end; None where nobody looked at a clock.
    reason : str or None
        Why samples were lost; None for a segment.
    reference_s : float or None
        Seconds of speech in the reference for the voice, 0 while it does not act; None for a gap,
        and where the model takes none.
    speech_share : float or None
        Share of the segment's frames that hold speech, 0 to 1, by which it weighs in every
        average; None where nothing tells (``vad`` "energy" and "off"), and for a gap.
    """

    start_s: float
    end_s: float
    state: State
    label: str | None
    posterior: Mapping[str, float] | None
    raw_label: str | None
    level_db: float | None
    dropped_samples: int = 0
    warning: str | None = None
    timing: Timing = Timing()
    activation: float | None = None
    skipped_hops: int = 0
    time_s: float | None = None
    reason: str | None = None
    reference_s: float | None = None
    speech_share: float | None = None

    @classmethod
    def of_gap(cls, start_s: float, end_s: float, dropped_samples: int, reason: str) -> Decision:
        """What is said of samples that were lost: nothing but that."""
        nothing = (None, None, None, None)
        return cls(start_s, end_s, GAP, *nothing, dropped_samples, reason=reason)

    @property
    def speech(self) -> bool:
        """Whether somebody spoke loud enough to be judged."""
        return self.state in {SPEECH, UNCERTAIN}

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types in a stable order, rounded to what is meaningful.

        Returns
        -------
        dict
            The record "decision", or "gap" for lost samples, of docs/records.md: always all
            of its keys, null where there is nothing to say.
        """
        if self.state == GAP:
            return self._gap_to_dict()
        return {
            **head("decision", self.time_s),
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "state": self.state,
            "label": self.label,
            "posterior": rounded_posterior(self.posterior),
            "raw_label": self.raw_label,
            "activation": None if self.activation is None else round(self.activation, 4),
            "speech": self.speech,
            "speech_share": None if self.speech_share is None else round(self.speech_share, 3),
            "level_db": None if self.level_db is None else round(self.level_db, 2),
            "reference_s": None if self.reference_s is None else round(self.reference_s, 1),
            "features_ms": round(self.timing.features_ms, 3),
            "model_ms": round(self.timing.model_ms, 3),
            "latency_ms": round(self.timing.latency_ms, 3),
            "dropped_samples": self.dropped_samples,
            "skipped_hops": self.skipped_hops,
            "warning": self.warning,
        }

    def _gap_to_dict(self) -> dict[str, Any]:
        return {
            **head("gap", self.time_s),
            "start_s": round(self.start_s, 3),
            "end_s": round(self.end_s, 3),
            "dropped_samples": self.dropped_samples,
            "skipped_hops": self.skipped_hops,
            "reason": self.reason,
            "warning": self.warning,
        }

    def __repr__(self) -> str:
        what: str = self.state
        if self.label is not None and self.posterior is not None:
            what = f"{self.label} {100 * self.posterior[self.label]:.0f} %"
        elif self.state == GAP:
            what = f"gap of {how_many(self.dropped_samples, 'sample')}"
        level = "" if self.level_db is None else f", {self.level_db:.1f} dBFS"
        return f"<Decision {self.start_s:.3f}-{self.end_s:.3f} s: {what}{level}>"
