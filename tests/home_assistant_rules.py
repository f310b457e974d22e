"""What Home Assistant refuses or logs about in the description of a device.

Written down from its documentation (https://www.home-assistant.io/integrations/mqtt/,
https://www.home-assistant.io/integrations/sensor.mqtt/, .../binary_sensor.mqtt/ and
https://developers.home-assistant.io/docs/core/entity/sensor/), as far as sensors go.
"""

from __future__ import annotations

import re
from typing import Any

ENTITY = {
    "platform", "unique_id", "name", "icon", "state_topic", "value_template", "device_class",
    "entity_category", "enabled_by_default", "expire_after", "force_update", "availability_topic",
    "json_attributes_topic", "json_attributes_template", "qos", "default_entity_id",
}  # fmt: skip
KEYS = {
    "sensor": ENTITY | {"state_class", "unit_of_measurement", "options",
                        "suggested_display_precision", "last_reset_value_template"},
    "binary_sensor": ENTITY | {"payload_on", "payload_off", "off_delay"},
}  # fmt: skip
DEVICE = {
    "identifiers", "connections", "name", "manufacturer", "model", "model_id", "sw_version",
    "hw_version", "serial_number", "suggested_area", "configuration_url", "via_device",
}  # fmt: skip
WHOLE = {
    "device", "origin", "components", "state_topic", "command_topic", "qos", "encoding",
    "availability", "availability_mode", "availability_topic", "availability_template",
    "payload_available", "payload_not_available",
}  # fmt: skip
#: Classes of sensors: units and state classes that go with them. There are fifty more, of gases,
#: energy and weather, which nothing here measures.
MEASURED = {"measurement"}
SUMMED = {"measurement", "total", "total_increasing"}
CLASSES: dict[str, tuple[set[str | None], set[str]]] = {
    "enum": ({None}, set()),
    "timestamp": ({None}, set()),
    "date": ({None}, set()),
    "duration": ({"d", "h", "min", "s", "ms", "µs"}, SUMMED),
    "sound_pressure": ({"dB", "dBA"}, MEASURED),
    "signal_strength": ({"dB", "dBm"}, MEASURED),
    "power_factor": ({"%", None}, MEASURED),
    "temperature": ({"°C", "°F", "K"}, MEASURED),
    "frequency": ({"Hz", "kHz", "MHz", "GHz"}, MEASURED),
    "data_size": ({"B", "kB", "MB", "GB"}, SUMMED),
}
BINARY_CLASSES = {
    "battery", "battery_charging", "carbon_monoxide", "cold", "connectivity", "door", "garage_door",
    "gas", "heat", "light", "lock", "moisture", "motion", "moving", "occupancy", "opening", "plug",
    "power", "presence", "problem", "running", "safety", "smoke", "sound", "tamper", "update",
    "vibration", "window",
}  # fmt: skip
CATEGORIES = {"diagnostic"}  # "config" is refused for sensors.


def faults(topic: str, payload: dict[str, Any]) -> list[str]:
    """Name everything that is wrong with the description of a device."""
    found = []
    if not re.fullmatch(r"[^+#]+/device/(?:[a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config", topic):
        found.append(f"no topic of a device: {topic}")
    found += [f"unknown key {key}" for key in payload.keys() - WHOLE]
    found += [f"{key} is missing" for key in {"device", "origin", "components"} - payload.keys()]
    if found:
        return found
    device, origin = payload["device"], payload["origin"]
    found += [f"unknown key {key} of the device" for key in device.keys() - DEVICE]
    if not device.get("identifiers") and not device.get("connections"):
        found.append("the device has no identifier")
    if not isinstance(origin.get("name"), str) or origin.keys() - {
        "name",
        "sw_version",
        "support_url",
    }:
        found.append("the origin is none")
    if "availability_topic" in payload and "availability" in payload:
        found.append("two availabilities")
    unique = [entity.get("unique_id") for entity in payload["components"].values()]
    if len(set(unique)) != len(unique) or not all(unique):
        found.append("a unique_id is missing or not unique")
    for key, entity in payload["components"].items():
        found += [f"{key}: {fault}" for fault in entity_faults(entity, payload)]
    return found


def entity_faults(entity: dict[str, Any], payload: dict[str, Any]) -> list[str]:
    platform = entity.get("platform")
    if platform not in KEYS:
        return [f"platform {platform}"]
    found = [f"unknown key {key}" for key in entity.keys() - KEYS[platform]]
    topic = entity.get("state_topic", payload.get("state_topic"))
    if not isinstance(topic, str) or not topic or re.search(r"[+#]", topic):
        found.append("no state_topic")
    if entity.get("entity_category", "diagnostic") not in CATEGORIES:
        found.append("entity_category")
    if not re.fullmatch(r"mdi:[a-z0-9-]+", entity.get("icon", "mdi:x")):
        found.append("icon")
    kind = entity.get("device_class")
    if platform == "binary_sensor":
        return found + ([] if kind is None or kind in BINARY_CLASSES else ["device_class"])
    return found + option_faults(entity) + class_faults(entity)


def option_faults(entity: dict[str, Any]) -> list[str]:
    kind, options = entity.get("device_class"), entity.get("options")
    if options is None:
        return ["enum without options"] if kind == "enum" else []
    found = []
    if not isinstance(options, list) or not options or len(set(options)) != len(options):
        found.append("options are empty or twice the same")
    if kind != "enum" or entity.get("unit_of_measurement") or entity.get("state_class"):
        found.append("options without enum, or with a unit or a state class")
    return found


def class_faults(entity: dict[str, Any]) -> list[str]:
    kind, unit = entity.get("device_class"), entity.get("unit_of_measurement")
    state_class = entity.get("state_class")
    if state_class not in {None, *SUMMED}:
        return [f"state_class {state_class}"]
    if kind is None:
        return []
    if kind not in CLASSES:
        return [f"device_class {kind}"]
    units, state_classes = CLASSES[kind]
    found = [] if unit in units else [f"unit {unit} with {kind}"]
    if state_class is not None and state_class not in state_classes:
        found.append(f"state_class {state_class} with {kind}")
    if kind in ("enum", "timestamp", "date") and "suggested_display_precision" in entity:
        found.append("a precision of what is no number")
    return found
