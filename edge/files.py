"""Files that are whole or not there: write beside, then rename.  And reading what may be no file.

Whoever can write to a folder can put links and pipes in it.  What is written here goes to a name
that nobody can guess, made anew and never through a link; what is read is a regular file and no
more of it than was asked for.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from edge.errors import ParameterError, shown

__all__ = [
    "as_path",
    "atomic_path",
    "create",
    "exchange_folders",
    "hold_open_file",
    "not_a_file",
    "read_file",
    "refuse_mode",
    "sync_file",
    "sync_folder",
    "temporary_sibling",
]

# Windows has neither of these, and a mode for text.
_NEW = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0)
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_PIECE_BYTES = 1 << 20


def as_path(path: str | bytes | os.PathLike[str], name: str = "path") -> str:
    """Check that something names a file or a folder.

    Parameters
    ----------
    path : str, bytes or os.PathLike
        What a caller gave.
    name : str
        What to call it in an error.

    Raises
    ------
    ParameterError
        If it is something else, or empty: that would be the current folder.
    """
    try:
        text = os.fsdecode(path)
    except (TypeError, UnicodeError) as error:
        raise ParameterError(
            f"{name} is {shown(path)}, the name of a file or folder is wanted"
        ) from error
    if not text:
        raise ParameterError(f"{name} is empty, the name of a file or folder is wanted")
    return text


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a new, empty temporary file that replaces ``path`` when the block succeeds.

    When it does not, nothing is left behind and ``path`` is as it was.  The content is on the
    disk before it has the name.

    Raises
    ------
    OSError
        If the folder takes no file, or ``path`` names what is none: a folder, a device, a pipe.
        Those would be replaced, too.
    """
    target = Path(as_path(path))
    _refuse_what_is_no_file(target)
    temporary = temporary_sibling(target)
    # Not tempfile: its files are private, this one follows the umask like any other.
    create(temporary)
    try:
        yield temporary
        sync_file(temporary)
        os.replace(temporary, target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    sync_folder(target.parent)


def temporary_sibling(target: Path) -> Path:
    """Name a hidden neighbour of ``target`` that is not there and cannot be guessed.

    It does not hold the target's name, which may be as long as a name can be.
    """
    return target.parent / f".{os.urandom(8).hex()}.tmp"


def create(path: Path, content: bytes = b"") -> None:
    """Write a new file through to the disk.

    Raises
    ------
    OSError
        If anything has its name already, a link to nowhere among it; or as for any file.
    """
    with _bare_names():
        descriptor = os.open(path, _NEW | _BINARY, 0o666)
    with open(descriptor, "wb") as file:
        if content:
            file.write(content)
            file.flush()
            os.fsync(descriptor)


def read_file(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    """Read a regular file, or a link to one, of at most ``max_bytes``.

    Returns
    -------
    bytes
        The whole file; one byte more than ``max_bytes`` where it is longer.

    Raises
    ------
    OSError
        If it is a pipe, a device, a folder or a socket, or as for any file.  ``strerror`` ends a
        sentence that begins with the file.
    """
    with _bare_names():
        # Asked before it is opened: opening alone can rewind a tape or start a watchdog.
        refuse_mode(os.stat(path).st_mode, path)
        descriptor = os.open(path, _READ | _BINARY)
    try:
        # And after, of what is really open.
        refuse_mode(os.fstat(descriptor).st_mode, path)
        pieces, left = [], max_bytes + 1
        while left:
            piece = os.read(descriptor, min(left, _PIECE_BYTES))
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
        return b"".join(pieces)
    finally:
        os.close(descriptor)


def not_a_file(mode: int) -> str:
    """Say in words what ``st_mode`` tells of, where that is no regular file."""
    for is_kind, words in (
        (stat.S_ISDIR, "it is a folder"),
        (stat.S_ISFIFO, "it is a named pipe"),
        (stat.S_ISSOCK, "it is a socket"),
        (stat.S_ISCHR, "it is a device"),
        (stat.S_ISBLK, "it is a device"),
    ):
        if is_kind(mode):
            return words
    return "it is no regular file"


def exchange_folders(one: Path, other: Path) -> bool:
    """Swap the names of two folders of one file system, at once.

    Returns
    -------
    bool
        False, and nothing happened, where the system or its file system cannot.

    Raises
    ------
    OSError
        If it can and refuses.
    """
    names = (os.fsencode(one), os.fsencode(other))
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            failed = library.renamex_np(*names, _RENAME_SWAP)
        else:
            failed = library.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    except (OSError, AttributeError, TypeError):
        # No such function, or no C library to ask: an old Linux, Windows.
        return False
    if not failed:
        return True
    number = ctypes.get_errno()
    if number in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EXDEV):
        return False
    raise OSError(number, os.strerror(number), str(other))


_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h
_RENAME_SWAP = 2  # sys/stdio.h of macOS


def sync_folder(path: Path) -> None:
    """Write a folder's names through to the disk, where its file system can."""
    # Windows cannot open a folder; some file systems cannot sync one.
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_file(path: Path) -> None:
    """Write a file's content through to the disk; a link is refused."""
    # Windows syncs only what may be written to; elsewhere a read-only file is as good.
    access = os.O_RDWR if os.name == "nt" else os.O_RDONLY
    descriptor = os.open(path, access | getattr(os, "O_NOFOLLOW", 0) | _BINARY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_what_is_no_file(target: Path) -> None:
    with _bare_names():
        try:
            mode = os.stat(target).st_mode
        except FileNotFoundError:
            return
        refuse_mode(mode, target)


def refuse_mode(mode: int, path: str | os.PathLike[str] | None = None) -> None:
    """Refuse what is no regular file.

    Parameters
    ----------
    mode : int
        Of what :func:`os.stat` says.
    path : path, optional
        For the error.

    Raises
    ------
    OSError
        Whose ``strerror`` ends a sentence that begins with the file.
    """
    if not stat.S_ISREG(mode):
        number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(number, not_a_file(mode), None if path is None else os.fspath(path))


@contextlib.contextmanager
def _bare_names() -> Iterator[None]:
    """Raise an OSError for names that Python does not even show to the system."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise OSError(errno.EINVAL, "its name holds what no file name can") from error
    except ValueError as error:
        raise OSError(errno.EINVAL, "its name holds a zero byte") from error


def hold_open_file(descriptor: int) -> None:
    """Keep other processes of ours from an open file, until it is closed or the process ends.

    Where the file system knows no locks, or on Windows, nobody is kept out.

    Raises
    ------
    BlockingIOError
        If another process holds it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some file systems know no locks; some say of a held one that it may not be touched.
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise BlockingIOError(error.errno, "another process holds it") from error
