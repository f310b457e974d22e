"""A mosquitto of our own, with a password and TLS, that can be killed and started again."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["PASSWORD", "USER", "Mosquitto", "Onlooker", "find_mosquitto", "make_authority"]

USER, PASSWORD = "listener", "hush/hush@now"


def find_mosquitto() -> str | None:
    """Debian puts it where only root looks."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def make_authority(folder: Path) -> None:
    """Write ``ca.pem``, and ``server.pem`` and ``server.key`` for localhost that it signed."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ours",
            "-days", "2")  # fmt: skip
    openssl("req", *curve, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2",
            "-CAcreateserial", "-out", "server.pem", "-extfile", "names")  # fmt: skip


class Mosquitto:
    """A broker on this machine; a context manager that ends it.

    Parameters
    ----------
    folder : Path
        Empty; its configuration comes there.
    is_encrypted : bool
        Whether to make certificates, and to speak TLS alone.
    """

    def __init__(self, folder: Path, *, is_encrypted: bool = False) -> None:
        self.folder, self.is_encrypted, self.port = folder, is_encrypted, _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        lines = [
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous false",
            f"password_file {folder / 'passwords'}",
            "persistence false",
            # Where root starts it, it would become somebody who may not read this folder.
            f"user {getpass.getuser()}",
        ]
        if is_encrypted:
            make_authority(folder)
            lines += [f"cafile {folder / 'ca.pem'}", f"certfile {folder / 'server.pem'}"]
            lines.append(f"keyfile {folder / 'server.key'}")
        (folder / "passwords").touch(0o600)
        command = ["mosquitto_passwd", "-b", str(folder / "passwords"), USER, PASSWORD]
        subprocess.run(command, check=True, capture_output=True)
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> float:
        """Start it; gives when it took a connection, in monotonic seconds."""
        command = [find_mosquitto() or "mosquitto", "-c", str(self.folder / "mosquitto.conf")]
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until_s = time.monotonic() + 10
        while time.monotonic() < until_s:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", self.port)) == 0:
                    return time.monotonic()
            time.sleep(0.01)
        self.kill()
        raise RuntimeError((self.folder / "log").read_text())

    def kill(self) -> None:
        """End it without a word to anybody."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Onlooker:
    """Subscribes to everything, as Home Assistant does, and keeps what comes."""

    def __init__(self, broker: Mosquitto) -> None:
        from paho.mqtt import client, enums

        self.came: list[tuple[float, str, bytes]] = []
        self._ready = threading.Event()
        self._client = client.Client(enums.CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(USER, PASSWORD)
        if broker.is_encrypted:
            self._client.tls_set(str(broker.folder / "ca.pem"))
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda *_: self._client.subscribe("#", 1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._take
        self._client.connect_async("localhost", broker.port)
        self._client.loop_start()
        self._ready.wait(10)

    def _take(self, _client: Any, _data: Any, message: Any) -> None:
        self.came.append((time.monotonic(), message.topic, message.payload))

    def say(self, topic: str, payload: str) -> None:
        """Send something to everybody."""
        self._client.publish(topic, payload)

    def forget(self, topic: str) -> None:
        """Have the broker keep nothing on a topic any longer."""
        self._client.publish(topic, b"", 1, retain=True).wait_for_publish(10)

    def of(self, topic: str, since_s: float = 0.0) -> list[Any]:
        """What came on a topic, read; texts that are no JSON as they are."""
        return [_read(payload) for at_s, one, payload in list(self.came)
                if one == topic and at_s >= since_s]  # fmt: skip

    def wait(self, topic: str, value: Any, most_s: float, since_s: float = 0.0) -> float | None:
        """Wait for what has these values; gives when it came, None where it did not."""
        until_s = time.monotonic() + most_s
        while time.monotonic() < until_s:
            for at_s, one, payload in list(self.came):
                if one == topic and at_s >= since_s and _has(_read(payload), value):
                    return at_s
            time.sleep(0.01)
        return None

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def _read(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")


def _has(found: Any, value: Any) -> bool:
    if isinstance(value, dict) and isinstance(found, dict):
        return all(found.get(key) == each for key, each in value.items())
    return bool(found == value)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: Sequence[Any] = one.getsockname()
    return int(port[1])
