"""What a family of features is: its settings, its columns, and what computes them."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError, shown
from edge.features.spectrum import FrameSpectra

__all__ = [
    "LARGEST_FLOAT",
    "Columns",
    "Family",
    "FrameGeometry",
    "Kernel",
    "check_settings",
    "choice",
    "count",
    "number",
    "setting_key",
]

#: Of every setting that is a fraction.
LARGEST_FLOAT = 1e6


class FrameGeometry(Protocol):
    """The part of a :class:`~edge.features.spec.FeatureSpec` that all families share."""

    @property
    def sample_rate(self) -> int:
        """Samples per second."""

    @property
    def n_fft(self) -> int:
        """Length of the transform, in samples."""

    @property
    def win_length(self) -> int:
        """Samples of a frame."""

    @property
    def hop_length(self) -> int:
        """Samples from frame to frame."""


def count(default: int, largest: int, key: str) -> int:
    """Declare a setting that is a whole number from 1 to `largest`.

    A spec also comes out of an artifact from elsewhere, which must not make a device compute
    filters of gigabytes: hence a largest.  ``key`` is its name in the canonical JSON.
    """
    metadata = {"key": key, "largest": largest}
    declared: int = dataclasses.field(default=default, metadata=metadata)
    return declared


def number(default: float, key: str) -> float:
    """Declare a setting that is a number from 0 to a million."""
    declared: float = dataclasses.field(default=default, metadata={"key": key, "number": True})
    return declared


def choice(default: str, key: str) -> str:
    """Declare a setting that names a method, of which there is one so far."""
    declared: str = dataclasses.field(default=default, metadata={"key": key, "only": default})
    return declared


def setting_key(field: dataclasses.Field[Any]) -> str | None:
    """Name of a declared setting in the canonical JSON; None for other fields."""
    key: str | None = field.metadata.get("key")
    return key


def check_settings(record: Any) -> None:
    """Check every declared setting of a frozen record by itself, and make numbers floats.

    Raises
    ------
    ParameterError
        Naming the setting by its key in the JSON and in a recipe.
    """
    for field in dataclasses.fields(record):
        key, value = setting_key(field), getattr(record, field.name)
        if "largest" in field.metadata:
            largest = field.metadata["largest"]
            whole = isinstance(value, int) and not isinstance(value, bool)
            if not whole or not 1 <= value <= largest:
                raise ParameterError(
                    f"{key} is {shown(value)}, a whole number from 1 to {largest} is wanted"
                )
        elif "number" in field.metadata:
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ParameterError(f"{key} is {shown(value)}, a number is wanted")
            # Compared as they are: a whole number of 400 digits does not become a float.
            if not 0 <= value <= LARGEST_FLOAT:
                raise ParameterError(
                    f"{key} is {shown(value)}, a number from 0 to {LARGEST_FLOAT:g} is wanted"
                )
            # An int, or -0.0, would give another canonical JSON than the equal float.
            object.__setattr__(record, field.name, float(value) + 0.0)
        elif "only" in field.metadata and not (
            isinstance(value, str) and value == field.metadata["only"]
        ):
            raise ParameterError(
                f"{key} is {shown(value)}, {field.metadata['only']!r} is the only one known"
            )


@dataclasses.dataclass(slots=True)
class Columns:
    """What an extractor hands a family beside the spectra, cut to a number of frames."""

    #: Power under a Hann window, times ``Spectrum.POWER_SCALE``: float32 (n_frames, n_bins).
    power: NDArray[np.float32]
    #: The power through the kernel's filters: float32 (n_frames, n_filters).
    filtered: NDArray[np.float32]
    #: Levels that the kernel wrote, in dB: float32 (n_frames, n_levels).
    levels: NDArray[np.float32]


class Kernel:
    """Computes a family's columns; its constants are computed once, for one extractor.

    What it needs of the shared spectrum it says in its attributes; :meth:`fill` finds it there.
    """

    #: Weights on power bins, float64 (n_bins, n_filters); None for no filters.
    filters: NDArray[np.float64] | None = None
    #: Whether what comes out of the filters is wanted in dB.
    filters_in_db: bool = False
    #: Columns that :meth:`write_levels` writes, to be turned into dB with everybody's.
    n_levels: int = 0
    #: Lags of the autocorrelation that are needed, from 0.
    n_lags: int = 1

    def write_levels(
        self, power: NDArray[np.float32], out: NDArray[np.float32], free: NDArray[np.float32]
    ) -> None:
        """Write powers that are wanted in dB; only called where ``n_levels`` is not 0.

        Parameters
        ----------
        power : float32 [shape=(n_frames, n_bins)]
        out : float32 [shape=(n_blocks, BLOCK, n_levels)]
            By frames, in whole blocks.
        free : float32 [shape=(many,)]
            Memory to use, see :class:`~edge.features.spectrum.FrameSpectra`.
        """
        raise NotImplementedError

    def fill(self, out: NDArray[np.float32], spectra: FrameSpectra, columns: Columns) -> None:
        """Write the family's columns of up to ``TILE`` frames.

        Parameters
        ----------
        out : float32 [shape=(n_frames, n_columns)]
            Row t may depend on frame t alone, and not on how many frames there are.
        spectra, columns
            Shared by all families: read them, do not change them, and keep nothing.
            ``spectra.free`` may be overwritten.
        """
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, slots=True)
class Family:
    """Settings of a group of columns: base of one frozen record a family.

    A new family is one module with such a record and its :class:`Kernel`, and one row of the
    registry in :mod:`edge.features.families`.
    """

    #: What ``order`` calls it.
    NAME: ClassVar[str]

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Name of every column, in order."""
        raise NotImplementedError

    def check(self, frames: FrameGeometry) -> None:
        """Raise `ParameterError` if it cannot be computed on such frames."""

    def kernel(self, frames: FrameGeometry) -> Kernel:
        """Make what computes it."""
        raise NotImplementedError
