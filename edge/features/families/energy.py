"""Logarithm of a frame's energy."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edge.errors import ParameterError
from edge.features.families.base import Columns, Family, FrameGeometry, Kernel, number
from edge.features.spectrum import FrameSpectra

__all__ = ["Energy"]


@dataclasses.dataclass(frozen=True, slots=True)
class Energy(Family):
    """Natural logarithm of the untapered frame's energy (CLAF-SER, second form of eq. 6).

    Parameters
    ----------
    floor : float
        Added before the logarithm; 1e-10 is -130 dB of a full-scale frame.
    """

    NAME: ClassVar[str] = "energy"

    floor: float = number(1e-10, "energy_floor")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The one column's."""
        return ("log_energy",)

    def check(self, frames: FrameGeometry) -> None:
        """Refuse what has no logarithm."""
        if not 0 < self.floor <= 1:
            raise ParameterError(f"energy_floor is {self.floor}, (0, 1] is wanted")

    def kernel(self, frames: FrameGeometry) -> Kernel:
        """Make what computes it."""
        return _EnergyKernel(self.floor)


class _EnergyKernel(Kernel):
    def __init__(self, floor: float) -> None:
        self._floor = floor

    def fill(self, out: NDArray[np.float32], spectra: FrameSpectra, columns: Columns) -> None:
        # The inverse transform leaves silence a hair below 0.
        energy = np.maximum(spectra.energy.astype(np.float64), 0.0)
        out[:, 0] = np.log(energy + self._floor)
