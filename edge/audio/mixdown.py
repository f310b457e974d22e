"""From the channels of a device to the one that is listened to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge.audio.channels import ChannelPicker
from edge.audio.level_watch import LevelWatch
from edge.errors import ParameterError, shown

__all__ = ["AUTO", "MIX", "Channel", "Mixdown", "check_channel"]

FloatArray = npt.NDArray[np.float32]

#: A channel from 0, or one of the two words.
Channel = int | str
AUTO, MIX = "auto", "mix"


def check_channel(channel: Channel) -> None:
    """Refuse what is no channel.

    Raises
    ------
    ParameterError
        If it is neither a number from 0 nor one of the two words.
    """
    is_number = isinstance(channel, int) and not isinstance(channel, bool) and channel >= 0
    if not is_number and channel not in (AUTO, MIX):
        raise ParameterError(
            f"channel is {shown(channel)}, a number (0 is the first), {AUTO!r} or {MIX!r} is wanted"
        )


class Mixdown:
    """Takes one channel, or the mean of all, and watches its level; runs in the audio callback.

    Parameters
    ----------
    channel : int or str
        From 0; ``"mix"``: the mean of all; ``"auto"``: the loudest, which may be another one from
        block to block until ten seconds of sound were heard, and then stays.
    n_channels : int
        Of the device.
    sample_rate : int
        In Hz.
    gain_db : float
        By how much the sound is made louder; what is cut off is so before.
    picked : int, optional
        What was picked when the same device was open before, for ``"auto"``.
    """

    def __init__(
        self,
        channel: Channel,
        n_channels: int,
        sample_rate: int,
        gain_db: float = 0.0,
        picked: int | None = None,
    ) -> None:
        self.n_channels = n_channels
        self.watch = LevelWatch(sample_rate)
        self._factor = np.float32(10.0 ** (gain_db / 20.0))
        self._picker: ChannelPicker | None = None
        #: The channel that is taken; -1 for all of them.
        self.picked = 0
        #: Whether it was picked and nobody has been told yet.
        self.is_new = False
        #: What is to be said of a channel that would have cancelled it.
        self.warning: str | None = None
        if channel == MIX and n_channels > 1:
            self.picked = -1
        elif isinstance(channel, int):
            self.picked = channel
        elif picked is not None and picked < n_channels:
            self.picked = picked
        elif n_channels > 1:
            self._picker = ChannelPicker(n_channels, sample_rate, waits_for_sound=True)

    def push(self, block: FloatArray) -> FloatArray:
        """Give the samples to listen to.

        Parameters
        ----------
        block : float32 [shape=(n_samples, n_channels)]

        Returns
        -------
        mono : float32 [shape=(n_samples,)]
            A view of the block where nothing is to be computed.
        """
        picker = self._picker
        if picker is not None:
            picker.push(block)
            self.picked = picker.picked
            if picker.is_sure:
                self.warning, self._picker = picker.warning, None
                # At last, as the reader looks at it from another thread.
                self.is_new = True
        if self.picked >= 0:
            mono: FloatArray = block[:, self.picked]
        else:
            mono = block.mean(axis=1, dtype=np.float32)
        self.watch.push(mono)
        return mono if self._factor == 1 else mono * self._factor
