"""The reference for a voice while a stream listens: what it has heard, and what it takes away."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.artifact.budgets import MAX_LEVEL_DB, MAX_MEAN, MAX_PITCH_LOG
from edge.errors import ParameterError, shown
from edge.features.voice_reference import VoiceColumns, VoiceMean, VoiceReference
from edge.features.voice_scales import VoiceScales

if TYPE_CHECKING:
    from edge.artifact import Manifest
    from edge.stream.speech_gate import SpeechGate

__all__ = ["SILENCE_S", "Left", "Voice", "VoiceState", "can_be_heard", "make_voice"]

#: Seconds without speech after which a voice is forgotten: who speaks then may be another.
SILENCE_S = 2 * 3600.0

#: Without a gate, a frame is speech within this range of the loudest of its window, in dB.
_RANGE_DB = 30.0
_RANGE = 10 ** (-_RANGE_DB / 20)

#: Of frames, and of seconds without speech, in what is known of a voice.
_MAX_COUNT = 1e9


@dataclasses.dataclass(frozen=True, slots=True)
class VoiceState:
    """What is known of a voice: to be kept, and given to another stream.

    Parameters
    ----------
    feature_fingerprint : str
        Of the features that it is of; any model with these can go on with it.
    sums, n_frames : tuple of float
        See :meth:`edge.features.voice_reference.VoiceColumns.totals`, one number a feature.
    silent_s : float
        Seconds since speech was heard last.
    """

    feature_fingerprint: str
    sums: tuple[float, ...]
    n_frames: tuple[float, ...]
    silent_s: float = 0.0


class Left(NamedTuple):
    """Rows that have left the window.

    Parameters
    ----------
    rows : float32 [shape=(n_rows, n_features)]
        Not normalised.
    spoken : bool [shape=(n_rows,)]
        Which of them hold speech; not looked at without a frame gate.
    rms : float [shape=(n_frames,)]
        Linear level of the window that these rows began.
    """

    rows: NDArray[np.float32]
    spoken: NDArray[np.bool_]
    rms: NDArray[np.floating]


class Voice:
    """Running mean of the speech that has left the window, and rows less a part of it.

    It belongs to one stream.  What is in the window is never part of its own reference.

    Parameters
    ----------
    manifest : Manifest
        With a ``voice_reference``.
    reference : VoiceReference
        The same.
    speech_gate : SpeechGate
        Tells whether a window is loud enough to be learned from.
    has_frame_gate : bool
        Whether something tells frame by frame where speech is; else the level does.
    """

    def __init__(
        self,
        manifest: Manifest,
        reference: VoiceReference,
        speech_gate: SpeechGate,
        has_frame_gate: bool,
    ) -> None:
        spec = manifest.feature_spec
        self._fingerprint = manifest.feature_fingerprint
        self._reference = reference
        self._speech_gate, self._has_frame_gate = speech_gate, has_frame_gate
        #: What its mean is taken of.
        self.columns = VoiceColumns(spec)
        self._rate, self._hop = spec.sample_rate, spec.hop_length
        self._frame_s = spec.hop_length / spec.sample_rate
        most_frames = max(1, round(reference.most_s / self._frame_s))
        self._heard = VoiceMean(spec.n_features, most_frames)
        about = (manifest.mean, manifest.std, self._frame_s)
        self._scales = VoiceScales(reference, self.columns, *about)
        self._factors, self._terms = self._scales.of(self._heard)
        self.reset()

    def reset(self) -> None:
        """Forget the voice."""
        self._heard.reset()
        self._n_silent = 0
        self._heard_s = 0.0
        self._is_new = True

    @property
    def heard_s(self) -> float:
        """Seconds of speech that are remembered."""
        return self._heard_s

    @property
    def reference_s(self) -> float:
        """Seconds of speech in the reference; 0 while there are too few of them to act."""
        return self._heard_s if self._heard_s >= self._reference.least_s else 0.0

    def hear(
        self,
        rows: NDArray[np.float32],
        spoken: NDArray[np.bool_],
        rms: NDArray[np.floating],
    ) -> None:
        """Take in rows that have left the window, see :class:`Left`."""
        speech = self.speech(rows, spoken, rms)
        n_speech = 0 if speech is None else int(np.count_nonzero(speech))
        if speech is None or not n_speech:
            self.note(len(rows), 0, None)
        else:
            self.note(len(rows), n_speech, self.columns.totals(rows, speech))

    def speech(
        self,
        rows: NDArray[np.float32],
        spoken: NDArray[np.bool_],
        rms: NDArray[np.floating],
    ) -> NDArray[np.bool_] | None:
        """Which of the rows hold speech; None where the window is too quiet."""
        if not self._speech_gate.is_speech(rms):
            return None
        if self._has_frame_gate:
            return spoken
        loud: NDArray[np.bool_] = rms[: len(rows)] >= np.maximum.reduce(rms) * _RANGE
        return loud

    def note(self, n_rows: int, n_speech: int, totals: NDArray[np.float64] | None) -> None:
        """Take in what so many rows come to, and how many of them hold speech."""
        if totals is not None:
            self._heard.add(totals)
            self._measure()
        # A gate that is mistaken about a frame now and then does not keep a voice for ever.
        if 2 * n_speech >= n_rows:
            self._n_silent = 0
        else:
            self.wait(n_rows * self._hop)

    def wait(self, n_samples: int) -> None:
        """Note samples without speech, lost ones among them."""
        self._n_silent += n_samples
        if self._n_silent >= SILENCE_S * self._rate:
            self.reset()

    def move(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take a part of the voice's mean away, once enough was heard.

        Parameters
        ----------
        rows : float32 [shape=(n_frames, n_features + 1)]
            Normalised, and 0 in the last column; not changed.

        Returns
        -------
        float32 [shape=(n_frames, n_features + 1)]
            The same rows, or new ones.
        """
        if self._heard_s < self._reference.least_s:
            return rows
        if self._is_new:
            self._is_new = False
            self._scales.of(self._heard)
        moved: NDArray[np.float32] = rows * self._factors
        moved += self._terms
        return moved

    def state(self) -> VoiceState:
        """What is known of the voice by now."""
        sums, n_frames = (tuple(line) for line in self._heard.totals.tolist())
        return VoiceState(self._fingerprint, sums, n_frames, self._n_silent / self._rate)

    def take(self, state: VoiceState) -> None:
        """Go on with what is known of a voice, in place of what was heard.

        Raises
        ------
        ParameterError
            If it is of other features, or holds what no speech sounds like.
        """
        if state.feature_fingerprint != self._fingerprint:
            raise ParameterError(
                f"the voice is of features {shown(state.feature_fingerprint)}, this model takes "
                f"{self._fingerprint}: begin with another one"
            )
        if not can_be_heard(state, self.columns):
            raise ParameterError(
                "the voice holds numbers that no speech sounds like: begin with another one"
            )
        self.reset()
        self._heard.add(np.array([state.sums, state.n_frames], dtype=np.float64))
        self._measure()
        self.wait(round(state.silent_s * self._rate))

    def _measure(self) -> None:
        self._heard_s = self._heard.n_frames * self._frame_s
        self._is_new = True


