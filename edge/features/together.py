"""The next rows of many streams in one go: the same rows, begun once for all."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.features.extractor import FeatureExtractor
from edge.features.row_maker import Seen
from edge.scratch import Scratch

__all__ = ["push_together"]


def push_together(
    extractors: Sequence[FeatureExtractor],
    blocks: Sequence[NDArray[np.float32]],
    seen: Sequence[Seen | None],
) -> list[NDArray[np.float32]]:
    """Let each extractor take its block, as :meth:`~FeatureExtractor.push` does.

    Parameters
    ----------
    extractors : sequence of FeatureExtractor
        Each once, all of one spec.
    blocks : sequence of float32 [shape=(n_samples,)]
        Checked; one for each, of any length, through no front end yet.
    seen : sequence of Seen or None
        One for each, which is shown the spectra of its rows.

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
    sizes = [each.tail.size + block.size for each, block in zip(extractors, blocks, strict=True)]
    n_hops = [-(-size // hop) for size in sizes]
    firsts = [0, *itertools.accumulate(n_hops)]
    n_rows_each = [spec.n_frames(size) for size in sizes]
    memory = _MEMORY.take()
    samples = memory.of(firsts.pop() * hop)
    signals = [
        samples[first * hop : first * hop + size] for first, size in zip(firsts, sizes, strict=True)
    ]
    for extractor, block, signal in zip(extractors, blocks, signals, strict=True):
        n_tail = extractor.tail.size
        signal[:n_tail] = extractor.tail
        extractor.filter_into(block, signal[n_tail:])
    wanted = [
        (each, first, first + n_rows)
        for each, first, n_rows in zip(seen, firsts, n_rows_each, strict=True)
        if each is not None and n_rows
    ]
    all_rows = extractors[0].rows_of(samples, _dealt(wanted) if wanted else None)
    found = []
    for extractor, signal, first, n_rows in zip(
        extractors, signals, firsts, n_rows_each, strict=True
    ):
        extractor.keep_tail(signal, n_rows)
        found.append(all_rows[first : first + n_rows])
    _MEMORY.give(memory)
    return found


class _Memory:
    """Samples side by side; what lies between two signals is of no meaning, and finite."""

    def __init__(self) -> None:
        self._samples = np.zeros(0, np.float32)

    def of(self, n_samples: int) -> NDArray[np.float32]:
        """So many, as they were left."""
        if n_samples > self._samples.size:
            self._samples = np.zeros(n_samples, np.float32)
        return self._samples[:n_samples]


_MEMORY = Scratch(_Memory)


def _dealt(wanted: Sequence[tuple[Seen, int, int]]) -> Seen:
    """Show everybody the spectra of the frames from the one number to before the other."""
    n_before = 0

    def seen(power: NDArray[np.float32]) -> None:
        nonlocal n_before
        n_after = n_before + len(power)
        for each, first, end in wanted:
            if first < n_after and end > n_before:
                each(power[max(first - n_before, 0) : end - n_before])
        n_before = n_after

    return seen
