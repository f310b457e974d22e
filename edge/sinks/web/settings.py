"""Where the page is served, and who may see it."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import re
import stat
from collections.abc import Mapping

from edge.errors import ParameterError, printable
from edge.files import as_path
from edge.sinks.target import Target

__all__ = ["TOKEN_VARIABLE", "WebSettings", "is_loopback", "read_settings"]

#: Holds the token where no file is named.
TOKEN_VARIABLE = "EDGE_SER_WEB_TOKEN"

#: What can be guessed is no token, and what is longer no header takes.
_SHORTEST_TOKEN, _LONGEST_TOKEN = 16, 256
_MAKE_A_TOKEN = (
    '`(umask 077; python3 -c "import secrets; print(secrets.token_urlsafe(24))" > web-token)` '
    "makes one"
)
_FORM = "web:HOST:PORT is wanted, such as web:127.0.0.1:8080"


@dataclasses.dataclass(frozen=True, slots=True)
class WebSettings:
    """What the page is served with.

    Parameters
    ----------
    host : str
        An address, or a name for one.
    port : int
        0: any that is free.
    token : str
        What a reader must know; empty: nothing, on this machine alone.
    history : str
        The file of a sink ``sqlite:FILE``; empty: that of this run, if there is one.
    is_token_open : bool
        Whether other users of this machine may read the token's file.
    """

    host: str
    port: int
    token: str = dataclasses.field(default="", repr=False)
    history: str = ""
    is_token_open: bool = False

    @property
    def is_local(self) -> bool:
        """Whether no other machine can ask."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether an address or a name is this machine's own, by what it is called."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_settings(target: Target, environment: Mapping[str, str] | None = None) -> WebSettings:
    """Read what a person asked for.

    Parameters
    ----------
    target : Target
        ``web:HOST:PORT?token_file=FILE&history=FILE``.
    environment : mapping, optional
        None: that of the process.

    Raises
    ------
    ParameterError
        If the address is none, other machines could ask and there is no token, or the token
        cannot be read or is too short.
    """
    environment = os.environ if environment is None else environment
    host, port = _read_address(target.address)
    path = target.option("token_file", "")
    token, is_open = "", False
    if "token_file" in target.options:
        token, is_open = _read_token_file(path)
    elif environment.get(TOKEN_VARIABLE):
        token = _checked_token(environment[TOKEN_VARIABLE], f"the variable {TOKEN_VARIABLE}")
    history = target.option("history", "")
    if "history" in target.options:
        history = as_path(history, "history")
    settings = WebSettings(host, port, token, history, is_open)
    if not settings.token and not settings.is_local:
        raise ParameterError(
            f"web:{printable(target.address)} can be reached by other machines, and no token is "
            f"given: name a file of one, --to 'web:{printable(target.address)}"
            f"?token_file=web-token', or set {TOKEN_VARIABLE}; {_MAKE_A_TOKEN}"
        )
    return settings


def _read_address(address: str) -> tuple[str, int]:
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\s:/?#@\[\]]+)):([0-9]{1,5})", address)
    if match is None or int(match[3]) > 65_535:
        raise ParameterError(f"the page's address is {printable(address)[:60]!r}, {_FORM}")
    return match[1] or match[2], int(match[3])


def _read_token_file(path: str) -> tuple[str, bool]:
    name = f"the token file {printable(path)[:200]}"
    try:
        with open(as_path(path, "token_file"), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(4 * _LONGEST_TOKEN)
    except OSError as error:
        raise ParameterError(f"{name} cannot be read: {error.strerror}; {_MAKE_A_TOKEN}") from error
    token = _checked_token(content.decode("utf-8", "replace").strip(), name)
    return token, bool(mode & (stat.S_IRGRP | stat.S_IROTH))


def _checked_token(token: str, name: str) -> str:
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ParameterError(
            f"{name} holds what no header can carry, one line of ASCII without spaces is wanted; "
            f"{_MAKE_A_TOKEN}"
        )
    if not _SHORTEST_TOKEN <= len(token) <= _LONGEST_TOKEN:
        raise ParameterError(
            f"{name} holds {len(token)} characters, {_SHORTEST_TOKEN} to {_LONGEST_TOKEN} are "
            f"wanted; {_MAKE_A_TOKEN}"
        )
    return token
