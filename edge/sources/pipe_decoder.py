"""The bytes of a pipe, whatever they are: raw samples, WAV, or what is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edge.audio.mixdown import AUTO, Channel
from edge.audio.pcm_format import MOST_CHANNELS
from edge.audio.rates import RANGE_HZ, is_recorders
from edge.audio.raw_formats import DEFAULT_FORMAT, RAW_FORMATS, canonical_format
from edge.audio.wav_format import WavFormat
from edge.audio.wav_pipe import WavPart, WavPipe
from edge.errors import AudioFileError, ParameterError, shown
from edge.sources.container_marks import RAW, WAV, pipe_kind
from edge.sources.pipe_refusal import refusal, through_ffmpeg
from edge.sources.pipe_samples import PipeSamples

__all__ = ["PipeDecoder", "RawSettings"]


@dataclasses.dataclass(frozen=True, slots=True)
class RawSettings:
    """What samples without a header are; None is the default of each.

    Parameters
    ----------
    input_format : str or None
        A name of :data:`edge.audio.raw_formats.RAW_FORMATS`, or arecord's; None: ``s16le``.
    input_rate : int or None
        In Hz; None: the model's.
    n_channels : int or None
        None: 1.

    Raises
    ------
    ParameterError
        If one cannot be used.
    """

    input_format: str | None = None
    input_rate: int | None = None
    n_channels: int | None = None

    def __post_init__(self) -> None:
        if self.input_format is not None:
            canonical_format(self.input_format)
        if self.input_rate is not None and not is_recorders(self.input_rate):
            raise ParameterError(
                f"the rate of raw samples is {shown(self.input_rate)} Hz, {RANGE_HZ} are wanted"
            )
        if self.n_channels is not None and not 1 <= self.n_channels <= MOST_CHANNELS:
            raise ParameterError(
                f"raw samples have {shown(self.n_channels)} channels, 1 to {MOST_CHANNELS} are "
                "wanted"
            )

    @property
    def name(self) -> str:
        """The format's name."""
        return canonical_format(self.input_format or DEFAULT_FORMAT)

    def found(self, sample_rate: int) -> WavFormat:
        """Give what the samples are, at the model's rate in Hz where nothing else is said."""
        form = RAW_FORMATS[self.name]
        return WavFormat(form, self.n_channels or 1, self.input_rate or sample_rate, ())


