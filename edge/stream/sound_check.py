"""What should be known about the sound, said once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.audio.band import BandMeter
from edge.audio.clipping import ClippingMeter

__all__ = ["SoundCheck"]


class SoundCheck:
    """The meters that listen along with a stream.

    Parameters
    ----------
    sample_rate : int
        The model's, in Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self.reset()

    def reset(self) -> None:
        """Forget everything heard; the same as a fresh object."""
        self._meters: tuple[ClippingMeter, BandMeter] = (
            ClippingMeter(),
            BandMeter(self._sample_rate),
        )
        #: Every sentence so far, in order.
        self.sentences: list[str] = []

        self._unsaid: list[str] = []

    def push(self, samples: NDArray[np.float32]) -> None:
        """Take in the next samples, as they came.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            At the model's rate, full scale 1.
        """
        for meter in self._meters:
            sentence = meter.push(samples)
            if sentence is not None:
                self.sentences.append(sentence)
                self._unsaid.append(sentence)

    def note(self, sentence: str) -> None:
        """Have something else said with the next decision, and there alone."""
        self._unsaid.append(sentence)

    def say(self) -> str | None:
        """What is to be said since the call before."""
        unsaid, self._unsaid = self._unsaid, []
        return "; ".join(unsaid) or None
