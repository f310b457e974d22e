"""A file's answer: read in pieces, judged segment by segment, averaged."""

from __future__ import annotations

import array
import contextlib
import dataclasses
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge.audio.band import band_said_once, rate_warning
from edge.errors import AudioFileError, BackendError, EdgeSerError, MissingDependencyError
from edge.files import as_path
from edge.stream.answering import Answering
from edge.stream.decision import NO_SPEECH, QUIET, Decision, State
from edge.stream.lengths import too_short
from edge.stream.posterior import average_posterior, counted_segments, rounded_posterior

if TYPE_CHECKING:
    from edge.stream.classifier import Classifier

__all__ = ["FileAnswer", "Tally", "answer_file", "named_errors", "pieces"]

#: Samples that are resampled and pushed together: 1 MB with all that is made of them.
_PIECE_SAMPLES = 1 << 15


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class FileAnswer:
    """What was heard in one file, made by :meth:`Classifier.classify_file`.

    Parameters
    ----------
    path : str
        As it was given.
    state : {"speech", "uncertain", "no-speech", "quiet"}
        Where no segment holds speech: "no-speech" if one holds another sound, else "quiet".
        "uncertain" where no label is probable enough.
    label : str or None
        Most probable label; None but for "speech".
    posterior : mapping of str to float, or None
        Probability of every label, the mean over the segments that count, see
        :func:`edge.stream.posterior.average_posterior`; None where nobody speaks.
    n_segments, n_speech_segments : int
        Segments in all, and those with speech.
    duration_s : float
        Length of what was heard.
    level_db : float
        Mean level in dBFS of the segments that count; of all where none does.
    warnings : tuple of str
        What should be known about the file and its sound, each sentence once.
    ms : float
        Time it took to read and to decide, in milliseconds.
    activation : float or None
        0 calm to 1 aroused, from the mean posterior over all labels of the model; None where
        nobody speaks or the labels do not tell.
    """

    path: str
    state: State
    label: str | None
    posterior: Mapping[str, float] | None
    n_segments: int
    n_speech_segments: int
    duration_s: float
    level_db: float
    warnings: tuple[str, ...]
    ms: float
    activation: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types in a stable order, rounded to what is meaningful.

        Returns
        -------
        dict
            ``type`` ("file"), ``path``, ``state``, ``label``, ``posterior``,
            ``n_segments``, ``n_speech_segments``, ``duration_s``, ``ms``, ``warning`` (the
            sentences in one, or None): always all of them.
        """
        return {
            "type": "file",
            "path": self.path,
            "state": self.state,
            "label": self.label,
            "posterior": rounded_posterior(self.posterior),
            "activation": None if self.activation is None else round(self.activation, 4),
            "n_segments": self.n_segments,
            "n_speech_segments": self.n_speech_segments,
            "duration_s": round(self.duration_s, 3),
            "ms": round(self.ms, 2),
            "warning": "; ".join(self.warnings) or None,
        }

    def __repr__(self) -> str:
        what: str = self.state
        if self.label is not None and self.posterior is not None:
            what = f"{self.label} {100 * self.posterior[self.label]:.0f} %"
        return (
            f"<FileAnswer {self.path!r}: {what}, {self.n_speech_segments} of {self.n_segments} "
            f"segments with speech, {self.duration_s:.3f} s>"
        )


class Tally:
    """Numbers of a file's segments, kept in arrays: hours of them take a few megabytes.

    Parameters
    ----------
    n_labels : int
        Of the posteriors that are counted in, which are over all labels of the model.
    answering : Answering
        What of their mean is said.
    """

    def __init__(self, n_labels: int, answering: Answering) -> None:
        self._answering = answering
        self._nothing = [0.0] * n_labels
        self._has_sound = False
        self._posteriors = array.array("d")
        self._levels_db = array.array("d")
        self._speech = bytearray()
        self._speech_shares = array.array("d")

    def add(self, decisions: Iterable[Decision]) -> None:
        """Count decisions in."""
        for decision in decisions:
            if decision.level_db is None:
                continue
            row = decision.posterior
            self._posteriors.extend(self._nothing if row is None else row.values())
            self._levels_db.append(decision.level_db)
            self._speech.append(decision.speech)
            share = decision.speech_share
            self._speech_shares.append(1.0 if share is None else share)
            self._has_sound |= decision.state == NO_SPEECH

    @property
    def n_segments(self) -> int:
        """Segments counted in."""
        return len(self._levels_db)

    def answer(
        self, name: str, duration_s: float, warnings: Sequence[str], started_s: float
    ) -> FileAnswer:
        """Average what was counted in.

        Parameters
        ----------
        name : str
            Path of the file.
        duration_s : float
            Its length.
        warnings : sequence of str
        started_s : float
            ``time.perf_counter()`` when the work began.
        """
        levels_db = np.frombuffer(self._levels_db)
        speech = np.frombuffer(self._speech, dtype=np.bool_)
        rows = np.frombuffer(self._posteriors).reshape(-1, len(self._nothing))
        mean = average_posterior(rows, levels_db, speech, np.frombuffer(self._speech_shares))
        counted = counted_segments(levels_db, speech)
        powers = 10.0 ** (levels_db[counted if counted.any() else slice(None)] / 10.0)
        answering = self._answering
        state: State = NO_SPEECH if self._has_sound else QUIET
        label, posterior, activation = None, None, None
        if mean is not None:
            shares = mean.tolist()
            posterior = answering.by_label(shares)
            state, label = answering.said(answering.most_probable(shares), posterior)
            activation = answering.activation(shares)
        return FileAnswer(
            path=name,
            state=state,
            label=label,
            posterior=posterior,
            n_segments=self.n_segments,
            n_speech_segments=int(speech.sum()),
            duration_s=duration_s,
            level_db=10.0 * math.log10(powers.mean()),
            warnings=tuple(dict.fromkeys(band_said_once(warnings, is_speech=mean is not None))),
            ms=1000 * (time.perf_counter() - started_s),
            activation=activation,
        )


def answer_file(
    classifier: Classifier,
    path: str | os.PathLike[str],
    *,
    segment_s: float | None = None,
    hop_s: float | None = None,
    vad: str | None = None,
    corpus: str | None = None,
    min_probability: float | None = None,
    labels: Sequence[str] | None = None,
) -> FileAnswer:
    """Judge a file, see :meth:`Classifier.classify_file`."""
    # The bar and the choice of labels are the mean's: a segment is neither left out nor blown
    # up for them.
    answering = Answering(classifier.labels, classifier.abstention, min_probability, labels)
    stream = classifier.file_stream(segment_s, hop_s, vad=vad, corpus=corpus, min_probability=0.0)
    started_s = time.perf_counter()
    tally = Tally(len(classifier.labels), answering)
    warnings: list[str] = []
    with named_errors(path) as name:
        for samples in pieces(name, classifier.spec.sample_rate, warnings):
            tally.add(stream.push(samples))
        duration_s = stream.position_s
        tally.add(stream.flush())
        if not tally.n_segments:
            n_samples = round(duration_s * classifier.spec.sample_rate)
            raise AudioFileError(too_short("it", n_samples, classifier.spec))
    warnings += stream.warnings()
    return tally.answer(name, duration_s, warnings, started_s)


@contextlib.contextmanager
def named_errors(path: str | os.PathLike[str]) -> Iterator[str]:
    """Make every error in the block name the file, and hand out its name.

    Raises
    ------
    AudioFileError
        If the path is empty, or the file does not fit into memory.
    """
    if isinstance(path, str | bytes) and not path:
        raise AudioFileError("the path is empty, an audio file is wanted")
    name = as_path(path)
    try:
        yield name
    except EdgeSerError as error:
        if name in str(error) or isinstance(error, MissingDependencyError):
            raise
        kind = BackendError if isinstance(error, BackendError) else AudioFileError
        raise kind(f"{name} cannot be classified: {error}") from error
    except MemoryError as error:
        raise AudioFileError(f"{name} does not fit into memory: cut it into pieces") from error


def pieces(name: str, rate: int, warnings: list[str]) -> Iterator[NDArray[np.float32]]:
    """Samples of a file, mono, at the model's rate and in pieces.

    Parameters
    ----------
    name : str
        Path of the file.
    rate : int
        The model's, in Hz.
    warnings : list of str
        What is noticed about the file is added.
    """
    from edge.audio.file import open_audio
    from edge.audio.full_band import full_band_resampler

    with open_audio(name) as reader:
        resampler = full_band_resampler(reader.sample_rate, rate)
        for samples in reader.pieces():
            for start in range(0, samples.size, _PIECE_SAMPLES):
                yield resampler.push(samples[start : start + _PIECE_SAMPLES])
        yield resampler.flush()
        warnings += reader.warnings
        # Few frames, or soft ones, are not enough to hear it.
        narrow = rate_warning(reader.sample_rate)
        if narrow is not None:
            warnings.append(narrow)
