"""Many streams in one thread: what they have in common to do is done in one go."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.arrays import as_samples
from edge.errors import BackendError, ParameterError, shown
from edge.features.together import push_together
from edge.runtimes.base import BatchSession
from edge.stream.decision import Decision
from edge.stream.gate_memory import BATCH
from edge.stream.lengths import LATEST_S, checked_arrival
from edge.stream.row_window import RowWindow
from edge.stream.stream import Stream
from edge.stream.trained_gate import TrainedSpeechGate
from edge.stream.trained_gate import push_together as gates_together
from edge.stream.verdict import Question
from edge.stream.voices_together import hear_together

if TYPE_CHECKING:
    from edge.stream.classifier import Classifier

__all__ = ["StreamGroup"]

#: Streams that are computed together at most: sixteen rows of each, and one between two, fill four
#: tiles of the spectrum, and their samples still lie in the cache when the last rows are made.
_AT_ONCE = 15

_Taken = tuple[Stream, NDArray[np.float32], float]


class StreamGroup:
    """Serves many streams of one classifier together, for less than each alone.

    The streams are those of :meth:`Classifier.stream`, with options of their own.  Nothing but time
    is shared: each hears what it would hear alone, may be pushed alone in between, skip, be flushed
    and be left out from then on.  A group keeps no stream, and belongs to one thread.

    Parameters
    ----------
    classifier : Classifier
        Of all streams.

    Notes
    -----
    Half of what a decision takes is to begin: calls of NumPy on a few numbers.  Hops of fifteen
    streams are begun together.  So push what came in meanwhile of all streams at once, some ten
    times a second: with one block a call there is nothing to share.

    The rows are those of a stream alone, to the last bit.  Sums are added up in another order in
    the gate, of voices, and in a model that takes a batch of windows and computes each by itself,
    sixteen at once (:class:`~edge.runtimes.base.BatchSession`: NumPy's); their last bits differ.
    Other models are asked window by window.
    """

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        session = classifier.model.session()
        self._session = session if isinstance(session, BatchSession) else None

    def __repr__(self) -> str:
        return f"<StreamGroup of {self.classifier!r}>"

    def push(
        self,
        blocks: Iterable[tuple[Stream, ArrayLike, float | None]],
        *,
        live: bool = False,
    ) -> list[tuple[Stream, Decision]]:
        """Let streams take in what came for them, and hand out the decisions that this completes.

        Parameters
        ----------
        blocks : iterable of (Stream, float [shape=(n_samples,)], float or None)
            A stream, its next block and when that arrived, as for :meth:`Stream.push`.  A stream
            may come more than once, its blocks in their order, or not at all.
        live : bool
            As for :meth:`Stream.push`.

        Returns
        -------
        list of (Stream, Decision)
            Of every stream in the order of time; streams in the order of their first block.

        Raises
        ------
        ParameterError
            If a block cannot be used, or a stream is of another classifier, was flushed, or is at
            work in another call.  Nothing of any block is taken in.
        BackendError
            If the model failed on a segment of a stream.  All blocks are taken in all the same, and
            nothing else is lost: the decisions of this call are handed out with the next one in
            which their stream takes part, here or alone.
        """
        taken = self._checked(blocks)
        streams = list(dict.fromkeys([stream for stream, _, _ in taken]))
        entered: list[Stream] = []
        try:
            for stream in streams:
                stream._alone.__enter__()
                entered.append(stream)
                if stream._flushed:
                    stream._check_open()
            waiting = taken
            while waiting:
                waiting = self._round(waiting, live)
            if live:
                for stream, _, arrived_s in taken:
                    stream._backlog.note(time.perf_counter() - arrived_s)
            return _handed_out(streams)
        finally:
            for stream in entered:
                stream._alone.__exit__()

    def _checked(self, blocks: Iterable[tuple[Stream, ArrayLike, float | None]]) -> list[_Taken]:
        # Once a block, and there are thirty of them a second and stream.
        now_s, classifier = time.perf_counter(), self.classifier
        taken = []
        for block in blocks:
            try:
                stream, samples, arrived_s = block
            except (TypeError, ValueError) as error:
                raise ParameterError(
                    f"a block is {shown(block)}, a tuple (stream, samples, arrived_s) is wanted; "
                    "arrived_s may be None"
                ) from error
            if not isinstance(stream, Stream) or stream.classifier is not classifier:
                raise ParameterError(
                    f"a block is for {shown(stream)}, a stream of this group's classifier is "
                    "wanted: open it with group.classifier.stream()"
                )
            if arrived_s is None:
                arrived_s = now_s
            elif type(arrived_s) is not float or not abs(arrived_s) <= LATEST_S:
                arrived_s = checked_arrival(arrived_s)
            taken.append((stream, as_samples(samples, "samples"), arrived_s))
        return taken

    def _round(self, blocks: list[_Taken], live: bool) -> list[_Taken]:
        """Fill every stream up to the end of its batch, compute those, and give what is left."""
        full: list[_Taken] = []
        left: list[_Taken] = []
        busy: set[Stream] = set()
        for stream, samples, arrived_s in blocks:
            if not samples.size:
                continue
            if busy and stream in busy:
                left.append((stream, samples, arrived_s))
                continue
            n_taken = stream._window.fill(samples)
            if n_taken is not None:
                rest = samples[n_taken:]
                busy.add(stream)
                full.append((stream, rest, arrived_s))
                if rest.size:
                    left.append((stream, rest, arrived_s))
        for first in range(0, len(full), _AT_ONCE):
            together = [stream for stream, _, _ in full[first : first + _AT_ONCE]]
            for index, error in _compute_rows([each._window for each in together]).items():
                together[index]._failure = together[index]._failure or error
        self._decide(full, live)
        return left

    def _decide(self, full: list[_Taken], live: bool) -> None:
        """Decide where that is due: a stream, what is left of its block, and when that arrived."""
        due: list[tuple[Stream, float]] = []
        for stream, rest, arrived_s in full:
            if not stream._window.is_due:
                continue
            age_s = time.perf_counter() - arrived_s
            if live and stream._backlog.is_late(age_s, rest.size):
                stream._pass_over()
            else:
                due.append((stream, arrived_s))
        _hear([stream for stream, _ in due])
        hops = [(stream, stream._ask(arrived_s)) for stream, arrived_s in due]
        answers = self._answers([hop.asked for _, hop in hops if isinstance(hop.asked, Question)])
        for stream, hop in hops:
            try:
                verdict = hop.asked
                if isinstance(verdict, Question):
                    logits, model_s = answers.get(id(verdict), (None, 0.0))
                    if logits is None:
                        verdict = stream._judge.answer(verdict)
                    else:
                        verdict = stream._judge.conclude(verdict, logits, model_s)
                stream._tell(hop, verdict)
            except BackendError as error:
                stream._failure = stream._failure or error

    def _answers(self, questions: list[Question]) -> dict[int, tuple[NDArray[np.float32], float]]:
        """Logits of the questions that are answered together, and seconds spent on each."""
        answers: dict[int, tuple[NDArray[np.float32], float]] = {}
        if self._session is None:
            return answers
        alike: dict[tuple[int, ...], list[Question]] = {}
        for question in questions:
            alike.setdefault((question.corpus, *question.rows.shape), []).append(question)
        for (corpus, *_), several in alike.items():
            if len(several) == 1:
                continue
            started_s = time.perf_counter()
            try:
                logits = self._session.infer_each([each.rows for each in several], corpus)
            except Exception:
                # Each is asked alone, so that it is known whose segment it is.
                continue
            model_s = (time.perf_counter() - started_s) / len(several)
            for index, question in enumerate(several):
                own = logits[index : index + 1]
                answers[id(question)] = own, question.model_s + model_s
        return answers


def _compute_rows(windows: list[RowWindow]) -> dict[int, BackendError]:
    """Compute the batches that wait in these windows; which of their gates have failed."""
    started_s = time.perf_counter()
    blocks, filtered = [], []
    for window in windows:
        samples = window.begin_batch()
        window.heard(samples)
        blocks.append(samples)
        filtered.append(window.filter.process_checked(samples))
    all_rows = push_together(
        [window.extractor for window in windows], filtered, [window.seen for window in windows]
    )
    spoken, failed = _spoken(windows, blocks, all_rows)
    took_s = (time.perf_counter() - started_s) / len(windows)
    for index, (window, rows) in enumerate(zip(windows, all_rows, strict=True)):
        if index not in failed:
            window.end_batch(rows, spoken.get(index), took_s)
    return failed


def _spoken(
    windows: list[RowWindow],
    blocks: list[NDArray[np.float32]],
    all_rows: list[NDArray[np.float32]],
) -> tuple[dict[int, NDArray[np.bool_]], dict[int, BackendError]]:
    """Which rows of each window hold speech, where something tells, and which gates have failed."""
    spoken: dict[int, NDArray[np.bool_]] = {}
    failed: dict[int, BackendError] = {}
    alike: dict[int, list[tuple[int, TrainedSpeechGate]]] = {}
    for index, (window, samples, rows) in enumerate(zip(windows, blocks, all_rows, strict=True)):
        gate = window.gate
        if isinstance(gate, TrainedSpeechGate) and 0 < len(rows) <= BATCH:
            alike.setdefault(len(rows), []).append((index, gate))
        elif gate is not None:
            try:
                spoken[index] = gate.push(samples, rows)
            except BackendError as error:
                failed[index] = error
    for several in alike.values():
        # Those of one classifier are of one artifact.
        indices, gates = zip(*several, strict=True)
        told = gates_together(gates, [all_rows[index] for index in indices])
        spoken.update(zip(indices, told, strict=True))
    return spoken, failed


def _hear(streams: list[Stream]) -> None:
    """Let the voices hear what leaves the windows with the decisions that are due."""
    voices, left = [], []
    for stream in streams:
        store, voice = stream._window.store, stream.voice
        rows = None if voice is None else store.left(store.n_frames)
        if voice is not None and rows is not None:
            voices.append(voice)
            left.append(rows)
    hear_together(voices, left)


def _handed_out(streams: list[Stream]) -> list[tuple[Stream, Decision]]:
    """Give what the streams have ready, where none has failed."""
    for stream in streams:
        if stream._failure is not None:
            stream._hand_out()
    return [(stream, each) for stream in streams if stream._ready for each in stream._hand_out()]
