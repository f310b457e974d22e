"""Audio files: find them and read them as mono float32."""

from __future__ import annotations

import codecs
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from edge.arrays import as_whole
from edge.audio.wav import is_wav, read_wav
from edge.errors import AudioFileError, MissingDependencyError, ParameterError, shown
from edge.files import as_path, atomic_path

__all__ = ["AUDIO_SUFFIXES", "find_audio_files", "read_audio", "write_wav"]

FloatArray = npt.NDArray[np.float32]
PathLike = str | os.PathLike[str]

_WAV_SUFFIXES = frozenset({".wav", ".wave"})
#: Suffixes, in lower case, that a folder is searched for.
AUDIO_SUFFIXES = _WAV_SUFFIXES | {
    ".aif", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".w64",
}  # fmt: skip
# First bytes of the kinds that soundfile reads, so that a wrong suffix does no harm.
_OTHER_AUDIO = (b"fLaC", b"OggS", b"FORM", b"caff", b".snd", b"ID3", b"RIFX", b"riff")
_PIECE_SAMPLES = 1 << 18


def read_audio(path: PathLike) -> tuple[FloatArray, int]:
    """Read an audio file, its channels mixed to one by their mean.

    WAV needs the standard library alone; FLAC, OGG and others need soundfile.

    Parameters
    ----------
    path : path
        A regular file. Its first bytes decide how it is read, not its suffix.

    Returns
    -------
    samples : float32 [shape=(n_samples,)]
        In [-1, 1], at least one sample, finite.
    sample_rate : int
        The file's own, in Hz.

    Raises
    ------
    AudioFileError
        If the file is missing, not readable, empty, truncated, without samples,
        not audio, in a codec that is not supported, or holds NaN or infinity.
    MissingDependencyError
        If the file is not WAV and soundfile is not installed.
    """
    name = as_path(path)
    try:
        with open(name, "rb", opener=_open_at_once) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise AudioFileError(f"{name} is not a regular file, an audio file is wanted")
            if status.st_size == 0:
                raise AudioFileError(f"{name} is empty (0 bytes), an audio file is wanted")
            head = stream.read(64)
            if is_wav(head):
                return read_wav(stream, status.st_size, name)
    except FileNotFoundError as error:
        raise AudioFileError(f"{name} does not exist: check the path") from error
    except IsADirectoryError as error:
        raise AudioFileError(f"{name} is a folder, an audio file is wanted") from error
    except PermissionError as error:
        raise AudioFileError(f"{name} may not be read: check its permissions") from error
    except (OSError, ValueError) as error:
        raise AudioFileError(f"{name!r} cannot be read: {error}") from error
    suffix = Path(name).suffix.lower()
    if head.startswith(_OTHER_AUDIO) or suffix in AUDIO_SUFFIXES - _WAV_SUFFIXES:
        return _read_with_soundfile(name)
    _refuse(name, head)


def _open_at_once(name: str, flags: int) -> int:
    """Open without waiting: a named pipe that nobody writes to would hold us for ever."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse(name: str, head: bytes) -> NoReturn:
    try:
        # Incremental, for the last character may be cut in two.
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
        is_text = all(character.isprintable() or character.isspace() for character in text)
    except UnicodeDecodeError:
        is_text = False
    what = "is a text file" if is_text else f"starts with the bytes {head[:4].hex(' ')}"
    raise AudioFileError(f"{name} is not audio: it {what}, a WAV file starts with RIFF")


def _read_with_soundfile(name: str) -> tuple[FloatArray, int]:
    try:
        import soundfile
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} is not a WAV file and soundfile is not installed: pip install soundfile"
        ) from error
    except OSError as error:
        raise MissingDependencyError(
            f"{name} is not a WAV file and soundfile finds no libsndfile: "
            "sudo apt-get install libsndfile1"
        ) from error
    try:
        with soundfile.SoundFile(name) as file:
            sample_rate, n_promised = int(file.samplerate), int(file.frames)
            pieces = [
                piece.mean(axis=1, dtype=np.float64).astype(np.float32)
                for piece in file.blocks(
                    max(1, _PIECE_SAMPLES // file.channels), dtype="float32", always_2d=True
                )
            ]
    except soundfile.SoundFileError as error:
        raise AudioFileError(
            f"{name} cannot be decoded, it is damaged or not audio: {error}"
        ) from error
    samples = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.float32)
    if samples.size == 0:
        raise AudioFileError(f"{name} holds no samples")
    if samples.size < n_promised:
        raise AudioFileError(
            f"{name} is truncated: its header promises {n_promised} samples and {samples.size} "
            "are there; copy or record it again"
        )
    if not np.isfinite(samples).all():
        raise AudioFileError(f"{name} holds NaN or infinity, finite samples are wanted")
    return np.clip(samples, -1.0, 1.0), sample_rate


def find_audio_files(paths: Iterable[PathLike] | PathLike) -> list[Path]:
    """Audio files among files and folders.

    Parameters
    ----------
    paths : paths
        What is not a folder is kept whatever its name, even when it is missing:
        reading it then gives the error. Folders are searched to any depth for
        :data:`AUDIO_SUFFIXES`; hidden files and folders are skipped.

    Returns
    -------
    files : list of Path
        In the order of ``paths``, each folder's sorted; each file once.

    Raises
    ------
    AudioFileError
        If a folder holds no audio file or may not be read.
    """
    if isinstance(paths, str | bytes | os.PathLike):
        paths = [paths]
    if not isinstance(paths, Iterable):
        raise ParameterError(f"paths is {shown(paths)}, names of files and folders are wanted")
    found: dict[Path, None] = {}
    for path in (Path(as_path(one)) for one in paths):
        if not _is_folder(path):
            found[path] = None
            continue
        inside = _files_in(path)
        if not inside:
            raise AudioFileError(
                f"{path} holds no audio file: none ends in {' '.join(sorted(AUDIO_SUFFIXES))}"
            )
        found.update(dict.fromkeys(inside))
    return list(found)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # A name of 300 characters: reading it says so.


def _files_in(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> NoReturn:
        raise AudioFileError(
            f"the folder {error.filename} cannot be searched: {error.strerror}"
        ) from error

    files: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files += [
            Path(root, name)
            for name in names
            if not name.startswith(".") and Path(name).suffix.lower() in AUDIO_SUFFIXES
        ]
    return sorted(files)


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
        values = np.asarray(samples, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError(f"samples are no array of numbers: {shown(error)}") from error
    if values.ndim not in (1, 2) or (values.ndim == 2 and values.shape[1] == 0):
        raise ParameterError(
            f"samples have the shape {values.shape}, (n_samples,) or (n_samples, n_channels) is "
            "wanted"
        )
    if not np.isfinite(values).all():
        raise ParameterError("samples hold NaN or infinity, finite values are wanted")
    sample_rate = as_whole(sample_rate, "sample_rate", "at least 1 is wanted", 1, 2**32 - 1)
    n_channels = 1 if values.ndim == 1 else values.shape[1]
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
