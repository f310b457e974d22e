"""A person's TOML file, read with a bound on everything."""

from __future__ import annotations

import os
import sys
from typing import Any

from edge.errors import ParameterError, printable
from edge.files import read_file

__all__ = ["ConfigurationError", "read_toml"]

#: A file that sets every option twice has 4 kB.  The parser's time grows with the square of the
#: brackets in a row.
_MAX_BYTES = 32_768


class ConfigurationError(ParameterError):
    """A configuration file cannot be used."""


def read_toml(path: str) -> dict[str, Any]:
    """Give the tables of a file.

    Parameters
    ----------
    path : str
        A regular file, or ``/dev/null``, which is empty.

    Raises
    ------
    ConfigurationError
        If it cannot be read, is too large, no UTF-8 text or no TOML.
    FileNotFoundError
        If there is none.
    """
    if path == os.devnull:
        return {}
    name = printable(path)
    try:
        content = read_file(path, _MAX_BYTES)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigurationError(
            f"the configuration file {name} cannot be read: {error.strerror}; a TOML file that you "
            f"may read is wanted ({os.devnull} for none)"
        ) from error
    if len(content) > _MAX_BYTES:
        raise ConfigurationError(
            f"the configuration file {name} has more than {_MAX_BYTES} bytes, which no list of "
            "options needs: is it another file?"
        )
    # Editors of other systems begin a file with a mark; TOML knows none.
    content = content.removeprefix(b"\xef\xbb\xbf")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        n_line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            f"the configuration file {name} is no UTF-8 text (line {n_line}): save it as UTF-8"
        ) from error
    return _parse(name, text)


def _parse(name: str, text: str) -> dict[str, Any]:
    # Here: most runs have no file, and a board pays for every import.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # A number of 5000 digits is a ValueError as well; brackets may nest too deeply.
        reason = printable(str(error)) or "brackets nest too deeply"
        raise ConfigurationError(
            f"the configuration file {name} is no TOML: {reason[:200]}; a line is like "
            'device = "USB", text in quotes'
        ) from error
