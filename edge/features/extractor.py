"""All features of a frame, offline and streaming over the same kernels."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.arrays import as_samples
from edge.errors import ParameterError, how_many, shown
from edge.features.front_end import HighPass
from edge.features.row_maker import Seen, row_makers
from edge.features.spec import FeatureSpec

__all__ = ["FeatureExtractor"]

_NO_SAMPLES = np.empty(0, np.float32)


class FeatureExtractor:
    """Samples in, feature rows out: 34 wide with the defaults.

    It holds no more than the state between calls of :meth:`push`: the tail of the samples that
    later frames still need, and the front end.  What it computes with is lent to it for the length
    of a call, see :mod:`edge.features.row_maker`.

    An extractor is used by one thread at a time, because its state is its own; a
    :class:`~edge.stream.stream.Stream` owns one.  A copy, also one by pickle, has the same state.

    Parameters
    ----------
    spec : FeatureSpec, optional
        The defaults are the features every bundled model was trained on.

    Examples
    --------
    >>> import numpy as np
    >>> FeatureExtractor().extract(np.zeros(32_000, np.float32)).shape
    (61, 34)
    """

    def __init__(self, spec: FeatureSpec | None = None) -> None:
        if spec is not None and not isinstance(spec, FeatureSpec):
            raise ParameterError(f"spec is {shown(spec)}, a FeatureSpec or None is wanted")
        self.spec = spec = spec or FeatureSpec()
        self._makers = row_makers(spec)
        self._makers.prepare()
        front_end = spec.front_end
        self._front_end = front_end.filter(spec.sample_rate) if front_end else None
        self.tail = _NO_SAMPLES

    def __repr__(self) -> str:
        spec = self.spec
        names = ", ".join(spec.order)
        return f"<FeatureExtractor of {spec.n_features} features at {spec.sample_rate} Hz: {names}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # What is lent to all is not copied.
        return _restored, (self.spec, self.tail.copy(), copy.deepcopy(self._front_end))

    def extract(self, samples: ArrayLike) -> NDArray[np.float32]:
        """Feature rows of a whole signal; the streaming state is left alone.

        Parameters
        ----------
        samples : array_like of float [shape=(n_samples,)]
            Mono at ``spec.sample_rate``, nominally in [-1, 1].

        Returns
        -------
        float32 [shape=(n_frames, n_features)]
            ``n_frames = 1 + (n_samples - win_length) // hop_length``.

        Raises
        ------
        ParameterError
            If the samples are not mono floats, hold NaN, infinity or values beyond
            1000 (unscaled integers), or are fewer than one frame.
        """
        checked = as_samples(samples)
        if self.spec.front_end is not None:
            checked = self.spec.front_end.filter(self.spec.sample_rate).process_checked(checked)
        if checked.size < self.spec.win_length:
            raise ParameterError(
                f"samples has {how_many(checked.size, 'sample')}, one frame needs at least "
                f"{self.spec.win_length} ({1000 * self.spec.win_length / self.spec.sample_rate:.0f}"
                f" ms at {self.spec.sample_rate} Hz)"
            )
        return self.rows_of(checked)

    def push(self, block: ArrayLike) -> NDArray[np.float32]:
        """Take a block of any length and return the rows that it completes.

        Parameters
        ----------
        block : array_like of float [shape=(n_samples,)]
            The samples that follow the last block; may be empty.

        Returns
        -------
        float32 [shape=(k, n_features)]
            k >= 0 new rows.  All rows of a signal, however it was cut into blocks,
            equal :meth:`extract`'s.

        Raises
        ------
        ParameterError
            As :meth:`extract`; the state is then unchanged.
        """
        return self.push_checked(as_samples(block, "block"))

    def push_checked(
        self, checked: NDArray[np.float32], seen: Seen | None = None
    ) -> NDArray[np.float32]:
        """:meth:`push` what has been checked already, as a stream has.

        ``seen`` is shown the spectra of the rows, see :data:`edge.features.row_maker.Seen`.
        """
        n_tail = self.tail.size
        samples = np.empty(n_tail + checked.size, np.float32)
        samples[:n_tail] = self.tail
        self.filter_into(checked, samples[n_tail:])
        rows = self.rows_of(samples, seen)
        self.keep_tail(samples, len(rows))
        return rows

    def filter_into(self, checked: NDArray[np.float32], out: NDArray[np.float32]) -> None:
        """Put checked samples through the front end, where there is one, into what is given."""
        if self._front_end is None:
            out[:] = checked
        else:
            self._front_end.process_into(checked, out)

    def keep_tail(self, samples: NDArray[np.float32], n_rows: int) -> None:
        """Keep what later rows need of samples from which so many were computed."""
        # A copy: the caller may reuse the block's memory, as audio callbacks do.
        self.tail = samples[n_rows * self.spec.hop_length :].copy()

    def reset(self) -> None:
        """Forget the samples pushed so far; equal to a fresh extractor."""
        self.tail = _NO_SAMPLES
        if self._front_end is not None:
            self._front_end.reset()

    def rows_of(
        self, samples: NDArray[np.float32], seen: Seen | None = None
    ) -> NDArray[np.float32]:
        """Rows of every whole frame of checked samples, whatever was heard before.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            Contiguous, and through the front end.
        seen : Seen, optional
            Is shown the spectra, see :data:`edge.features.row_maker.Seen`.

        Returns
        -------
        float32 [shape=(n_frames, n_features)]
            A new array.
        """
        maker = self._makers.take()
        rows = maker.rows(samples, seen)
        self._makers.give(maker)
        return rows


def _restored(
    spec: FeatureSpec, tail: NDArray[np.float32], front_end: HighPass | None
) -> FeatureExtractor:
    """Copy an extractor with its streaming state."""
    extractor = FeatureExtractor(spec)
    extractor.tail, extractor._front_end = tail, front_end
    return extractor
