"""A real Home Assistant: what becomes of the description, the states, and an end of either side.

    EDGE_SER_HOME_ASSISTANT=ha/bin/python python -m pytest tests/edge/sinks/mqtt -k real_home

``benchmarks/broker/home_assistant.py`` says how its environment is made. A minute in all.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from waiting import wait_for

from benchmarks.broker.home_assistant import VARIABLE, HomeAssistant, missing_parts
from benchmarks.broker.mosquitto import PASSWORD, USER, Mosquitto, Onlooker, find_mosquitto
from edge.sinks.mqtt.address import address_of
from edge.sinks.mqtt.discovery import discovery_of
from edge.sinks.mqtt.sink import MqttSink, make
from edge.sinks.registry import About, SinkSettings
from edge.sinks.target import target_from_text
from edge.stream.decision import Decision, Timing
from edge.stream.status import Status

pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
if not (find_mosquitto() and shutil.which("mosquitto_passwd")):
    pytest.skip("mosquitto is not installed", allow_module_level=True)
PYTHON = os.environ.get(VARIABLE, "")
if not PYTHON:
    pytest.skip(f"{VARIABLE} names no Python with Home Assistant", allow_module_level=True)
if lack := missing_parts(PYTHON):
    pytest.skip(lack, allow_module_level=True)

LABELS = ("angry", "calm", "fearful")
NAME = "Kitchen microphone"
SENSOR, SPEECH = "sensor.kitchen_microphone_", "binary_sensor.kitchen_microphone_speech"
ENTITIES = {
    SPEECH,
    *(SENSOR + each for each in ("emotion", "probability", "activation", "level", "latency")),
    *(SENSOR + each for each in ("dropped_samples", "skipped_decisions", "uptime")),
}
#: Away, back again or restarted: Home Assistant looks for its broker every ten seconds.
PATIENCE_S = 40.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(scope="module")
def home(tmp_path_factory, broker) -> Iterator[HomeAssistant]:
    with HomeAssistant(tmp_path_factory.mktemp("home"), PYTHON) as home:
        home.read_broker(broker)
        yield home


@pytest.fixture
def address(home, broker, tmp_path) -> Iterator[str]:
    """Of the broker; behind a test nothing was odd, and the device is forgotten when asked to."""
    (tmp_path / "secret").write_text(PASSWORD)
    (tmp_path / "secret").chmod(0o600)
    query = f"password_file={tmp_path / 'secret'}&name={NAME}"
    before = home.complaints()
    yield f"mqtt://{USER}@127.0.0.1:{broker.port}/edge-ser/kitchen?{query}"
    assert [each for each in home.complaints() if each not in before] == []
    if home.states(NAME):
        onlooker = Onlooker(broker)
        onlooker.forget("homeassistant/device/edge-ser-kitchen/config")
        onlooker.close()
        assert wait_for(lambda: home.states(NAME) == {}, 8)


@contextlib.contextmanager
def opened(address: str, labels: tuple[str, ...] = LABELS) -> Iterator[MqttSink]:
    settings = SinkSettings(None, labels=labels, about=About("1.2.3", "claf-ser-int8", "ab" * 32))
    sink = make(target_from_text(address), settings)
    sink.open()
    try:
        yield sink
    finally:
        sink.close()


def spoken(said: str, **changes: object) -> Decision:
    posterior = {each: 0.7 if each == said else 0.15 for each in LABELS}
    words = {
        "start_s": 0.0, "end_s": 1.5, "state": "speech", "label": said, "posterior": posterior,
        "raw_label": said, "level_db": -31.234, "activation": 0.25, "time_s": time.time(),
        "timing": Timing(1.0, 2.0, 4.56),
    }  # fmt: skip
    return Decision(**{**words, **changes})


def shown(home: HomeAssistant) -> dict[str, str]:
    return {name: each["state"] for name, each in home.states(NAME).items()}


def is_shown(home: HomeAssistant, **wanted: str) -> bool:
    """Whether the entities are in these states; ``speech`` is the one that is no sensor."""
    now = shown(home)
    pairs = ((SPEECH if name == "speech" else SENSOR + name, wanted[name]) for name in wanted)
    return all(now.get(entity) == state for entity, state in pairs)


def test_every_entity_is_there_with_its_state_options_and_unit(home, address):
    with opened(address) as sink:
        sink.emit(spoken("angry", dropped_samples=480, skipped_hops=2))
        assert wait_for(lambda: is_shown(home, emotion="angry", speech="on"), 8), shown(home)
        states = home.states(NAME)
        assert states.keys() == ENTITIES
        assert states[SENSOR + "emotion"]["attributes"].items() >= {
            "device_class": "enum", "options": list(LABELS), "friendly_name": f"{NAME} Emotion",
        }.items()  # fmt: skip
        for name, state, unit in (
            ("probability", 70.0, "%"), ("activation", 0.25, None), ("level", -31.23, "dBFS"),
        ):  # fmt: skip
            found = states[SENSOR + name]
            assert float(found["state"]) == pytest.approx(state, abs=0.005)
            assert found["attributes"].get("unit_of_measurement") == unit
            assert found["attributes"]["state_class"] == "measurement"
        assert states[SPEECH]["attributes"]["device_class"] == "sound"
        about = home.device(NAME, "model", "model_id", "sw_version", "manufacturer")
        assert about == ["claf-ser-int8", f"sha256:{'ab' * 8}", "1.2.3", "edge-ser"]
        # What nothing is known of, is unknown and not the word None.
        sink.emit(spoken("", state="quiet", label=None, posterior=None, activation=None))
        unknown = dict.fromkeys(("emotion", "probability", "activation"), "unknown")
        assert wait_for(lambda: is_shown(home, **unknown, speech="off"), 8), shown(home)
        sink.status(Status("lost", "the microphone went away", time_s=time.time()))
        assert wait_for(lambda: is_shown(home, **unknown, speech="unknown", level="unknown"), 8)
        sink._diagnostics_s -= 60
        sink.emit(spoken("calm"))
        sink.warn("so that it looks again")
        counts = {"dropped_samples": "480", "skipped_decisions": "2", "latency": "4.6"}
        assert wait_for(lambda: is_shown(home, emotion="calm", **counts), 8), shown(home)
        uptime = states[SENSOR + "uptime"]
        assert uptime["attributes"]["device_class"] == "timestamp"
        assert uptime["state"].startswith(time.strftime("%Y-%m-%dT", time.gmtime(time.time() - 60)))
    assert wait_for(lambda: set(shown(home).values()) == {"unavailable"}, 8)


def test_another_model_brings_its_labels_and_every_label_is_taken(home, address):
    with opened(address):
        pass
    more = ("bored", *LABELS, "überrascht")
    with opened(address, more) as sink:
        for label in more:
            sink.emit(spoken(label, posterior=dict.fromkeys(more, 0.2)))
            assert wait_for(lambda: is_shown(home, emotion=label), 8), shown(home)  # noqa: B023
        assert home.states(NAME)[SENSOR + "emotion"]["attributes"]["options"] == list(more)


def test_odd_names_are_taken(home, address):
    name = 'Küche "2" {{ 1 + 1 }}'
    odd = address.replace("/edge-ser/kitchen", "/a b/K%C3%BCche.1").replace(NAME, name)
    with opened(odd) as sink:
        sink.emit(spoken("calm"))
        assert wait_for(lambda: len(home.states(name)) == len(ENTITIES), 8)
        emotion = next(each for each in home.states(name) if each.endswith("_emotion"))
        assert wait_for(lambda: home.states(name)[emotion]["state"] == "calm", 8)


def test_a_description_that_is_wrong_is_complained_of(home, broker):
    about = About("1.2.3", "claf-ser-int8", "ab" * 32)
    wrong = discovery_of(address_of(target_from_text("mqtt://host/a/wrong"), {}), about, LABELS)
    wrong["components"]["label"]["state_class"] = "measurement"
    onlooker, before = Onlooker(broker), home.complaints()
    onlooker.say("homeassistant/device/edge-ser-wrong/config", json.dumps(wrong))
    assert wait_for(lambda: home.complaints() != before, 8)
    onlooker.close()


def test_a_broker_and_a_home_assistant_that_begin_anew_find_the_device(home, broker, address):
    with opened(address) as sink:
        sink.emit(spoken("angry"))
        assert wait_for(lambda: is_shown(home, emotion="angry"), 8), shown(home)
        broker.kill()
        assert wait_for(lambda: set(shown(home).values()) == {"unavailable"}, PATIENCE_S)
        broker.start()
        sink.emit(spoken("calm"))
        assert wait_for(lambda: is_shown(home, emotion="calm"), PATIENCE_S), shown(home)
        assert not [each for each in home.complaints() if "kitchen" in each]
        home.stop()
        kept = {
            key: each
            for key, each in home.registered().items()
            if key.startswith("edge-ser-kitchen-")
        }
        assert {each["entity_id"] for each in kept.values()} == ENTITIES
        diagnostic = {
            each.removeprefix("edge-ser-kitchen-")
            for each in kept
            if kept[each]["entity_category"] == "diagnostic"
        }
        assert diagnostic == {"latency", "dropped", "skipped", "uptime"}
        sink.emit(spoken("fearful"))
        home.start()
        assert wait_for(lambda: is_shown(home, emotion="fearful", speech="on"), 8), shown(home)
        assert home.states(NAME).keys() == ENTITIES


def test_listen_that_is_killed_is_unavailable_and_back_when_it_listens_again(home, broker, address):
    words = ["listen", "--config", os.devnull, "--backend", "numpy", "--source", "demo"]

    @contextlib.contextmanager
    def listening() -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "edge_ser", *words, "--to", address]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    onlooker = Onlooker(broker)
    for _ in range(2):
        with listening() as process:
            assert wait_for(lambda: shown(home).get(SPEECH) == "on", 15), shown(home)
            # It goes on: looked at until both say the same.
            assert wait_for(lambda: _agrees(home, onlooker), 8), shown(home)
            process.send_signal(signal.SIGKILL)
            assert wait_for(lambda: set(shown(home).values()) == {"unavailable"}, 8)
    onlooker.close()


def _agrees(home: HomeAssistant, onlooker: Onlooker) -> bool:
    state = onlooker.of("edge-ser/kitchen/state")[-1]
    now = shown(home)
    return now[SENSOR + "emotion"] == (state["label"] or "unknown") and now[SENSOR + "level"] == (
        "unknown" if state["level_db"] is None else json.dumps(state["level_db"])
    )
