"""A real mosquitto with a password and TLS, killed and restarted."""

from __future__ import annotations

import re
import shutil
import time

import pytest
from waiting import wait_for

from benchmarks.broker.mosquitto import PASSWORD, USER, Mosquitto, Onlooker, find_mosquitto
from edge.sinks.mqtt.sink import MqttSink, make
from edge.sinks.registry import About, SinkSettings
from edge.sinks.target import target_from_text
from edge.stream.decision import Decision

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
for tool in ("mosquitto", "mosquitto_passwd", "openssl"):
    if not (find_mosquitto() if tool == "mosquitto" else shutil.which(tool)):
        pytest.skip(f"{tool} is not installed", allow_module_level=True)

TOPIC = "edge-ser/kitchen"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Mosquitto(tmp_path_factory.mktemp("broker"), is_encrypted=True) as broker:
        yield broker


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("edge.sinks.mqtt.client._LEAST_WAIT_S", 0.1)


@pytest.fixture
def onlooker(broker):
    one = Onlooker(broker)
    yield one
    one.close()


def decision(label: str) -> Decision:
    return Decision(
        0.0, 1.5, "speech", label, {"angry": 0.5, "calm": 0.5}, label, -30.0, time_s=time.time()
    )


def made(broker: Mosquitto, tmp_path, said: list[str], **changes: str) -> MqttSink:
    (tmp_path / "secret").write_text(PASSWORD)
    options = {
        "password_file": str(tmp_path / "secret"),
        "ca_file": str(broker.folder / "ca.pem"),
        **changes,
    }
    query = "&".join(f"{name}={value}" for name, value in options.items() if value)
    text = f"mqtts://{USER}@localhost:{broker.port}/{TOPIC}?{query}"
    settings = SinkSettings(
        None,
        labels=("angry", "calm"),
        warn=said.append,
        say=said.append,
        about=About("1", "m", "ab" * 32),
    )
    return make(target_from_text(text), settings)


def test_a_broker_that_is_killed_has_the_right_state_soon_after_it_is_back(
    broker, onlooker, tmp_path
):
    said: list[str] = []
    sink = made(broker, tmp_path, said)
    sink.open()
    sink.emit(decision("angry"))
    assert onlooker.wait(f"{TOPIC}/state", {"label": "angry"}, 5)
    assert onlooker.of(f"{TOPIC}/availability")[-1] == "online"
    for label in ("calm", "angry"):
        broker.kill()
        assert wait_for(lambda: "not there" in "".join(said), 5)
        for _ in range(20):
            sink.emit(decision(label))
        n_said = len(said)
        broker.start()
        assert wait_for(lambda: len(said) > n_said, 8), said  # noqa: B023
        back_s = time.monotonic()
        assert "is reached again" in said[-1]
        # A subscription of somebody who comes now, and gets what the broker keeps.
        late = Onlooker(broker)
        at_s = late.wait(f"{TOPIC}/state", {"label": label}, 5)
        late.close()
        assert at_s is not None
        assert at_s - back_s < 2
        # The first onlooker has to be back, too, or what comes next goes by.
        assert onlooker.wait(f"{TOPIC}/state", {"label": label}, 8, back_s) is not None
        said.clear()
    sink.emit(decision("calm"))
    sink.close()
    outbox = sink.outbox
    assert (outbox.n_told, outbox.n_published, outbox.n_dropped) == (42, 42, 0)
    assert wait_for(lambda: onlooker.of(f"{TOPIC}/availability")[-1] == "offline", 5)
    # Those of an outage went by while the onlooker itself was not back yet.
    assert wait_for(lambda: onlooker.of(f"{TOPIC}/records")[-1]["label"] == "calm", 5)
    assert said == []


def test_home_assistant_that_begins_is_answered(broker, onlooker, tmp_path):
    sink = made(broker, tmp_path, [])
    config = "homeassistant/device/edge-ser-kitchen/config"
    sink.open()
    assert onlooker.wait(config, {"origin": {"name": "edge-ser", "sw_version": "1"}}, 5)
    sink._announced_s -= 60
    n_before = len(onlooker.of(config))
    onlooker.say("homeassistant/status", "online")
    assert wait_for(lambda: len(onlooker.of(config)) > n_before, 5)
    sink.close()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"password_file": "wrong"}, "refuses the user or the password"),
        ({"password_file": ""}, "refuses the user or the password"),
        ({"ca_file": ""}, "has a certificate that is not trusted .*, ca_file=FILE names one"),
    ],
)
def test_what_the_broker_refuses_is_said_once(broker, tmp_path, changes, sentence):
    if changes.get("password_file"):
        changes = {"password_file": str(tmp_path / "wrong")}
        (tmp_path / "wrong").write_text("guessed\n")
    said: list[str] = []
    sink = made(broker, tmp_path, said, **changes)
    sink.open()
    assert wait_for(lambda: said, 5)
    time.sleep(0.2)
    sink.close()
    assert len(said) == 1
    assert re.search(sentence, said[0]), said
    assert "localhost" in said[0]
    assert PASSWORD not in said[0]
