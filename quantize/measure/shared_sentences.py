"""Clips whose words do not give the emotion away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quantize.data.corpora import Clip

__all__ = ["shared_sentences"]


def shared_sentences(clips: Sequence[Clip]) -> dict[str, NDArray[np.bool_]]:
    """Which clips of a corpus have a sentence that is said in several emotions among them.

    Parameters
    ----------
    clips : sequence of Clip

    Returns
    -------
    dict of str to bool [shape=(n_clips,)]
        By corpus, of those alone where some clips are such and others are not: elsewhere there is
        nothing to tell apart.
    """
    emotions: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for clip in clips:
        emotions[clip.corpus, clip.sentence].add(clip.label)
    corpora = np.array([clip.corpus for clip in clips])
    shared = np.array([len(emotions[clip.corpus, clip.sentence]) > 1 for clip in clips], bool)
    found = {}
    for corpus in dict.fromkeys(clip.corpus for clip in clips):
        of_corpus = corpora == corpus
        if 0 < (shared & of_corpus).sum() < of_corpus.sum():
            found[corpus] = shared & of_corpus
    return found
