"""Which large models give vectors: a leaf that names modules and imports none.

What a model needs is imported where it is opened: it is not installed everywhere.
"""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

from edge.errors import ParameterError, shown

if TYPE_CHECKING:
    from quantize.data.encoders.base import Encoder, EncoderModule

__all__ = ["ENCODERS", "EncoderChoice", "open_encoder"]

#: What ``--encoder`` calls it, and its module, an ``EncoderModule``.
ENCODERS = {"whisper": "quantize.data.encoders.whisper"}


@dataclasses.dataclass(frozen=True, slots=True)
class EncoderChoice:
    """Which encoder, in a form that can be sent to a worker.

    Parameters
    ----------
    name : str
        One of :data:`ENCODERS`.
    folder : Path
        Where its weights lie.
    layer : int, optional
        Whose output is read, from 1; None: the encoder's own choice.
    """

    name: str
    folder: Path
    layer: int | None = None


def open_encoder(choice: EncoderChoice) -> Encoder:
    """Read an encoder's weights.

    Raises
    ------
    ParameterError
        If no encoder has the name, or it has no such layer.
    EncoderError
        If the folder does not hold its weights.
    MissingDependencyError
        If the package is missing that runs it.
    """
    if choice.name not in ENCODERS:
        raise ParameterError(
            f"no encoder is called {shown(choice.name)}: one of {', '.join(ENCODERS)} is wanted"
        )
    module = cast("EncoderModule", importlib.import_module(ENCODERS[choice.name]))
    return module.open_encoder(choice.folder, choice.layer)
