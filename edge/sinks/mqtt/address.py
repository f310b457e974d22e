"""Where a broker is and how it is spoken to, from ``mqtt://user:pass@host:port/topic``."""

from __future__ import annotations

import dataclasses
import os
import re
import socket
from collections.abc import Mapping
from urllib.parse import unquote

from edge.errors import ParameterError, printable
from edge.sinks.target import Target

__all__ = ["Address", "address_of"]

#: Of the process, where neither the address nor a file has them.
_USER, _PASSWORD = "EDGE_SER_MQTT_USER", "EDGE_SER_MQTT_PASSWORD"
_PORTS = {"mqtt": 1_883, "mqtts": 8_883}
_OWN = "edge-ser"
_OFF = "off"
#: MQTT allows 65,535 bytes; a topic of ours stands behind it.
_LONGEST, _LARGEST_FILE = 200, 4_096
_SWITCH = {"on": True, _OFF: False}


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """A broker, and under which names it is told of this device.

    Parameters
    ----------
    host : str
    port : int
    topic : str
        What all topics of this device begin with.
    node : str
        Name of this device: letters, digits, ``-`` and ``_``.
    name : str
        The same for a person.
    client_id : str
        The broker closes a connection when another one comes with the same.
    user, password : str or None
    is_encrypted : bool
    ca_file : str or None
        Certificates to trust in place of the system's.
    discovery : str or None
        Prefix of Home Assistant's topics; None: it is told nothing.
    sends_records : bool
        Whether every record is sent as well.
    """

    host: str
    port: int
    topic: str
    node: str
    name: str
    client_id: str
    user: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    is_encrypted: bool = False
    ca_file: str | None = None
    discovery: str | None = "homeassistant"
    sends_records: bool = True

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return printable(f"{host}:{self.port}")


def address_of(target: Target, environment: Mapping[str, str] | None = None) -> Address:
    """Read the address and options of a target ``mqtt`` or ``mqtts``.

    Parameters
    ----------
    target : Target
    environment : mapping, optional
        Where ``EDGE_SER_MQTT_USER`` and ``EDGE_SER_MQTT_PASSWORD`` may be; None: the process's.

    Raises
    ------
    ParameterError
        If it cannot be used, or the file of the password cannot be read.
    """
    environment = os.environ if environment is None else environment
    if not target.address.startswith("//"):
        raise _wrong(target, "has no host")
    front, _, path = target.address[2:].partition("/")
    login, at, place = front.rpartition("@")
    host, port = _place(target, place)
    if "@" in path:
        # Nothing is shown of it: it may be the rest of a password with a slash.
        raise _wrong(target, "has an @ behind a slash")
    topic = _topic("topic", unquote(path.rstrip("/"), errors="surrogateescape"))
    node = _node(target.option("node", "") or topic.removeprefix(f"{_OWN}/"))
    user, password = _login(target, login if at else "", environment)
    is_encrypted = target.kind == "mqtts"
    ca_file = target.option("ca_file", "") or None
    if ca_file is not None and not is_encrypted:
        raise ParameterError("ca_file is for a connection that is encrypted: mqtts:// is wanted")
    discovery = _topic("discovery", target.option("discovery", "homeassistant"))
    return Address(
        host,
        port,
        topic or f"{_OWN}/{node}",
        node,
        _name("name", target.option("name", "")) or f"{_OWN} {node}",
        _name("client_id", target.option("client_id", "")) or f"{_OWN}-{node}",
        user,
        password,
        is_encrypted,
        ca_file,
        None if discovery == _OFF else discovery or "homeassistant",
        _switch("records", target.option("records", "on")),
    )


def _wrong(target: Target, what: str) -> ParameterError:
    # Not as it was written: a password may stand where none belongs.
    return ParameterError(
        f"the address of {target.kind} {what}, {target.kind}://USER@HOST:PORT/TOPIC is wanted, "
        "with / @ : ? and % of a password written as %2F %40 %3A %3F %25"
    )


def _place(target: Target, place: str) -> tuple[str, int]:
    match = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%]+)\]|([^:\[\]]*))(?::([0-9]{1,5}))?", place)
    if match is None:
        raise _wrong(target, "is none")
    host = match[1] or unquote(match[2] or "")
    port = int(match[3]) if match[3] else _PORTS[target.kind]
    if not host:
        raise _wrong(target, "has no host")
    try:
        # What a resolver would do with it, and fails at in ways of its own.
        host.encode("idna")
    except UnicodeError:
        raise _wrong(target, "has a host that cannot be one") from None
    if printable(host) != host or re.search(r"\s", host):
        raise _wrong(target, "has a host that cannot be one")
    if not 1 <= port <= 65_535:
        raise _wrong(target, f"has the port {port}")
    return host, port


def _login(
    target: Target, login: str, environment: Mapping[str, str]
) -> tuple[str | None, str | None]:
    """Give user and password: of the address, else of the options, else of the environment."""
    user, colon, secret = login.partition(":")
    user = unquote(user) or target.option("user", "") or environment.get(_USER, "")
    path = target.option("password_file", "")
    if colon and path:
        raise ParameterError(
            "the password is both in the address and in password_file, one of them is wanted"
        )
    password: str | None = environment.get(_PASSWORD) or None
    if colon:
        password = unquote(secret)
    elif path:
        password = _read_password(path)
    if not all(map(_can_be_sent, (user, password or ""))):
        raise _wrong(target, "has a user or a password that no broker can have")
    if password is not None and not user:
        raise ParameterError(
            f"there is a password and no user, and a broker wants both: {target.kind}://USER@HOST, "
            f"user=USER behind ? or {_USER} in the environment is wanted"
        )
    return user or None, password


def _can_be_sent(text: str) -> bool:
    try:
        return "\0" not in text and len(text.encode("utf-8")) <= _LARGEST_FILE
    except UnicodeEncodeError:
        return False


def _read_password(path: str) -> str:
    wanted = "a file with the password in its first line is wanted"
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or "it cannot be a file's name"
        raise ParameterError(
            f"password_file {printable(path)[:200]} cannot be read ({words}), {wanted}"
        ) from error
    try:
        password = content.split(b"\n", 1)[0].decode("utf-8").rstrip("\r")
    except UnicodeDecodeError:
        password = ""
    if not password or len(content) > _LARGEST_FILE:
        raise ParameterError(f"password_file {printable(path)[:200]} holds none, {wanted}")
    return password


def _topic(name: str, text: str) -> str:
    topic = text.strip("/")
    is_plain = printable(topic) == topic and not re.search(r"[+#]", topic)
    if not is_plain or topic.startswith("$") or len(topic.encode("utf-8", "replace")) > _LONGEST:
        raise ParameterError(
            f"{name} is {printable(text)[:60]!r}, a topic without + and # of at most {_LONGEST} "
            "bytes that does not begin with $ is wanted"
        )
    return topic


def _node(text: str) -> str:
    """Give what may be part of a topic of Home Assistant: of the option, topic or machine."""
    for one in (text, socket.gethostname(), "device"):
        node = re.sub(r"[^A-Za-z0-9_-]+", "-", one).strip("-")[:64]
        if node:
            return node
    raise AssertionError


def _name(name: str, text: str) -> str:
    if printable(text) != text or len(text.encode("utf-8", "replace")) > _LONGEST:
        raise ParameterError(
            f"{name} is {printable(text)[:60]!r}, one line of at most {_LONGEST} bytes is wanted"
        )
    return text


def _switch(name: str, text: str) -> bool:
    if text not in _SWITCH:
        raise ParameterError(f"{name} is {printable(text)[:40]!r}, on or off is wanted")
    return _SWITCH[text]
