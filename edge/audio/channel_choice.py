"""One channel out of several, while they come."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge.audio.channels import ChannelPicker
from edge.audio.mixdown import AUTO, MIX, Channel, check_channel
from edge.errors import AudioFileError, how_many

__all__ = ["ChannelChoice"]

Floats = npt.NDArray[np.float32]

#: The loudest so far is looked for at such distances, and no more after so much sound.
_STRETCH_S, _ENOUGH_S = 0.25, 5.0


class ChannelChoice:
    """Hands on one channel of a stream; no split of the PCM frames changes which.

    Parameters
    ----------
    n_channels, sample_rate : int
    wanted : int or str
        A channel, from 0, the mean of all, or the loudest of the first seconds.
    name : str
        What an error calls the stream.

    Attributes
    ----------
    picked : int
        The channel that is taken, from 0.
    warning : str or None
        What was found about the channels, once one is picked.

    Raises
    ------
    AudioFileError
        If the stream has no such channel.
    ParameterError
        If it is no channel at all.
    """

    def __init__(self, n_channels: int, sample_rate: int, wanted: Channel, name: str) -> None:
        check_channel(wanted)
        self._n_stretch = max(1, round(_STRETCH_S * sample_rate))
        self._picker: ChannelPicker | None = None
        self._stretch = np.zeros((0, n_channels), dtype=np.float32)
        self._n_enough = _ENOUGH_S * sample_rate
        self._n_loud = 0
        self._is_mean = wanted == MIX and n_channels > 1
        self.picked = 0
        self.warning: str | None = None
        if isinstance(wanted, int):
            if not 0 <= wanted < n_channels:
                raise AudioFileError(
                    f"{name} has no channel {wanted + 1}: it has "
                    f"{how_many(n_channels, 'channel')}, the first is 1"
                )
            self.picked = wanted
        elif wanted == AUTO and n_channels > 1:
            self._picker = ChannelPicker(n_channels, sample_rate)

    @property
    def is_settled(self) -> bool:
        """Whether the choice stands."""
        return self._picker is None

    def push(self, pcm_frames: npt.NDArray[np.floating]) -> Floats:
        """Take PCM frames [shape=(n_pcm_frames, n_channels)] and give one channel of them."""
        if self._is_mean:
            return np.asarray(pcm_frames.mean(axis=1), dtype=np.float32)
        if self._picker is None:
            return pcm_frames[:, self.picked].astype(np.float32)
        parts = []
        start = 0
        while self._picker is not None and start < len(pcm_frames):
            piece = pcm_frames[start : start + self._n_stretch - len(self._stretch)]
            start += len(piece)
            parts.append(piece[:, self.picked].astype(np.float32))
            self._stretch = np.concatenate((self._stretch, piece.astype(np.float32)))
            if len(self._stretch) == self._n_stretch:
                self._look(self._picker)
        parts.append(pcm_frames[start:, self.picked].astype(np.float32))
        return np.concatenate(parts)

    def finish(self) -> None:
        """End the stream: what there was has to do."""
        if self._picker is not None:
            self._picker.push(self._stretch)
            self.warning, self._picker = self._picker.warning, None

    def _look(self, picker: ChannelPicker) -> None:
        picker.push(self._stretch)
        self._stretch = self._stretch[:0].copy()
        self.picked = picker.picked
        self._n_loud += self._n_stretch * picker.has_heard
        if self._n_loud >= self._n_enough:
            self.warning = picker.warning
            self._picker = None
