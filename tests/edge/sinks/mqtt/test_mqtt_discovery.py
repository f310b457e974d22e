"""What Home Assistant is told of the device, by its own rules, and what its templates give."""

from __future__ import annotations

import json
import re

import pytest
from home_assistant_rules import faults

from edge.sinks.mqtt.address import address_of
from edge.sinks.mqtt.board import Board
from edge.sinks.mqtt.discovery import discovery_of, discovery_topic, status_topic
from edge.sinks.registry import About
from edge.sinks.target import target_from_text
from edge.stream.decision import Decision, Timing
from edge.stream.status import Status

ABOUT = About("1.2.3", "claf-ser-int8", "ab" * 32)
LABELS = ("angry", "calm", "fearful")


def address(text: str = "mqtt://host/edge-ser/kitchen"):
    return address_of(target_from_text(text), {})


def described(text: str = "mqtt://host/edge-ser/kitchen", labels=LABELS):
    return discovery_of(address(text), ABOUT, labels)


def spoken(**changes) -> Decision:
    words = {
        "start_s": 0.0, "end_s": 1.5, "state": "speech", "label": "calm",
        "posterior": {"angry": 0.2, "calm": 0.7, "fearful": 0.1}, "raw_label": "calm",
        "level_db": -31.234, "activation": 0.34567, "time_s": 1_774_746_000.0,
        "timing": Timing(1.0, 2.0, 4.56),
    }  # fmt: skip
    return Decision(**{**words, **changes})


QUIET = Decision(0.0, 1.5, "quiet", None, None, None, -80.0, time_s=1_774_746_000.0)


@pytest.mark.parametrize(
    "text",
    [
        "mqtt://host/edge-ser/kitchen",
        "mqtt://host/a b/K%C3%BCche.1?name=The kitchen",
        "mqtts://host?node=pi.local&discovery=ha/x",
    ],
)
@pytest.mark.parametrize("labels", [LABELS, ("one",), ()])
def test_the_description_keeps_every_rule_of_home_assistant(text, labels):
    payload = json.loads(json.dumps(described(text, labels)))
    assert faults(discovery_topic(address(text)), payload) == []


def test_the_rules_find_what_is_wrong():
    topic = discovery_topic(address())

    def broken(key: str, **changes: object) -> list[str]:
        payload = json.loads(json.dumps(described()))
        entity = payload["components"][key]
        entity.update(changes)
        for name in [name for name, value in entity.items() if value is None]:
            del entity[name]
        return faults(topic, payload)

    assert broken("label", state_class="measurement")
    assert broken("label", options=[])
    assert broken("label", options=None)
    assert broken("label", device_class=None)
    assert broken("level", device_class="sound_pressure")
    assert broken("level", unit="dB")
    assert broken("uptime", state_class="measurement")
    assert broken("latency", unit_of_measurement="hours")
    assert broken("speech", device_class="voice")
    assert broken("speech", entity_category="config")
    assert broken("speech", unique_id="edge-ser-kitchen-level")
    assert faults("homeassistant/device/a.b/config", described())
    assert faults(topic, {**described(), "availability": []})
    assert faults(topic, {**described(), "device": {"name": "x"}})
    assert faults(topic, {key: each for key, each in described().items() if key != "origin"})


def test_the_device_says_which_version_and_model_it_is():
    device = described()["device"]
    assert device["sw_version"] == "1.2.3"
    assert device["model"] == "claf-ser-int8"
    assert device["model_id"] == "sha256:" + "ab" * 8
    assert device["identifiers"] == ["edge-ser-kitchen"]
    assert described()["origin"] == {"name": "edge-ser", "sw_version": "1.2.3"}


def test_the_label_is_one_of_the_models():
    label = described()["components"]["label"]
    assert (label["device_class"], label["options"]) == ("enum", list(LABELS))
    assert "state_class" not in label
    assert "device_class" not in described(labels=())["components"]["label"]


