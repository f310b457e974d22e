"""Which artifacts are measured, and what became of the others."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge.artifact import Artifact
from edge.bundled import MODELS, MODELS_DIR
from edge.errors import EdgeSerError, ParameterError
from edge.runtimes.choice import open_artifact
from edge.runtimes.kinds import find_artifacts, kinds_of
from edge.runtimes.probe import can_try, try_artifact
from edge.runtimes.registry import RUNTIMES

__all__ = ["LeftOut", "Subject", "every_subject", "named_subjects"]

#: Of the figures of a manifest, those of whole corpora make the one that a picture shows.
_ROLE = "corpus"


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """An artifact that is measured, with the runtime it was made for.

    Parameters
    ----------
    artifact : Artifact
    reason : str or None
        What was picked and why; None where there was nothing to choose.
    """

    artifact: Artifact
    reason: str | None = None

    @property
    def name(self) -> str:
        """Of the model, and of its runtime."""
        return f"{self.artifact.manifest.name} on {self.backend}"

    @property
    def backend(self) -> str:
        """Name of its runtime."""
        return self.artifact.manifest.backend

    def facts(self) -> dict[str, Any]:
        """What a report says of it: hash, sizes, and the figures that its manifest claims."""
        manifest, folder = self.artifact.manifest, self.artifact.path
        return {
            "name": manifest.name,
            "backend": manifest.backend,
            "recipe": manifest.quantization.recipe,
            "model_bytes": manifest.model_bytes,
            "folder_bytes": sum(f.stat().st_size for f in folder.iterdir() if f.is_file()),
            "model_sha256": manifest.model_sha256,
            "accuracy": _accuracy(manifest.accuracy),
        }


@dataclasses.dataclass(frozen=True, slots=True)
class LeftOut:
    """An artifact that cannot be opened here.

    Parameters
    ----------
    name : str
        Of its folder.
    reason : str
        One sentence.
    """

    name: str
    reason: str


def named_subjects(names: Sequence[str | None], backend: str) -> list[Subject]:
    """Open the artifacts that somebody named.

    Parameters
    ----------
    names : sequence of str or None
        Folders, or bundled ones by their model's or their folder's name; None: the bundled
        default.
    backend : str
        As for :func:`edge.runtimes.choice.open_artifact`.

    Raises
    ------
    ParameterError
        If two of them are the same artifact.
    EdgeSerError
        As :func:`edge.runtimes.choice.open_artifact`.
    """
    subjects: list[Subject] = []
    for name in names:
        choice = open_artifact(None if name is None else _place(name), backend)
        same = [s for s in subjects if s.artifact.path.samefile(choice.artifact.path)]
        if same:
            raise ParameterError(
                f"{name} is {choice.artifact.path}, which is measured already: name an artifact "
                "once"
            )
        subjects.append(Subject(choice.artifact, choice.reason))
    return subjects


def every_subject(names: Sequence[str]) -> tuple[list[Subject], list[LeftOut]]:
    """Find every artifact that can be opened on this device.

    Parameters
    ----------
    names : sequence of str
        As for :func:`named_subjects`; each may hold one model in several kinds.  None: every
        bundled model.

    Returns
    -------
    subjects : list of Subject
        Programs are not among them: they run only when they are named.
    left_out : list of LeftOut

    Raises
    ------
    ParameterError
        If none is left.
    """
    subjects: list[Subject] = []
    left_out: list[LeftOut] = []
    for folder in _folders(names):
        try:
            subjects.append(Subject(_tried(folder)))
        except EdgeSerError as error:
            left_out.append(LeftOut(folder.name, str(error)))
    if not subjects:
        reasons = "; ".join(each.reason for each in left_out)
        raise ParameterError(f"none of {len(left_out)} artifacts can be measured here: {reasons}")
    return subjects, left_out


def _folders(names: Sequence[str]) -> list[Path]:
    if not names:
        return [MODELS_DIR / kind for kinds in MODELS.values() for kind in kinds.values()]
    folders: dict[Path, None] = {}
    for name in names:
        found = find_artifacts(Path(_place(name)))
        if name in MODELS and not found[0].exists():
            found = [MODELS_DIR / kind for kind in MODELS[name].values()]
        folders.update(dict.fromkeys(found))
    return list(folders)


def _place(name: str) -> str | os.PathLike[str]:
    """A bundled artifact may be named by its folder, too, as reports name it."""
    is_bundled = any(name in kinds.values() for kinds in MODELS.values())
    if not is_bundled or name in MODELS or os.path.exists(name):
        return name
    return MODELS_DIR / name


def _tried(folder: Path) -> Artifact:
    (kind,), _ = kinds_of(folder, "auto")
    if kind.error is None and kind.artifact is not None and not kind.is_numpy:
        if not RUNTIMES[kind.backend].is_installed:
            raise RUNTIMES[kind.backend].missing()
        if can_try():
            kind.error = try_artifact(kind.artifact).error
    if kind.error is not None:
        raise kind.error
    assert kind.artifact is not None
    return kind.artifact


def _accuracy(figures: Sequence[Any]) -> dict[str, Any] | None:
    """The figures of a manifest, and the mean recall over its corpora, which is said in short."""
    if not figures:
        return None
    whole = [f for f in figures if f.get("role") == _ROLE and f.get("metric") == "uar"]
    # "speaker-5fold, ravdess": the corpus of each is told with its figure.
    splits = dict.fromkeys(str(f["split"]).partition(",")[0] for f in whole or figures)
    return {
        "split": ", ".join(splits),
        "mean_uar": round(sum(f["value"] for f in whole) / len(whole), 4) if whole else None,
        "figures": [dict(figure) for figure in figures],
    }
