"""Start edge-ser in Home Assistant: turn the add-on's options into a configuration file.

Reads ``/data/options.json``, asks the supervisor for its broker where no other is named, writes
``/data/config.toml`` and the broker's password beside it, readable for this user alone, and then
becomes ``edge-ser listen --config /data/config.toml``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

#: Options that `listen` has as well; empty ones are left to it.
SAME = ("device", "gain", "min_probability", "labels")


class StartError(Exception):
    """What a person can mend."""


def read_options(data: Path) -> dict[str, Any]:
    """Read the add-on's options."""
    path = data / "options.json"
    try:
        options = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StartError(f"{path} cannot be read ({error}): save the add-on's options") from error
    if not isinstance(options, dict):
        raise StartError(f"{path} is no object: save the add-on's options once more")
    return options


def ask_supervisor(address: str, token: str) -> dict[str, Any]:
    """Ask for the broker that Home Assistant uses."""
    mend = "install the add-on Mosquitto broker, or name another one with the option broker"
    asked = urllib.request.Request(
        f"{address}/services/mqtt", headers={"Authorization": f"Bearer {token}"}
    )
    try:
        with urllib.request.urlopen(asked, timeout=10) as answer:
            content = json.load(answer)
    except urllib.error.HTTPError as error:
        raise StartError(f"Home Assistant has no MQTT broker ({error.code}): {mend}") from error
    except (OSError, ValueError) as error:
        raise StartError(f"the supervisor does not answer ({error}): {mend}") from error
    found = content.get("data") if isinstance(content, dict) else None
    if not isinstance(found, dict) or not found.get("host"):
        raise StartError(f"Home Assistant names no MQTT broker: {mend}")
    return found


def sink(options: Mapping[str, Any], broker: Mapping[str, Any] | None) -> dict[str, str]:
    """Give the table ``[[to]]``, with ``password`` where there is one."""
    topic = quote(str(options.get("topic") or "edge-ser").strip("/"), safe="/")
    if broker is None:
        address, login = str(options["broker"]).rstrip("/"), options
        user = str(login.get("user") or "")
    else:
        kind = "mqtts" if broker.get("ssl") else "mqtt"
        host = str(broker["host"])
        host = f"[{host}]" if ":" in host else host
        address, login = f"{kind}://{host}:{broker.get('port', 1883)}", broker
        user = str(broker.get("username") or "")
    table = {"sink": f"{address}/{topic}"}
    if user:
        table["user"] = user
        table["password"] = str(login.get("password") or "")
    return table


def toml(value: Any) -> str:
    """Write a value; JSON's text, numbers and lists are TOML's as well."""
    # TOML wants this one escaped, JSON does not.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def write(path: Path, text: str) -> None:
    """Write a file that only this user may read, whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(name, path)


def configure(data: Path, options: Mapping[str, Any], table: Mapping[str, str]) -> Path:
    """Write the configuration file, and the password into one of its own."""
    lines = ["[listen]", 'source = "mic"']
    for key in SAME:
        value = options.get(key)
        if value not in (None, "", []):
            lines.append(f"{key} = {toml(','.join(value) if isinstance(value, list) else value)}")
    lines += ["", "[[to]]", 'sink = "terminal"', "", "[[to]]"]
    shown = dict(table)
    password = shown.pop("password", "")
    if password:
        shown["password_file"] = str(data / "mqtt-password")
        write(data / "mqtt-password", f"{password}\n")
    lines += [f"{key} = {toml(value)}" for key, value in shown.items()]
    path = data / "config.toml"
    write(path, "\n".join(lines) + "\n")
    return path


def main(argv: list[str]) -> int:
    """Write the file and start, or only write it with ``--only-write``."""
    data = Path(os.environ.get("EDGE_SER_DATA", "/data"))
    try:
        options = read_options(data)
        broker = None
        if not options.get("broker"):
            address = os.environ.get("EDGE_SER_SUPERVISOR", "http://supervisor")
            broker = ask_supervisor(address, os.environ.get("SUPERVISOR_TOKEN", ""))
        path = configure(data, options, sink(options, broker))
    except (StartError, OSError) as error:
        print(f"edge-ser: error: {error}", file=sys.stderr)
        return 2
    if "--only-write" not in argv:
        program = "/opt/edge-ser/bin/edge-ser"
        os.execv(program, [program, "listen", "--config", str(path)])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
