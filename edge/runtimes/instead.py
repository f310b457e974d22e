"""What to take in place of an artifact whose runtime fails on this device."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from edge.bundled import MODELS, MODELS_DIR
from edge.runtimes.kinds import Kind, find_artifacts, kinds_of
from edge.runtimes.registry import AUTO, RUNTIMES

__all__ = ["instead_of"]


def instead_of(path: str | os.PathLike[str]) -> str:
    """Name another backend, and the artifact that it runs.

    Parameters
    ----------
    path : path
        Folder of the artifact that cannot be used.

    Returns
    -------
    str
        The end of a sentence: another kind of the same model, if one lies beside it that can run
        here, NumPy's before others; else how to get one, and the bundled model.
    """
    folder = Path(path).absolute()
    beside = _beside(folder)
    if beside is None:
        bundled = next(iter(MODELS))
        return (
            "export the model for NumPy (edge-ser-quantize export RUN --kind numpy-int8) or take "
            f"the bundled one: --artifact {bundled} --backend numpy"
        )
    name: str | os.PathLike[str] = beside.folder
    if beside.folder.parent == MODELS_DIR:
        name = next(m for m, kinds in MODELS.items() if beside.folder.name in kinds.values())
    return f"use --artifact {shlex.quote(os.fspath(name))} --backend {beside.backend}"


def _beside(folder: Path) -> Kind | None:
    """The best other kind of the same model that lies in the same folder."""
    kinds = _kind(folder), *(_kind(f) for f in find_artifacts(folder.parent) if f != folder)
    failed, *others = kinds
    if failed is None or failed.artifact is None:
        return None
    identity = failed.artifact.manifest.model_identity
    usable = [
        kind
        for kind in others
        if kind is not None
        and kind.artifact is not None
        and kind.artifact.manifest.model_identity == identity
        and kind.backend != failed.backend
        and not kind.is_program
        and RUNTIMES[kind.backend].is_installed
    ]
    return min(usable, key=lambda kind: (not kind.is_numpy, -kind.weight_bits), default=None)


def _kind(folder: Path) -> Kind | None:
    kinds, _ = kinds_of(folder, AUTO)
    return kinds[0] if len(kinds) == 1 else None
