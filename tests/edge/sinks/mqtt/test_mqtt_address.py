"""Which broker is meant, who says the password, and that nobody shows it."""

from __future__ import annotations

import sys

import pytest

from edge.cli.main import main
from edge.errors import MissingDependencyError, ParameterError
from edge.sinks.mqtt.address import Address, address_of
from edge.sinks.mqtt.sink import make
from edge.sinks.registry import SinkSettings
from edge.sinks.target import target_from_text


def read(text: str, **environment: str) -> Address:
    return address_of(target_from_text(text), environment)


def test_an_address_in_full():
    found = read("mqtt://me:hush%2F%40%3A@broker.lan:1884/house/kitchen")
    assert (found.host, found.port, found.topic) == ("broker.lan", 1884, "house/kitchen")
    assert (found.user, found.password) == ("me", "hush/@:")
    assert (found.node, found.client_id) == ("house-kitchen", "edge-ser-house-kitchen")
    assert not found.is_encrypted
    assert found.discovery == "homeassistant"
    assert str(found) == "broker.lan:1884"


def test_a_host_alone_is_enough(monkeypatch):
    monkeypatch.setattr("socket.gethostname", lambda: "pi.lan")
    found = read("mqtt://broker")
    assert (found.port, found.topic, found.node) == (1883, "edge-ser/pi-lan", "pi-lan")
    assert found.name == "edge-ser pi-lan"
    assert (found.user, found.password) == (None, None)
    assert read("mqtts://broker/").port == 8883
    monkeypatch.setattr("socket.gethostname", lambda: "..")
    assert read("mqtt://broker").node == "device"


def test_an_address_of_numbers():
    assert read("mqtt://[fe80::1]:1885/x").host == "fe80::1"
    assert str(read("mqtt://me@[::1]")) == "[::1]:1883"
    assert read("mqtt://127.0.0.1").host == "127.0.0.1"


def test_options_say_the_rest(tmp_path):
    found = read(
        "mqtts://broker/a?user=me&node=attic&name=Under the roof&client_id=c&discovery=ha/x&"
        "records=off&ca_file=/ca.pem"
    )
    assert (found.user, found.node, found.name) == ("me", "attic", "Under the roof")
    assert (found.client_id, found.discovery, found.ca_file) == ("c", "ha/x", "/ca.pem")
    assert not found.sends_records
    assert read("mqtt://broker?discovery=off").discovery is None


def test_a_password_comes_from_the_address_a_file_or_the_environment(tmp_path):
    path = tmp_path / "secret"
    path.write_bytes(b"of a file\r\nand a note\n")
    environment = {"EDGE_SER_MQTT_USER": "them", "EDGE_SER_MQTT_PASSWORD": "of the environment"}
    found = read(f"mqtt://me@broker?password_file={path}", **environment)
    assert (found.user, found.password) == ("me", "of a file")
    found = read("mqtt://broker", **environment)
    assert (found.user, found.password) == ("them", "of the environment")
    assert read("mqtt://me:of the address@broker", **environment).password == "of the address"
    assert read("mqtt://me:@broker", **environment).password == ""
    assert read("mqtt://me@broker").password is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("mqtt:broker", "the address of mqtt has no host, mqtt://USER@HOST:PORT/TOPIC is wanted"),
        ("mqtt:///topic", "has no host"),
        ("mqtt://me:hush@", "has no host"),
        ("mqtt://host:port", "is none"),
        ("mqtt://host:0", "has the port 0"),
        ("mqtt://host:70000", "has the port 70000"),
        ("mqtt://me:hu/sh@host/x", r"written as %2F %40 %3A %3F %25"),
        (f"mqtt://{'a' * 70}", "has a host that cannot be one"),
        ("mqtt://a..b", "has a host that cannot be one"),
        ("mqtt://%20", "has a host that cannot be one"),
        ("mqtt://me%00:hush@host", "that no broker can have"),
        (f"mqtt://me:{'hush' * 2000}@host", "that no broker can have"),
        ("mqtt://:hush@host", "there is a password and no user"),
        ("mqtt://host/a/+/b", "topic is 'a/.*/b', a topic without"),
        ("mqtt://host/%23", "topic is '#'"),
        ("mqtt://host/$SYS", r"topic is '\$SYS'"),
        ("mqtt://host/%ff", "topic is"),
        ("mqtt://host/%0a", "topic is"),
        (f"mqtt://host/{'a' * 201}", "at most 200 bytes"),
        ("mqtt://host?discovery=a/%23/#", "discovery is"),
        ("mqtt://host?records=yes", "records is 'yes', on or off is wanted"),
        ("mqtt://host?name=\x1b[2J", r"name is '\\\\x1b"),
        ("mqtt://host?ca_file=x", "ca_file is for a connection that is encrypted: mqtts://"),
        ("mqtt://u:hush@host?password_file=x", "one of them is wanted"),
        ("mqtt://u@host?password_file=/nowhere", "password_file /nowhere cannot be read"),
        ("mqtt://u@host?password_file=a\0b", "it cannot be a file's name"),
    ],
)
def test_what_cannot_be_is_one_sentence_without_the_password(text, sentence):
    with pytest.raises(ParameterError, match=sentence) as refused:
        read(text)
    assert "hush" not in str(refused.value)
    assert "hu/sh" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_a_file_that_holds_no_password_is_one_sentence(tmp_path):
    path = tmp_path / "secret"
    for content in (b"", b"\nhush\n", b"\xff\xfe\n", b"a" * 5000):
        path.write_bytes(content)
        with pytest.raises(ParameterError, match="holds none, a file with the password in its"):
            read(f"mqtt://me@host?password_file={path}")


