"""Figures of windows with intervals over speakers: windows of one voice stand and fall together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["drawn_speakers", "spread"]

_N_BOOTSTRAP = 2000


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
        times = rng.multinomial(len(mine), np.full(len(mine), 1 / len(mine)), _N_BOOTSTRAP)
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
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {name: float(values[0]), f"{name}_ci95": [float(low), float(high)]}