def can_be_heard(state: VoiceState, columns: VoiceColumns) -> bool:
    """Tell whether a state holds means that speech can have: rows times their exponentials last.

    Parameters
    ----------
    state : VoiceState
    columns : VoiceColumns
        Of its features.
    """
    sums, n_frames = np.array(state.sums), np.array(state.n_frames)
    if not sums.shape == n_frames.shape == (columns.n_features,):
        return False
    limits = np.full(columns.n_features, MAX_MEAN)
    limits[columns.rms], limits[columns.pitch] = MAX_LEVEL_DB, MAX_PITCH_LOG
    # Not a number is in no range.
    is_counted = (n_frames >= 0) & (n_frames <= _MAX_COUNT)
    is_near = np.abs(sums) <= limits * n_frames.clip(0, _MAX_COUNT)
    return bool((is_counted & is_near).all()) and 0 <= state.silent_s <= _MAX_COUNT


def make_voice(
    manifest: Manifest,
    wanted: bool | VoiceState | None,
    speech_gate: SpeechGate,
    has_frame_gate: bool,
) -> Voice | None:
    """Make what a stream keeps of a voice.

    Parameters
    ----------
    manifest : Manifest
    wanted : bool, VoiceState or None
        None: where the model takes a reference.
    speech_gate, has_frame_gate
        As for :class:`Voice`.

    Returns
    -------
    Voice or None
        None where there is to be none.

    Raises
    ------
    ParameterError
        If one is wanted and the model takes none.
    """
    if not isinstance(wanted, bool | VoiceState | None):
        raise ParameterError(
            f"voice_reference is {shown(wanted)}, True, False or a VoiceState is wanted"
        )
    reference = manifest.voice_reference
    if wanted is False or (wanted is None and reference is None):
        return None
    if reference is None:
        raise ParameterError(
            f"voice_reference is on, and the model {manifest.name} was trained without a reference "
            "for the voice: leave it off, or choose a model whose manifest has voice_reference"
        )
    return Voice(manifest, reference, speech_gate, has_frame_gate)
