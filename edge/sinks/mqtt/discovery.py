"""How Home Assistant is told which device this is and what it says.

One message describes the device and all of its entities: the discovery of devices, which Home
Assistant knows since 2024.11 (https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge.sinks.mqtt.address import Address
from edge.sinks.registry import About

__all__ = [
    "AVAILABILITY",
    "DIAGNOSTICS",
    "OFFLINE",
    "ONLINE",
    "RECORDS",
    "STATE",
    "discovery_of",
    "discovery_topic",
    "status_topic",
]

#: Behind the topic of the device.
STATE, DIAGNOSTICS, AVAILABILITY, RECORDS = "state", "diagnostics", "availability", "records"
ONLINE, OFFLINE = "online", "offline"


def discovery_topic(address: Address) -> str:
    """Where the device is described; the last part but one may hold no dot and no space."""
    return f"{address.discovery}/device/edge-ser-{address.node}/config"


def status_topic(address: Address) -> str:
    """Where Home Assistant says that it began and ended."""
    return f"{address.discovery}/status"


def discovery_of(address: Address, about: About, labels: Sequence[str]) -> dict[str, Any]:
    """Describe the device.

    Parameters
    ----------
    address : Address
    about : About
    labels : sequence of str
        Those that the model may say: the sensor takes no other.

    Returns
    -------
    dict
        Plain JSON types.

    Notes
    -----
    A template that gives ``None``, which a null is written as, makes an entity unknown: so it is
    while nobody speaks.  The level is in dBFS and of no ``device_class``: "sound_pressure" is
    against 20 µPa, of which a microphone that nobody calibrated knows nothing.  The speech sensor
    is of the class "sound", as that is what it goes by; "occupancy" would say that nobody is there
    as soon as nobody speaks.
    """
    entities = {**_readings(labels), **_diagnostics()}
    return {
        "device": {
            "identifiers": [f"edge-ser-{address.node}"],
            "name": address.name,
            "manufacturer": "edge-ser",
            "model": about.model or "edge-ser",
            "model_id": f"sha256:{about.model_sha256[:16]}" if about.model_sha256 else "unknown",
            "sw_version": about.version or "unknown",
        },
        "origin": {"name": "edge-ser", "sw_version": about.version or "unknown"},
        "availability_topic": f"{address.topic}/{AVAILABILITY}",
        "payload_available": ONLINE,
        "payload_not_available": OFFLINE,
        "qos": 1,
        "components": {
            key: {
                "unique_id": f"edge-ser-{address.node}-{key}",
                **entity,
                "state_topic": f"{address.topic}/"
                + (DIAGNOSTICS if "entity_category" in entity else STATE),
            }
            for key, entity in entities.items()
        },
    }


def _readings(labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    measured = {"platform": "sensor", "state_class": "measurement"}
    label: dict[str, Any] = {
        "platform": "sensor",
        "name": "Emotion",
        "icon": "mdi:account-voice",
        "value_template": "{{ value_json.label }}",
    }
    if labels:
        label |= {"device_class": "enum", "options": list(labels)}
    return {
        "label": label,
        "probability": {
            **measured,
            "name": "Probability",
            "icon": "mdi:percent",
            "unit_of_measurement": "%",
            "suggested_display_precision": 0,
            "value_template": "{{ None if value_json.probability is none else "
            "(100 * value_json.probability) | round(1) }}",
        },
        "activation": {
            **measured,
            "name": "Activation",
            "icon": "mdi:pulse",
            "suggested_display_precision": 2,
            "value_template": "{{ value_json.activation }}",
        },
        "level": {
            **measured,
            "name": "Level",
            "icon": "mdi:volume-high",
            "unit_of_measurement": "dBFS",
            "suggested_display_precision": 0,
            "value_template": "{{ value_json.level_db }}",
        },
        "speech": {
            "platform": "binary_sensor",
            "name": "Speech",
            "device_class": "sound",
            "payload_on": "ON",
            "payload_off": "OFF",
            "value_template": "{{ None if value_json.speech is none else "
            "'ON' if value_json.speech else 'OFF' }}",
        },
    }


def _diagnostics() -> dict[str, dict[str, Any]]:
    counted = {
        "platform": "sensor",
        "entity_category": "diagnostic",
        "state_class": "total_increasing",
    }
    return {
        "latency": {
            "platform": "sensor",
            "entity_category": "diagnostic",
            "name": "Latency",
            "device_class": "duration",
            "state_class": "measurement",
            "unit_of_measurement": "ms",
            "suggested_display_precision": 0,
            "value_template": "{{ value_json.latency_ms }}",
        },
        "dropped": {
            **counted,
            "name": "Dropped samples",
            "icon": "mdi:waveform",
            "unit_of_measurement": "samples",
            "value_template": "{{ value_json.dropped_samples }}",
        },
        "skipped": {
            **counted,
            "name": "Skipped decisions",
            "icon": "mdi:debug-step-over",
            "unit_of_measurement": "decisions",
            "value_template": "{{ value_json.skipped_hops }}",
        },
        "uptime": {
            "platform": "sensor",
            "entity_category": "diagnostic",
            "name": "Uptime",
            "device_class": "timestamp",
            "value_template": "{{ value_json.uptime }}",
        },
    }
