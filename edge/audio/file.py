"""Audio files: read as mono float32, piece by piece or whole, and written."""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from edge.arrays import as_whole
from edge.audio.channels import ChannelPicker
from edge.audio.other import SoundfileSamples, kind_of, refuse
from edge.audio.suffixes import READABLE_SUFFIXES
from edge.audio.wav import WavSamples, is_wav
from edge.audio.wav_codecs import CodedWavError
from edge.errors import AudioFileError, MissingDependencyError, ParameterError, shown
from edge.files import as_path, atomic_path

__all__ = ["AudioReader", "open_audio", "read_audio", "write_wav"]

FloatArray = npt.NDArray[np.float32]
PathLike = str | os.PathLike[str]

_NO_FILE = "is not a regular file, an audio file is wanted"

# Of what write_wav writes: half the field of a PCM frame's bytes, and the field of a file's.
_MOST_WRITTEN_CHANNELS = 32_767
_MOST_WRITTEN_SAMPLES = (2**32 - 64) // 2


class AudioReader:
    """One channel of an audio file, piece by piece; a context manager.

    Made by :func:`open_audio`.

    Attributes
    ----------
    name : str
        Path of the file.
    sample_rate, n_channels : int
    channel : int
        The one that is read, from 0; chosen anew where a file that began with silence is first
        heard.
    warnings : list of str
        What its header says wrong and what was done about it; grows while it is read.
    """

    def __init__(
        self, name: str, samples: WavSamples | SoundfileSamples, close: Callable[[], None]
    ) -> None:
        self.name = name
        self.sample_rate, self.n_channels = samples.sample_rate, samples.n_channels
        self.warnings = samples.warnings
        self._samples, self._close = samples, close
        self._picker = ChannelPicker(self.n_channels, self.sample_rate)
        self.channel = 0
        if self.n_channels > 1:
            self._picker.listen(samples.pcm_frames())
            self._pick()

    def __enter__(self) -> AudioReader:
        """Hand out the reader."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self.close()

    def __repr__(self) -> str:
        return f"<AudioReader {self.name!r}: {self.sample_rate} Hz, channel {self.channel + 1}>"

    def close(self) -> None:
        """Close the file; nothing happens when it is closed already."""
        self._close()

    def pieces(self) -> Iterator[FloatArray]:
        """Read from the beginning, a piece at a time, so that memory does not grow.

        Yields
        ------
        float32 [shape=(n_samples,)]
            In [-1, 1], finite; a new array.

        Raises
        ------
        AudioFileError
            If the file cannot be read to its end, or holds what is no sound.
        """
        try:
            for frames in self._samples.pcm_frames():
                if self.n_channels > 1 and not self._picker.has_heard:
                    # All was silence so far: whoever speaks first is in time.
                    self._picker.push(frames)
                    self._pick()
                # Float overs are clipped.
                yield np.clip(frames[:, self.channel], -1.0, 1.0)
        except OSError as error:
            raise AudioFileError(f"{self.name} cannot be read: {error.strerror}") from error

    def _pick(self) -> None:
        self.channel = self._picker.picked
        if self._picker.warning is not None:
            self.warnings.append(self._picker.warning)


def open_audio(path: PathLike) -> AudioReader:
    """Open an audio file and choose the channel to read.

    WAV needs the standard library alone; FLAC, OGG and others need soundfile.

    Parameters
    ----------
    path : path
        A regular file. Its first bytes decide how it is read, not its suffix.

    Raises
    ------
    AudioFileError
        If the file is missing, not readable, empty, without samples, not audio, in a codec
        that is not supported, or holds NaN or infinity where the channel is chosen.
    MissingDependencyError
        If the file is not WAV and soundfile is not installed.
    """
    name = as_path(path)
    if not name:
        raise AudioFileError("the path is empty, an audio file is wanted")
    stream, n_bytes = _open_file(name)
    try:
        head = stream.read(64)
        if is_wav(head):
            try:
                return AudioReader(name, WavSamples(stream, n_bytes, name), stream.close)
            except CodedWavError as error:
                reader = _decoded(name, error)
        else:
            is_audio = kind_of(head) is not None or Path(name).suffix.lower() in READABLE_SUFFIXES
            if not is_audio:
                refuse(name, head)
            other = SoundfileSamples(name, head)
            reader = AudioReader(name, other, other.close)
    except OSError as error:
        stream.close()
        raise AudioFileError(f"{name} cannot be read: {error.strerror}") from error
    except BaseException:
        stream.close()
        raise
    stream.close()
    return reader


def read_audio(path: PathLike, warn: Callable[[str], None] | None = None) -> tuple[FloatArray, int]:
    """Read a whole audio file, its loudest channel.

    Parameters
    ----------
    path : path
        As for :func:`open_audio`.
    warn : callable, optional
        Takes a sentence on what was odd but not fatal.

    Returns
    -------
    samples : float32 [shape=(n_samples,)]
        In [-1, 1], at least one sample, finite.
    sample_rate : int
        The file's own, in Hz.

    Raises
    ------
    AudioFileError, MissingDependencyError
        As :func:`open_audio` and :meth:`AudioReader.pieces`.
    """
    with open_audio(path) as reader:
        samples = np.concatenate(list(reader.pieces()))
        if warn is not None:
            for sentence in reader.warnings:
                warn(sentence)
        return samples, reader.sample_rate


def _open_file(name: str) -> tuple[BinaryIO, int]:
    """Open a regular file and nothing else: a pipe would wait for somebody to write."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(name, flags)
    except FileNotFoundError as error:
        raise AudioFileError(f"{name} does not exist: check the path") from error
    except PermissionError as error:
        raise AudioFileError(f"{name} may not be read: check its permissions") from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENXIO:
            raise AudioFileError(f"{name} {_NO_FILE}") from error
        raise AudioFileError(f"{name!r} cannot be read: {error}") from error
    status = os.fstat(descriptor)
    what = None
    if stat.S_ISDIR(status.st_mode):
        what = "is a folder, an audio file is wanted"
    elif not stat.S_ISREG(status.st_mode):
        what = _NO_FILE
    elif status.st_size == 0:
        what = "is empty (0 bytes), an audio file is wanted"
    if what is not None:
        os.close(descriptor)
        raise AudioFileError(f"{name} {what}")
    return open(descriptor, "rb"), status.st_size