class PipeDecoder:
    """Takes bytes and gives mono samples at the model's rate; no cut of the bytes changes them.

    Parameters
    ----------
    sample_rate : int
        Rate of the samples to give, in Hz.
    name : str
        What errors and warnings call the pipe.
    raw : RawSettings
        What the samples are where no header says so.
    channel : int or str
        As of :class:`edge.audio.channel_choice.ChannelChoice`.
    gain_db : float
        By how much the sound is made louder.
    warn : callable
        Takes a sentence on what was odd but not fatal.
    """

    def __init__(
        self,
        sample_rate: int,
        name: str,
        raw: RawSettings,
        *,
        channel: Channel = AUTO,
        gain_db: float = 0.0,
        warn: Callable[[str], None],
    ) -> None:
        self._sample_rate, self._name, self._raw = sample_rate, name, raw
        self._channel, self._gain_db, self._warn = channel, gain_db, warn
        self._head = b""
        self._kind: str | None = None
        self._wav: WavPipe | None = None
        self._samples: PipeSamples | None = None
        self._found: WavFormat | None = None
        self._stretch = self._n_said = 0

    def push(self, data: bytes) -> NDArray[np.float32]:
        """Take the next bytes and give the samples that can be computed by now.

        Raises
        ------
        AudioFileError
            If they are the beginning of a container, a damaged header, or no sound.
        """
        if self._kind is None:
            # Gathered, not the first read: a pipe may bring a byte at a time.
            self._head += data
            self._begin(pipe_kind(self._head))
            if self._kind is None:
                return np.zeros(0, dtype=np.float32)
            data, self._head = self._head, b""
        return self._decode(data)

    @property
    def bytes_per_s(self) -> int:
        """Bytes of a second of sound; 0 while it is not known."""
        return 0 if self._samples is None else self._samples.bytes_per_s

    def picked(self) -> str | None:
        """Say which of several channels was picked, once."""
        samples = self._samples
        if samples is None or samples.picked is None:
            return None
        channel, samples.picked = samples.picked, None
        return f"{self._name}: channel {channel + 1} is listened to, the loudest"

    def finish(self) -> NDArray[np.float32]:
        """Note the end: the samples that waited for more to come.

        Raises
        ------
        AudioFileError
            As :meth:`push`, or if a header ended before its samples.
        """
        parts = []
        if self._kind is None:
            self._begin(pipe_kind(self._head, is_all=True))
            parts.append(self._decode(self._head))
        if self._wav is not None:
            self._wav.finish()
            self._tell(self._wav)
        if self._samples is not None:
            parts.append(self._samples.finish())
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)

    def _begin(self, kind: str | None) -> None:
        settings = self._raw.found(self._sample_rate)
        described = (self._raw.name, settings.n_channels, settings.sample_rate)
        if kind == RAW:
            self._samples = self._opened(settings, is_raw=True)
        elif kind == WAV:
            mend = f"integer PCM or float is wanted: pipe it through {through_ffmpeg(*described)}"
            self._wav = WavPipe(self._name, mend)
        elif kind is not None:
            raise AudioFileError(refusal(kind, *described))
        self._kind = kind

    def _decode(self, data: bytes) -> NDArray[np.float32]:
        if self._wav is None:
            assert self._samples is not None
            return self._samples.push(data)
        parts = [self._part(part) for part in self._wav.push(data)]
        self._tell(self._wav)
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)

    def _part(self, part: WavPart) -> NDArray[np.float32]:
        """Samples of a data chunk; another format than before ends what was."""
        before = np.zeros(0, dtype=np.float32)
        found = dataclasses.replace(part.found, warnings=())
        if self._samples is None or found != self._found:
            if self._samples is not None:
                before = self._samples.finish()
            self._contradict(found)
            self._samples, self._found = self._opened(found), found
        elif part.stretch != self._stretch:
            self._samples.begin_anew()
        self._stretch = part.stretch
        samples = self._samples.push(part.content)
        return np.concatenate((before, samples)) if before.size else samples

    def _contradict(self, found: WavFormat) -> None:
        """Say where the header and what a person said differ; the header knows better."""
        given = self._raw
        differ = []
        if given.input_format is not None:
            form = RAW_FORMATS[given.name]
            has = (found.form.tag, found.form.width, found.form.container)
            # A header of 32 bits over 24 is arecord's own, and is looked into.
            is_arecords = form.is_low_24 and found.form.container == 4
            if has != (form.tag, form.width, form.container) and not is_arecords:
                differ.append(f"--format {given.input_format}")
        if given.input_rate not in (None, found.sample_rate):
            differ.append(f"--rate {given.input_rate}")
        if given.n_channels not in (None, found.n_channels):
            differ.append(f"--channels {given.n_channels}")
        if differ:
            kind = "float" if found.form.tag != 1 else "integer"
            self._warn(
                f"{self._name} has a WAV header, which says {found.sample_rate} Hz, "
                f"{found.n_channels} channel{'s' * (found.n_channels > 1)} of "
                f"{8 * found.form.width}-bit {kind} samples and is obeyed: "
                f"{' and '.join(differ)} {'is' if len(differ) == 1 else 'are'} left out"
            )

    def _opened(self, found: WavFormat, *, is_raw: bool = False) -> PipeSamples:
        return PipeSamples(
            found,
            self._sample_rate,
            self._name,
            is_raw=is_raw,
            channel=self._channel,
            gain_db=self._gain_db,
            warn=self._warn,
        )

    def _tell(self, wav: WavPipe) -> None:
        for sentence in wav.warnings[self._n_said :]:
            self._warn(f"{self._name}: {sentence}")
        self._n_said = len(wav.warnings)
