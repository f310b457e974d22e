"""Every backend, each tried in a process of its own."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from typing import Any

from edge.bundled import MODELS, MODELS_DIR
from edge.doctor.finding import Finding, error, ok, skipped, warning
from edge.doctor.look import Look
from edge.doctor.trials import try_artifact, try_import
from edge.runtimes.registry import RUNTIMES, Runtime

__all__ = ["backends"]


def backends(look: Look) -> Iterator[Finding]:
    """Try each with its bundled model, or by its import where there is none for it."""
    if look.notes.get("has_numpy") is False:
        yield skipped("NumPy cannot be imported, see there")
        return
    bundled = next(iter(MODELS.values()))
    for row in RUNTIMES.values():
        if not row.is_installed:
            yield skipped(
                f"{row.name}: {' or '.join(row.packages)} is not installed",
                f"pip install {row.install}",
                row.name,
            )
        elif not look.system.can_start_python:
            yield skipped(
                f"{row.name}: this program is frozen and starts no Python", subject=row.name
            )
        else:
            yield _try(look, row, bundled.get(row.name))


def _try(look: Look, row: Runtime, model: str | None) -> Finding:
    trial = try_artifact(look, MODELS_DIR / model) if model else try_import(look, row.name)
    facts: dict[str, Any] = {"version": _version(row), "ms": trial.ms}
    if trial.problem is None:
        about = "can be imported" if trial.ms is None else f"{trial.ms:.2g} ms a window"
        return ok(f"{row.name}: version {facts['version']}, {about}", row.name, **facts)
    install = f"pip install --force-reinstall {row.install}"
    if row.name == "numpy" and not trial.is_cut:
        return error(f"{row.name} {trial.problem}", install, row.name, **facts)
    if trial.is_late:
        return skipped(
            f"{row.name} {trial.problem}, which may be for want of time",
            f"edge-ser benchmark --backend {row.name}",
            row.name,
            **facts,
        )
    return warning(
        f"{row.name} {trial.problem}; `--backend auto` passes it over", install, row.name, **facts
    )


def _version(row: Runtime) -> str | None:
    for name in (row.install, *row.packages):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None
