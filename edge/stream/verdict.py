"""What is said about one feature window, and what the model is asked before that."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.stream.decision import QUIET, Decision, State, Timing

__all__ = ["Hop", "Question", "Verdict"]


# Tuples, which are made in half the time of frozen dataclasses: there are three to a decision.
class Verdict(NamedTuple):
    """What is said about one feature window, see :class:`edge.stream.decision.Decision`.

    Parameters
    ----------
    state : {"speech", "uncertain", "no-speech", "quiet"}
    label, raw_label : str or None
    posterior : mapping of str to float, or None
    activation : float or None
    model_s : float
        Seconds spent in the model.
    reference_s : float or None
    speech_share : float or None
    """

    state: State = QUIET
    label: str | None = None
    posterior: Mapping[str, float] | None = None
    raw_label: str | None = None
    activation: float | None = None
    model_s: float = 0.0
    reference_s: float | None = None
    speech_share: float | None = None

    def decision(
        self,
        start_s: float,
        end_s: float,
        features_s: float,
        arrived_s: float,
        level_db: float,
        warning: str | None,
        skipped_hops: int,
    ) -> Decision:
        """Say it of a segment.

        Parameters
        ----------
        start_s, end_s : float
            The segment.
        features_s : float
            Seconds spent on features.
        arrived_s : float
            ``time.perf_counter()`` when the last of it was there.
        level_db, warning, skipped_hops
            As in :class:`edge.stream.decision.Decision`.
        """
        latency_s = time.perf_counter() - arrived_s
        return Decision(
            start_s,
            end_s,
            self.state,
            self.label,
            self.posterior,
            self.raw_label,
            level_db,
            warning=warning,
            timing=Timing(1000 * features_s, 1000 * self.model_s, 1000 * latency_s),
            activation=self.activation,
            skipped_hops=skipped_hops,
            reference_s=self.reference_s,
            speech_share=self.speech_share,
        )


class Question(NamedTuple):
    """What the model is to be asked about one feature window.

    Parameters
    ----------
    rows : float32 [shape=(n_frames, n_columns)]
        As the model takes them; a view, which the stream's next rows overwrite.
    corpus : int
        Row of the corpus embedding.
    elapsed_s : float
        Seconds from the end of the feature window before.
    model_s : float
        Seconds spent on taking the voice away.
    reference_s, speech_share : float or None
        As in :class:`Verdict`.
    """

    rows: NDArray[np.float32]
    corpus: int
    elapsed_s: float
    model_s: float
    reference_s: float | None
    speech_share: float | None


class Hop(NamedTuple):
    """A feature window that is due, on its way to a decision.

    Parameters
    ----------
    asked : Question or Verdict
        What the model is to be asked; a verdict where it is not to be asked.
    start_s, end_s : float
        The segment.
    features_s : float
        Seconds spent on features.
    arrived_s : float
        ``time.perf_counter()`` when the last of it was there.
    level_db : float
        Of the segment, in dBFS.
    """

    asked: Question | Verdict
    start_s: float
    end_s: float
    features_s: float
    arrived_s: float
    level_db: float
