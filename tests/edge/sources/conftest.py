"""The microphone of sources is one that follows scripts."""

from __future__ import annotations

import pytest
from fake_microphone import FakeMicrophone

import edge.audio.microphone
import edge.sources.outage as outage_module
from edge.sources import Stop


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[FakeMicrophone]:
    monkeypatch.setattr(edge.audio.microphone, "Microphone", FakeMicrophone)
    for name in ("openings", "script", "resumed", "said", "rest", "wanted"):
        monkeypatch.setattr(FakeMicrophone, name, [], raising=False)
    monkeypatch.setattr(FakeMicrophone, "stop", Stop(), raising=False)
    # Nothing else changes on this machine meanwhile.
    monkeypatch.setattr(outage_module, "sound_signature", lambda: ())
    return FakeMicrophone
