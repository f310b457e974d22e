"""Which channel of a recording is listened to.

One is taken, not the mean of all: two microphones hear the same voice at different times, and
their mean lacks what cancels; a channel that is dead or wired the wrong way takes half of the
other or all of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

__all__ = ["ChannelPicker"]

Floats = npt.NDArray[np.float32]

#: Seconds with sound after which the choice stands, and after which it stands without any.
_ENOUGH_S, _AT_MOST_S = 10.0, 120.0
#: Stretches that are looked at together; one without a channel above the level is silence.
_STRETCH_S = 0.25
_SILENT_RMS = 10.0 ** (-70.0 / 20.0)
#: A later channel must be this much stronger (0.5 dB) than the first that is as good.
_CLEARLY = 10.0 ** (0.5 / 10.0)
#: Correlation below which, and ratio of powers within which, two channels cancel in a mean.
_CANCELS = -0.9
_ALIKE = 10.0 ** (6.0 / 10.0)
#: A channel whose level swings by so much (standard deviation, in dB), comes within so much of the
#: one that is taken and does not rise and fall with it holds a sound of its own: of another
#: person, or of the only one, where what is taken is noise.
_LIVELY_DB, _AUDIBLE_DB, _TOGETHER = 6.0, 40.0, 0.5
_LEAST_STRETCHES = 8


class ChannelPicker:
    """Sums up channels until it is clear which one to take: the loudest without its offset.

    Parameters
    ----------
    n_channels : int
    sample_rate : int
        In Hz.
    waits_for_sound : bool
        Silence, however long, makes it sure of nothing: for a microphone, which somebody will
        speak into some time.
    """

    def __init__(self, n_channels: int, sample_rate: int, *, waits_for_sound: bool = False) -> None:
        self._n_stretch = max(1, round(_STRETCH_S * sample_rate))
        self._n_enough = _ENOUGH_S * sample_rate
        self._n_most = math.inf if waits_for_sound else _AT_MOST_S * sample_rate
        self._products = np.zeros((n_channels, n_channels))
        self._powers: list[npt.NDArray[np.float64]] = []
        self._n_loud = 0
        self._n_heard = 0

    @property
    def is_sure(self) -> bool:
        """Whether more would not be worth listening to."""
        return self._n_loud >= self._n_enough or self._n_heard >= self._n_most

    @property
    def has_heard(self) -> bool:
        """Whether a channel was louder than silence."""
        return self._n_loud > 0

    @property
    def picked(self) -> int:
        """The channel to take, from 0; the first while none was loud."""
        powers = self._products.diagonal()
        return int(np.argmax(powers * _CLEARLY >= powers.max()))

    @property
    def warning(self) -> str | None:
        """Say which channel would have cancelled the one that is taken, or holds another sound."""
        if not self.has_heard:
            return None
        return self._turned() or self._unheard()

    def _turned(self) -> str | None:
        powers, taken = self._products.diagonal(), self.picked
        scale = np.sqrt(powers * powers[taken])
        alike = (powers * _ALIKE > powers[taken]) & (powers > 0)
        against = alike & (self._products[taken] < _CANCELS * scale)
        if not against.any():
            return None
        other = int(np.argmax(against))
        return (
            f"channel {other + 1} is channel {taken + 1} turned upside down, as of a cable that is "
            f"wired the wrong way: channel {taken + 1} alone was taken"
        )

    def _unheard(self) -> str | None:
        if len(self._powers) < _LEAST_STRETCHES:
            return None
        levels = 10.0 * np.log10(np.maximum(self._powers, _SILENT_RMS**2))
        taken = levels[:, self.picked]
        for other in range(levels.shape[1]):
            own = levels[:, other]
            is_heard = own.max() > taken.max() - _AUDIBLE_DB and own.std() > _LIVELY_DB
            if is_heard and _correlation(own, taken) < _TOGETHER:
                return (
                    f"channel {other + 1} holds another sound than channel {self.picked + 1}, "
                    "which is the loudest and was taken alone"
                )
        return None

    def push(self, pcm_frames: npt.NDArray[np.floating]) -> None:
        """Take in PCM frames [shape=(n_pcm_frames, n_channels)]."""
        for first in range(0, len(pcm_frames), self._n_stretch):
            stretch = pcm_frames[first : first + self._n_stretch].astype(np.float64)
            self._n_heard += len(stretch)
            stretch -= stretch.mean(axis=0)
            products = stretch.T @ stretch
            if products.diagonal().max() > len(stretch) * _SILENT_RMS**2:
                self._products += products
                self._powers.append(products.diagonal() / len(stretch))
                self._n_loud += len(stretch)

    def listen(self, pieces: Iterable[npt.NDArray[np.floating]]) -> None:
        """Take in pieces until it is sure."""
        for pcm_frames in pieces:
            self.push(pcm_frames)
            if self.is_sure:
                return


def _correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Correlate two levels over time; 0 where one of them never changes."""
    spread = float(one.std() * other.std())
    together = float(((one - one.mean()) * (other - other.mean())).mean())
    return together / spread if spread > 0 else 0.0
