"""What is asked of every file, and the answer of one: in this process, another or far away."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from edge.artifact import Artifact
from edge.bundled import MODELS_DIR
from edge.errors import EdgeSerError, WorkerError
from edge.stream.file_answer import FileAnswer

if TYPE_CHECKING:
    from edge.stream.classifier import Classifier

__all__ = ["Answered", "Request", "Task", "answer", "keep"]


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """A model, and how it is used.

    Parameters
    ----------
    folder : str
        The artifact's, absolute; the bare name of a bundled one, which lies elsewhere on another
        machine.
    digest : str
        What the artifact's digest must be.
    settings : tuple of (str, object)
        Keywords of :meth:`edge.stream.classifier.Classifier.classify_file`.
    """

    folder: str
    digest: str
    settings: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, artifact: Artifact, settings: dict[str, Any]) -> Request:
        """Ask for an artifact that was opened here."""
        folder = artifact.path.resolve()
        is_bundled = folder.parent == MODELS_DIR
        return cls(
            folder.name if is_bundled else str(folder), artifact.digest, tuple(settings.items())
        )


class Task(NamedTuple):
    """A file that is to be answered.

    Parameters
    ----------
    path : str
        As it was given or found.
    problem : str or None
        Why it, or the folder that it is, cannot even be looked at.
    """

    path: str
    problem: str | None = None


class Answered(NamedTuple):
    """What came of a task: an answer, or the sentence that says why there is none."""

    answer: FileAnswer | None
    error: str | None


#: A model's session belongs to one thread; a worker of a cluster may have several.
_kept = threading.local()


def answer(request: Request, task: Task) -> Answered:
    """Judge a file.

    Parameters
    ----------
    request : Request
        Its model is opened when a thread first meets it.
    task : Task
        The file.

    Returns
    -------
    Answered
        What is wrong with a file is told; it ends nothing but itself.

    Raises
    ------
    WorkerError
        If another model lies here under that name.
    EdgeSerError
        If the model cannot be opened here.
    """
    if task.problem is not None:
        return Answered(None, task.problem)
    classifier = _opened(request)
    try:
        return Answered(classifier.classify_file(task.path, **dict(request.settings)), None)
    except EdgeSerError as error:
        return Answered(None, str(error))


def keep(request: Request, classifier: Classifier) -> None:
    """Let this thread use a model that is open already."""
    _kept.request, _kept.classifier = request, classifier


def _opened(request: Request) -> Classifier:
    if getattr(_kept, "request", None) != request:
        keep(request, _open(request))
    classifier: Classifier = _kept.classifier
    return classifier


def _open(request: Request) -> Classifier:
    from edge.artifact import read_artifact
    from edge.runtimes.open import open_model
    from edge.stream.classifier import Classifier

    # A bare name joined to the folder of the bundled ones; an absolute path stays what it is.
    artifact = read_artifact(MODELS_DIR / request.folder)
    if artifact.digest != request.digest:
        raise WorkerError(
            f"{artifact.path} is another model here than where the work was begun: copy the "
            "artifact to every machine"
        )
    return Classifier(artifact, open_model(artifact))
