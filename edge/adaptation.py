"""Getting used to a speaker and a microphone: a running mean of the features.

Voices differ by a factor of two in pitch and microphones by 40 dB in level, far more than
one person's feelings move either.  What a device has heard so far tells both, without any
label: the mean of the speech frames, drawn towards the mean of the training speakers while
little has been heard, is subtracted (cepstral mean normalisation with a prior).  Nothing is
corrected before the first speech was heard.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from edge.feature_spec import FeatureSpec
from edge.manifest.parts import AdaptationSpec

__all__ = ["SPEECH_FRAME_RANGE_DB", "Adaptation", "AdaptedColumns", "Statistics"]

#: A frame counts as speech when its level is within this many dB of the loudest one's.
SPEECH_FRAME_RANGE_DB = 30.0

_SMALLEST_RMS = 1e-6


class Statistics:
    """Sums of speech frames, by feature.

    Parameters
    ----------
    sums, counts : float64 [shape=(n_features,)]
        Of :meth:`AdaptedColumns.statistics`; a feature that is not adapted has count 0.
    """

    __slots__ = ("counts", "sums")

    def __init__(self, sums: NDArray[np.float64], counts: NDArray[np.float64]) -> None:
        self.sums, self.counts = sums, counts

    def add(self, other: Statistics) -> None:
        """Take in what another stretch of speech has."""
        self.sums += other.sums
        self.counts += other.counts

    def fade(self, n_frames: float) -> None:
        """Weigh everything less, so that no count exceeds ``n_frames``."""
        factor = n_frames / max(n_frames, float(self.counts.max(initial=0.0)))
        self.sums *= factor
        self.counts *= factor

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean of every feature; 0 where there is no frame."""
        means: NDArray[np.float64] = self.sums / np.maximum(self.counts, 1e-12)
        return means


class AdaptedColumns:
    """Which features are adapted, and how.

    MFCC and contrast are shifted, the level in dB and the pitch by a factor; chroma, which
    folds octaves and scales by the loudest, stays.

    Parameters
    ----------
    spec : FeatureSpec
    """

    def __init__(self, spec: FeatureSpec) -> None:
        names = spec.feature_names
        self.n_features = len(names)
        self.rms, self.pitch = names.index("rms"), names.index("pitch_hz")
        self.shifted = np.array(
            [i for i, name in enumerate(names) if name.startswith(("mfcc", "contrast"))]
        )

    def statistics(
        self, rows: NDArray[np.floating], loudest_rms: float | None = None
    ) -> Statistics:
        """Sums over the speech frames of some rows.

        Parameters
        ----------
        rows : float [shape=(n_frames, n_features)]
            Feature rows, not normalised.
        loudest_rms : float, optional
            RMS of the loudest frame around; None: of these rows.

        Returns
        -------
        Statistics
            Of MFCC and contrast as they are, 20 log10 of the RMS, and the natural logarithm
            of the pitch of voiced frames.
        """
        sums, counts = np.zeros(self.n_features), np.zeros(self.n_features)
        rms = rows[:, self.rms]
        if loudest_rms is None:
            loudest_rms = float(rms.max(initial=0.0))
        speech = rows[rms >= max(loudest_rms * 10 ** (-SPEECH_FRAME_RANGE_DB / 20), _SMALLEST_RMS)]
        if len(speech):
            speech = speech.astype(np.float64)
            sums[self.shifted] = speech[:, self.shifted].sum(axis=0)
            counts[self.shifted] = len(speech)
            sums[self.rms] = 20 * np.log10(speech[:, self.rms]).sum()
            counts[self.rms] = len(speech)
            voiced = speech[speech[:, self.pitch] > 0, self.pitch]
            sums[self.pitch], counts[self.pitch] = np.log(voiced).sum(), len(voiced)
        return Statistics(sums, counts)

    def corrected(
        self, rows: NDArray[np.float32], offset: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Rows as if their speaker's means were lower by ``offset``.

        Parameters
        ----------
        rows : float32 [shape=(..., n_frames, n_features)]
            Not normalised.
        offset : float [shape=(..., n_features)]
            In the units of :meth:`statistics`.

        Returns
        -------
        float32 [shape=(..., n_frames, n_features)]
            New; unvoiced frames keep their pitch of 0.
        """
        offset = np.asarray(offset, dtype=np.float32)[..., None, :]
        rows = rows.copy()
        rows[..., self.shifted] -= offset[..., self.shifted]
        rows[..., self.rms] *= 10 ** (-offset[..., self.rms] / 20)
        rows[..., self.pitch] *= np.exp(-offset[..., self.pitch])
        return rows


class Adaptation:
    """What has been heard of the current speaker, and the correction that follows.

    Parameters
    ----------
    feature_spec : FeatureSpec
    settings : AdaptationSpec
        As in the artifact's manifest.

    Raises
    ------
    ParameterError
        If the settings are of other features.
    """

    def __init__(self, feature_spec: FeatureSpec, settings: AdaptationSpec) -> None:
        if len(settings.reference) != feature_spec.n_features:
            raise ParameterError(
                f"the adaptation has {len(settings.reference)} means, {feature_spec.n_features} "
                "are wanted"
            )
        self.settings = settings
        self._columns = AdaptedColumns(feature_spec)
        self._reference = np.array(settings.reference)
        self.reset()

    def reset(self) -> None:
        """Forget the speaker."""
        n_features = len(self._reference)
        self._heard = Statistics(np.zeros(n_features), np.zeros(n_features))

    @property
    def n_frames(self) -> float:
        """Speech frames that the correction rests on; faded ones count as less than one."""
        return float(self._heard.counts.max())

    @property
    def offset(self) -> NDArray[np.float64]:
        """What :meth:`correct` takes away, by feature; zeros before the first speech."""
        counts = self._heard.counts
        weight = counts / (counts + self.settings.prior_frames)
        offset: NDArray[np.float64] = weight * (self._heard.means - self._reference)
        return offset

    def hear(self, rows: NDArray[np.floating], loudest_rms: float | None = None) -> None:
        """Take in rows of this speaker, each once.

        Parameters
        ----------
        rows, loudest_rms
            As for :meth:`AdaptedColumns.statistics`.
        """
        self._heard.add(self._columns.statistics(rows, loudest_rms))
        self._heard.fade(self.settings.memory_frames)

    def correct(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Rows as the average training speaker would have made them.

        Parameters
        ----------
        rows : float32 [shape=(n_frames, n_features)]
            Not normalised.

        Returns
        -------
        float32 [shape=(n_frames, n_features)]
            New.
        """
        return self._columns.corrected(rows, self.offset)
