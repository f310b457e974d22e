r"""A Home Assistant of our own, without a screen, that a broker is told to.

It is installed by whoever wants it, in an environment of its own, and started by that Python:

    python3.13 -m venv ha
    ha/bin/pip install homeassistant paho-mqtt
    ha/bin/pip install -c ha/lib/python3.13/site-packages/homeassistant/package_constraints.txt \
        home-assistant-frontend
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.broker.mosquitto import PASSWORD, USER, Mosquitto

__all__ = ["VARIABLE", "HomeAssistant", "missing_parts"]

#: Names the Python of its environment.
VARIABLE = "EDGE_SER_HOME_ASSISTANT"
_CLIENT = "http://127.0.0.1/"
_OWNER, _OWNER_PASSWORD = "owner", "only for this hour"
_START_S, _END_S, _ASK_S = 120.0, 30.0, 20.0
_CONFIGURATION = """\
api:
config:
http:
  server_host: 127.0.0.1
  server_port: %d
logger:
  default: warning
  logs:
    homeassistant.components.mqtt: info
"""


def missing_parts(python: str) -> str | None:
    """Say what that Python lacks; None where it can start one."""
    parts = ("homeassistant", "hass_frontend", "paho.mqtt.client")
    try:
        subprocess.run(
            [python, "-c", f"import {', '.join(parts)}"],
            check=True,
            capture_output=True,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{python} cannot import {' and '.join(parts)} ({type(error).__name__})"
    return None


class HomeAssistant:
    """One on this machine; a context manager that ends it.

    Parameters
    ----------
    folder : Path
        Empty; its configuration comes there.
    python : str
        Of the environment that has it.
    """

    def __init__(self, folder: Path, python: str) -> None:
        self.folder, self._python, self._token = folder, python, ""
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self._port = int(one.getsockname()[1])
        (folder / "configuration.yaml").write_text(_CONFIGURATION % self._port)
        self._process: subprocess.Popen[bytes] | None = None
        self._refresh = ""

    def __enter__(self) -> HomeAssistant:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, wait until it runs, and make an owner where there is none."""
        # It installs nothing: what is missing is said in its log.
        command = [self._python, "-m", "homeassistant", "-c", str(self.folder), "--skip-pip"]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with open(self.folder / "console.log", "ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        until_s = time.monotonic() + _START_S
        while not self._is_ready():
            if time.monotonic() > until_s or self._process.poll() is not None:
                self.stop()
                raise RuntimeError((self.folder / "console.log").read_text()[-2_000:])
            time.sleep(0.2)

    def stop(self) -> None:
        """End it as its own user would: it writes down what it knows."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def read_broker(self, broker: Mosquitto) -> None:
        """Set up the integration MQTT by the steps that a person takes."""
        flow = self.ask("/api/config/config_entries/flow", {"handler": "mqtt"})
        words = {"broker": "127.0.0.1", "port": broker.port, "username": USER, "password": PASSWORD}
        made = self.ask(f"/api/config/config_entries/flow/{flow['flow_id']}", words)
        if made.get("type") != "create_entry":
            raise RuntimeError(f"Home Assistant takes no broker: {made}")

    def version(self) -> str:
        """Say which one it is."""
        return str(self.ask("/api/config")["version"])

    def states(self, device: str) -> dict[str, dict[str, Any]]:
        """Give state and attributes of all entities of a device by their ids; none: no device."""
        known = self.template(_written(f"device_entities(device_id({_word(device)}) or '')"))
        return {
            each["entity_id"]: each
            for each in self.ask("/api/states")
            if each["entity_id"] in known
        }

    def device(self, device: str, *names: str) -> list[Any]:
        """Give what it knows of a device."""
        asked = ", ".join(
            f"device_attr(device_id({_word(device)}), {_word(name)})" for name in names
        )
        found: list[Any] = self.template(_written(f"[{asked}]"))
        return found

    def template(self, text: str) -> Any:
        """Have a template written; what is JSON is read."""
        return self.ask("/api/template", {"template": text})

    def complaints(self) -> list[str]:
        """Give what it wrote down as odd or wrong, of MQTT and of entities, since it began."""
        lines = (self.folder / "home-assistant.log").read_text().splitlines()
        worse = (each for each in lines if re.match(r"\S+ \S+ (WARNING|ERROR|CRITICAL) ", each))
        return [each for each in worse if re.search(r"mqtt|sensor|entity|device|template", each)]

    def registered(self) -> dict[str, dict[str, Any]]:
        """Give the registry of entities by unique ids, as it was written at the end."""
        text = (self.folder / ".storage" / "core.entity_registry").read_text()
        return {each["unique_id"]: each for each in json.loads(text)["data"]["entities"]}

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask its interface, as JSON where the answer is any."""
        content = None if body is None else json.dumps(body).encode()
        return self._request(path, content, "application/json", self._access())

    def _access(self) -> str:
        if not self._token:
            words = {"grant_type": "refresh_token", "refresh_token": self._refresh}
            self._token = self._tokens(words)["access_token"]
        return self._token

    def _tokens(self, words: Mapping[str, str]) -> dict[str, str]:
        content = urllib.parse.urlencode({**words, "client_id": _CLIENT}).encode()
        kind = "application/x-www-form-urlencoded"
        found: dict[str, str] = self._request("/auth/token", content, kind, "")
        return found

    def _is_ready(self) -> bool:
        try:
            if not self._refresh:
                self._become_owner()
            return bool(self.ask("/api/config")["state"] == "RUNNING")
        except (OSError, urllib.error.HTTPError):
            return False

    def _become_owner(self) -> None:
        words = {
            "client_id": _CLIENT, "name": _OWNER, "username": _OWNER, "password": _OWNER_PASSWORD,
            "language": "en",
        }  # fmt: skip
        made = self._request(
            "/api/onboarding/users", json.dumps(words).encode(), "application/json", ""
        )
        tokens = self._tokens({"grant_type": "authorization_code", "code": made["auth_code"]})
        self._refresh, self._token = tokens["refresh_token"], tokens["access_token"]

    def _request(self, path: str, content: bytes | None, kind: str, token: str) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", content)
        request.add_header("Content-Type", kind)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=_ASK_S) as answer:
            text = answer.read().decode()
        try:
            return json.loads(text)
        except ValueError:
            return text


def _word(text: str) -> str:
    """Quote for a template."""
    return json.dumps(text, ensure_ascii=False)


def _written(expression: str) -> str:
    return "{{ " + expression + " | to_json }}"
