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
        self._meters: tuple[ClippingMeter, BandMeter] = (ClippingMeter(), BandMeter(sample_rate))
        #: Every sentence so far, in order.
        self.sentences: list[str] = []

    def push(self, samples: NDArray[np.float32]) -> list[str]:
        """Take in the next samples, as they came.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            At the model's rate, full scale 1.

        Returns
        -------
        list of str
            Sentences that were not said before.
        """
        said = [meter.push(samples) for meter in self._meters]
        new = [sentence for sentence in said if sentence is not None]
        self.sentences += new
        return new
