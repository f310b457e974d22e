"""Trials and their figures: one or more answers an utterance, intervals over utterances."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.data.corpora import DOMAINS, Clip, in_order, label_numbers
from quantize.measure.answers import Answers
from quantize.measure.bootstrap import accuracy, draw, interval, uar
from quantize.measure.metrics import expected_calibration_error

__all__ = ["MOSTLY_SPEECH", "SPEECH_SHARES", "Trials"]

_METRICS = ("accuracy", "uar")

#: How much of a window is speech: least share, and the one it stays below, by the name of its
#: figures.  The last stands beside the others: a second there is a second of speech.
SPEECH_SHARES = {
    "0-25": (0.0, 0.25),
    "25-50": (0.25, 0.5),
    "50-75": (0.5, 0.75),
    "75-100": (0.75, np.inf),
    "90-100": (0.9, np.inf),
}

#: The name of those that hold hardly anything else.
MOSTLY_SPEECH = "90-100"


@dataclasses.dataclass(frozen=True)
class Trials:
    """Answers of a model under one condition.

    Parameters
    ----------
    clips : tuple of Clip
        The utterances.
    utterance : int64 [shape=(n_trials,)]
        Which of `clips` each trial is of; an utterance may have none.
    posteriors : float64 [shape=(n_trials, n_labels)]
    labels : tuple of str
        The model's, in the order of its outputs.
    n_left_out : int
        Windows that were too quiet to be judged.
    n_short : int
        Trials of less than the window's length: whole utterances that are shorter.
    speech_shares : float64 [shape=(n_trials,)], optional
        Share of each trial's frames that hold speech, 0 to 1.
    """

    clips: tuple[Clip, ...]
    utterance: NDArray[np.int64]
    posteriors: NDArray[np.float64]
    labels: tuple[str, ...]
    n_left_out: int = 0
    n_short: int = 0
    speech_shares: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if len(self.utterance) != len(self.posteriors) or not len(self.posteriors):
            raise ParameterError(
                f"{len(self.posteriors)} posteriors for {len(self.utterance)} trials: one for "
                "each, and at least one, is wanted"
            )
        if self.speech_shares is not None and self.speech_shares.shape != self.utterance.shape:
            raise ParameterError(
                f"speech_shares have shape {self.speech_shares.shape}, "
                f"{self.utterance.shape} is wanted: one for each trial"
            )

    @classmethod
    def pooled(cls, parts: Sequence[Trials]) -> Trials:
        """Trials of several folds together; their models tell the same labels apart."""
        starts = np.cumsum([0, *(len(part.clips) for part in parts[:-1])])
        shares = [part.speech_shares for part in parts if part.speech_shares is not None]
        return cls(
            tuple(c for part in parts for c in part.clips),
            np.concatenate([p.utterance + at for p, at in zip(parts, starts, strict=True)]),
            np.concatenate([part.posteriors for part in parts]),
            parts[0].labels,
            sum(part.n_left_out for part in parts),
            sum(part.n_short for part in parts),
            np.concatenate(shares) if len(shares) == len(parts) else None,
        )

    def by_speech(self) -> dict[str, Trials | None]:
        """Trials by the share of speech in them, see :data:`SPEECH_SHARES`; None where none is.

        Raises
        ------
        ParameterError
            If the shares are not known.
        """
        shares = self.speech_shares
        if shares is None:
            raise ParameterError("speech_shares are None, one for each trial is wanted")
        parts: dict[str, Trials | None] = {}
        for name, (least, below) in SPEECH_SHARES.items():
            chosen = (shares >= least) & (shares < below)
            parts[name] = None
            if chosen.any():
                parts[name] = Trials(
                    self.clips,
                    self.utterance[chosen],
                    self.posteriors[chosen],
                    self.labels,
                    speech_shares=shares[chosen],
                )
        return parts

    @property
    def answers(self) -> Answers:
        """The posteriors beside what is true of the trials' utterances."""
        owners = [self.clips[at] for at in self.utterance]
        return Answers.of_clips(self.posteriors, owners, self.labels)

    def figures(self, reference: Trials | None = None) -> dict[str, Any]:
        """Figures over all utterances and, under ``by_corpus``, of every corpus.

        Parameters
        ----------
        reference : Trials, optional
            Trials of the same utterances under another condition. Adds
            ``accuracy_drop`` and ``uar_drop``: how much better those were.

        Returns
        -------
        dict
            ``n_utterances`` (with a trial), ``n`` trials, ``accuracy``, ``uar``, their
            ``…_ci95``, ``recall`` (label to share, None without trials) and ``ece``, as
            shares. Where the trials' shares of speech are known, the same again for each part of
            :data:`SPEECH_SHARES` under ``by_speech``; of one without a trial the counts, 0.

        Raises
        ------
        ParameterError
            If `reference` is of other utterances.

        Notes
        -----
        UAR averages over the classes that occur. Intervals are percentiles of a
        bootstrap over utterances, not over trials: windows of one utterance are not
        independent. Speakers are not drawn, so for "another speaker" they are too
        narrow. The drop's interval is paired: the same utterances on both sides.
        """
        if reference is not None and reference.clips != self.clips:
            raise ParameterError("the reference has trials of other utterances than these")
        total = self._parts(reference)
        total["n_left_out"], total["n_short"] = self.n_left_out, self.n_short
        if self.speech_shares is not None:
            nothing: dict[str, Any] = {"n_utterances": 0, "n": 0, "by_corpus": {}}
            total["by_speech"] = {
                name: dict(nothing) if part is None else part._parts()
                for name, part in self.by_speech().items()
            }
        return total

    def _parts(self, reference: Trials | None = None) -> dict[str, Any]:
        """Figures of all, and under ``by_corpus`` of every corpus."""
        everything = np.ones(len(self.clips), dtype=bool)
        total = self._figures(everything, reference)
        total["by_corpus"] = {}
        for corpus in in_order((c.corpus for c in self.clips), DOMAINS):
            chosen = np.array([c.corpus == corpus for c in self.clips])
            if chosen[self.utterance].any():
                total["by_corpus"][corpus] = self._figures(chosen, reference)
        return total

    def _counts(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Label, number of trials and of right ones of every utterance."""
        labels = label_numbers(self.clips, self.labels)
        right = self.answers.right
        n = np.bincount(self.utterance, minlength=len(labels))
        n_right = np.bincount(self.utterance[right], minlength=len(labels))
        return labels, n, n_right

    def _figures(self, chosen: NDArray[np.bool_], reference: Trials | None) -> dict[str, Any]:
        labels, n, n_right = self._counts()
        columns = [labels, n, n_right]
        if reference is not None:
            columns += reference._counts()[1:]
        # Utterances that count the same are one cell.
        cells, n_alike = np.unique(np.stack(columns, axis=1)[chosen], axis=0, return_counts=True)
        drawn = draw(n_alike)
        n_labels = len(self.labels)
        points = _rates(n_alike[None], cells[:, :3], n_labels)
        draws = _rates(drawn, cells[:, :3], n_labels)
        of_chosen = chosen[self.utterance]
        result: dict[str, Any] = {
            "n_utterances": int((n[chosen] > 0).sum()),
            "n": int(n[chosen].sum()),
        }
        for metric in _METRICS:
            result[metric] = float(points[metric][0])
            result[f"{metric}_ci95"] = interval(draws[metric])
        if reference is not None:
            before = cells[:, [0, 3, 4]]
            old_points, old_draws = (
                _rates(each, before, n_labels) for each in (n_alike[None], drawn)
            )
            for metric in _METRICS:
                result[f"{metric}_drop"] = float(old_points[metric][0] - points[metric][0])
                result[f"{metric}_drop_ci95"] = interval(old_draws[metric] - draws[metric])
        result["recall"] = {
            label: float(n_right[of].sum() / n[of].sum()) if n[of].sum() else None
            for i, label in enumerate(self.labels)
            for of in [chosen & (labels == i)]
        }
        part = self.answers.only(of_chosen)
        result["ece"] = expected_calibration_error(part.truth, part.posteriors)
        return result


def _rates(
    weights: NDArray[np.int64], cells: NDArray[np.int64], n_labels: int
) -> dict[str, NDArray[np.float64]]:
    """Accuracy and UAR of weighted cells of (label, trials, right trials).

    ``weights`` is int [shape=(n_draws, n_cells)], each result float [shape=(n_draws,)].
    """
    of_label = np.eye(n_labels, dtype=np.int64)[cells[:, 0]]
    n, n_right = (weights @ (of_label * cells[:, [at]]) for at in (1, 2))
    return {"accuracy": accuracy(n, n_right), "uar": uar(n, n_right)}
