"""CONTRACT: what tells frame by frame whether somebody speaks, and which there are.

Another one is a module and a row here.  All are asked only about windows that are loud enough;
:mod:`edge.stream.speech_gate` says which.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.artifact import Manifest
from edge.errors import ParameterError, shown

__all__ = ["ENERGY", "GATE", "OFF", "VADS", "FrameGate", "enough_speech", "make_frame_gate"]

#: The gate that the artifact brings along.
GATE = "gate"
#: No more than that a window is loud enough.
ENERGY = "energy"
#: Every window is judged, a silent one as well.
OFF = "off"


class FrameGate(Protocol):
    """Tells which frames hold speech; belongs to one stream.

    Parameters
    ----------
    least_speech_s : float
        Speech that a segment must hold.
    """

    least_speech_s: float

    def reset(self) -> None:
        """Forget what was heard; the same as a fresh object."""

    def push(self, samples: NDArray[np.float32], rows: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Judge the rows that samples completed.

        Parameters
        ----------
        samples : float32 [shape=(n_samples,)]
            As they came, after those of the call before.
        rows : float32 [shape=(n_rows, n_features)]
            Not normalised; none where the samples completed none.

        Returns
        -------
        bool [shape=(n_rows,)]
        """


def enough_speech(n_spoken: int, n_frames: int, least_speech_s: float, frame_s: float) -> bool:
    """Tell whether a window holds the speech that is wanted: half of itself at most.

    Parameters
    ----------
    n_spoken, n_frames : int
        Frames that hold speech, and all.
    least_speech_s : float
    frame_s : float
        From one frame to the next.
    """
    wanted = min(least_speech_s / frame_s, n_frames / 2)
    return n_spoken >= max(1, math.ceil(wanted - 1e-6))


def _maker(module: str) -> Callable[[Manifest], FrameGate | None]:
    def make(manifest: Manifest) -> FrameGate | None:
        gate: FrameGate = importlib.import_module(module).make(manifest)
        return gate

    return make


#: What ``--vad`` takes: a manifest to a gate of its own for a stream, or None for none.
VADS: dict[str, Callable[[Manifest], FrameGate | None]] = {
    GATE: _maker("edge.stream.trained_gate"),
    "silero": _maker("edge.stream.silero_gate"),
    ENERGY: lambda manifest: None,
    OFF: lambda manifest: None,
}


def make_frame_gate(vad: str | None, manifest: Manifest) -> FrameGate | None:
    """Make the gate of a name for one stream.

    Parameters
    ----------
    vad : str or None
        A key of :data:`VADS`; None is :data:`GATE` where the artifact has one and
        :data:`ENERGY` where it has none.
    manifest : Manifest

    Raises
    ------
    ParameterError
        If there is no such gate, or the artifact has none.
    MissingDependencyError
        If it needs a package that is not installed.
    """
    if vad is None:
        vad = ENERGY if manifest.gate is None else GATE
    if not isinstance(vad, str) or vad not in VADS:
        raise ParameterError(f"vad is {shown(vad)}, one of {', '.join(VADS)} is wanted")
    return VADS[vad](manifest)
