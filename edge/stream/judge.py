"""From the rows of one feature window to a verdict: nobody speaks, or what a posterior says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge.arrays import softmax_row
from edge.errors import BackendError, ParameterError, shown
from edge.stream.answering import Answering
from edge.stream.decision import NO_SPEECH, QUIET, State
from edge.stream.frame_gate import OFF, enough_speech, make_frame_gate
from edge.stream.smoothing import Smoother, SmootherSettings
from edge.stream.speech_gate import GateSettings, SpeechGate
from edge.stream.verdict import Question, Verdict
from edge.stream.voice import VoiceState, make_voice

if TYPE_CHECKING:
    from edge.stream.classifier import Classifier

__all__ = ["Judge"]


class Judge:
    """Gates, model, smoother and bar of one stream.

    Parameters
    ----------
    classifier : Classifier
    answering : Answering
    smooth, gate, vad, corpus, voice_reference
        As in :meth:`Classifier.stream`.

    Attributes
    ----------
    frame_gate : FrameGate or None
        What tells which frames hold speech; None: nothing does.
    voice : Voice or None
        What is taken away of the rows before the model sees them; None: nothing.

    Raises
    ------
    ParameterError
        If the corpus or the gate is not known, or the model takes no reference for the voice.
    MissingDependencyError
        If the gate needs a package that is not installed.
    """

    def __init__(
        self,
        classifier: Classifier,
        answering: Answering,
        smooth: bool | SmootherSettings,
        gate: GateSettings | None,
        vad: str | None,
        corpus: str | None,
        voice_reference: bool | VoiceState | None,
    ) -> None:
        manifest = classifier.artifact.manifest
        self._answering = answering
        self._n_labels = len(classifier.labels)
        self._temperature = classifier.temperature
        self._name = classifier.model.name
        self._session = classifier.model.session()
        self._corpus = manifest.corpus_id(corpus)
        self._gate = SpeechGate(gate)
        self.frame_gate = make_frame_gate(vad, manifest)
        self._is_off = vad == OFF
        has_gate = self.frame_gate is not None
        self.voice = make_voice(manifest, voice_reference, self._gate, has_gate)
        self._no_reference_s = None if manifest.voice_reference is None else 0.0
        self._frame_s = classifier.spec.hop_length / classifier.spec.sample_rate
        self._smoother: Smoother | None = None
        if not isinstance(smooth, bool | SmootherSettings):
            raise ParameterError(
                f"smooth is {shown(smooth)}, True, False or SmootherSettings is wanted"
            )
        if smooth:
            settings = smooth if isinstance(smooth, SmootherSettings) else None
            self._smoother = Smoother(classifier.labels, settings, answering.among)

    def reset(self) -> None:
        """Forget what was judged; the same as a fresh object."""
        if self._smoother is not None:
            self._smoother.reset()

    def judge(
        self,
        rows: NDArray[np.float32],
        rms: NDArray[np.floating],
        spoken: NDArray[np.bool_],
        elapsed_s: float,
    ) -> Verdict:
        """Judge one feature window; the model is not asked where nobody speaks.

        Parameters
        ----------
        rows : float32 [shape=(n_frames, n_columns)]
            Normalised, as wide as the model takes them.
        rms : float [shape=(n_frames,)]
            Linear level of every frame.
        spoken : bool [shape=(n_frames,)]
            Which frames hold speech; not looked at without a :attr:`frame_gate`.
        elapsed_s : float
            Seconds from the end of the feature window before to the end of this one.

        Returns
        -------
        Verdict

        Raises
        ------
        BackendError
            If the model fails or gives no logits that can be used, whatever it raises.
        """
        return self.answer(self.ask(rows, rms, spoken, elapsed_s))

    def answer(self, asked: Verdict | Question) -> Verdict:
        """:meth:`judge` what :meth:`ask` gave.

        Raises
        ------
        BackendError
            As :meth:`judge`.
        """
        if isinstance(asked, Verdict):
            return asked
        started_s = time.perf_counter()
        logits = self.logits(asked)
        return self.conclude(asked, logits, asked.model_s + time.perf_counter() - started_s)

    def ask(
        self,
        rows: NDArray[np.float32],
        rms: NDArray[np.floating],
        spoken: NDArray[np.bool_],
        elapsed_s: float,
    ) -> Verdict | Question:
        """:meth:`judge` up to the model: what it is to be asked, or that nobody speaks.

        Parameters
        ----------
        rows, rms, spoken, elapsed_s
            As in :meth:`judge`.
        """
        voice = self.voice
        reference_s = self._no_reference_s if voice is None else voice.reference_s
        # Nothing but a frame gate tells pauses from speech.
        n_spoken = speech_share = None
        if self.frame_gate is not None:
            n_spoken = int(np.count_nonzero(spoken))
            speech_share = n_spoken / spoken.size
        nobody = self._nobody(rms, n_spoken)
        if nobody is not None:
            if self._smoother is not None:
                self._smoother.rest(elapsed_s)
            return Verdict(nobody, reference_s=reference_s, speech_share=speech_share)
        model_s = 0.0
        if voice is not None:
            started_s = time.perf_counter()
            rows = voice.move(rows)
            model_s = time.perf_counter() - started_s
        return Question(rows, self._corpus, elapsed_s, model_s, reference_s, speech_share)

    def conclude(self, question: Question, logits: NDArray[np.float32], model_s: float) -> Verdict:
        """:meth:`judge` from the model on.

        Parameters
        ----------
        question : Question
            The newest.
        logits : float32 [shape=(1, n_labels)]
            The model's answer; not checked.
        model_s : float
            Seconds spent in the model.

        Raises
        ------
        BackendError
            If the logits cannot be used.
        """
        answering, posterior = self._answering, self._posterior(logits)
        speech_share = question.speech_share
        label = raw_label = answering.most_probable(posterior)
        if self._smoother is not None:
            weight = 1.0 if speech_share is None else speech_share
            label, posterior = self._smoother.update(posterior, question.elapsed_s, weight)
        by_label = answering.by_label(posterior)
        state, said = answering.said(label, by_label)
        return Verdict(
            state,
            said,
            by_label,
            raw_label,
            answering.activation(posterior),
            model_s,
            question.reference_s,
            speech_share,
        )

    def _nobody(self, rms: NDArray[np.floating], n_spoken: int | None) -> State | None:
        """What to say of a window in which nobody speaks; None where somebody does."""
        if not self._is_off and not self._gate.is_speech(rms):
            return QUIET
        gate = self.frame_gate
        if gate is None or n_spoken is None:
            return None
        if enough_speech(n_spoken, rms.size, gate.least_speech_s, self._frame_s):
            return None
        return NO_SPEECH

    def logits(self, question: Question) -> NDArray[np.float32]:
        """Ask the model: float32 [shape=(1, n_labels)].

        Raises
        ------
        BackendError
            If it fails, whatever it raises.
        """
        try:
            return self._session.infer(question.rows[None], question.corpus)
        except BackendError:
            raise
        except Exception as error:
            raise BackendError(
                f"the {self._name} model failed on a segment: {type(error).__name__}: {error}"
            ) from error

    def _posterior(self, logits: NDArray[np.float32]) -> list[float]:
        rows = np.asarray(logits)
        if rows.shape != (1, self._n_labels):
            raise BackendError(
                f"the {self._name} model gave logits of shape {rows.shape}, "
                f"{(1, self._n_labels)} is wanted"
            )
        try:
            return softmax_row(rows.tolist()[0], self._temperature)
        except ParameterError as error:
            raise BackendError(
                f"the {self._name} model gave logits that are NaN or infinite, "
                "finite ones are wanted"
            ) from error
