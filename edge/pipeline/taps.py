"""Listeners on the way from the source to the stream."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from edge.errors import EdgeSerError, ParameterError, shown
from edge.sources.base import BLOCK_SAMPLES, Block, Gap
from edge.stream.status import Status

__all__ = ["Tap", "Taps"]

#: Hears everything that goes through, before it is decided on.  An attribute `longest_block_s` says
#: how much at once it can do with, in seconds; a function without it hears 512 samples at most.
Tap = Callable[["Block | Gap | Status"], None]


class Taps:
    """Taps side by side, none of which ends the listening.

    Parameters
    ----------
    taps : sequence of Tap
        Told in this order.
    warn : callable
        Takes a sentence on a tap that failed.

    Raises
    ------
    ParameterError
        If one cannot be called.
    """

    def __init__(self, taps: Sequence[Tap], warn: Callable[[str], None]) -> None:
        try:
            self._taps = list(taps)
        except TypeError:
            raise ParameterError(f"taps is {shown(taps)}, a list of functions is wanted") from None
        for tap in self._taps:
            if not callable(tap):
                raise ParameterError(f"one of taps is {shown(tap)}, a function is wanted")
        self._warn = warn

    def most_samples(self, sample_rate: int) -> int | None:
        """Samples that a block may have for all of them; None: as many as anybody likes."""
        longest_s = [getattr(tap, "longest_block_s", None) for tap in self._taps]
        lengths = [
            BLOCK_SAMPLES if each_s is None else max(1, int(each_s * sample_rate))
            for each_s in longest_s
            if each_s != math.inf
        ]
        return min(lengths, default=None)

    def tell(self, item: Block | Gap | Status) -> None:
        """Tell every tap; one that raises is named and not told again."""
        for tap in list(self._taps):
            try:
                tap(item)
            except Exception as error:
                self._taps = [one for one in self._taps if one is not tap]
                self._warn(_sentence(tap, error))


def _sentence(tap: Tap, error: Exception) -> str:
    words = str(error) if isinstance(error, EdgeSerError) else f"{type(error).__name__}: {error}"
    # A function has a name, an object with a method has the name of its class.
    name = getattr(tap, "__name__", type(tap).__name__)
    return f"the tap {name} failed and hears no more ({words[:300]})"
