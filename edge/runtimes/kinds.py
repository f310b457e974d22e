"""The kinds of one model that lie in a folder: finding, reading, and leaving out."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from edge.artifact import MANIFEST_FILE, Artifact, read_artifact
from edge.bundled import MODELS, MODELS_DIR
from edge.errors import ArtifactError, BackendError, EdgeSerError, ParameterError
from edge.files import as_path
from edge.runtimes.base import Model
from edge.runtimes.open import open_model, runtime_of
from edge.runtimes.registry import AUTO, RUNTIMES

__all__ = ["Kind", "find_artifacts", "kinds_of"]


@dataclasses.dataclass(slots=True)
class Kind:
    """An artifact that may be picked, and what became of it."""

    folder: Path
    artifact: Artifact | None = None
    ms: float | None = None
    problem: str | None = None
    error: EdgeSerError | None = None
    model: Model | None = None

    @property
    def backend(self) -> str:
        """Name of its runtime, or of the folder where it cannot be read."""
        return self.artifact.manifest.backend if self.artifact else self.folder.name

    @property
    def is_numpy(self) -> bool:
        """Whether NumPy runs it."""
        return self.artifact is not None and self.backend == "numpy"

    @property
    def is_program(self) -> bool:
        """Whether opening it runs a program of whoever made it."""
        return self.artifact is not None and RUNTIMES[self.backend].is_program

    @property
    def weight_bits(self) -> int:
        """How exact it is."""
        return self.artifact.manifest.quantization.weight_bits if self.artifact else 0

    def fail(self, error: EdgeSerError, problem: str | None = None) -> None:
        """Leave it out; ``problem`` is the end of a sentence that begins with its name."""
        self.error, self.problem = error, problem or f"fails: {error}"

    def open(self) -> Model:
        """Open it in this process."""
        assert self.artifact is not None
        return open_model(self.artifact)


def kinds_of(source: str | os.PathLike[str] | None, backend: str | None) -> tuple[list[Kind], bool]:
    """Read the artifacts of one model that ``backend`` may mean.

    Parameters
    ----------
    source, backend
        As for :func:`edge.runtimes.choice.open_artifact`.

    Returns
    -------
    kinds : list of Kind
        At least one.  Those that cannot be read, and programs that were not asked for by name,
        carry their error.
    is_bundled : bool

    Raises
    ------
    ParameterError
        If ``source`` is empty.
    ArtifactError
        If none is for ``backend``, they are of different models, or several might be meant.
    """
    folders, is_bundled = _folders(source, backend)
    kinds = _of_backend([_read(folder) for folder in folders], backend, folders)
    _refuse_different_models(kinds)
    if backend in (None, AUTO):
        _pass_over_programs(kinds)
    if backend is None:
        kinds = _meant(kinds, folders)
    return kinds, is_bundled


def find_artifacts(folder: Path) -> list[Path]:
    """Return a folder that is an artifact, or the artifacts that lie in it, by name.

    One that is neither comes back as it is: reading it says what is wrong.
    """
    try:
        if not folder.is_dir() or (folder / MANIFEST_FILE).exists():
            return [folder]
        return sorted(entry.parent for entry in folder.glob(f"*/{MANIFEST_FILE}")) or [folder]
    except (OSError, ValueError):
        # A folder that may not be entered, a name of 300 characters or with a NUL in it.
        return [folder]


def _folders(source: str | os.PathLike[str] | None, backend: str | None) -> tuple[list[Path], bool]:
    """Artifacts that are meant, and whether they are the bundled ones."""
    if source is None:
        kinds = next(iter(MODELS.values()))
    else:
        if isinstance(source, str | bytes) and not source:
            raise ParameterError(
                "the artifact is named by an empty text, a folder or a bundled model "
                f"({', '.join(MODELS)}) is wanted; '.' is the current folder"
            )
        name = as_path(source, "the artifact")
        found = find_artifacts(Path(name))
        # A folder that is there comes before a bundled model of its name.
        if name not in MODELS or found[0].exists():
            return found, all(_is_bundled(each) for each in found)
        kinds = MODELS[name]
    # Without a name NumPy's is meant, and the others need not be read.
    named = "numpy" if backend is None else backend
    wanted = [kinds[named]] if named in kinds else list(kinds.values())
    return [MODELS_DIR / kind for kind in wanted], True


def _is_bundled(folder: Path) -> bool:
    try:
        return folder.resolve().parent == MODELS_DIR
    except (OSError, ValueError, RuntimeError):
        return False  # A NUL in the name, links in a circle: reading it says so.


def _read(folder: Path) -> Kind:
    kind = Kind(folder)
    try:
        artifact = read_artifact(folder)
        runtime_of(artifact)
        kind.artifact = artifact
    except EdgeSerError as error:
        kind.fail(error)
    return kind


def _of_backend(kinds: list[Kind], backend: str | None, folders: Sequence[Path]) -> list[Kind]:
    if backend in (None, AUTO):
        return kinds
    readable = [c for c in kinds if c.artifact]
    fitting = [c for c in readable if c.backend == backend]
    if fitting or not readable:
        return fitting or kinds
    if len(readable) == 1 and readable[0].artifact:
        # It says what the artifact was made for.
        open_model(readable[0].artifact, backend)
    made_for = ", ".join(sorted({c.backend for c in readable}))
    raise ArtifactError(
        f"{folders[0].parent} holds artifacts for {made_for} and none for {backend!r}; choose one "
        "of those or export the model for it"
    )


def _refuse_different_models(kinds: Sequence[Kind]) -> None:
    """Refuse to choose between models: the fastest would mostly be the worst."""
    if len(kinds) == 1:
        return
    models: dict[str, Kind] = {}
    for kind in kinds:
        if kind.artifact:
            models.setdefault(kind.artifact.manifest.model_identity, kind)
    if len(models) > 1:
        one, other, *_ = models.values()
        raise ArtifactError(
            f"{one.folder.parent} holds different models ({one.folder.name} and "
            f"{other.folder.name}), kinds of one model are wanted: name the folder of one"
        )


def _pass_over_programs(kinds: Sequence[Kind]) -> None:
    for kind in kinds:
        if kind.is_program:
            name = kind.backend
            error = BackendError(
                f"{kind.folder} is a program ({name}) and runs only when it is asked for by "
                f"name: if you trust who made it, say --backend {name} (in Python "
                f'backend="{name}")'
            )
            kind.fail(error, f"is a program and runs only with --backend {name}")


def _meant(kinds: list[Kind], folders: Sequence[Path]) -> list[Kind]:
    """The kind that is meant where no backend was named."""
    numpy = [c for c in kinds if c.is_numpy]
    if numpy:
        return [max(numpy, key=lambda c: c.weight_bits)]
    working = [c for c in kinds if not c.error]
    if len(working) > 1:
        made_for = ", ".join(sorted({c.backend for c in working}))
        raise ArtifactError(
            f"{folders[0].parent} holds artifacts for {made_for}: name the backend that is meant, "
            f"or {AUTO!r}"
        )
    return working or kinds
