"""Rows of a teacher that has other features than its student: the same crops, in its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from edge.features.spec import FeatureSpec

__all__ = ["Crops", "TeacherRows"]


@dataclasses.dataclass(frozen=True)
class Crops:
    """Where a batch's crops were cut: of which clips, which variants, and from which frame on.

    ``clip_ids`` and ``variants`` have an entry a crop, ``starts`` is int64 (B,); all crops are
    ``n_frames`` long.
    """

    clip_ids: Sequence[str]
    variants: Sequence[int]
    starts: NDArray[np.int64]
    n_frames: int


class TeacherRows:
    """Feature rows of every clip and variant in a teacher's features.

    Parameters
    ----------
    student, teacher : FeatureSpec
        Of one sample rate.
    variants : sequence of mapping
        Rows by clip id, one mapping a variant, in the order of the student's; they may be set
        later, so that what does not fit is refused before rows are computed.

    Raises
    ------
    ParameterError
        If the sample rates differ.

    Notes
    -----
    The teacher hears the clip's variant as it is: level, exchanged voices, noise and masks, with
    which a batch varies the student's rows, are the student's alone.
    """

    def __init__(
        self,
        student: FeatureSpec,
        teacher: FeatureSpec,
        variants: Sequence[Mapping[str, NDArray[np.floating]]] = (),
    ) -> None:
        if student.sample_rate != teacher.sample_rate:
            raise ParameterError(
                f"a teacher's features are of {teacher.sample_rate} Hz, the student's of "
                f"{student.sample_rate} Hz: one rate is wanted, so that both hear the same"
            )
        self._student, self.spec = student, teacher
        self.variants = variants

    def of(self, crops: Crops) -> NDArray[np.float32]:
        """Rows of the time that the crops span: (B, T, n_features), not normalised."""
        student, teacher = self._student, self.spec
        clips = [
            self.variants[variant][clip_id]
            for clip_id, variant in zip(crops.clip_ids, crops.variants, strict=True)
        ]
        # A teacher with longer frames has fewer of them in a clip.
        n_frames = max(1, teacher.n_frames(student.n_samples(crops.n_frames)))
        n_frames = min(n_frames, *(len(rows) for rows in clips))
        starts = np.rint(crops.starts * student.hop_length / teacher.hop_length).astype(np.int64)
        rows = [
            clip[(first := min(int(start), len(clip) - n_frames)) : first + n_frames]
            for clip, start in zip(clips, starts, strict=True)
        ]
        return np.stack(rows).astype(np.float32)
