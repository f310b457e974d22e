"""What should be known about the sound, said once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.audio.band import BandMeter
from edge.audio.clipping import ClippingMeter
from edge.features.row_maker import Seen
from edge.features.spec import FeatureSpec
from edge.features.spectrum import Spectrum

__all__ = ["SoundCheck"]


class SoundCheck:
    """The meters that listen along with a stream.

    Parameters
    ----------
    spec : FeatureSpec
        Of the rows, with the model's rate.

    Attributes
    ----------
    seen : Seen or None
        To be shown the spectra of the rows, which the meter of the band then needs not compute
        anew; None: they are of other frames than it wants.
    """

    def __init__(self, spec: FeatureSpec) -> None:
        self._sample_rate = spec.sample_rate
        fits = BandMeter.fits(spec.sample_rate, spec.n_fft, spec.hop_length)
        self.seen: Seen | None = self._see if fits else None
        self.reset()

    def reset(self) -> None:
        """Forget everything heard; the same as a fresh object."""
        self._clipping, self._band = ClippingMeter(), BandMeter(self._sample_rate)
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
        self._add(self._clipping.push(samples))
        if self.seen is None:
            self._add(self._band.push(samples))

    def _see(self, power: NDArray[np.float32]) -> None:
        self._add(self._band.see(power, Spectrum.POWER_SCALE))

    def _add(self, sentence: str | None) -> None:
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
