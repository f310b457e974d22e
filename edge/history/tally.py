"""What minutes are added up from; two of a minute add up to one."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

from edge.history.records import Period

__all__ = ["COLUMNS", "Tally", "power_of"]

_SECONDS = ("speech_s", "uncertain_s", "no_speech_s", "quiet_s", "gap_s")
_MEANS = ("activation", "activation_weight_s", "probability", "probability_weight_s")
_COUNTS = ("dropped_samples", "skipped_hops", "n_decisions")

#: What two of a minute are added by, labels and peak apart.
_SUMS = (
    *_SECONDS,
    *("activation_sum", "activation_weight_s", "probability_sum", "probability_weight_s"),
    "power_sum",
    *_COUNTS,
)

#: Of the table ``minutes``, behind ``minute``.
COLUMNS = (*_SECONDS, "labels", *_MEANS, "level_db", "peak_db", *_COUNTS)

#: Stands for digital silence, which has no level.
_SILENCE_DB = -200.0


@dataclasses.dataclass(slots=True)
class Tally:
    """Sums over decisions.

    Parameters
    ----------
    speech_s, uncertain_s, no_speech_s, quiet_s, gap_s : float
    labels : dict of str to float
        Seconds of each.
    activation_sum, activation_weight_s : float
        Sum over seconds of speech, and how many; so for the probability of what was said.
    power_sum : float
        Sum over the seconds that were heard of the power, 1 at full scale.
    peak_db : float or None
    dropped_samples, skipped_hops, n_decisions : int
    """

    speech_s: float = 0.0
    uncertain_s: float = 0.0
    no_speech_s: float = 0.0
    quiet_s: float = 0.0
    gap_s: float = 0.0
    labels: dict[str, float] = dataclasses.field(default_factory=dict)
    activation_sum: float = 0.0
    activation_weight_s: float = 0.0
    probability_sum: float = 0.0
    probability_weight_s: float = 0.0
    power_sum: float = 0.0
    peak_db: float | None = None
    dropped_samples: int = 0
    skipped_hops: int = 0
    n_decisions: int = 0

    @property
    def heard_s(self) -> float:
        """Seconds that were decided on."""
        return self.speech_s + self.uncertain_s + self.no_speech_s + self.quiet_s

    def add(self, other: Tally) -> None:
        """Add another, of the same minute or the next one."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for label, label_s in other.labels.items():
            self.labels[label] = self.labels.get(label, 0.0) + label_s
        if other.peak_db is not None and (self.peak_db is None or self.peak_db < other.peak_db):
            self.peak_db = other.peak_db

    def values(self) -> list[Any]:
        """Give what :data:`COLUMNS` hold: means, for whoever reads the table itself."""
        labels = {label: round(self.labels[label], 3) for label in sorted(self.labels)}
        return [
            *(round(getattr(self, name), 3) for name in _SECONDS),
            json.dumps(labels, separators=(",", ":")),
            _mean(self.activation_sum, self.activation_weight_s),
            round(self.activation_weight_s, 3),
            _mean(self.probability_sum, self.probability_weight_s),
            round(self.probability_weight_s, 3),
            self._level_db(),
            None if self.peak_db is None else round(self.peak_db, 2),
            *(getattr(self, name) for name in _COUNTS),
        ]

    @classmethod
    def of(cls, values: Sequence[Any]) -> Tally:
        """Read what :meth:`values` gave.

        Raises
        ------
        ValueError
            If it is anything else.
        """
        if len(values) != len(COLUMNS):
            raise ValueError("columns are missing")
        got = dict(zip(COLUMNS, values, strict=True))
        tally = cls(
            **{name: _number(got[name]) for name in _SECONDS},
            labels=_labels(got["labels"]),
            dropped_samples=_count(got["dropped_samples"]),
            skipped_hops=_count(got["skipped_hops"]),
            n_decisions=_count(got["n_decisions"]),
        )
        for mean in ("activation", "probability"):
            weight_s = _number(got[f"{mean}_weight_s"])
            if got[mean] is not None and weight_s > 0:
                setattr(tally, f"{mean}_sum", _number(got[mean]) * weight_s)
                setattr(tally, f"{mean}_weight_s", weight_s)
        if got["level_db"] is not None:
            tally.power_sum = power_of(_level(got["level_db"])) * tally.heard_s
        if got["peak_db"] is not None:
            tally.peak_db = _level(got["peak_db"])
        return tally

    def period(self, start_s: float, end_s: float) -> Period:
        """Give what a reader is told."""
        return Period(
            start_s=start_s,
            end_s=end_s,
            heard_s=self.heard_s,
            speech_s=self.speech_s,
            uncertain_s=self.uncertain_s,
            no_speech_s=self.no_speech_s,
            quiet_s=self.quiet_s,
            gap_s=self.gap_s,
            labels=dict(sorted(self.labels.items())),
            activation=_mean(self.activation_sum, self.activation_weight_s),
            probability=_mean(self.probability_sum, self.probability_weight_s),
            level_db=self._level_db(),
            peak_db=self.peak_db,
            dropped_samples=self.dropped_samples,
            skipped_hops=self.skipped_hops,
            n_decisions=self.n_decisions,
        )

    def _level_db(self) -> float | None:
        if self.heard_s <= 0 or self.peak_db is None:
            return None
        mean = self.power_sum / self.heard_s
        return round(10 * math.log10(mean), 2) if mean > 0 else _SILENCE_DB


def power_of(level_db: float) -> float:
    """Power of a level, 1 at full scale."""
    return float(10 ** (min(max(level_db, _SILENCE_DB), 100.0) / 10))


def _mean(total: float, weight_s: float) -> float | None:
    return round(total / weight_s, 4) if weight_s > 0 else None


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number is wanted")
    if not 0 <= value <= 1e12:
        raise ValueError("a number from 0 is wanted")
    return float(value)


def _level(value: Any) -> float:
    if not isinstance(value, int | float) or not -1_000 <= value <= 1_000:
        raise ValueError("a level is wanted")
    return float(value)


def _count(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << 62:
        raise ValueError("a count is wanted")
    return value


def _labels(text: Any) -> dict[str, float]:
    if not isinstance(text, str):
        raise ValueError("labels are text")
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("labels are an object")
    return {label: _number(label_s) for label, label_s in found.items()}
