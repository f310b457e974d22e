"""The file of a voice: read back as it was written, or refused."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from edge.stream.voice import VoiceState
from edge.stream.voice_file import read_voice, write_voice

SPEC = FeatureSpec()
N_FRAMES = tuple(np.linspace(100, 400, 34).tolist())
MEANS = np.array([-300.0] + [3.3] * 12 + [5.1, -30.0] + [0.0] * 12 + [20.0] * 7)
SUMS = tuple((MEANS * N_FRAMES).tolist())
STATE = VoiceState(SPEC.fingerprint, SUMS, N_FRAMES, 12.25)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "voice.json")


def test_what_was_written_is_read_to_the_last_bit(path: str) -> None:
    assert read_voice(path, SPEC) is None
    write_voice(path, STATE)
    assert read_voice(path, SPEC) == STATE
    write_voice(path, dataclasses.replace(STATE, silent_s=0.1))
    assert read_voice(path, SPEC) == dataclasses.replace(STATE, silent_s=0.1)
    assert os.listdir(os.path.dirname(path)) == ["voice.json"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2}, {"type": "voice"}, {"sums": [1.0]}, {"sums": "1"}, {"n_frames": None},
        {"n_frames": [-1.0] * 34}, {"sums": [True] * 34}, {"silent_s": -1}, {"silent_s": None},
        {"sums": [1e12] * 34}, {"n_frames": [1e300] * 34}, {"sums": [10**400] * 34}, {"more": 1},
        {"feature_fingerprint": 7}, {"sums": [5e4] * 34}, {"sums": SUMS, "n_frames": [0.0] * 34},
        {"sums": [float("nan")] * 34},
    ],
)  # fmt: skip
def test_another_file_is_refused_and_left_as_it_is(path: str, changes: dict[str, Any]) -> None:
    write_voice(path, STATE)
    fields = {**json.loads(Path(path).read_text()), **changes}
    Path(path).write_text(json.dumps(fields))
    before = Path(path).read_bytes()
    with pytest.raises(ParameterError, match=r"is not the voice that was kept.* `rm .*voice.json`"):
        read_voice(path, SPEC)
    assert Path(path).read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[" * 90_000, b"\xff\xfe", b"null", b"1" * 200_000, b'{"type": "edge-ser voice"}'],
)
def test_broken_content_is_refused(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)
    with pytest.raises(ParameterError, match="is not the voice that was kept, or is damaged"):
        read_voice(path, SPEC)


def test_half_a_file_is_refused(path: str) -> None:
    write_voice(path, STATE)
    Path(path).write_bytes(Path(path).read_bytes()[:200])
    with pytest.raises(ParameterError, match="is damaged"):
        read_voice(path, SPEC)


def test_other_features_are_refused(path: str) -> None:
    write_voice(path, dataclasses.replace(STATE, feature_fingerprint="other\x1b[1m"))
    with pytest.raises(ParameterError, match=r"features other\\x1b\[1m, and this model takes"):
        read_voice(path, SPEC)


def test_what_is_no_file_is_refused(path: str) -> None:
    os.mkfifo(path)
    with pytest.raises(ParameterError, match=r"voice\.json cannot be read: it is a named pipe"):
        read_voice(path, SPEC)


def test_a_failure_leaves_the_file_as_it_was(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_voice(path, STATE)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_voice(path, dataclasses.replace(STATE, silent_s=1.0))
    assert read_voice(path, SPEC) == STATE
    assert os.listdir(os.path.dirname(path)) == ["voice.json"]