def test_a_file_of_certificates_is_looked_at_before_anything_is_heard(tmp_path):
    pytest.importorskip("paho.mqtt.client")
    path = tmp_path / "ca.pem"
    for content in (None, b"", b"no certificate"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ParameterError, match=r"ca_file .*ca.pem cannot be read .*PEM. is want"):
            make(target_from_text(f"mqtts://host?ca_file={path}"), SinkSettings(None))


def test_the_topic_of_home_assistant_is_not_ours():
    with pytest.raises(ParameterError, match="Home Assistant's own"):
        make(target_from_text("mqtt://host/homeassistant"), SinkSettings(None))


@pytest.mark.parametrize(
    "secret", ["hush", "hu/sh", "hu@sh", "h:u/s@h", "1/hush", "1883/hu@sh/", "hush%2F", "/"]
)
def test_no_password_is_printed(secret, tmp_path, capsys):
    path = tmp_path / "config.toml"
    path.write_text(f'[listen]\nto = ["mqtt://me:{secret}@host:1884/x"]\n')
    assert main(["listen", "--config", str(path), "--print-config"]) == 0
    printed = capsys.readouterr().out
    assert "mqtt://me@host:1884/x" in printed
    assert f"me:{secret}" not in printed
    assert "hush" not in printed
    assert "a password in to is not shown" in printed
    assert "hush" not in repr(target_from_text(f"mqtt://m/e:{secret}@host"))
    text = f"mqtt://me:{secret}@host:1884/x"
    assert "hush" not in repr(target_from_text(text))
    with pytest.raises(ParameterError) as refused:
        target_from_text(f"fax://me:{secret}@host:1884/x")
    assert f"{secret}@" not in str(refused.value)


def test_a_password_is_in_no_repr():
    assert "hush" not in repr(read("mqtt://me:hush@host"))


def test_a_topic_with_an_at_sign_is_written_as_in_a_url():
    found = target_from_text("mqtt://host:1883/a%40b")
    assert str(found) == "mqtt://host:1883/a%40b"
    assert address_of(found, {}).topic == "a@b"
    with pytest.raises(ParameterError, match="has an @ behind a slash"):
        read("mqtt://host/a@b")


def test_without_the_package_a_sentence_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "paho", None)
    for name in [name for name in sys.modules if name.startswith("paho.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingDependencyError, match=r"pip install 'paho-mqtt>=2.0'$"):
        make(target_from_text("mqtt://host"), SinkSettings(None))
