"""Fixtures of the audio tests."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest
from microphone_fakes import FakeSoundDevice


@pytest.fixture
def sounddevice(monkeypatch) -> Iterator[FakeSoundDevice]:
    # Open streams are looked for among all objects: none is among those of other tests.
    gc.freeze()
    fake = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    yield fake
    gc.unfreeze()
