"""A file that a sink writes to: whether its folder takes one."""

from __future__ import annotations

import contextlib
import errno
import os

from edge.errors import ParameterError, printable
from edge.files import as_path, refuse_mode

__all__ = ["writable_file"]


def writable_file(path: str) -> str:
    """Check that a file can be written there; nothing is opened.

    Raises
    ------
    ParameterError
        If the folder is not there or takes no files, or the name is that of no file or of
        one that may not be written to.
    """
    path = as_path(path, "the file of a sink")
    folder = os.path.dirname(path) or os.curdir
    try:
        if not os.path.isdir(folder):
            raise OSError(errno.ENOENT, f"there is no folder {printable(folder)}")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise OSError(errno.EACCES, f"the folder {printable(folder)} takes no files")
        with contextlib.suppress(FileNotFoundError):
            refuse_mode(os.stat(path).st_mode)
            if not os.access(path, os.W_OK):
                raise OSError(errno.EACCES, "it is there, and you may not write to it")
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise ParameterError(
            f"records cannot be written to {printable(path)}: {reason}; name a file in "
            "a folder that you may write to"
        ) from error
    return path
