"""The one bootstrap behind every interval, the one UAR and the one calibration error.

What is drawn is told by the caller: clips of an evaluation, utterances of a protocol, speakers of
what a device hears live, whose windows stand and fall together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "accuracy",
    "calibration_error",
    "draw",
    "drawn_speakers",
    "interval",
    "spread",
    "uar",
]

_N_DRAWS = 2000


def draw(
    n_alike: NDArray[np.integer],
    rng: np.random.Generator | None = None,
    n_draws: int = _N_DRAWS,
) -> NDArray[np.int64]:
    """Draw as many things as there are, with replacement, again and again.

    Parameters
    ----------
    n_alike : int [shape=(n_cells,)]
        Things that count the same are one cell, and this says how many they are: drawing them
        is drawing from a multinomial.
    rng : numpy.random.Generator, optional
        None: one of seed 0, always the same draws.
    n_draws : int

    Returns
    -------
    int64 [shape=(n_draws, n_cells)]
        How often something of each cell was drawn.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    n = n_alike.sum()
    drawn: NDArray[np.int64] = rng.multinomial(n, n_alike / n, size=n_draws)
    return drawn


def uar(n: NDArray[np.number], n_right: NDArray[np.number]) -> NDArray[np.float64]:
    """Mean recall over the classes that occur.

    Parameters
    ----------
    n, n_right : [shape=(..., n_classes)]
        How many are of each class, and how many of them are right.

    Returns
    -------
    float64 [shape=(...)]
        0 where no class occurs.
    """
    occurs = n > 0
    recalls = n_right / np.maximum(n, 1)
    mean: NDArray[np.float64] = recalls.sum(axis=-1) / np.maximum(occurs.sum(axis=-1), 1)
    return mean


def accuracy(n: NDArray[np.number], n_right: NDArray[np.number]) -> NDArray[np.float64]:
    """Share that is right, of the same counts as :func:`uar`."""
    share: NDArray[np.float64] = n_right.sum(axis=-1) / np.maximum(n.sum(axis=-1), 1)
    return share


def calibration_error(
    said: NDArray[np.floating],
    happened: NDArray[np.bool_],
    weights: NDArray[np.floating] | None = None,
    n_bins: int = 15,
) -> float:
    """Mean gap between what was said to be likely and how often it happened, over equal bins.

    Parameters
    ----------
    said : float [shape=(n,)]
        Probabilities; ``(0, 1 / n_bins]`` is the first bin.
    happened : bool [shape=(n,)]
    weights : float [shape=(n,)], optional
        That sum to 1; None: all alike.
    n_bins : int
    """
    bins = np.clip(np.ceil(said * n_bins).astype(int) - 1, 0, n_bins - 1)
    off = happened - said
    if weights is None:
        return float(np.abs(np.bincount(bins, off, n_bins)).sum() / len(said))
    return float(np.abs(np.bincount(bins, weights * off, n_bins)).sum())


def interval(values: NDArray[np.floating]) -> list[float]:
    """Percentiles between which 95 % of the draws lie."""
    low, high = np.percentile(values, [2.5, 97.5])
    return [float(low), float(high)]


def drawn_speakers(
    counts: NDArray[np.floating], corpora: NDArray[np.int64], speakers: NDArray[np.str_]
) -> tuple[list[int], list[int], NDArray[np.float64]]:
    """Sums over windows by corpus, and of bootstraps over the speakers of each.

    Parameters
    ----------
    counts : float [shape=(n_windows, n_counts)]
        What is summed.
    corpora : int64 [shape=(n_windows,)]
    speakers : str [shape=(n_windows,)]
        A speaker is of one corpus.

    Returns
    -------
    present : list of int
        Corpora that occur, in order.
    n_speakers : list of int
        Of each of these.
    table : float64 [shape=(1 + n_draws, n_corpora, n_counts)]
        First everybody once, then as they were drawn, with replacement within a corpus and
        always the same draws.
    """
    owners, of = np.unique(speakers, return_inverse=True)
    corpus_of = np.zeros(len(owners), dtype=np.int64)
    corpus_of[of] = corpora
    sums = np.zeros((len(owners), counts.shape[1]))
    np.add.at(sums, of, counts)
    rng = np.random.default_rng(0)
    present = [int(corpus) for corpus in np.unique(corpus_of)]
    columns = []
    for corpus in present:
        mine = sums[corpus_of == corpus]
        times = draw(np.ones(len(mine), dtype=np.int64), rng)
        columns.append(np.concatenate([mine.sum(axis=0)[None], times @ mine]))
    n_speakers = [int((corpus_of == corpus).sum()) for corpus in present]
    return present, n_speakers, np.stack(columns, axis=1)


def spread(name: str, values: NDArray[np.float64]) -> dict[str, Any]:
    """Figure and interval as a report has them.

    Parameters
    ----------
    name : str
    values : float64 [shape=(1 + n_draws,)]
        The figure, then that of every draw; NaN where there is none.

    Returns
    -------
    dict
        ``name``, and ``name_ci95``: percentiles of the draws that have the figure. Both are
        None where there is none.
    """
    drawn = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or not len(drawn):
        return {name: None, f"{name}_ci95": None}
    return {name: float(values[0]), f"{name}_ci95": interval(drawn)}
