"""What a stream takes from its samples before rows are made of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.features.front_end import DcBlocker
from edge.features.hum import hum_filter
from edge.features.spec import FeatureSpec

__all__ = ["SampleFilter"]


class SampleFilter:
    """Takes the hum of the mains away, and a constant offset where the features do not.

    Parameters
    ----------
    spec : FeatureSpec
        Of the rows.  Models from before there was a front end never heard an offset.
    """

    def __init__(self, spec: FeatureSpec) -> None:
        self._hum = hum_filter(spec.sample_rate)
        self._blocker = DcBlocker(spec.sample_rate) if spec.front_end is None else None

    def reset(self) -> None:
        """Forget all samples; equal to a fresh one."""
        if self._hum is not None:
            self._hum.reset()
        if self._blocker is not None:
            self._blocker.reset()

    def process_checked(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Filter the samples that follow the last ones.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            Finite, see :func:`edge.arrays.as_samples`.

        Returns
        -------
        float32 [shape=(n_samples,)]
            The same bits for any split into blocks; `samples` themselves where nothing is taken.
        """
        if self._hum is not None:
            samples = self._hum.process_checked(samples)
        return samples if self._blocker is None else self._blocker.process_checked(samples)
