"""Blocks in, decisions out."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from numpy.typing import ArrayLike

from edge.arrays import as_samples
from edge.errors import BackendError, ParameterError
from edge.runtimes.one_thread import OneThread
from edge.stream.answering import Answering
from edge.stream.backlog import Backlog
from edge.stream.decision import Decision
from edge.stream.judge import Judge
from edge.stream.lengths import LATEST_S, check_hop, checked_arrival, checked_gap
from edge.stream.row_window import RowWindow
from edge.stream.smoothing import SmootherSettings
from edge.stream.sound_check import SoundCheck
from edge.stream.speech_gate import GateSettings, segment_level_db
from edge.stream.verdict import Hop, Verdict
from edge.stream.voice import Voice, VoiceState

if TYPE_CHECKING:
    from edge.stream.classifier import Classifier

__all__ = ["Stream"]

_REFUSAL = (
    "the stream is at work in another call: it belongs to one thread, open one for each with "
    "Classifier.stream()"
)


class Stream:
    """Blocks in, decisions out; made by :meth:`Classifier.stream`.

    It owns everything that changes while it listens and belongs to one thread at a time:
    a call while another one is at work is refused, and so is a copy.

    Parameters
    ----------
    classifier : Classifier
    window_frames, window_hop : int
        Frames of a feature window, and from one to the next.
    smooth, gate, vad, corpus, min_probability, labels, voice_reference
        As in :meth:`Classifier.stream`.

    Notes
    -----
    A model that fails loses its own segment and nothing else.  The whole block is taken in,
    the clock and the decisions that follow are those of a model that had not failed, and
    the decisions that the call has made are handed out by the next one.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        window_frames: int,
        window_hop: int,
        smooth: bool | SmootherSettings = True,
        gate: GateSettings | None = None,
        vad: str | None = None,
        corpus: str | None = None,
        min_probability: float | None = None,
        labels: Sequence[str] | None = None,
        voice_reference: bool | VoiceState | None = None,
    ) -> None:
        spec = classifier.spec
        self.classifier = classifier
        self.window_frames = window_frames
        self.window_hop = window_hop
        self.segment_s = spec.n_samples(window_frames) / spec.sample_rate
        self.hop_s = window_hop * spec.hop_length / spec.sample_rate
        check_hop(self.hop_s, self.segment_s)
        answering = Answering(classifier.labels, classifier.abstention, min_probability, labels)
        #: What a decision may say, and how probable it must be.
        self.labels = answering.labels
        self.min_probability = answering.min_probability
        judge = Judge(classifier, answering, smooth, gate, vad, corpus, voice_reference)
        self._judge, self._check = judge, SoundCheck(spec)
        #: The reference for the voice, which :meth:`reset` forgets and a gap does not; or None.
        self.voice: Voice | None = judge.voice
        check, manifest = self._check, classifier.artifact.manifest
        about = (check.push, judge.frame_gate, judge.voice, check.seen)
        self._window = RowWindow(manifest, window_frames, window_hop, *about)
        self._backlog = Backlog(self.hop_s, spec.sample_rate)
        self._alone = OneThread(_REFUSAL)
        self.reset()
        if self.voice is not None and isinstance(voice_reference, VoiceState):
            self.voice.take(voice_reference)

    def __repr__(self) -> str:
        return (
            f"<Stream of {self.classifier!r}: segments of {self.segment_s:.3f} s, one every "
            f"{self.hop_s:.3f} s, {self.position_s:.3f} s heard>"
        )

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise ParameterError(
            "a stream cannot be copied or pickled, as it is in the middle of listening: "
            "open another one with Classifier.stream()"
        )

    @property
    def position_s(self) -> float:
        """Seconds taken in since the start, gaps among them."""
        return (self._origin + self._window.n_samples) / self.classifier.spec.sample_rate

    @property
    def skipped_hops(self) -> int:
        """Decisions left out since the start, see :meth:`push`."""
        return self._backlog.n_skipped

    @property
    def n_wanted(self) -> int:
        """Samples that complete the next batch of rows; a shorter block completes nothing."""
        return self._window.n_wanted

    def warnings(self) -> list[str]:
        """Everything that was to be said about the sound so far, each sentence once."""
        return list(self._check.sentences)

    def reset(self) -> None:
        """Forget everything heard, the voice as well; the same as a fresh stream.

        Raises
        ------
        ParameterError
            If another thread is at work in this stream.
        """
        with self._alone:
            self._origin = 0
            self._ready: list[Decision] = []
            self._failure: BackendError | None = None
            self._check.reset()
            self._flushed = False
            self._backlog.reset()
            if self.voice is not None:
                self.voice.reset()
            self._begin()

    def push(
        self, samples: ArrayLike, arrived_s: float | None = None, *, live: bool = False
    ) -> list[Decision]:
        """Take in a block and hand out the decisions that it completes.

        Parameters
        ----------
        samples : float [shape=(n_samples,)]
            Mono at the model's sample rate, full scale 1; any length, also 0.
        arrived_s : float, optional
            ``time.perf_counter()`` when the block was there; None: now.
        live : bool
            Whether the sound does not wait for us.  Then a decision that is due while nearly
            a hop of newer sound is waiting is left out, and counted in the ``skipped_hops``
            of the next one: a slow model decides less often, and never later and later.

        Returns
        -------
        list of Decision

        Raises
        ------
        ParameterError
            If the block is not 1-D finite floats (nothing of it is taken in), the
            stream was flushed, or another thread is at work in it.
        BackendError
            If the model failed on a segment.  The block is taken in all the same and
            nothing else is lost: go on with the next one.
        """
        # Most are floats already, once a block.
        if arrived_s is None:
            arrived_s = time.perf_counter()
        elif type(arrived_s) is not float or not abs(arrived_s) <= LATEST_S:
            arrived_s = checked_arrival(arrived_s)
        with self._alone:
            self._check_open()
            checked = as_samples(samples, "samples")
            start, window = 0, self._window
            while start < checked.size:
                start += window.take(checked[start:] if start else checked)
                if window.is_due:
                    age_s = time.perf_counter() - arrived_s
                    if live and self._backlog.is_late(age_s, checked.size - start):
                        self._pass_over()
                    else:
                        self._decide(arrived_s)
            if live:
                self._backlog.note(time.perf_counter() - arrived_s)
            # Most blocks end nothing.
            return self._hand_out() if self._ready or self._failure else []

    def skip(
        self, n_samples: int, reason: str = "lost", *, is_said: bool = False
    ) -> list[Decision]:
        """Note that samples were lost: the clock moves on and everything heard is forgotten.

        Parameters
        ----------
        n_samples : int
            Lost between the block before and the next, at the model's rate.
        reason : str
            Why, for the decision's ``reason`` and ``warning``.
        is_said : bool
            Whether a person was told already: then there is no warning.

        Returns
        -------
        list of Decision
            The last one before the gap, where rows are left that none has covered, and the gap
            itself; nothing for 0 samples.  A live stream that is behind leaves the first out.

        Raises
        ------
        ParameterError
            If the number cannot be used, the stream was flushed, or another thread is at
            work in it.
        BackendError
            As for :meth:`push`.
        """
        n_lost = checked_gap(n_samples)
        with self._alone:
            self._check_open()
            if n_lost:
                self._decide_rest(self._backlog.is_behind)
                self._skip(n_lost, reason, is_said)
            return self._hand_out()

    def flush(self) -> list[Decision]:
        """End the stream: one last decision on rows that none has covered.

        Returns
        -------
        list of Decision
            Empty when nothing is left or no frame was ever whole.  The last segment is
            as long as the others, or as what was heard where that was shorter.

        Raises
        ------
        ParameterError
            If another thread is at work in this stream.
        BackendError
            As for :meth:`push`.
        """
        with self._alone:
            if not self._flushed:
                self._flushed = True
                self._decide_rest()
                self._window.leave()
            return self._hand_out()

    def _check_open(self) -> None:
        if self._flushed:
            raise ParameterError("the stream was flushed, call reset() before pushing more")

    def _begin(self) -> None:
        """Start from nothing, at the beginning or behind a gap."""
        self._window.reset()
        self._judge.reset()

    def _hand_out(self) -> list[Decision]:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        ready, self._ready = self._ready, []
        return ready

    def _skip(self, n_lost: int, reason: str, is_said: bool) -> None:
        rate = self.classifier.spec.sample_rate
        start = self._origin + self._window.n_samples
        self._origin = start + n_lost
        self._backlog.jump()
        if not is_said:
            self._check.note(f"{n_lost / rate:.3f} s of sound are missing: {reason}")
        gap = Decision.of_gap(start / rate, self._origin / rate, n_lost, reason)
        warning, skipped_hops = self._check.say(), self._backlog.tell()
        self._ready.append(dataclasses.replace(gap, warning=warning, skipped_hops=skipped_hops))
        self._window.leave()
        if self.voice is not None:
            self.voice.wait(n_lost)
        self._begin()

    def _decide_rest(self, is_behind: bool = False) -> None:
        """Decide on rows that no decision has covered, or leave them out."""
        arrived_s, window = time.perf_counter(), self._window
        window.compute()
        if not window.n_new:
            return
        if window.is_settled:
            # This very window was left out.
            if is_behind:
                return
            self._backlog.count(-1)
        if is_behind and self._backlog.is_too_late():
            self._pass_over()
        else:
            self._decide(arrived_s)

    def _pass_over(self) -> None:
        self._window.pass_over()
        self._backlog.count()

    def _decide(self, arrived_s: float) -> None:
        """Decide on the rows of the window."""
        hop = self._ask(arrived_s)
        try:
            self._tell(hop, self._judge.answer(hop.asked))
        except BackendError as error:
            self._failure = self._failure or error

    def _ask(self, arrived_s: float) -> Hop:
        """Go on to the next window, and say what is to be asked about this one."""
        rate, window = self.classifier.spec.sample_rate, self._window
        first, end = window.bounds
        elapsed_s = window.n_new / rate
        features_s = window.decided()
        store = window.store
        asked = self._judge.ask(store.rows, store.rms, store.spoken, elapsed_s)
        bounds_s = (self._origin + first) / rate, (self._origin + end) / rate
        return Hop(asked, *bounds_s, features_s, arrived_s, segment_level_db(store.rms))

    def _tell(self, hop: Hop, verdict: Verdict) -> None:
        times = (hop.start_s, hop.end_s, hop.features_s, hop.arrived_s)
        about = (hop.level_db, self._check.say(), self._backlog.tell())
        self._ready.append(verdict.decision(*times, *about))
