"""An encoder without weights: a module that tests give a row of the registry."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.errors import ParameterError
from quantize.basics.errors import EncoderError


def stop() -> None:
    """What happens after so many clips."""
    raise KeyboardInterrupt


class Toy:
    """Counts whom it heard; its vector is the mean of powers of the samples."""

    sample_rate, n_least, n_layers, width = 16_000, 400, 4, 3

    def __init__(self, folder: Path, layer: int) -> None:
        self.layer = layer
        self.digest = (folder / "gain").read_text()
        self.heard: list[int] = []
        self.stops_after: int | None = None

    def embed(self, samples: np.ndarray) -> np.ndarray:
        if self.stops_after is not None and len(self.heard) >= self.stops_after:
            stop()
        self.heard.append(samples.size)
        powers = [np.mean(np.abs(samples) ** n) for n in (1, 2, 3)]
        return (float(self.digest) * self.layer * np.array(powers)).astype(np.float32)


#: Those that were opened, the last one last.
opened: list[Toy] = []
#: Whether the next one is interrupted, after how many clips.
stops_after: list[int] = []


def open_encoder(folder: Path, layer: int | None) -> Toy:
    if not (folder / "gain").is_file():
        raise EncoderError(f"{folder} holds no gain")
    if layer is not None and layer > Toy.n_layers:
        raise ParameterError(f"layer {layer} is asked for")
    opened.append(Toy(folder, layer or 2))
    opened[-1].stops_after = stops_after[0] if stops_after else None
    return opened[-1]
