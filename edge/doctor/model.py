"""The artifact that ``listen`` would open: whole, unchanged, and right on this device."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from edge.doctor.finding import Finding, error, ok, skipped, warning
from edge.doctor.look import Look
from edge.doctor.trials import try_artifact
from edge.errors import ArtifactError, EdgeSerError

if TYPE_CHECKING:
    from edge.runtimes.kinds import Kind

__all__ = ["artifact", "reference"]

_ANEW = "pip install --force-reinstall --no-deps . (in the folder that edge-ser was installed from)"


def artifact(look: Look) -> Iterator[Finding]:
    """Read manifest and model file, and compare size and SHA-256.

    Leaves ``kinds``, those that can be read, for the replay.
    """
    look.notes["kinds"] = []
    try:
        from edge.runtimes.kinds import kinds_of
        from edge.runtimes.registry import AUTO
    except ImportError:
        yield skipped("NumPy cannot be imported, see there")
        return
    named = look.wishes.artifact
    try:
        kinds, is_bundled = kinds_of(named, AUTO)
    except EdgeSerError as problem:
        yield error(_without_mend(problem), "edge-ser listen --artifact DIR", named)
        return
    look.notes["kinds"] = [kind for kind in kinds if kind.artifact and not kind.is_program]
    look.notes["is_bundled"] = is_bundled
    n_readable = sum(kind.artifact is not None for kind in kinds)
    for kind in kinds:
        yield _judge(kind, is_bundled=is_bundled, is_needed=n_readable == 0 or len(kinds) == 1)


def _judge(kind: Kind, *, is_bundled: bool, is_needed: bool) -> Finding:
    name = kind.folder.name
    if kind.artifact is None:
        found = error if is_needed else warning
        mend = _ANEW if is_bundled else _copy(kind.folder)
        return found(_without_mend(kind.error), mend, name)
    manifest = kind.artifact.manifest
    measured = manifest.abstention
    told = "" if measured else ", and every label is said: what a bar is worth was not measured"
    return ok(
        f"{name}: {manifest.model_bytes} bytes, SHA-256 {manifest.model_sha256[:12]}… as its "
        f"manifest says{told}",
        name,
        backend=manifest.backend,
        model_bytes=manifest.model_bytes,
        model_sha256=manifest.model_sha256,
        feature_fingerprint=manifest.feature_fingerprint,
        min_probability=measured.min_probability if measured else 0.0,
    )


def _copy(folder: Path) -> str:
    return f"scp -r WORKSTATION:FOLDER/. {shlex.quote(str(folder))}"


def _without_mend(problem: object) -> str:
    """Leave out of an error what it says about the mend, which a finding has apart."""
    text = str(problem)
    for mend in ("; copy the artifact folder again", "; choose another", ": export the model anew"):
        text = text.partition(mend)[0]
    return text


def reference(look: Look) -> Iterator[Finding]:
    """Open each kind in a process of its own and compare it with its reference."""
    kinds = look.notes["kinds"]
    if not kinds:
        yield skipped("no artifact can be read, see there")
    for kind in kinds:
        yield _replay(look, kind, is_needed=len(kinds) == 1)


def _replay(look: Look, kind: Kind, *, is_needed: bool) -> Finding:
    from edge.runtimes.registry import RUNTIMES

    name, row = kind.folder.name, RUNTIMES[kind.backend]
    if not row.is_installed:
        told = error if is_needed else skipped
        return told(f"{name} needs {row.name}", f"pip install {row.install}", name)
    if not look.system.can_start_python:
        return _replay_here(kind)
    trial = try_artifact(look, kind.folder)
    if trial.problem is None and trial.ms is not None:
        return ok(
            f"{name} answers its reference input as it should, {trial.ms:.2g} ms a window",
            name,
            backend=row.name,
            ms=round(trial.ms, 3),
        )
    if trial.is_cut:
        # A slow board is no reason to install anything anew.
        return skipped(
            f"{name}: {row.name} {trial.problem}, which may be for want of time",
            f"edge-ser benchmark --backend {row.name}",
            name,
            backend=row.name,
        )
    found = error if is_needed or row.name == "numpy" else warning
    mend = _ANEW if look.notes.get("is_bundled") else _copy(kind.folder)
    if trial.error is None:
        # The process died: another backend may do.
        mend = f"pip install --force-reinstall {row.install}, or: edge-ser listen --backend numpy"
    sentence = f"{name}: {row.name} {trial.problem}"
    if trial.error is not None:
        sentence = _without_mend(trial.error)
    return found(sentence, mend, name, backend=row.name)


def _replay_here(kind: Kind) -> Finding:
    try:
        kind.open()
    except ArtifactError as problem:
        return error(_without_mend(problem), _copy(kind.folder), kind.folder.name)
    except EdgeSerError as problem:
        return error(str(problem), "edge-ser listen --backend numpy", kind.folder.name)
    return ok(f"{kind.folder.name} answers its reference input as it should", kind.folder.name)
