"""One process at a time, as long as the system can tell."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import filelock

__all__ = ["locked"]

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)


@contextlib.contextmanager
def locked(
    path: str | os.PathLike[str], waiting: Callable[[], None] | None = None
) -> Iterator[bool]:
    """Hold a lock file, waiting for whoever holds it; it is let go when the process ends, too.

    Parameters
    ----------
    path : path
        Of the lock file; its folder is made where it is missing.
    waiting : callable, optional
        Called once when another process holds the lock.

    Yields
    ------
    bool
        False where the file system knows no locks: then nobody is kept out.

    Raises
    ------
    OSError
        If the folder cannot be made or takes no file.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path)
    try:
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            if waiting:
                waiting()
            lock.acquire()
        held = True
    except NotImplementedError:
        held = False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        held = False
    try:
        yield held
    finally:
        if held:
            lock.release()
