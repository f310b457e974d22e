"""The bar under which a device says no label, and what it costs.

Corpora differ: of four, one has more than half of all clips, and another is answered wrongly most
of the time.  What is answered must therefore be right often enough both of all windows together
and on average over the corpora, whichever is worse.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from quantize.measure.answers import Answers
from quantize.measure.bootstrap import drawn_speakers, spread
from quantize.measure.goal import GOAL, MARGIN

__all__ = ["BARS", "TABLE_BARS", "Judged", "choose_bar", "shares"]

#: Bars that are tried.
BARS: NDArray[np.float64] = np.arange(100) / 100

#: Bars of the tables.
TABLE_BARS = tuple(n / 10 for n in range(2, 10))

#: Bars that answer less of the windows than this, on average over the corpora, are not tried:
#: a handful of answers does not tell how good they are, and a device so taciturn is of no use.
LEAST_COVERAGE = 0.02


@dataclasses.dataclass(frozen=True)
class Judged:
    """The best label of every window, whether it is right, and what it must reach.

    Parameters
    ----------
    corpora : int64 [shape=(n_windows,)]
        Places in `domains`.
    speakers : str [shape=(n_windows,)]
    probability : float64 [shape=(n_windows,)]
        Of the best label.
    right : bool [shape=(n_windows,)]
    bar : float64 [shape=(n_windows,)]
        Least probability that is answered; folds have bars of their own.
    domains : tuple of str
        Names of the corpora.
    """

    corpora: NDArray[np.int64]
    speakers: NDArray[np.str_]
    probability: NDArray[np.float64]
    right: NDArray[np.bool_]
    bar: NDArray[np.float64]
    domains: tuple[str, ...]

    @classmethod
    def of(cls, answers: Answers, temperature: float | None = None, bar: float = 0.0) -> Judged:
        """Judge answers at a temperature; None leaves them as they are."""
        if temperature is not None:
            answers = answers.tempered(temperature)
        return cls(
            answers.corpora,
            answers.speakers,
            answers.posteriors.max(axis=1),
            answers.right,
            np.full(len(answers), bar),
            answers.domains,
        )

    @classmethod
    def pooled(cls, parts: Sequence[Judged]) -> Judged:
        """Answers of several folds together, each at its bar."""
        names = ("corpora", "speakers", "probability", "right", "bar")
        joined: dict[str, Any] = {
            name: np.concatenate([getattr(p, name) for p in parts]) for name in names
        }
        return dataclasses.replace(parts[0], **joined)

    def at(self, bar: float) -> Judged:
        """The same with one bar for all."""
        return dataclasses.replace(self, bar=np.full(len(self.bar), bar))

    def figures(self) -> dict[str, Any]:
        """What is answered and how much of it is right, with intervals.

        Returns
        -------
        dict
            ``mean`` (over the corpora, each counting alike), ``pooled`` (over the windows)
            and ``by_corpus``; each has ``n_speakers``, ``n`` windows, ``n_answered``,
            ``coverage``, ``accuracy`` (None where nothing is answered) and their ``…_ci95``.

        Notes
        -----
        Intervals are percentiles of a bootstrap over the speakers of each corpus: windows of
        one voice are right or wrong together.  Of a corpus with two speakers they say little.
        """
        answered = self.probability >= self.bar
        counts = np.stack([np.ones(len(answered)), answered, answered & self.right], axis=1)
        present, n_speakers, table = drawn_speakers(counts, self.corpora, self.speakers)
        by_corpus = {
            self.domains[corpus]: _entry(table[:, [at]], n_speakers[at])
            for at, corpus in enumerate(present)
        }
        pooled = _entry(table.sum(axis=1, keepdims=True), sum(n_speakers))
        mean = _entry(table, sum(n_speakers))
        return {"mean": mean, "pooled": pooled, "by_corpus": by_corpus}


def _entry(table: NDArray[np.float64], n_speakers: int) -> dict[str, Any]:
    coverage, accuracy = shares(table)
    n, n_answered, _ = (int(count) for count in table[0].sum(axis=0))
    entry: dict[str, Any] = {"n_speakers": n_speakers, "n": n, "n_answered": n_answered}
    return entry | spread("coverage", coverage) | spread("accuracy", accuracy)


def shares(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean coverage and accuracy over corpora.

    Parameters
    ----------
    table : float64 [shape=(n, n_corpora, 3)]
        Windows, answered ones, and those of them that are right.

    Returns
    -------
    coverage, accuracy : float64 [shape=(n,)]
        Each corpus counts alike; of the accuracy those where something is answered, NaN
        where nothing is.
    """
    n, answered, right = np.moveaxis(table, -1, 0)
    said = answered > 0
    coverage = np.mean(answered / np.maximum(n, 1), axis=1)
    accuracy = np.where(said, right / np.maximum(answered, 1), 0.0).sum(axis=1)
    return coverage, np.where(said.any(axis=1), accuracy, np.nan) / np.maximum(said.sum(axis=1), 1)


def choose_bar(answers: Judged, goal: float = GOAL + MARGIN) -> float | None:
    """Find the smallest bar from which on enough of what is answered is right.

    Parameters
    ----------
    answers : Judged
        Of speakers whom the models never heard; their own bars do not matter.
    goal : float
        Share of right answers, of all windows together and on average over the corpora of
        which at least :data:`LEAST_COVERAGE` of the windows are answered.

    Returns
    -------
    float or None
        One of :data:`BARS`; None where none does.  It does, and so do all higher ones that
        answer at least :data:`LEAST_COVERAGE` of the windows: a dent further up would say
        that it did by chance.

    Raises
    ------
    ParameterError
        If there is no answer.
    """
    if not len(answers.right):
        raise ParameterError("there are 0 windows to choose a bar on, at least 1 is wanted")
    present, corpus = np.unique(answers.corpora, return_inverse=True)
    # How many bars a window reaches.
    reached = np.searchsorted(BARS, answers.probability, side="right")
    shape = len(BARS) + 1, len(present)
    n_at = np.zeros(shape)
    right_at = np.zeros(shape)
    np.add.at(n_at, (reached, corpus), 1.0)
    np.add.at(right_at, (reached, corpus), answers.right)
    answered, right = (np.cumsum(each[::-1], axis=0)[::-1][1:] for each in (n_at, right_at))
    n = np.broadcast_to(n_at.sum(axis=0), answered.shape)
    table = np.stack([n, answered, right], axis=-1)
    coverage, _ = shares(table)
    # Of a corpus that is hardly answered any more, a handful of windows would decide.
    told = table.copy()
    told[answered < LEAST_COVERAGE * n] *= (1.0, 0.0, 0.0)
    _, of_corpora = shares(told)
    _, of_windows = shares(table.sum(axis=1, keepdims=True))
    enough = np.fmin(of_corpora, of_windows) >= goal
    judged = coverage >= LEAST_COVERAGE
    failing = np.flatnonzero(judged & ~enough)
    first = int(failing[-1]) + 1 if len(failing) else 0
    return float(BARS[first]) if first < len(BARS) and judged[first] else None
