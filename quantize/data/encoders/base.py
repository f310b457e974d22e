"""What a large model promises that gives a vector a clip."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Encoder", "EncoderModule"]


class Encoder(Protocol):
    """Samples to a vector."""

    @property
    def sample_rate(self) -> int:
        """Rate that it hears, in Hz."""

    @property
    def n_least(self) -> int:
        """Fewest samples that it can hear."""

    @property
    def layer(self) -> int:
        """Which layer's output is read, from 1."""

    @property
    def n_layers(self) -> int:
        """How many layers there are."""

    @property
    def width(self) -> int:
        """Length of a vector."""

    @property
    def digest(self) -> str:
        """SHA-256 of all that a vector depends on, in hexadecimal."""

    def embed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean over a clip's frames.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            ``n_least`` of them or more, however many.

        Returns
        -------
        float32 [shape=(width,)]
        """


class EncoderModule(Protocol):
    """A module that the registry names."""

    def open_encoder(self, folder: Path, layer: int | None) -> Encoder:
        """Read weights; a layer of None is the module's own choice."""
