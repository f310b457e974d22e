"""From the bytes of PCM frames, cut anywhere, to mono samples at the model's rate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge.audio.band import METERED_HZ, rate_warning
from edge.audio.channel_choice import ChannelChoice
from edge.audio.mixdown import AUTO, Channel
from edge.audio.pcm import decode
from edge.audio.pcm_checks import MIN_FLOAT_PEAK, checked_peak
from edge.audio.pcm_format import FLOAT, PcmFormat
from edge.audio.resample import Resampler
from edge.audio.wav_format import WavFormat
from edge.audio.wrong_format import WrongFormat
from edge.errors import AudioFileError
from edge.sources.four_bytes import FourBytes

__all__ = ["PipeSamples"]

#: Seconds of floats that nobody hears, after which they are refused.
_UNHEARD_S = 1.0


class PipeSamples:
    """Mono samples of a pipe; no cut of the bytes changes them.

    Parameters
    ----------
    found : WavFormat
        What the samples are.
    sample_rate : int
        Rate of the samples to give, in Hz.
    name : str
        What errors and warnings call the pipe.
    is_raw : bool
        Whether a person said what the samples are, not a header.
    channel : int or str
        As of :class:`edge.audio.channel_choice.ChannelChoice`.
    gain_db : float
        By how much the sound is made louder.
    warn : callable
        Takes a sentence on what was odd but not fatal.

    Raises
    ------
    AudioFileError
        If there is no such channel.
    ParameterError
        If the two rates are too far apart.
    """

    def __init__(
        self,
        found: WavFormat,
        sample_rate: int,
        name: str,
        *,
        is_raw: bool = False,
        channel: Channel = AUTO,
        gain_db: float = 0.0,
        warn: Callable[[str], None],
    ) -> None:
        self._found, self._name, self._warn = found, name, warn
        self._choice = ChannelChoice(found.n_channels, found.sample_rate, channel, name)
        self._factor = np.float32(10.0 ** (gain_db / 20.0))
        self._resampler = Resampler(found.sample_rate, sample_rate)
        self._rest = b""
        self._n_pcm_frames = self._n_unheard = 0
        self._largest = 0.0
        self._is_told = self._choice.is_settled
        #: The channel that was picked, to be told.
        self.picked: int | None = None
        self._four_bytes = None if is_raw else FourBytes(found, name, warn)
        self._wrong = WrongFormat(found.form, found.n_channels, has_header=not is_raw)
        narrow = rate_warning(found.sample_rate)
        if narrow is not None and found.sample_rate < METERED_HZ:
            # The stream hears the others.
            warn(f"{name}: {narrow}")

    @property
    def bytes_per_s(self) -> int:
        """Bytes of a second of sound."""
        return self._found.bytes_per_s

    def push(self, data: bytes) -> NDArray[np.float32]:
        """Take the next bytes and give the samples that can be computed by now.

        Raises
        ------
        AudioFileError
            If they hold NaN, infinity or sound of other units.
        """
        data = self._rest + data
        n_whole = len(data) // self._found.pcm_frame_bytes * self._found.pcm_frame_bytes
        self._rest = data[n_whole:]
        raw = data[:n_whole]
        said = self._wrong.push(raw)
        if said is not None:
            self._warn(f"{self._name}: {said}")
        pieces = [(self._found.form, raw)]
        if self._four_bytes is not None:
            pieces = self._four_bytes.push(raw)
        return _joined([self._convert(piece, form) for form, piece in pieces])

    def begin_anew(self) -> None:
        """Drop half a PCM frame: the next bytes begin with a whole one."""
        self._rest = b""

    def finish(self) -> NDArray[np.float32]:
        """End the pipe: what waited for more to come.

        Raises
        ------
        AudioFileError
            As :meth:`push`.
        """
        pieces = self._four_bytes.flush() if self._four_bytes is not None else []
        parts = [self._convert(piece, form) for form, piece in pieces]
        self._choice.finish()
        self._tell_choice()
        if self._found.form.tag == FLOAT:
            self._check_heard()
        if self._rest:
            what = "half a sample" if self._found.n_channels == 1 else "half a PCM frame"
            n_rest = len(self._rest)
            which = "byte was" if n_rest == 1 else f"{n_rest} bytes were"
            self._warn(f"{self._name} ended with {what}: its last {which} left out")
        return _joined([*parts, self._resampler.flush()])

    def _convert(self, raw: bytes, form: PcmFormat) -> NDArray[np.float32]:
        values = decode(raw, form).reshape(-1, self._found.n_channels)
        if form.tag == FLOAT and len(values):
            values = np.clip(self._checked(values, raw), -1.0, 1.0)
        self._n_pcm_frames += len(values)
        mono = self._choice.push(values)
        if self._choice.is_settled:
            self._tell_choice()
        return self._resampler.push(mono if self._factor == 1 else mono * self._factor)

    def _tell_choice(self) -> None:
        if self._is_told:
            return
        self._is_told, self.picked = True, self._choice.picked
        if self._choice.warning is not None:
            self._warn(f"{self._name}: {self._choice.warning}")

    def _checked(self, values: NDArray[np.floating], raw: bytes) -> NDArray[np.floating]:
        """Refuse floats that are no sound."""
        try:
            peak = checked_peak(values, self._name, self._n_pcm_frames, self._found.sample_rate)
        except AudioFileError as error:
            hint = self._wrong.look(raw)
            if hint is None:
                raise
            raise AudioFileError(f"{error}; {hint}") from None
        self._largest = max(self._largest, peak)
        if 0 < self._largest < MIN_FLOAT_PEAK:
            self._n_unheard += len(values)
            if self._n_unheard > _UNHEARD_S * self._found.sample_rate:
                self._check_heard()
        return values

    def _check_heard(self) -> None:
        if 0 < self._largest < MIN_FLOAT_PEAK:
            raise AudioFileError(
                f"{self._name} has float samples up to {self._largest:g}, which nobody hears: they "
                "were written as whole numbers, say so with --format s32le or s16le"
            )


def _joined(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)
