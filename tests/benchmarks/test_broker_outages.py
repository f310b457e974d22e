"""One short outage of those that ``benchmarks.broker`` makes by the ten."""

from __future__ import annotations

import json
import shutil

import pytest
from run_benchmark import run_benchmark

from benchmarks.broker.mosquitto import find_mosquitto


def test_an_outage_is_measured_and_everything_adds_up(tmp_path):
    pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
    for tool in ("mosquitto_passwd", "openssl"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    out = tmp_path / "broker.json"
    words = ("--outage", "0.3", "--times", "1", "--output", str(out))
    done = run_benchmark("broker", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_text())
    assert found["held"] is True
    assert found["adds_up"] is True
    assert found["records_told"] == found["records_published"] + found["records_dropped"] > 0
