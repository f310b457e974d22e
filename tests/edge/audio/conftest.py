"""Fixtures of the audio tests."""

from __future__ import annotations

import sys

import pytest
from microphone_fakes import FakeSoundDevice


@pytest.fixture
def sounddevice(monkeypatch) -> FakeSoundDevice:
    fake = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake
