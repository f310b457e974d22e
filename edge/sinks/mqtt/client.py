"""The connection to a broker: paho-mqtt, and what goes wrong with it in a sentence."""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Sequence
from typing import Any, Protocol

from edge.errors import MissingDependencyError, ParameterError, printable
from edge.sinks.mqtt.address import Address

__all__ = ["Client", "ClientEvents", "PahoClient", "check_paho", "encryption_of"]

#: A broker that is gone is noticed after one and a half of these, and so are we by it.
_KEEP_ALIVE_S = 30
#: Longest wait for an answer while connecting.
_CONNECT_S = 5.0
#: Between attempts: doubled from one to the other.
_LEAST_WAIT_S, _MOST_WAIT_S = 1, 30
#: After a broker that could not be understood.
_BAD_WAIT_S = 10.0


class ClientEvents(Protocol):
    """Is told what happens to a connection, in the thread of that."""

    def connected(self) -> None:
        """Take that the broker is there."""
        ...

    def failed(self, words: str) -> None:
        """Take why an attempt failed."""
        ...

    def lost(self) -> None:
        """Take that the connection ended."""
        ...

    def delivered(self, number: int) -> None:
        """Take that a message has arrived; must wait for nothing."""
        ...

    def message(self, topic: str, payload: bytes) -> None:
        """Take what somebody else sent."""
        ...


class Client(Protocol):
    """What a sink needs of a connection."""

    def start(self) -> None:
        """Connect, now and whenever the connection is lost."""
        ...

    def publish(self, topic: str, payload: str, *, is_kept: bool, is_sure: bool) -> int | None:
        """Send a message; gives its number, None where it was not taken.

        ``is_kept`` leaves it on the broker for whoever comes; ``is_sure`` sends it again until it
        has arrived, over a new connection as well.
        """
        ...

    def subscribe(self, topics: Sequence[str]) -> None:
        """Ask for what others send."""
        ...

    def stop(self, patience_s: float) -> None:
        """Take leave and let go, also of an attempt that goes on longer than that."""
        ...


def check_paho() -> Any:
    """Import what speaks MQTT.

    Raises
    ------
    MissingDependencyError
        If it is not installed, or too old.
    """
    try:
        from paho.mqtt import client, enums
    except ImportError as error:
        raise MissingDependencyError(
            "an MQTT broker needs a package, version 2.0 or newer: pip install 'paho-mqtt>=2.0'"
        ) from error
    return client, enums


def encryption_of(address: Address) -> ssl.SSLContext | None:
    """Prepare encryption, where it is wanted.

    Raises
    ------
    ParameterError
        If ``ca_file`` cannot be used.
    """
    if not address.is_encrypted:
        return None
    try:
        context = ssl.create_default_context(cafile=address.ca_file)
    except (OSError, ValueError) as error:
        words = "it holds none" if isinstance(error, ssl.SSLError) else None
        words = words or getattr(error, "strerror", None) or "it cannot be a file's name"
        raise ParameterError(
            f"ca_file {printable(address.ca_file or '')[:200]} cannot be read ({words}), a file of "
            "certificates (PEM) is wanted"
        ) from error
    context.sslsocket_class = _ClosingSocket
    return context


