"""A file that was met in the field, and the stretch of the dialogue that such files are made of."""

from __future__ import annotations

import dataclasses

import numpy as np
from wav_bytes import RATE

from edge.audio.file import read_audio
from edge.bundled import DEMO_CLIP

__all__ = ["LOW_24", "NO_LABEL", "TELEPHONE", "Case", "at_rate", "base"]

#: Nothing but the warning is asked for: the sound is not that of the clip any more.
NO_LABEL = float("inf")

TELEPHONE = r"nothing above [34]\.\d kHz was heard"
LOW_24 = "24 bits in the low three bytes of four"


@dataclasses.dataclass(frozen=True)
class Case:
    """A file and what is right to say about it.

    Parameters
    ----------
    name : str
        Of the file.
    content : bytes
    within : float
        How far the posterior may be from the clip's, whose label is wanted; 1: the label
        alone; :data:`NO_LABEL`: any.
    quiet : bool
        Nobody speaks.
    warning : str or None
        Pattern of the one warning; None: there is none.
    error : str or None
        Pattern of the sentence that refuses it.
    """

    name: str
    content: bytes
    within: float = 0.02
    quiet: bool = False
    warning: str | None = None
    error: str | None = None


def base() -> np.ndarray:
    """A stretch of the dialogue that is one emotion throughout, clearly and loud enough."""
    samples, _ = read_audio(DEMO_CLIP)
    return samples[40_000:76_000].astype(np.float64)


def at_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    """Ideal copy at another rate: the spectrum is cut or filled with nothing."""
    n_padded = (samples.size // RATE + 3) * RATE
    padded = np.zeros(n_padded)
    padded[RATE : RATE + samples.size] = samples
    spectrum = np.fft.rfft(padded)
    n_out = n_padded * rate // RATE
    wide = np.zeros(n_out // 2 + 1, complex)
    n_lines = min(wide.size, spectrum.size)
    wide[:n_lines] = spectrum[:n_lines]
    copy = np.fft.irfft(wide, n_out) * (n_out / n_padded)
    return copy[rate : rate + -(-samples.size * rate // RATE)]