def test_diagnostics_are_of_that_category_and_the_readings_are_not():
    diagnostic = {
        key
        for key, each in described()["components"].items()
        if each.get("entity_category") == "diagnostic"
    }
    assert diagnostic == {"latency", "dropped", "skipped", "uptime"}


def test_two_devices_have_nothing_in_common():
    here, there = described("mqtt://host/edge-ser/kitchen"), described("mqtt://host/attic")
    for one in (here, there):
        assert one["availability_topic"].rpartition("/")[2] == "availability"
    assert here["device"]["identifiers"] != there["device"]["identifiers"]
    ids = [{each["unique_id"] for each in one["components"].values()} for one in (here, there)]
    assert not ids[0] & ids[1]
    assert status_topic(address()) == "homeassistant/status"


def rendered(board: Board) -> dict[str, str]:
    """What Home Assistant makes of the state and the diagnostics."""
    jinja2 = pytest.importorskip("jinja2")
    # Its filter of that name takes None for none, and rounds.
    topics = {
        "edge-ser/kitchen/state": json.loads(json.dumps(board.state())),
        "edge-ser/kitchen/diagnostics": json.loads(json.dumps(board.diagnostics())),
    }
    return {
        key: jinja2.Template(each["value_template"]).render(value_json=topics[each["state_topic"]])
        for key, each in described()["components"].items()
    }


def test_templates_give_what_was_heard():
    board = Board()
    board.take(spoken())
    found = rendered(board)
    assert found["label"] == "calm"
    assert found["probability"] == "70.0"
    assert found["activation"] == "0.3457"
    assert found["level"] == "-31.23"
    assert found["speech"] == "ON"
    assert found["latency"] == "4.6"
    assert found["dropped"] == found["skipped"] == "0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", found["uptime"])


def test_templates_give_none_where_nobody_speaks_or_nothing_is_heard():
    board = Board()
    readings = ("label", "probability", "activation", "level", "speech")
    before = rendered(board)
    assert {before[key] for key in readings} == {"None"}
    assert before["latency"] == "None"
    board.take(QUIET)
    found = rendered(board)
    assert (found["label"], found["probability"], found["activation"]) == ("None",) * 3
    assert (found["level"], found["speech"]) == ("-80.0", "OFF")
    board.take(spoken(state="uncertain", label=None))
    found = rendered(board)
    assert (found["label"], found["probability"], found["speech"]) == ("None", "None", "ON")
    board.note(Status("lost", "the microphone is gone", time_s=1_774_746_001.0))
    assert {rendered(board)[key] for key in readings} == {"None"}


def test_a_gap_counts_and_leaves_what_was_heard():
    board = Board()
    board.take(spoken(skipped_hops=2))
    board.take(Decision.of_gap(1.5, 2.0, 800, "lost on the way"))
    assert board.state()["label"] == "calm"
    found = board.diagnostics()
    assert (found["dropped_samples"], found["skipped_hops"]) == (800, 2)


def test_the_latency_is_the_worst_since_it_was_told():
    board = Board()
    for latency_ms in (3.0, 9.0, 4.0):
        board.take(spoken(timing=Timing(0.0, 0.0, latency_ms)))
    assert board.diagnostics()["latency_ms"] == 9.0
    assert board.diagnostics()["latency_ms"] is None
    board.take(spoken(timing=Timing(0.0, 0.0, 5.0)))
    assert board.diagnostics()["latency_ms"] == 5.0


def test_the_beginning_stays_until_the_clock_is_set():
    now_s, ticks_s = [1_000.0], [50.0]
    board = Board(lambda: now_s[0], lambda: ticks_s[0])
    first = board.diagnostics()["uptime"]
    now_s[0], ticks_s[0] = 4_603.0, 3_650.0
    assert board.diagnostics()["uptime"] == first
    now_s[0] = 1_774_746_000.0
    assert board.diagnostics()["uptime"] != first
