"""The add-on: its configuration keeps the supervisor's rules, and its start script its options."""

from __future__ import annotations

import http.server
import json
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from waiting import serving

from tools import make_addon
from tools.check_wheel import ROOT
from tools.release import read_version

yaml = pytest.importorskip("yaml")

FOLDER = ROOT / "packaging" / "home-assistant" / "edge-ser"
#: What the supervisor wants of an add-on's config.yaml, as far as it is used here.
NEEDED = {"name", "version", "slug", "description", "arch"}
KEYS = {
    "name": str, "version": str, "slug": str, "description": str, "arch": list, "startup": str,
    "boot": str, "init": bool, "audio": bool, "services": list, "options": dict, "schema": dict,
    "url": str, "image": str, "map": list, "ports": dict, "ingress": bool, "watchdog": str,
}  # fmt: skip
ARCHITECTURES = {"aarch64", "amd64", "armhf", "armv7", "i386"}
SERVICE = re.compile(r"^(mqtt|mysql):(provide|want|need)$")
SCHEMA = re.compile(
    r"^(str|bool|email|url|password|port|device"
    r"|int(\(-?\d*,-?\d*\))?|float(\(-?[\d.]*,-?[\d.]*\))?"
    r"|str\(\d*,\d*\)|list\([^()|]+(\|[^()|]+)*\)|match\(.+\))\??$"
)
OPTIONS: dict[str, Any] = {
    "topic": "hall/edge ser", "device": 'USB "Audio"', "gain": 6, "min_probability": 0.5,
    "labels": ["angry", "happy"], "broker": "", "user": "", "password": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    loaded = yaml.safe_load((FOLDER / "config.yaml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@pytest.fixture
def supervisor() -> Iterator[tuple[str, list[str]]]:
    """Give one that knows a broker, and what it was asked with."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(f"{self.path} {self.headers['Authorization']}")
            found = {"host": "core-mosquitto", "port": 1883, "ssl": False, "username": "addons"}
            body = {"result": "ok", "data": {**found, "password": 'p"ss/\\word'}}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *args: object) -> None:
            pass

    with serving(Handler) as address:
        yield address, asked


def start(data: Path, options: object, address: str) -> subprocess.CompletedProcess[str]:
    (data / "options.json").write_text(json.dumps(options))
    environment = {
        "EDGE_SER_DATA": str(data), "EDGE_SER_SUPERVISOR": address, "SUPERVISOR_TOKEN": "token",
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, str(FOLDER / "run.py"), "--only-write"],
        check=False, capture_output=True, text=True, env=environment,
    )  # fmt: skip


def printed_config(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "edge_ser", "listen", "--config", str(path), "--print-config"],
        check=False, capture_output=True, text=True, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_configuration_keeps_the_rules(config: dict[str, Any]) -> None:
    assert set(config) >= NEEDED
    for key, value in config.items():
        assert key in KEYS, key
        assert isinstance(value, KEYS[key]), key
    assert re.fullmatch(r"[-_.A-Za-z0-9]+", config["slug"])
    assert set(config["arch"]) <= ARCHITECTURES
    assert config["startup"] in {"initialize", "system", "services", "application", "once"}
    assert config["boot"] in {"auto", "manual", "manual_only"}
    assert all(SERVICE.match(each) for each in config["services"])
    assert config["audio"] is True
    assert config["version"] == read_version(ROOT)


def test_every_option_has_a_schema_and_a_translation(config: dict[str, Any]) -> None:
    schema = config["schema"]
    for key, value in schema.items():
        for rule in value if isinstance(value, list) else [value]:
            assert SCHEMA.match(rule), f"{key}: {rule}"
    assert set(config["options"]) <= set(schema)
    # What has no value yet and may not be left out keeps the add-on from starting.
    needed = {key for key, value in schema.items() if not str(value).endswith(("?", "]"))}
    assert needed <= set(config["options"])
    names = yaml.safe_load((FOLDER / "translations" / "en.yaml").read_text(encoding="utf-8"))
    assert set(names["configuration"]) == set(schema)
    assert all(set(each) == {"name", "description"} for each in names["configuration"].values())
    documented = (FOLDER / "DOCS.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in documented for key in schema)


def test_options_become_a_configuration_that_listen_understands(
    tmp_path: Path, supervisor: tuple[str, list[str]]
) -> None:
    address, asked = supervisor
    done = start(tmp_path, OPTIONS, address)
    assert (done.returncode, done.stderr) == (0, "")
    assert asked == ["/services/mqtt Bearer token"]
    shown = printed_config(tmp_path / "config.toml")
    assert "gain = 6" in shown
    assert r"USB \"Audio\"" in shown or "'USB \"Audio\"'" in shown
    assert "angry" in shown
    assert "mqtt://core-mosquitto:1883/hall/edge%20ser" in shown
    secret = tmp_path / "mqtt-password"
    assert secret.read_text(encoding="utf-8") == 'p"ss/\\word\n'
    for path in (secret, tmp_path / "config.toml"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert 'p"ss' not in (tmp_path / "config.toml").read_text(encoding="utf-8")


def test_another_broker_is_taken_and_the_supervisor_not_asked(
    tmp_path: Path, supervisor: tuple[str, list[str]]
) -> None:
    address, asked = supervisor
    broker = {"broker": "mqtts://broker.lan:8883", "user": "me", "password": "secret"}
    done = start(tmp_path, {**OPTIONS, "device": "", "labels": [], **broker}, address)
    assert (done.returncode, asked) == (0, [])
    shown = printed_config(tmp_path / "config.toml")
    assert "mqtts://broker.lan:8883/hall/edge%20ser" in shown
    assert "# device = " in shown
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("options", "said"),
    [(OPTIONS, "the supervisor does not answer"), ([], "is no object")],
)
def test_what_a_person_can_mend_is_one_sentence(tmp_path: Path, options: object, said: str) -> None:
    done = start(tmp_path, options, "http://127.0.0.1:1")
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_folder_that_is_laid_out_can_be_built(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    make_addon.lay_out(ROOT, tmp_path / "edge-ser")
    recipe = (tmp_path / "edge-ser" / "Dockerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (.*)$", recipe, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (tmp_path / "edge-ser" / name).exists(), name
    stages = re.findall(r"^FROM \S+ AS (\w+)$", recipe, re.MULTILINE)
    assert stages == ["wheel", "device", "addon"]
    assert not list((tmp_path / "edge-ser").glob("*.tail"))
