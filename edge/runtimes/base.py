"""What every runtime offers: a model that never changes, and sessions that hold the buffers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NoReturn, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from edge.arrays import softmax
from edge.artifact import Manifest
from edge.errors import ArtifactError, ParameterError
from edge.runtimes.one_thread import OneThread

__all__ = [
    "AttentiveSession",
    "BatchSession",
    "Model",
    "Session",
    "SingleUser",
    "check_inputs",
    "check_logits",
    "first_line",
    "reference_difference",
]

Floats = npt.NDArray[np.float32]

# Made once: every decision is checked.
_FLOAT32 = np.dtype(np.float32)
_WHOLE = (int, np.integer)


class Session(Protocol):
    """The buffers of one use of a model.

    For one thread at a time: a second one is refused while the first is inside.  It refuses to be
    copied and pickled; a model opens as many as are wanted.
    """

    def infer(self, features: Floats, corpus: int) -> Floats:
        """Run the model.

        Parameters
        ----------
        features : float32 [shape=(B, T, n_features)]
            Normalised rows, finite.
        corpus : int
            Row of the corpus embedding; not looked at by a model that takes none.

        Returns
        -------
        float32 [shape=(B, n_labels)]
            Logits; a new array.

        Raises
        ------
        ParameterError
            If the shape, the dtype or the corpus does not fit the model, or another thread is
            inside.
        BackendError
            If the runtime fails.
        """
        ...


@runtime_checkable
class AttentiveSession(Session, Protocol):
    """A session that also tells which frames its model attended to."""

    def infer_with_attention(self, features: Floats, corpus: int) -> tuple[Floats, Floats]:
        """Run the model and keep the weights of its attention.

        Parameters
        ----------
        features, corpus
            As in :meth:`Session.infer`.

        Returns
        -------
        logits : float32 [shape=(B, n_labels)]
            Those of :meth:`Session.infer`, to the last bit.
        attention : float32 [shape=(B, n_heads, T)]
            ``softmax(Q K^T / sqrt(d))`` averaged over its queries: the share of each
            head's attention that each frame receives, with which the model pools over
            time; frames of one step share alike.  Sums to 1 over the frames; a new array.

        Raises
        ------
        ParameterError, BackendError
            As :meth:`Session.infer`.
        """
        ...


@runtime_checkable
class BatchSession(Session, Protocol):
    """A session that computes many examples for less than each alone, and none by another.

    A model whose numbers are rounded by the range of a whole batch has none: there, what one
    stream hears would change the answers of the others.
    """

    def infer_each(self, examples: Sequence[Floats], corpus: int) -> Floats:
        """Run the model on examples that have nothing to do with each other.

        Parameters
        ----------
        examples : sequence of float32 [shape=(T, n_features)]
            All of one length.
        corpus : int
            As in :meth:`Session.infer`.

        Returns
        -------
        float32 [shape=(n_examples, n_labels)]
            Logits; each row that of :meth:`Session.infer` on its example alone, to 1e-5.

        Raises
        ------
        ParameterError, BackendError
            As :meth:`Session.infer`.
        """
        ...


class Model(Protocol):
    """Weights, opened.  Never changes: threads share it, copies and pickles answer alike."""

    @property
    def name(self) -> str:
        """The runtime's."""
        ...

    def session(self) -> Session:
        """Open a session; any number may live side by side.

        Raises
        ------
        BackendError
            If the runtime cannot allocate it.
        """
        ...


class SingleUser:
    """Base of sessions: one thread at a time, and no copies.

    ``with self._alone:`` around what touches a buffer.  Numbers that two threads mixed would be
    wrong without a word.
    """

    __slots__ = ("_alone",)

    def __init__(self) -> None:
        self._alone = OneThread(
            "two threads use one session (or one stream) at the same time: open one for each "
            "thread, they may share the model"
        )

    def __copy__(self) -> NoReturn:
        _refuse_copy()

    def __deepcopy__(self, memo: object) -> NoReturn:
        _refuse_copy()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        _refuse_copy()


def _refuse_copy() -> NoReturn:
    raise ParameterError(
        "a session is the buffers of one use and cannot be copied or pickled: copy the model or "
        "the classifier and open another"
    )


def reference_difference(session: Session, manifest: Manifest) -> float:
    """Largest absolute difference of the reference input's posterior; infinite if not finite.

    Raises
    ------
    ArtifactError
        If the model gives another number of logits than the manifest has labels.
    """
    reference = manifest.reference
    features = np.array(reference.features, dtype=np.float32)[None]
    logits = check_logits(manifest, session.infer(features, reference.corpus), 1)
    if not np.isfinite(logits).all():
        return math.inf
    wanted = softmax(reference.logits, manifest.temperature)
    return float(np.abs(softmax(logits[0], manifest.temperature) - wanted).max())


def check_logits(manifest: Manifest, logits: object, n_batch: int) -> Floats:
    """Return what a runtime gave if it is as wide as the manifest has labels.

    Raises
    ------
    ArtifactError
        If it is anything but float32 [shape=(n_batch, n_labels)].
    """
    wanted = (n_batch, manifest.architecture.n_labels)
    kind, shape = getattr(logits, "dtype", None), getattr(logits, "shape", None)
    if not isinstance(logits, np.ndarray) or kind != np.float32 or shape != wanted:
        raise ArtifactError(
            f"the model gives {kind} {shape}, float32 {wanted} is wanted: it belongs to another "
            "manifest"
        )
    return logits


def check_inputs(manifest: Manifest, features: Floats, corpus: int) -> None:
    """Refuse what :meth:`Session.infer` cannot take.

    Raises
    ------
    ParameterError
        If ``features`` is not float32 (B >= 1, T >= 1, n_features) or
        ``corpus`` is not a row of the embedding.
    """
    sizes = manifest.architecture
    width = sizes.n_features
    if not isinstance(features, np.ndarray) or features.dtype != _FLOAT32:
        kind = getattr(features, "dtype", type(features).__name__)
        raise ParameterError(f"features are {kind}, a float32 array is wanted")
    if features.ndim != 3 or features.shape[2] != width or 0 in features.shape:
        raise ParameterError(
            f"features have shape {features.shape}, (batch, time, {width}) with at least one "
            "example and one frame is wanted"
        )
    n_corpora = sizes.n_corpora
    if isinstance(corpus, bool) or not isinstance(corpus, _WHOLE):
        raise ParameterError(f"corpus is {corpus!r}, a whole number is wanted")
    if not 0 <= corpus < n_corpora:
        raise ParameterError(f"corpus is {corpus}, 0 to {n_corpora - 1} is wanted")


def first_line(error: Exception) -> str:
    """Return the first line of a runtime's message, which may go on for pages."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
