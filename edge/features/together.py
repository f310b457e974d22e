"""The next rows of many streams in one go: the same rows, begun once for all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.features.extractor import FeatureExtractor

__all__ = ["push_together"]


def push_together(
    extractors: Sequence[FeatureExtractor], blocks: Sequence[NDArray[np.float32]]
) -> list[NDArray[np.float32]]:
    """Let each extractor take its block, as :meth:`~FeatureExtractor.push` does.

    Parameters
    ----------
    extractors : sequence of FeatureExtractor
        Each once, all of one spec.
    blocks : sequence of float32 [shape=(n_samples,)]
        Checked; one for each, of any length, through no front end yet.

    Returns
    -------
    list of float32 [shape=(k, n_features)]
        The rows that each block completes, to the last bit those of its own extractor.

    Notes
    -----
    The signals are laid one behind the other, each on a whole hop.  A row depends on its own frame
    alone, so that those which lie across two signals are left out, and the others do not know of
    them: of sixteen rows a signal, one is computed in vain.
    """
    if not extractors:
        return []
    spec = extractors[0].spec
    hop = spec.hop_length
    signals = [each.begin(block) for each, block in zip(extractors, blocks, strict=True)]
    n_hops = [-(-signal.size // hop) for signal in signals]
    samples = np.zeros(sum(n_hops) * hop, dtype=np.float32)
    first = 0
    for signal, n in zip(signals, n_hops, strict=True):
        samples[first * hop : first * hop + signal.size] = signal
        first += n
    all_rows = extractors[0].rows_of(samples)
    found = []
    first = 0
    for extractor, signal, n in zip(extractors, signals, n_hops, strict=True):
        n_rows = spec.n_frames(signal.size)
        extractor.keep_tail(signal, n_rows)
        found.append(all_rows[first : first + n_rows])
        first += n
    return found
