"""Whether a sound server behind a socket is alive.

It is asked in its own words, for one that hangs still accepts connections, and PortAudio would
wait for it for ever.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import struct
from pathlib import Path
from typing import Literal

__all__ = ["Address", "Answer", "ask_pipewire", "ask_pulse"]

#: "forbidden": this user may not; "refused": nobody listens any more; "silent": it hangs.
State = Literal["alive", "silent", "refused", "forbidden", "absent"]

#: A socket's path, or host and port.
Address = Path | tuple[str, int]

_COOKIE_BYTES = 256
_VERSION = 32
_AUTH = 8  # PA_COMMAND_AUTH of native-common.h
_HELLO = 1  # PW_CORE_METHOD_HELLO of core.h
_CORE_VERSION = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """How a server answered.

    Parameters
    ----------
    state : str
    pid : int or None
        The process that made the socket, where the system tells.
    """

    state: State
    pid: int | None = None


def ask_pulse(address: Address, timeout_s: float) -> Answer:
    """Ask a server of PulseAudio's protocol whether it lets us in; any answer is a life sign.

    Parameters
    ----------
    address : Address
    timeout_s : float
    """
    cookie = b"x" + struct.pack(">I", _COOKIE_BYTES) + bytes(_COOKIE_BYTES)
    command = b"".join(b"L" + struct.pack(">I", value) for value in (_AUTH, 0, _VERSION)) + cookie
    # Length, channel (none), offset (two words), flags.
    header = struct.pack(">5I", len(command), 0xFFFFFFFF, 0, 0, 0)
    return _ask(address, header + command, timeout_s)


def ask_pipewire(address: Address, timeout_s: float) -> Answer:
    """Say hello to a PipeWire server, which then tells about itself."""
    # A structure (14) of one integer (4), padded to 8 bytes.
    body = struct.pack("<2I", 16, 14) + struct.pack("<2IiI", 4, 4, _CORE_VERSION, 0)
    header = struct.pack("<4I", 0, _HELLO << 24 | len(body), 0, 0)
    return _ask(address, header + body, timeout_s)


def _ask(address: Address, message: bytes, timeout_s: float) -> Answer:
    is_path = isinstance(address, Path)
    where = os.fspath(address) if isinstance(address, Path) else address
    pid = None
    try:
        with socket.socket(socket.AF_UNIX if is_path else socket.AF_INET) as connection:
            connection.settimeout(timeout_s)
            connection.connect(where)
            pid = _peer(connection) if is_path else None
            connection.sendall(message)
            # Also the end of the connection is an answer: something closed it.
            connection.recv(16)
    except OSError as error:
        return Answer(_meaning(error), pid)
    return Answer("alive", pid)


def _meaning(error: OSError) -> State:
    meanings: tuple[tuple[type[OSError], State], ...] = (
        (TimeoutError, "silent"),
        # A queue of connections that nobody takes is full.
        (BlockingIOError, "silent"),
        (PermissionError, "forbidden"),
        (FileNotFoundError, "absent"),
        (ConnectionResetError, "alive"),
    )
    for kind, state in meanings:
        if isinstance(error, kind):
            return state
    return "refused"


def _peer(connection: socket.socket) -> int | None:
    with contextlib.suppress(OSError, AttributeError, struct.error):
        told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        pid, _, _ = struct.unpack("3i", told)
        return int(pid) or None
    return None
