"""A model and everything around it: clips and streams in, decisions out."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.arrays import as_samples
from edge.artifact import Abstention, Artifact
from edge.audio.rates import checked_rate
from edge.errors import ParameterError
from edge.features.spec import FeatureSpec
from edge.runtimes.base import Model
from edge.stream.decision import Decision
from edge.stream.deprecated import renamed
from edge.stream.file_answer import FileAnswer, answer_file
from edge.stream.lengths import hop_frames, segment_frames, too_short
from edge.stream.posterior import file_hop
from edge.stream.smoothing import SmootherSettings
from edge.stream.speech_gate import GateSettings
from edge.stream.stream import Stream
from edge.stream.voice import VoiceState

__all__ = ["Classifier"]


class Classifier:
    """A model and everything around it.

    Parameters
    ----------
    artifact : edge.artifact.Artifact
        Verified artifact; its manifest fixes features, labels and window.
    model : edge.runtimes.base.Model
        The artifact's, opened; every stream has a session of its own.
    """

    def __init__(self, artifact: Artifact, model: Model) -> None:
        manifest = artifact.manifest
        self.artifact = artifact
        self.model = model
        self.spec: FeatureSpec = manifest.feature_spec
        self.labels: tuple[str, ...] = tuple(manifest.labels)
        self.corpora: tuple[str, ...] = tuple(manifest.corpora)
        self.default_corpus: str = manifest.default_corpus
        self.window_frames: int = manifest.window_frames
        self.window_hop: int = manifest.window_hop
        self.temperature: float = manifest.temperature
        self.abstention: Abstention | None = manifest.abstention
        self.mean = manifest.mean
        self.std = manifest.std

    def __repr__(self) -> str:
        name = self.artifact.manifest.name
        return f"<Classifier {name} on {self.model.name}: {', '.join(self.labels)}>"

    @property
    def file_hop_s(self) -> float:
        """Seconds between the segments that ``edge-ser classify`` averages over a file."""
        return file_hop(self.window_hop) * self.spec.hop_length / self.spec.sample_rate

    def stream(
        self,
        segment_s: float | None = None,
        hop_s: float | None = None,
        *,
        smooth: bool | SmootherSettings = True,
        gate: GateSettings | None = None,
        vad: str | None = None,
        corpus: str | None = None,
        min_probability: float | None = None,
        labels: Sequence[str] | None = None,
        voice_reference: bool | VoiceState | None = None,
        window_s: float | None = None,
        language: str | None = None,
    ) -> Stream:
        """Open a stream that takes blocks and hands out decisions.

        Parameters
        ----------
        segment_s : float, optional
            Length of a segment in seconds; None: the artifact's.
        hop_s : float, optional
            From one decision to the next, in seconds, rounded to whole frames
            (0.5 s gives 16 frames, 0.512 s); None: the artifact's, or the segment's
            length where that is shorter.
        smooth : bool or SmootherSettings
            False: every decision stands alone.
        gate : GateSettings, optional
            When a segment is too quiet to be judged.
        vad : str, optional
            What tells whether somebody speaks: ``"gate"``, the artifact's own; ``"silero"``, with
            the extra ``vad``; ``"energy"``, the level alone; ``"off"``, nothing, not even the
            level.  None: the artifact's own, or the level where it has none.
        corpus : str, optional
            One of :attr:`corpora`; None: :attr:`default_corpus`, "unknown" mostly.
        min_probability : float, optional
            Below it the state is "uncertain" and no label is said, see
            :class:`edge.stream.answering.Answering`.  None: the artifact's, 0 where it has none.
        labels : sequence of str, optional
            The labels that may be said; the posterior is over them alone.  None: all.
        voice_reference : bool or VoiceState, optional
            Whether to take away what this voice sounds like on the whole, once enough was heard;
            a state (``Stream.voice.state()``) is gone on with.  None: where the model takes one.
        window_s, language : optional
            Old names of ``segment_s`` and ``corpus``, for one version.

        Returns
        -------
        Stream

        Raises
        ------
        ParameterError
            If a length or the bar cannot be used, the corpus, a label or the gate is not
            known, the artifact has no gate, or the model takes no reference.
        MissingDependencyError
            If the gate needs a package that is not installed.
        """
        segment_s = renamed("segment_s", segment_s, "window_s", window_s)
        corpus = renamed("corpus", corpus, "language", language)
        window_frames, window_hop = self.window_frames, self.window_hop
        if segment_s is not None:
            window_frames = segment_frames(self.spec, segment_s)
        if hop_s is not None:
            window_hop = hop_frames(self.spec, hop_s)
        if segment_s is not None and (hop_s is None or hop_s <= segment_s):
            # A segment is rounded down to whole frames, a hop to the nearest; equal lengths
            # must stay side by side.
            n_hops = self.spec.n_samples(window_frames) // self.spec.hop_length
            window_hop = min(window_hop, n_hops)
        return Stream(
            self,
            window_frames=window_frames,
            window_hop=window_hop,
            smooth=smooth,
            gate=gate,
            vad=vad,
            corpus=corpus,
            min_probability=min_probability,
            labels=labels,
            voice_reference=voice_reference,
        )

    def file_stream(
        self,
        segment_s: float | None = None,
        hop_s: float | None = None,
        *,
        vad: str | None = None,
        corpus: str | None = None,
        min_probability: float | None = None,
        labels: Sequence[str] | None = None,
    ) -> Stream:
        """Open the stream that judges files: unsmoothed, with twice the live votes.

        There is no reference for a voice, as a file of strangers has no history.

        Parameters
        ----------
        segment_s, hop_s, vad, corpus, min_probability, labels
            As in :meth:`stream`, but that a hop of None is half of the artifact's.

        Returns
        -------
        Stream

        Raises
        ------
        ParameterError
            As :meth:`stream`.
        """
        if hop_s is None:
            hop_s = self.file_hop_s
            if segment_s is not None:
                segment_frames(self.spec, segment_s)  # It is a number, then.
                hop_s = min(hop_s, segment_s)
        return self.stream(
            segment_s,
            hop_s,
            smooth=False,
            vad=vad,
            corpus=corpus,
            min_probability=min_probability,
            labels=labels,
            voice_reference=False,
        )

    def classify(
        self,
        samples: ArrayLike,
        sample_rate: int,
        *,
        segment_s: float | None = None,
        hop_s: float | None = None,
        vad: str | None = None,
        corpus: str | None = None,
        min_probability: float | None = None,
        labels: Sequence[str] | None = None,
        window_s: float | None = None,
        language: str | None = None,
    ) -> list[Decision]:
        """Decide on every segment of a clip, unsmoothed.

        Parameters
        ----------
        samples : float [shape=(n_samples,)]
            Mono, full scale 1.
        sample_rate : int
            Of ``samples``, in Hz, 2000 to 768,000 as of a file; another rate than the model's is
            resampled.
        segment_s, hop_s, vad, corpus, min_probability, labels
            As in :meth:`file_stream`: the segments that :meth:`classify_file` and
            ``edge-ser classify`` average.
        window_s, language
            As in :meth:`stream`.

        Returns
        -------
        list of Decision
            At least one.  A clip shorter than a segment gives one decision on
            what there is.

        Raises
        ------
        ParameterError
            If the samples are not 1-D finite floats or hold less than one frame, or the rate is
            no recorder's.
        BackendError
            If the model fails.

        Notes
        -----
        A stream that is pushed the same samples in any blocks, and flushed, gives
        the same numbers.
        """
        segment_s = renamed("segment_s", segment_s, "window_s", window_s)
        corpus = renamed("corpus", corpus, "language", language)
        stream = self.file_stream(
            segment_s, hop_s, vad=vad, corpus=corpus, min_probability=min_probability, labels=labels
        )
        clip = self.at_model_rate(samples, sample_rate)
        # In pieces of one hop: memory stays flat, and each decision has its own latency.
        step = stream.window_hop * self.spec.hop_length
        decisions = []
        for start in range(0, clip.size, step):
            decisions += stream.push(clip[start : start + step])
        return decisions + stream.flush()

    def classify_file(
        self,
        path: str | os.PathLike[str],
        *,
        segment_s: float | None = None,
        hop_s: float | None = None,
        vad: str | None = None,
        corpus: str | None = None,
        min_probability: float | None = None,
        labels: Sequence[str] | None = None,
    ) -> FileAnswer:
        """Decide on a whole file: the answer of ``edge-ser classify``.

        The file is read in pieces; hours of it take no more memory than seconds.

        Parameters
        ----------
        path : path
            An audio file of any rate.
        segment_s, hop_s, vad, corpus, labels
            As in :meth:`file_stream`.
        min_probability : float, optional
            Least probability of the label in the file's mean posterior, not in that of any
            segment; else as there.

        Returns
        -------
        FileAnswer

        Raises
        ------
        AudioFileError
            If the file cannot be read or holds less than one frame.
        ParameterError
            If a length cannot be used or the corpus is not known.
        BackendError
            If the model fails.
        MissingDependencyError
            If a package is needed to read the file.
        """
        return answer_file(
            self,
            path,
            segment_s=segment_s,
            hop_s=hop_s,
            vad=vad,
            corpus=corpus,
            min_probability=min_probability,
            labels=labels,
        )

    def at_model_rate(self, samples: ArrayLike, sample_rate: int) -> NDArray[np.float32]:
        """Check a clip and resample it to the model's rate.

        Parameters
        ----------
        samples, sample_rate
            As in :meth:`classify`.

        Returns
        -------
        float32 [shape=(n_samples,)]
            At ``spec.sample_rate``, one frame or more.

        Raises
        ------
        ParameterError
            As :meth:`classify`.
        """
        clip = as_samples(samples)
        sample_rate = checked_rate(sample_rate)
        if clip.size and sample_rate != self.spec.sample_rate:
            from edge.audio.full_band import resample_full_band

            clip = resample_full_band(clip, sample_rate, self.spec.sample_rate)
        if clip.size < self.spec.win_length:
            raise ParameterError(too_short("the clip", clip.size, self.spec))
        return clip
