"""Where in time a sample lies when some were lost on the way."""

from __future__ import annotations

__all__ = ["Timeline"]


class Timeline:
    """Maps samples that were kept to their place among all that were recorded."""

    def __init__(self) -> None:
        self._gaps: list[tuple[int, int]] = []
        self._n_forgotten = 0

    def skip(self, before: int, n_samples: int) -> None:
        """Note that ``n_samples`` were lost before kept sample number ``before``."""
        self._gaps.append((before, n_samples))

    def position(self, kept: int) -> int:
        """Place of kept sample number ``kept`` among all recorded samples."""
        lost = sum(n_samples for before, n_samples in self._gaps if before <= kept)
        return kept + self._n_forgotten + lost

    def forget(self, before: int) -> None:
        """Fold gaps up to kept sample ``before`` together: none earlier is asked for."""
        while self._gaps and self._gaps[0][0] <= before:
            self._n_forgotten += self._gaps.pop(0)[1]
