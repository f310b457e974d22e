"""The file in which ``listen`` keeps the reference for the voice."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from edge.doctor.finding import Finding, error, ok, skipped
from edge.doctor.look import Look
from edge.errors import EdgeSerError, printable

if TYPE_CHECKING:
    from edge.artifact import Manifest

__all__ = ["voice"]


def voice(look: Look) -> Iterator[Finding]:
    """Read it as ``listen`` does; after the artifact, whose features it must be of."""
    path = look.wishes.state
    if path is None:
        yield skipped("no configuration file says that the reference for the voice is kept")
        return
    kinds = look.notes.get("kinds")
    if not kinds:
        yield skipped("no artifact can be read, see there")
        return
    yield _judge(path, kinds[0].artifact.manifest)


def _judge(path: str, manifest: Manifest) -> Finding:
    from edge.stream.voice_file import read_voice

    name, folder = printable(path), os.path.dirname(path) or "."
    if manifest.voice_reference is None:
        return error(
            f"state names {name}, and the model {manifest.name} takes no reference for the voice",
            "take the line `state = ...` out of the configuration file",
        )
    if not os.path.isdir(folder):
        return error(f"{name} lies in no folder", f"mkdir -p {shlex.quote(folder)}")
    if not os.access(folder, os.W_OK | os.X_OK):
        return error(
            f"this user may not write into {printable(folder)}, where the voice is kept",
            f"chmod u+wx {shlex.quote(folder)}",
        )
    try:
        state = read_voice(path, manifest.feature_spec)
    except EdgeSerError as problem:
        sentence = str(problem).replace("; name another", ": name another")
        return error(sentence.partition(": name another")[0], f"rm {shlex.quote(path)}")
    if state is None:
        return ok(f"{name} is not there yet, and will hold the voice", heard_s=0.0)
    spec = manifest.feature_spec
    heard_s = max(state.n_frames, default=0.0) * spec.hop_length / spec.sample_rate
    return ok(f"{name} holds {heard_s:.1f} s of a voice", heard_s=round(heard_s, 1))
