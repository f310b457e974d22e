"""Small work on numbers and arrays.

Samples and numbers checked at the boundary, frames as views, logits to a posterior.
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Sequence
from typing import NoReturn, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import ParameterError, shown

__all__ = [
    "MAX_ABS_SAMPLE",
    "as_number",
    "as_samples",
    "as_whole",
    "frame_view",
    "rows_view",
    "softmax",
    "softmax_row",
]

#: Samples beyond this (60 dB over full scale) are no audio in [-1, 1]: unscaled integers,
#: mostly.  Far larger ones (3e16) would overflow the float32 power spectrum.
MAX_ABS_SAMPLE = 1000.0

# Once, and not anew for every block.
_FLOAT32 = np.dtype(np.float32)
_MAX_SQUARE = MAX_ABS_SAMPLE**2

_NOT_FINITE = "logits hold NaN or infinite values, finite ones are wanted"


def as_number(value: object, name: str, wanted: str, low: float, high: float) -> float:
    """Check a real number once, at the boundary; NumPy's are numbers, True and text are not.

    Parameters
    ----------
    value : object
        What a caller gave.
    name : str
        What to call it in an error.
    wanted : str
        The rest of the sentence: "from 0 to 1 is wanted".
    low, high : float
        Smallest and largest; a value that must be above 0 has ``math.ulp(0.0)`` for ``low``.

    Raises
    ------
    ParameterError
        If it is no number, NaN, or outside.
    """
    if not isinstance(value, bool) and isinstance(value, numbers.Real):
        try:
            number = float(value)
        except (TypeError, OverflowError, ValueError):
            number = math.nan
        if low <= number <= high:
            return number
    raise ParameterError(f"{name} is {shown(value)}, {wanted}")


def as_whole(value: SupportsIndex, name: str, wanted: str, low: int, high: int) -> int:
    """Check a whole number once, at the boundary; as :func:`as_number`.

    Raises
    ------
    ParameterError
        If it is no whole number, or outside.
    """
    if not isinstance(value, bool):
        try:
            number = operator.index(value)
        except TypeError:
            number = low - 1
        if low <= number <= high:
            return number
    raise ParameterError(f"{name} is {shown(value)}, {wanted}")


def as_samples(samples: ArrayLike, name: str = "samples") -> NDArray[np.float32]:
    """Check samples once, at the boundary.

    Parameters
    ----------
    samples : array_like of float [shape=(n_samples,)]
        Mono samples, nominally in [-1, 1].
    name : str
        What to call them in an error.

    Returns
    -------
    float32 [shape=(n_samples,)]
        Contiguous; the input itself where it already fits.

    Raises
    ------
    ParameterError
        If the array is not one-dimensional, not of a floating type, or holds
        NaN, infinity or values beyond ``MAX_ABS_SAMPLE``.
    """
    try:
        array = np.asarray(samples)
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError(f"{name} is no array of numbers: {shown(error)}") from error
    if array.ndim != 1:
        raise ParameterError(
            f"{name} has shape {array.shape}, one dimension (mono) is wanted: "
            "mix the channels first"
        )
    if array.dtype.kind != "f":
        raise ParameterError(
            f"{name} has dtype {array.dtype}, floating-point samples in [-1, 1] are wanted: "
            "divide 16-bit samples by 32768"
        )
    if array.dtype != _FLOAT32 or not array.flags.c_contiguous:
        # Values outside float32 become infinite here and are refused just below.
        with np.errstate(over="ignore"):
            array = np.ascontiguousarray(array, dtype=np.float32)
    if array.size and not _is_sound(array):
        _refuse(array, name)
    return array


def _is_sound(array: NDArray[np.float32]) -> bool:
    """Whether all samples are finite and within ``MAX_ABS_SAMPLE``."""
    # Every comparison with NaN is false.  A sum of squares bounds each sample in one pass, and
    # what is sound stays below; what is not is looked at again.  `vdot` multiplies as `dot` does,
    # and warns of no overflow: to keep `dot` silent costs twice what it does.
    if np.vdot(array, array) <= _MAX_SQUARE:
        return True
    # `reduce` goes the short way that `max` goes round.
    return bool(
        np.maximum.reduce(array) <= MAX_ABS_SAMPLE and np.minimum.reduce(array) >= -MAX_ABS_SAMPLE
    )


def _refuse(array: NDArray[np.float32], name: str) -> NoReturn:
    """Name the first value that is not within ``MAX_ABS_SAMPLE``."""
    position = int(np.argmin(np.abs(array) <= MAX_ABS_SAMPLE))
    value = array[position]
    wanted = (
        "samples in [-1, 1] are wanted: divide 16-bit samples by 32768"
        if np.isfinite(value)
        else "finite samples are wanted"
    )
    raise ParameterError(f"{name} holds {value:g} at position {position}, {wanted}")


def rows_view(
    samples: NDArray[np.float32],
    first: int,
    n_rows: int,
    row_step: int,
    length: int,
    step: int = 1,
) -> NDArray[np.float32]:
    """Rows of samples as a view: ``out[i, j] = samples[first + i * row_step + j * step]``.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
        Contiguous.
    first, row_step, step : int
        Position of the first sample, and steps from row to row and within one; negative
        steps go backwards.
    n_rows, length : int
        Shape of the result.

    Returns
    -------
    float32 [shape=(n_rows, length)]

    Notes
    -----
    NumPy's ``sliding_window_view`` takes as long as a pass over the samples.
    """
    size = samples.itemsize
    return np.ndarray(
        (n_rows, length), samples.dtype, samples, first * size, (row_step * size, step * size)
    )


def frame_view(
    samples: NDArray[np.float32], win_length: int, hop_length: int
) -> NDArray[np.float32]:
    """Overlapping frames as a read-only view.

    Parameters
    ----------
    samples : float32 [shape=(n_samples,)]
    win_length, hop_length : int
        In samples.

    Returns
    -------
    float32 [shape=(n_frames, win_length)]
        Frame t is ``samples[t * hop_length : t * hop_length + win_length]``;
        samples after the last whole frame belong to none.
    """
    if samples.size < win_length:
        return np.empty((0, win_length), dtype=np.float32)
    n_frames = 1 + (samples.size - win_length) // hop_length
    frames = rows_view(samples, 0, n_frames, hop_length, win_length)
    frames.flags.writeable = False
    return frames


def softmax(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float64]:
    """Posterior of logits over the last axis.

    Parameters
    ----------
    logits : float [shape=(..., n_labels)]
    temperature : float
        The logits are divided by it; above 1 the posterior is flatter.

    Returns
    -------
    float64 [shape=(..., n_labels)]
        Sums to 1 over the last axis.

    Raises
    ------
    ParameterError
        If the temperature is not above 0 or a logit is not finite.

    References
    ----------
    Guo et al. (2017), On calibration of modern neural networks (temperature).
    """
    _check_temperature(temperature)
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    if scaled.ndim == 0 or scaled.shape[-1] == 0:
        raise ParameterError(f"logits have shape {scaled.shape}, (..., n_labels) is wanted")
    if not np.isfinite(scaled).all():
        raise ParameterError(_NOT_FINITE)
    # `reduce` goes the short way that `max` and `sum` go round.
    odds = np.exp(scaled - np.maximum.reduce(scaled, axis=-1, keepdims=True))
    posterior: NDArray[np.float64] = odds / np.add.reduce(odds, axis=-1, keepdims=True)
    return posterior


def softmax_row(logits: Sequence[float], temperature: float = 1.0) -> list[float]:
    """:func:`softmax` of a single row; NumPy takes several times as long to begin its calls.

    Parameters
    ----------
    logits : sequence of float
        At least one.
    temperature : float
        As for :func:`softmax`.

    Raises
    ------
    ParameterError
        If the temperature is not above 0 or a logit is not finite.
    """
    _check_temperature(temperature)
    if not all(map(math.isfinite, logits)):
        raise ParameterError(_NOT_FINITE)
    most, exp = max(logits), math.exp
    odds = [exp((logit - most) / temperature) for logit in logits]
    total = sum(odds)
    return [each / total for each in odds]


def _check_temperature(temperature: float) -> None:
    if not (math.isfinite(temperature) and temperature > 0):
        raise ParameterError(f"temperature is {temperature}, a finite number above 0 is wanted")
