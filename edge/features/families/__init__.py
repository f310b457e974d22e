"""One module a family of features; what there is, is listed here.

Where to add one: a module with a frozen record of settings (:class:`~.base.Family`) and what
computes its columns (:class:`~.base.Kernel`), and a row below.
"""

from __future__ import annotations

from edge.features.families.base import Family
from edge.features.families.chroma import Chroma
from edge.features.families.correlation_pitch import CorrelationPitch
from edge.features.families.energy import Energy
from edge.features.families.lpcc import Lpcc
from edge.features.families.mfcc import Mfcc
from edge.features.families.pitch import Pitch
from edge.features.families.pitch_classes import PitchClasses
from edge.features.families.rms import Rms
from edge.features.families.spectral_contrast import SpectralContrast

__all__ = ["FAMILIES"]

#: In the order of their keys in an artifact's manifest.
_FAMILIES: tuple[type[Family], ...] = (
    Mfcc,
    Chroma,
    SpectralContrast,
    Pitch,
    Rms,
    # Of the paper's own baseline, see quantize.data.features.simple_rnn.
    Lpcc,
    CorrelationPitch,
    Energy,
    PitchClasses,
)

FAMILIES: dict[str, type[Family]] = {family.NAME: family for family in _FAMILIES}