class _ClosingSocket(ssl.SSLSocket):
    """Does not stay open where the library lets go of it: after a handshake that failed."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


class PahoClient:
    """A connection that comes back by itself, in a thread of its own.

    Parameters
    ----------
    address : Address
    events : ClientEvents
    will : tuple of str
        Topic and text of what the broker says when the connection breaks off.
    n_most : int
        Messages that may wait for the broker's word that they arrived.

    Raises
    ------
    MissingDependencyError, ParameterError
        As :func:`check_paho` and :func:`encryption_of`.
    """

    def __init__(
        self, address: Address, events: ClientEvents, will: tuple[str, str], n_most: int
    ) -> None:
        paho, enums = check_paho()
        self._address, self._events = address, events
        self._ending, self._ended = threading.Event(), threading.Event()
        self._no_connection = paho.MQTT_ERR_NO_CONN
        self._paho = _kept_alive(paho.Client, self)(
            enums.CallbackAPIVersion.VERSION2, client_id=address.client_id
        )
        self._paho.connect_timeout = _CONNECT_S
        self._paho.reconnect_delay_set(_LEAST_WAIT_S, _MOST_WAIT_S)
        self._paho.max_queued_messages_set(n_most)
        if address.user is not None:
            self._paho.username_pw_set(address.user, address.password)
        context = encryption_of(address)
        if context is not None:
            self._paho.tls_set_context(context)
        self._paho.will_set(*will, qos=1, retain=True)
        self._paho.on_connect = self._on_connect
        self._paho.on_connect_fail = self._on_connect_fail
        self._paho.on_disconnect = self._on_disconnect
        self._paho.on_publish = self._on_publish
        self._paho.on_message = self._on_message

    def start(self) -> None:
        """Connect, now and whenever the connection is lost."""
        self._connect()
        self._paho.loop_start()

    def publish(self, topic: str, payload: str, *, is_kept: bool, is_sure: bool) -> int | None:
        """Send a message; gives its number, None where it was not taken."""
        info = self._paho.publish(topic, payload, qos=1 if is_sure else 0, retain=is_kept)
        # One that is sure and finds no connection waits for the next.
        taken = info.rc == 0 or (is_sure and info.rc == self._no_connection)
        return int(info.mid) if taken else None

    def subscribe(self, topics: Sequence[str]) -> None:
        """Ask for what others send."""
        self._paho.subscribe([(topic, 0) for topic in topics])

    def stop(self, patience_s: float) -> None:
        """Take leave and let go, also of an attempt that goes on longer than that."""
        self._ending.set()
        self._paho.disconnect()
        self._ended.wait(patience_s)

    def run(self, once: Any) -> None:
        """Stay in the loop of the library, also where it ends in an error."""
        try:
            while not self._ending.is_set():
                try:
                    once()
                except Exception as error:
                    self._events.lost()
                    self._events.failed(f"could not be understood ({type(error).__name__})")
                if not self._ending.wait(_BAD_WAIT_S):
                    # Lets go of the old connection; the loop begins with a new one.
                    self._connect()
        finally:
            self._ended.set()

    def _connect(self) -> None:
        self._paho.connect_async(self._address.host, self._address.port, _KEEP_ALIVE_S)

    def _on_connect(
        self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if self._ending.is_set():
            # The attempt went on when it was told to end.
            self._paho.disconnect()
        elif reason.is_failure:
            self._events.failed(_refusal(str(reason), has_user=self._address.user is not None))
        else:
            self._events.connected()

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        # Called where the error is handled, which is not passed on.
        error = sys.exc_info()[1]
        self._events.failed(_failure(error, self._address))

    def _on_disconnect(
        self, _client: Any, _data: Any, _flags: Any, _reason: Any, _properties: Any
    ) -> None:
        self._events.lost()

    def _on_publish(
        self, _client: Any, _data: Any, number: int, _reason: Any, _properties: Any
    ) -> None:
        self._events.delivered(number)

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        try:
            topic = str(message.topic)
        except UnicodeDecodeError:
            return
        self._events.message(topic, bytes(message.payload))


def _kept_alive(base: Any, owner: PahoClient) -> Any:
    class KeptAlive(base):  # type: ignore[misc]
        def loop_forever(self, *args: Any, **options: Any) -> Any:
            owner.run(lambda: base.loop_forever(self, *args, **options))
            return 0

    return KeptAlive


def _refusal(reason: str, *, has_user: bool) -> str:
    if "auth" in reason.lower() or "password" in reason.lower():
        if has_user:
            return "refuses the user or the password"
        return "wants a user and a password"
    return f"refuses the connection ({printable(reason)[:80]})"


def _failure(error: BaseException | None, address: Address) -> str:
    if isinstance(error, socket.gaierror):
        return "is not found: its name does not resolve"
    if isinstance(error, ssl.SSLCertVerificationError):
        mend = "" if address.ca_file else ", ca_file=FILE names one to trust"
        words = printable(str(getattr(error, "verify_message", "")))[:120]
        return f"has a certificate that is not trusted ({words}){mend}"
    if isinstance(error, ssl.SSLError):
        why = printable(str(getattr(error, "reason", None) or "no answer"))
        return f"does not speak TLS at that port ({why[:80]})"
    if isinstance(error, ConnectionRefusedError):
        return "is not there: nobody listens at that port"
    if isinstance(error, TimeoutError):
        return "does not answer"
    words = getattr(error, "strerror", None) or type(error).__name__
    return f"cannot be reached ({printable(str(words))[:80]})"
