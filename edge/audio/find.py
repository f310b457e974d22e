"""Find audio files among files and folders, and say what was passed over."""

from __future__ import annotations

import collections
import dataclasses
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from edge.audio.suffixes import AUDIO_SUFFIXES, UNREADABLE_SUFFIXES
from edge.errors import AudioFileError, EdgeSerError, ParameterError, how_many, shown
from edge.files import as_path

__all__ = ["FoundFiles", "find_audio_files", "search"]

PathLike = str | os.PathLike[str]

#: What a file without a suffix is counted as.
_BARE = "no suffix"
_PIPE = "no regular file"
#: Kinds that a sentence names.
_N_NAMED = 6


@dataclasses.dataclass(slots=True)
class FoundFiles:
    """What a search came to.

    Parameters
    ----------
    files : list of Path
        In the order of the paths, each folder's sorted; each file once.
    passed_over : Counter
        How many files of other kinds lie in the folders, by suffix.
    problems : list of EdgeSerError
        What could not be searched.
    """

    files: list[Path] = dataclasses.field(default_factory=list)
    passed_over: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    problems: list[EdgeSerError] = dataclasses.field(default_factory=list)

    def sentence(self) -> str | None:
        """Say what was passed over; None where nothing was."""
        if not self.passed_over:
            return None
        counts = self.passed_over.most_common()
        parts = [f"{n} {suffix}" for suffix, n in counts[:_N_NAMED]]
        n_rest = sum(n for _, n in counts[_N_NAMED:])
        if n_rest:
            parts.append(how_many(n_rest, "other"))
        total = sum(self.passed_over.values())
        sentence = f"{how_many(total, 'file')} passed over: {', '.join(parts)}"
        if any(suffix in UNREADABLE_SUFFIXES for suffix in self.passed_over):
            sentence += "; name one to hear how its kind is converted"
        return sentence


def search(paths: Iterable[PathLike] | PathLike) -> FoundFiles:
    """Look for audio files.

    Parameters
    ----------
    paths : paths
        What is not a folder is kept whatever its name, even when it is missing:
        reading it then gives the error. Folders are searched to any depth, links to
        folders followed once, for the suffixes of audio; hidden files and folders are
        skipped.

    Raises
    ------
    ParameterError
        If they are no paths at all, or one of them is none.
    """
    if isinstance(paths, str | bytes | os.PathLike):
        paths = [paths]
    try:
        # Asked and not told by its type: an array without dimensions is no sequence.
        each = iter(paths)
    except TypeError as error:
        wanted = "names of files and folders are wanted"
        raise ParameterError(f"paths is {shown(paths)}, {wanted}") from error
    found = FoundFiles()
    files: dict[Path, None] = {}
    for given in each:
        if not isinstance(given, str | bytes | os.PathLike):
            # A slip in a program, and maybe one of a million: not a file that is missing.
            as_path(given)
        try:
            path = Path(as_path(given))
        except ParameterError as error:
            found.problems.append(error)
            continue
        if not _is_folder(path):
            files[path] = None
            continue
        n_problems = len(found.problems)
        inside = sorted(_inside(path, found))
        if not inside and len(found.problems) == n_problems:
            said = found.sentence()
            found.problems.append(
                AudioFileError(
                    f"{path} holds no audio file: none ends in {' '.join(sorted(AUDIO_SUFFIXES))}"
                    + (f" ({said})" if said else "")
                )
            )
        files.update(dict.fromkeys(inside))
    found.files = list(files)
    return found


def find_audio_files(paths: Iterable[PathLike] | PathLike) -> list[Path]:
    """Audio files among files and folders, as :func:`search` finds them.

    Raises
    ------
    AudioFileError
        If a folder holds no audio file or may not be read.
    """
    found = search(paths)
    if found.problems:
        raise found.problems[0]
    return found.files


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (OSError, ValueError):
        # Reading it says what is wrong.
        return False


def _inside(folder: Path, found: FoundFiles) -> Iterator[Path]:
    def note(error: OSError) -> None:
        found.problems.append(
            AudioFileError(f"the folder {error.filename} cannot be searched: {error.strerror}")
        )

    seen: set[tuple[int, int]] = set()
    _is_new(os.fspath(folder), seen)
    for root, folders, names in os.walk(folder, onerror=note, followlinks=True):
        # A link back to where the search came from would go round for ever.
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and _is_new(os.path.join(root, name), seen)
        )
        for name in names:
            if name.startswith("."):
                continue
            path = Path(root, name)
            suffix = path.suffix.lower()
            if suffix not in AUDIO_SUFFIXES:
                found.passed_over[suffix or _BARE] += 1
            elif _waits(path):
                found.passed_over[_PIPE] += 1
            else:
                yield path


def _is_new(folder: str, seen: set[tuple[int, int]]) -> bool:
    try:
        status = os.stat(folder)
    except OSError:
        return False
    place = (status.st_dev, status.st_ino)
    is_new = place not in seen
    seen.add(place)
    return is_new


def _waits(path: Path) -> bool:
    """Whether it is a pipe, a socket or a device: nothing that a file is read from."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
