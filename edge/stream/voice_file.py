"""What is known of a voice, in a small file: means of its features, and no sound.

The file is JSON: what it is of, sums and numbers of frames of every feature, and how long nobody
has spoken.  It is replaced whole or not at all.
"""

from __future__ import annotations

import json
import math
import os
from typing import Any

from edge.errors import ParameterError, printable
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceColumns
from edge.files import atomic_path, read_file
from edge.stream.voice import VoiceState, can_be_heard

__all__ = ["read_voice", "write_voice"]

_TYPE, _VERSION = "edge-ser voice", 1
_KEYS = {"type", "version", "feature_fingerprint", "silent_s", "sums", "n_frames"}

#: Ours have 2 kB.
_MAX_BYTES = 100_000


def read_voice(path: str, spec: FeatureSpec) -> VoiceState | None:
    """Read what is known of a voice.

    Parameters
    ----------
    path : str
    spec : FeatureSpec
        The features that it must be of.

    Returns
    -------
    VoiceState or None
        None where there is no such file yet.

    Raises
    ------
    ParameterError
        If it cannot be read, is something else, or is of other features.
    """
    name = printable(path)
    mend = f"name another file, or let it begin anew with `rm {name}`"
    try:
        content = read_file(path, _MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ParameterError(f"{name} cannot be read: {error.strerror}; {mend}") from error
    try:
        state = _state(json.loads(content.decode("utf-8")) if len(content) <= _MAX_BYTES else None)
    except (ValueError, RecursionError):
        state = None
    if state is not None and state.feature_fingerprint != spec.fingerprint:
        raise ParameterError(
            f"{name} holds a voice by the features {printable(state.feature_fingerprint)[:64]}, "
            f"and this model takes {spec.fingerprint}: {mend}"
        )
    if state is None or not can_be_heard(state, VoiceColumns(spec)):
        raise ParameterError(f"{name} is not the voice that was kept, or is damaged: {mend}")
    return state


def write_voice(path: str, state: VoiceState) -> None:
    """Keep what is known of a voice.

    Raises
    ------
    OSError
        If the file cannot be written; it is as it was then.
    """
    fields = {
        "type": _TYPE,
        "version": _VERSION,
        "feature_fingerprint": state.feature_fingerprint,
        "silent_s": state.silent_s,
        "sums": state.sums,
        "n_frames": state.n_frames,
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(fields, allow_nan=False) + "\n", encoding="utf-8")
        # Whose voice it is tells it; nobody else is to read it.
        os.chmod(temporary, 0o600)


def _state(fields: Any) -> VoiceState | None:
    """Check what a file holds; None where it is none of ours."""
    if not isinstance(fields, dict) or set(fields) != _KEYS:
        return None
    fingerprint = fields["feature_fingerprint"]
    if (fields["type"], fields["version"]) != (_TYPE, _VERSION) or not isinstance(fingerprint, str):
        return None
    sums, n_frames = _numbers(fields["sums"]), _numbers(fields["n_frames"])
    silent_s = _numbers([fields["silent_s"]])
    if sums is None or n_frames is None or silent_s is None:
        return None
    return VoiceState(fingerprint, sums, n_frames, silent_s[0])


def _numbers(value: Any) -> tuple[float, ...] | None:
    if not isinstance(value, list):
        return None
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in value):
        return None
    try:
        found = tuple(map(float, value))
    except OverflowError:
        return None
    return found if all(map(math.isfinite, found)) else None
