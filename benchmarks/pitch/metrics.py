"""How wrong a pitch track is: gross, fine and voicing errors, counted frame by frame."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DEFINITIONS", "GROSS", "Answer", "gross_difference", "is_gross", "score"]

#: A pitch further than this from the truth is another pitch, not an inexact one.
#: Rabiner, Cheng, Rosenberg & McGonegal (1976) use a fixed 1 ms of period; the share is from
#: de Cheveigne & Kawahara (2002), JASA 111(4), section III.
GROSS = 0.2

DEFINITIONS = {
    "gross_all": "share of the frames voiced in truth that are off by more than 20 %, every "
    "method made to answer whatever its voicing decision",
    "gross": "the same among the frames voiced in truth that the method, too, finds voiced; "
    "null where it decides nothing",
    "too_low, too_high": "the two parts of gross_all",
    "fine_cents": "median of |cents| over the frames of gross (of gross_all where the method "
    "decides nothing) that are not gross errors",
    "voicing_error": "share of all frames whose decision is wrong; null where there is none",
    "missed": "share of the frames voiced in truth that are found unvoiced",
    "false_voiced": "share of the frames unvoiced in truth that are found voiced",
    "frame_error": "share of all frames with a wrong decision or a gross error: the one figure "
    "that neither answering everything nor staying silent can please",
}


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a method says of a recording.

    Parameters
    ----------
    pitch_hz : float64 [shape=(n_frames,)]
        Its best guess in every frame, voiced or not.
    voiced : bool [shape=(n_frames,)] or None
        Its decision; None when it makes none.
    """

    pitch_hz: NDArray[np.float64]
    voiced: NDArray[np.bool_] | None


def is_gross(truth_hz: NDArray[np.float64], pitch_hz: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether a pitch is off by more than `GROSS`; False where the truth is unvoiced."""
    wrong: NDArray[np.bool_] = np.abs(pitch_hz - truth_hz) > GROSS * truth_hz
    return wrong & (truth_hz > 0)


def _share(part: NDArray[np.bool_], of: NDArray[np.bool_]) -> float | None:
    """Share of ``of`` that is also in ``part``; None of nothing."""
    n = int(of.sum())
    return float((part & of).sum() / n) if n else None


def score(truth_hz: Sequence[NDArray[np.float64]], answers: Sequence[Answer]) -> dict[str, Any]:
    """Pool the frames of all recordings and count.

    Parameters
    ----------
    truth_hz : sequence of float64 [shape=(n_frames,)]
        In Hz; 0 = unvoiced.
    answers : sequence of Answer
        One a recording, all with or all without decisions.

    Returns
    -------
    dict
        The figures of `DEFINITIONS`, shares of 1; None where nothing could be counted.
    """
    truth = np.concatenate(truth_hz)
    pitch = np.concatenate([answer.pitch_hz for answer in answers])
    decisions = [answer.voiced for answer in answers if answer.voiced is not None]
    voiced = truth > 0
    gross = is_gross(truth, pitch)
    found = np.concatenate(decisions) if decisions else None
    judged = voiced if found is None else voiced & found
    fine = judged & ~gross
    cents = 1200 * np.abs(np.log2(pitch[fine] / truth[fine]))
    result: dict[str, Any] = {
        "gross_all": _share(gross, voiced),
        "too_low": _share(gross & (pitch < truth), voiced),
        "too_high": _share(gross & (pitch > truth), voiced),
        "gross": None,
        "fine_cents": float(np.median(cents)) if cents.size else None,
        "voicing_error": None,
        "missed": None,
        "false_voiced": None,
        "frame_error": None,
    }
    if found is not None:
        everything = np.ones(truth.shape, dtype=bool)
        result |= {
            "gross": _share(gross, judged),
            "voicing_error": _share(found != voiced, everything),
            "missed": _share(~found, voiced),
            "false_voiced": _share(found, ~voiced),
            "frame_error": _share((found != voiced) | (gross & found), everything),
        }
    return result


def gross_difference(
    truth_hz: Sequence[NDArray[np.float64]],
    ours: Sequence[Answer],
    theirs: Sequence[Answer],
    seed: int,
    n_draws: int = 2000,
) -> dict[str, Any]:
    """Our gross_all minus theirs, with a 95 % interval from redrawing whole recordings.

    Frames of one recording are alike, so recordings are redrawn and not frames.
    """
    n_voiced = np.array([(truth > 0).sum() for truth in truth_hz])
    n_more = np.array(
        [
            is_gross(truth, mine.pitch_hz).sum() - is_gross(truth, other.pitch_hz).sum()
            for truth, mine, other in zip(truth_hz, ours, theirs, strict=True)
        ]
    )
    drawn = np.random.default_rng(seed).integers(0, n_voiced.size, (n_draws, n_voiced.size))
    shares = n_more[drawn].sum(axis=1) / np.maximum(n_voiced[drawn].sum(axis=1), 1)
    return {
        "difference": float(n_more.sum() / max(n_voiced.sum(), 1)),
        "interval_95": [float(np.percentile(shares, p)) for p in (2.5, 97.5)],
    }
