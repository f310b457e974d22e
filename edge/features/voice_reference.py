"""A reference for the voice: what it sounds like on the whole, taken away from what it says now.

How a voice, a room and a microphone sound is most of what tells two recordings apart, and none of
what a person feels.  A device that has heard a voice for a while knows its mean, and the feature
rows less a part of that mean leave what moves.  The part grows with the speech that was heard,
``n / (n + prior)``, and stands beside the features as a column of its own, so that one model
serves from the first second on: without a reference the rows are what they were, and the column
is 0.

Where a row is a level or a frequency, its mean is one of dB or of logarithms, and is taken away as
a factor; chroma, which folds octaves and scales by the loudest, stays as it is.
"""

from __future__ import annotations

import dataclasses
import functools
import math

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from edge.features.spec import FeatureSpec

__all__ = ["VoiceColumns", "VoiceMean", "VoiceReference", "as_wide", "normalised"]

_SMALLEST_RMS = 1e-6


class VoiceColumns:
    """What the mean of a voice is taken of, and how it is taken away.

    Parameters
    ----------
    spec : FeatureSpec
        With the device's families: level, pitch, coefficients, contrast.

    Raises
    ------
    ParameterError
        If the level or the pitch is missing.
    """

    def __init__(self, spec: FeatureSpec) -> None:
        names = spec.feature_names
        for name in ("rms", "pitch_hz"):
            if name not in names:
                raise ParameterError(
                    f"the features are {', '.join(spec.order)}: the mean of a voice wants the "
                    f"column {name!r} among them"
                )
        self.n_features = len(names)
        self.rms, self.pitch = names.index("rms"), names.index("pitch_hz")
        self.shifted = np.array(
            [i for i, name in enumerate(names) if name.startswith(("mfcc", "contrast"))]
        )
        self._is_shifted = np.zeros(len(names))
        self._is_shifted[self.shifted] = 1.0

    def totals(self, rows: NDArray[np.floating], speech: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Sums and numbers of the frames that are speech.

        Parameters
        ----------
        rows : float [shape=(n_frames, n_features)]
            Not normalised.
        speech : bool [shape=(n_frames,)]
            Which of them are speech.  Digital silence never is.

        Returns
        -------
        float64 [shape=(2, n_features)]
            The sums, of the level in dB and of the natural logarithm of the pitch, and how many
            frames each is of; 0 for chroma.  They add up over clips.
        """
        # Once a hop on a device, of sixteen rows: most of NumPy's time goes by before it begins.
        exact = rows.astype(np.float64)
        levels, pitches = exact[:, self.rms].tolist(), exact[:, self.pitch].tolist()
        if levels and min(levels) < _SMALLEST_RMS:
            speech = speech & (rows[:, self.rms] >= _SMALLEST_RMS)
        sums = speech.astype(np.float64).dot(exact)
        sums *= self._is_shifted
        n_heard = n_voiced = 0
        level, log_pitch = 0.0, 0.0
        for is_heard, rms, hertz in zip(speech.tolist(), levels, pitches, strict=True):
            if is_heard:
                n_heard += 1
                level += math.log10(rms)
                if hertz > 0:
                    n_voiced += 1
                    log_pitch += math.log(hertz)
        sums[self.rms], sums[self.pitch] = 20 * level, log_pitch
        result = np.empty((2, self.n_features))
        result[0] = sums
        result[1] = n_heard
        result[1, self.pitch] = n_voiced
        return result

    def totals_each(
        self, rows: NDArray[np.floating], speech: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """:meth:`totals` of the rows of several voices, begun once for all; the same to last bits.

        Parameters
        ----------
        rows : float [shape=(n_voices, n_frames, n_features)]
        speech : bool [shape=(n_voices, n_frames)]

        Returns
        -------
        float64 [shape=(n_voices, 2, n_features)]
        """
        exact = rows.astype(np.float64)
        levels, pitches = exact[:, :, self.rms], exact[:, :, self.pitch]
        heard = speech & (rows[:, :, self.rms] >= _SMALLEST_RMS)
        voiced = heard & (pitches > 0)
        result = np.empty((len(rows), 2, self.n_features))
        spoken = np.matmul(heard[:, None].astype(np.float64), exact)
        np.multiply(spoken[:, 0], self._is_shifted, out=result[:, 0])
        # The logarithm of 1 adds nothing.
        result[:, 0, self.rms] = 20 * np.log10(np.where(heard, levels, 1.0)).sum(axis=1)
        result[:, 0, self.pitch] = np.log(np.where(voiced, pitches, 1.0)).sum(axis=1)
        result[:, 1] = heard.sum(axis=1, keepdims=True)
        result[:, 1, self.pitch] = voiced.sum(axis=1)
        return result

    def move(self, rows: NDArray[np.float32], change: NDArray[np.floating]) -> None:
        """Move rows that are not normalised, in place.

        Parameters
        ----------
        rows : float32 [shape=(..., n_features)]
            Unvoiced frames keep their pitch of 0.
        change : float [shape=(..., n_features)]
            Added to coefficients and contrast, to the level in dB, and to the logarithm of the
            pitch.
        """
        rows[..., self.shifted] += change[..., self.shifted]
        rows[..., self.rms] *= 10 ** (change[..., self.rms] / 20)
        rows[..., self.pitch] *= np.exp(change[..., self.pitch])


def normalised(
    rows: NDArray[np.float32],
    mean: NDArray[np.float32],
    std: NDArray[np.float32],
    n_columns: int,
) -> NDArray[np.float32]:
    """Rows as a model takes them that was given no reference.

    Parameters
    ----------
    rows : float32 [shape=(..., n_features)]
        Not normalised.
    mean, std : float32 [shape=(n_features,)]
    n_columns : int
        What the model takes: ``n_features``, or one more, the part, which is 0.

    Returns
    -------
    float32 [shape=(..., n_columns)]
    """
    return as_wide(((rows - mean) / std).astype(np.float32), n_columns)


@dataclasses.dataclass(frozen=True)
class VoiceReference:
    """How a model wants the reference; part of its manifest.

    Parameters
    ----------
    centre : tuple of float
        Mean of the voices that it was trained on, one number a feature in the units of
        :meth:`VoiceColumns.totals`: where a voice is moved to.
    prior_s : float
        Seconds of speech after which half of the voice's mean is taken away.
    least_s : float
        Seconds of speech from which on a device uses it.
    most_s : float
        Seconds of speech that a device remembers.
    """

    centre: tuple[float, ...]
    prior_s: float
    least_s: float = 8.0
    most_s: float = 120.0

    def change(self, totals: NDArray[np.floating], frame_s: float) -> NDArray[np.float64]:
        """What :meth:`VoiceColumns.move` is to add, and the part that is taken away.

        Parameters
        ----------
        totals : float [shape=(..., 2, n_features)]
            Of speech of this voice, see :meth:`VoiceColumns.totals`.
        frame_s : float
            From one frame to the next, in seconds.

        Returns
        -------
        float64 [shape=(..., n_features + 1)]
            The last number is the part, from 0 to below 1.
        """
        counts = totals[..., 1, :]
        most = counts.max(axis=-1, keepdims=True)
        parts = most / (most + self.prior_s / frame_s)
        change: NDArray[np.float64] = np.concatenate(
            [self.shift(totals[..., 0, :], counts, frame_s), parts], axis=-1
        )
        return change

    def shift(
        self, sums: NDArray[np.floating], counts: NDArray[np.floating], frame_s: float
    ) -> NDArray[np.float64]:
        """:meth:`change` without the part, of sums and of the numbers of frames."""
        # Each column by the frames that it was heard in: the pitch of a whisper stays.
        shift: NDArray[np.float64] = counts * self._centre
        shift -= sums
        shift /= counts + self.prior_s / frame_s
        return shift

    @functools.cached_property
    def _centre(self) -> NDArray[np.float64]:
        return np.asarray(self.centre, dtype=np.float64)


class VoiceMean:
    """Running sums of a voice's speech, bounded: what is old weighs ever less.

    Parameters
    ----------
    n_features : int
    most_frames : int
        Frames that it remembers; with more, older ones fade.
    """

    def __init__(self, n_features: int, most_frames: int) -> None:
        if most_frames < 1:
            raise ParameterError(f"most_frames is {most_frames}, 1 or more is wanted")
        self.most_frames = most_frames
        #: float64 [shape=(2, n_features)], as of :meth:`VoiceColumns.totals`.
        self.totals = np.zeros((2, n_features))
        #: Frames in them.
        self.n_frames = 0.0

    def add(self, totals: NDArray[np.float64]) -> None:
        """Take in what was said, see :meth:`VoiceColumns.totals`."""
        self.totals += totals
        self.n_frames = max(self.totals[1].tolist())
        if self.n_frames > self.most_frames:
            self.totals *= self.most_frames / self.n_frames
            self.n_frames = float(self.most_frames)

    def reset(self) -> None:
        """Forget the voice."""
        self.totals[:] = 0.0
        self.n_frames = 0.0


def as_wide(rows: NDArray[np.float32], n_columns: int) -> NDArray[np.float32]:
    """Rows as wide as a model's input: one that knows references is told that there is none.

    Parameters
    ----------
    rows : float32 [shape=(..., n_features)]
        Normalised; with the column of the part, or without.
    n_columns : int
        Of the model's input, at most one more.

    Returns
    -------
    float32 [shape=(..., n_columns)]
        The rows themselves where they are wide enough.
    """
    if rows.shape[-1] >= n_columns:
        return rows
    return np.concatenate([rows, np.zeros((*rows.shape[:-1], 1), np.float32)], axis=-1)