def _decoded(name: str, error: CodedWavError) -> AudioReader:
    """Open a coded WAV file with soundfile, or say how it is converted."""
    try:
        samples = SoundfileSamples(name, b"")
    except AudioFileError:
        raise AudioFileError(str(error)) from error
    except MissingDependencyError as missing:
        more = ""
        if error.is_decodable:
            # soundfile is there, but not the library that it opens.
            has_no_library = isinstance(missing.__cause__, OSError)
            mend = "sudo apt-get install libsndfile1" if has_no_library else "pip install soundfile"
            more = f", or {mend}: soundfile reads it as it is"
        raise AudioFileError(f"{error}{more}") from error
    return AudioReader(name, samples, samples.close)


def write_wav(path: PathLike, samples: npt.ArrayLike, sample_rate: int) -> None:
    """Write 16-bit PCM, to a temporary name first.

    Parameters
    ----------
    path : path
        Where to; replaced when it exists.
    samples : float [shape=(n_samples,) or (n_samples, n_channels)]
        In [-1, 1]; what is beyond is clipped.
    sample_rate : int
        Samples per second.

    Raises
    ------
    ParameterError
        If samples have other dimensions or are not finite, or the rate is below 1.
    AudioFileError
        If the file cannot be written.
    """
    try:
        values = np.asarray(samples)
        if values.dtype.kind not in "fiu":
            raise TypeError(f"their dtype is {values.dtype}")
        values = values.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError(f"samples are no array of numbers: {shown(error)}") from error
    if values.ndim not in (1, 2) or (values.ndim == 2 and values.shape[1] == 0):
        raise ParameterError(
            f"samples have the shape {values.shape}, (n_samples,) or (n_samples, n_channels) is "
            "wanted"
        )
    if not np.isfinite(values).all():
        raise ParameterError("samples hold NaN or infinity, finite values are wanted")
    n_channels = 1 if values.ndim == 1 else values.shape[1]
    if n_channels > _MOST_WRITTEN_CHANNELS or values.size > _MOST_WRITTEN_SAMPLES:
        raise ParameterError(
            f"samples have the shape {values.shape}, more than a WAV file can hold: "
            f"{_MOST_WRITTEN_CHANNELS} channels and 4 GiB are the most"
        )
    # Bytes a second must fit their field.
    highest = (2**32 - 1) // (2 * n_channels)
    wanted = f"at least 1 and at most {highest} is wanted"
    sample_rate = as_whole(sample_rate, "sample_rate", wanted, 1, highest)
    data = np.clip(np.round(values * 32768.0), -32768, 32767).astype("<i2").tobytes()
    header = struct.pack("<4sI4s4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16)
    header += struct.pack(
        "<HHIIHH", 1, n_channels, sample_rate, sample_rate * n_channels * 2, n_channels * 2, 16
    )
    header += struct.pack("<4sI", b"data", len(data))
    try:
        with atomic_path(path) as temporary, open(temporary, "wb") as stream:
            stream.write(header)
            stream.write(data)
    except (OSError, ValueError) as error:
        if isinstance(error, ParameterError):
            raise
        reason = error.strerror if isinstance(error, OSError) else error
        raise AudioFileError(f"{as_path(path)} cannot be written: {reason}") from error
