"""What a search has measured, one candidate a trial, held against the reference."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Candidate", "Latency", "candidates_of"]


class Latency(NamedTuple):
    """Milliseconds of one window of 2 s, with one thread."""

    ms: float  #: median of the processor's time
    p90: float  #: 90th percentile of it
    wall: float  #: median by the clock on the wall, with all that the machine did besides


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One measured trial beside the reference.

    Parameters
    ----------
    run, kind, name : str
        Whose artifact, what kind, and the trial's name.
    hidden : int
        BiLSTM units a direction.
    model_bytes, folder_bytes : int or None
        Of the model file and of the whole artifact; None for torch.
    n : int
        Held-out clips.
    accuracy, uar : float
        Shares.
    by_corpus : mapping
        ``n``, ``accuracy`` and ``uar`` of every corpus.
    drop, uar_drop : float
        Points below the reference; negative: above.
    agreement : float or None
        Share of clips with the label of its own run in torch.
    ms, ms_p90, ms_wall : float or None
        See :class:`Latency`.
    times_faster : float or None
        Than the reference, which runs in torch.
    times_faster_same_kind : float or None
        Than the reference's artifact of the same kind; None where there is none.
    """

    run: str
    kind: str
    name: str
    hidden: int
    model_bytes: int | None
    folder_bytes: int | None
    n: int
    accuracy: float
    uar: float
    by_corpus: Mapping[str, Mapping[str, Any]]
    drop: float
    uar_drop: float
    agreement: float | None
    ms: float | None
    ms_p90: float | None
    ms_wall: float | None
    times_faster: float | None
    times_faster_same_kind: float | None

    @property
    def kb(self) -> float:
        """Model file in kB of 1000 bytes; infinite for torch, which has none."""
        return math.inf if self.model_bytes is None else self.model_bytes / 1000


def candidates_of(
    results: Sequence[Mapping[str, Any]], latencies: Mapping[str, Latency]
) -> list[Candidate]:
    """What was measured, held against the first of it, which is the reference in torch.

    Parameters
    ----------
    results : sequence of mapping
        Contents of trials' files, those of torch first; failed ones are left out.
    latencies : mapping
        By trial's name; one that is missing was not timed.
    """
    measured = [each for each in results if each["status"] == "measured"]
    reference = measured[0]
    answers = {each["run"]: each["answers"] for each in measured if each["kind"] == "torch"}
    of_reference = {
        each["kind"]: each["name"] for each in measured if each["run"] == reference["run"]
    }

    def ratio(slow: str | None, fast: str) -> float | None:
        if slow is None or slow not in latencies or fast not in latencies:
            return None
        return latencies[slow].ms / latencies[fast].ms

    return [
        Candidate(
            run=each["run"],
            kind=each["kind"],
            name=each["name"],
            hidden=each["hidden"],
            model_bytes=each["model_bytes"],
            folder_bytes=each["folder_bytes"],
            n=each["n"],
            accuracy=each["accuracy"],
            uar=each["uar"],
            by_corpus=each["by_corpus"],
            drop=100 * (reference["accuracy"] - each["accuracy"]),
            uar_drop=100 * (reference["uar"] - each["uar"]),
            agreement=_agreement(answers.get(each["run"]), each["answers"]),
            **_times(latencies.get(each["name"])),
            times_faster=ratio(reference["name"], each["name"]),
            times_faster_same_kind=ratio(of_reference.get(each["kind"]), each["name"]),
        )
        for each in measured
    ]


def _times(latency: Latency | None) -> dict[str, float | None]:
    if latency is None:
        return dict.fromkeys(("ms", "ms_p90", "ms_wall"))
    return {"ms": latency.ms, "ms_p90": latency.p90, "ms_wall": latency.wall}


def _agreement(wanted: str | None, found: str) -> float | None:
    if wanted is None:
        return None
    # Numbers of labels, which may have two digits.
    pairs = list(zip(wanted.split(), found.split(), strict=True))
    return sum(a == b for a, b in pairs) / len(pairs)
