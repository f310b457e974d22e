"""Audio files that are not WAV: told by their first bytes, read by soundfile where it can."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from edge.audio.convert import conversion
from edge.audio.marks import marked
from edge.audio.rates import RANGE_HZ, is_recorders
from edge.errors import AudioFileError, MissingDependencyError

__all__ = ["SoundfileSamples", "kind_of", "refuse"]

Floats = npt.NDArray[np.float32]

#: What soundfile is asked to read.
_READABLE = frozenset({"FLAC", "Ogg", "AIFF", "CAF", "AU", "RIFX", "Wave64", "SPHERE", "MP3"})
_PIECE_SAMPLES = 1 << 16
_MOST_CHANNELS = 256
#: libsndfile's number for "File does not exist or is not a regular file".
_NO_FILE = 7


def kind_of(head: bytes) -> str | None:
    """Name what a file is by its first bytes; None where they are not known."""
    for mark in marked(head):
        if mark.kind is not None:
            return mark.kind
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        # MPEG's frames begin with eleven ones; layer 0 is AAC's.
        return "MP3" if head[1] & 0x06 else "AAC"
    return None


def refuse(name: str, head: bytes) -> NoReturn:
    """Say what a file is that cannot be read.

    Raises
    ------
    AudioFileError
    """
    kind = kind_of(head)
    if kind is not None:
        raise AudioFileError(f"{name} is {kind}, which cannot be read here; {conversion(name)}")
    try:
        # Incremental, for the last character may be cut in two.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
        is_text = all(character.isprintable() or character.isspace() for character in text)
    except UnicodeDecodeError:
        is_text = False
    what = "is a text file" if is_text else f"starts with the bytes {head[:4].hex(' ')}"
    raise AudioFileError(f"{name} is not audio: it {what}, a WAV file starts with RIFF")


class SoundfileSamples:
    """Decoded PCM frames of a file that soundfile reads; a context manager.

    Parameters
    ----------
    name : str
        Path of the file.
    head : bytes
        Its first bytes.

    Raises
    ------
    AudioFileError
        If it is of a kind that soundfile does not read, or damaged.
    MissingDependencyError
        If soundfile is not installed.
    """

    def __init__(self, name: str, head: bytes) -> None:
        kind = kind_of(head)
        if kind is not None and kind not in _READABLE:
            refuse(name, head)
        self._name = name
        self._soundfile = _import_soundfile(name, kind or "no WAV file")
        try:
            self._file: Any = self._soundfile.SoundFile(name)
            self.sample_rate, self.n_channels = int(self._file.samplerate), self._file.channels
            # Headers promise days at times: only what comes is believed.
            self._n_promised = int(self._file.frames)
        except Exception as error:
            # libsndfile's own, and what its wrapper meets in a header of nonsense.
            raise AudioFileError(self._damaged(error)) from error
        if self._file.format == "RAW":
            # Without a header libsndfile goes by the suffix: anything called .au or .snd would be
            # heard as telephone noise.
            self.close()
            refuse(name, head)
        if not is_recorders(self.sample_rate):
            self.close()
            raise AudioFileError(
                f"{name} has a sample rate of {self.sample_rate} Hz, {RANGE_HZ} are wanted: its "
                "header is damaged, or it holds no speech"
            )
        if self.n_channels > _MOST_CHANNELS:
            self.close()
            raise AudioFileError(
                f"{name} has {self.n_channels} channels, {_MOST_CHANNELS} at most are wanted"
            )
        self.warnings: list[str] = []
        self._is_used = False

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def pcm_frames(self) -> Iterator[Floats]:
        """Read from the first PCM frame on, float32 [shape=(n_frames, n_channels)].

        Raises
        ------
        AudioFileError
            If it holds no samples, NaN or infinity.
        """
        n_a_piece = max(1, _PIECE_SAMPLES // self.n_channels)
        n_read = 0
        failure: Exception | None = None
        while True:
            try:
                if n_read == 0 and self._is_used:
                    # Anew, not back to the start: some codecs cannot go back.
                    self._file.close()
                    self._file = self._soundfile.SoundFile(self._name)
                self._is_used = True
                frames = self._file.read(n_a_piece, dtype="float32", always_2d=True)
            except Exception as error:
                failure = error
                break
            if len(frames) == 0:
                break
            n_read += len(frames)
            if not np.isfinite(frames).all():
                raise AudioFileError(
                    f"{self._name} holds NaN or infinity, finite samples are wanted"
                )
            yield frames.astype(np.float32, copy=False)
        if n_read == 0:
            if failure is not None:
                raise AudioFileError(self._damaged(failure)) from failure
            raise AudioFileError(f"{self._name} holds no samples")
        n_missing = self._n_promised - n_read
        if failure is not None or n_missing > 0:
            missing = f", {n_missing / self.sample_rate:.1f} s fewer than its header promises"
            self.warnings.append(
                f"only {n_read / self.sample_rate:.1f} s of sound could be read"
                f"{missing if n_missing > 0 else ''}: it is cut off or damaged"
            )

    def _damaged(self, error: Exception) -> str:
        # Of MP3 that it cannot make out libsndfile says that the file is not there.
        why = "" if getattr(error, "code", None) == _NO_FILE else f": {_reason(error)}"
        return f"{self._name} cannot be decoded, it is damaged or not audio{why}"


def _reason(error: Exception) -> str:
    # The file is named already.
    return str(getattr(error, "error_string", error)).rstrip(".")


def _import_soundfile(name: str, kind: str) -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} is {kind} and needs soundfile, and soundfile is not installed: "
            f"pip install soundfile; or {conversion(name)}"
        ) from error
    except OSError as error:
        raise MissingDependencyError(
            f"{name} is {kind}, and soundfile finds no libsndfile: sudo apt-get install libsndfile1"
        ) from error
    return soundfile
