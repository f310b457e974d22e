"""What a stranger's manifest may ask of a device, reckoned from its numbers before any is used.

A manifest of a few kilobytes can name sizes that take gigabytes or hours.  Every size is first
held against a bound of its own, so that the sums below cannot run away; then what the features,
the window and the network take together is held against 64 MB and 2 seconds.  The bundled models
need about 1 MB and 45 million multiplications a window: there is room for forty of them.

The sums are rough on purpose.  They are right to a factor of two on the models and specs that
were measured, which is enough to tell a model for a small board from an attack on one.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from edge.errors import ArtifactError
from edge.features.spec import FeatureSpec
from edge.models.base import Sizes
from edge.models.registry import ARCHITECTURES

__all__ = [
    "MAX_BARS",
    "MAX_COMMAND_LETTERS",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_GATE_LAYER",
    "MAX_GATE_MEMORIES",
    "MAX_LETTERS",
    "MAX_LEVEL_DB",
    "MAX_LICENCE_LETTERS",
    "MAX_LOGIT",
    "MAX_MANIFEST_BYTES",
    "MAX_MEAN",
    "MAX_MEMORY_FRAMES",
    "MAX_MODEL_BYTES",
    "MAX_NUMBER",
    "MAX_PITCH_LOG",
    "MAX_SIZE",
    "MAX_SLOPE",
    "MAX_STD",
    "MAX_TEMPERATURE",
    "MAX_VOICE_S",
    "MAX_WHOLE",
    "MIN_STD",
    "MIN_TEMPERATURE",
    "MIN_VOICE_S",
    "check_features",
    "check_reference",
    "check_window",
]

#: Ours are about 12 kB, most of it the reference input.
MAX_MANIFEST_BYTES = 1_000_000

#: As many float32 as ten times the bundled model has, and half as much again for a graph.
MAX_MODEL_BYTES = 24_000_000

#: Objects and lists within each other; ours have four.  Python ends at some hundreds.
MAX_DEPTH = 16

#: Of a whole number; the largest that means anything here has 10.
MAX_DIGITS = 1000

#: Of a label, a corpus and a name, which are shown in tables and pictures.
MAX_LETTERS = 120
MAX_LICENCE_LETTERS = 2000

#: Of a table of bars: every hundredth from 0 to 1.
MAX_BARS = 101

#: Of the command that measured something, which a card shows.
MAX_COMMAND_LETTERS = 400

#: Of a logistic calibration's slope and offset: beyond, it says 0 or 1 of everything.
MAX_SLOPE = 100.0

#: Of a speech gate: units of a layer, memories of a layer and frames at once, frames that one
#: lasts.  Ours has 24, 3 and some 50.
MAX_GATE_LAYER = 128
MAX_GATE_MEMORIES = 8
MAX_MEMORY_FRAMES = 10_000

#: Of anything counted, so that sums and products of sizes stay numbers.
MAX_WHOLE = 2**31 - 1

#: Of one size of a network.  A frame's stack, a hidden layer or a kernel has hundreds.
MAX_SIZE = 100_000

#: Of any number that float32 is to compute with: its square is still far from overflow.
MAX_NUMBER = 1e9

#: Features are dB, Hz and levels: means of -220 to 140 and deviations of 0.03 to 100 are bundled,
#: the energy of a paper's baseline reaches 1e3.  A row less its mean (1e6 at most, samples are
#: bounded) over a deviation of 1e-6 is 1e12, which float32 can square and add up.
MAX_MEAN = 1e6
MIN_STD, MAX_STD = 1e-6, 1e6

#: Calibration looks from 0.2 to 10.  Below, every posterior is 0 or 1, and above, uniform.
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.01, 100.0

#: Of a reference: 1e4 over the lowest temperature is a posterior of 0 and 1 already.
MAX_LOGIT = 1e4

#: Of a voice's mean: its level in dBFS and the natural logarithm of its pitch in Hz.  The exponents
#: of two such differences stay numbers.
MAX_LEVEL_DB, MAX_PITCH_LOG = 140.0, 12.0

#: Of the speech in a reference for a voice: a day.  0 s would take all away at once.
MIN_VOICE_S, MAX_VOICE_S = 0.1, 86_400.0

_MAX_BYTES = 64_000_000
# Of one window: 2 s of a board that does a thousand million multiplications a second.  The full
# bundled model takes 18 million and its features 27 million.
_MAX_WORK = 2e9
# Of a second of audio, so that no hop of one sample asks for more than a board ever hears.
_MAX_WORK_A_SECOND = 4e9
_MAX_WEIGHTS = 4_000_000

# Measured: the extractor's buffers, for each sample of a tile of 64 frames.
_BYTES_A_SAMPLE = 44
_TILE = 64
# Measured: filters are built in double precision, with two copies for a moment.
_BYTES_A_FILTER_BIN = 24
# Measured, in multiplications: the transforms and what else each sample goes through.
_WORK_A_SAMPLE = 30
# A recursion over the order (LPC) is a loop in Python.
_WORK_OF_RECURSION = 20


def check_features(spec: FeatureSpec) -> None:
    """Refuse a spec whose extractor would take too much memory.

    Raises
    ------
    ArtifactError
    """
    n_bins = spec.n_fft // 2 + 1
    n_bytes = _BYTES_A_SAMPLE * _TILE * spec.n_fft + _BYTES_A_FILTER_BIN * n_bins * _n_columns(spec)
    _check_bytes("feature_spec", n_bytes)


def check_window(sizes: Sizes, spec: FeatureSpec, n_frames: int, hop: int) -> None:
    """Refuse a window that takes too much memory or time, or is due too often.

    Parameters
    ----------
    sizes : Sizes
        Of the network.
    spec : FeatureSpec
        Of its features.
    n_frames, hop : int
        ``window_frames`` and ``window_hop``.

    Raises
    ------
    ArtifactError
    """
    network_bytes, network_work = _network(sizes, n_frames)
    # A stream holds twice the window's rows and a batch.
    n_bytes = network_bytes + 4 * (spec.n_features + 1) * (2 * n_frames + 4 * _TILE)
    _check_bytes(f"window_frames {n_frames}", n_bytes)
    # And what the window's samples take, which a caller may hand over at once.
    _check_bytes(f"window_frames {n_frames}", 8 * spec.n_samples(n_frames))
    frame_work = _frame_work(spec)
    _check_work(f"window_frames {n_frames}", network_work + n_frames * frame_work)
    frames_a_second = spec.sample_rate / spec.hop_length
    a_second = frames_a_second * (frame_work + network_work / hop)
    if a_second > _MAX_WORK_A_SECOND:
        raise ArtifactError(
            f"hop_length {spec.hop_length} and window_hop {hop} ask for {a_second:.2g} "
            f"multiplications a second of audio, at most {_MAX_WORK_A_SECOND:.2g} are done"
        )


def check_reference(sizes: Sizes, n_rows: int) -> None:
    """Refuse a reference input that takes too much memory or time to replay.

    Raises
    ------
    ArtifactError
    """
    where = f"reference.features with {n_rows} rows"
    n_bytes, work = _network(sizes, n_rows)
    _check_bytes(where, n_bytes)
    _check_work(where, work)


def _network(sizes: Sizes, n_frames: int) -> tuple[int, int]:
    """Bytes and multiplications of a network for one window."""
    row: Any = ARCHITECTURES[sizes.type]
    n_weights = sum(math.prod(shape) for shape in row.weight_shapes(sizes).values())
    if n_weights > _MAX_WEIGHTS:
        raise ArtifactError(
            f"the architecture has {n_weights:.3g} weights, at most {_MAX_WEIGHTS} are taken"
        )
    if row.window_cost is not None:
        n_bytes, work = row.window_cost(sizes, n_frames)
    else:
        # It may use every weight at every frame, and keep a few rows as wide as its widest.
        widest = max(max(shape, default=1) for shape in row.weight_shapes(sizes).values())
        n_bytes, work = 4 * 8 * n_frames * widest, n_frames * n_weights
    # Weights as read, as float32, and folded.
    return n_bytes + 3 * 4 * n_weights, work


def _n_columns(spec: FeatureSpec) -> int:
    """Filters and coefficients of all families, or more."""
    counts = [
        value
        for family in spec.families
        for value in dataclasses.asdict(family).values()
        if isinstance(value, int) and not isinstance(value, bool)
    ]
    return spec.n_features + sum(counts)


def _frame_work(spec: FeatureSpec) -> float:
    n_columns = _n_columns(spec)
    return (
        _WORK_A_SAMPLE * spec.n_fft * math.log2(spec.n_fft)
        + spec.n_fft / 2 * n_columns
        + _WORK_OF_RECURSION * n_columns**2
    )


def _check_bytes(where: str, n_bytes: int) -> None:
    if n_bytes > _MAX_BYTES:
        raise ArtifactError(
            f"{where} would take {n_bytes / 1e6:.3g} MB, at most {_MAX_BYTES / 1e6:.0f} MB are "
            "given to a model"
        )


def _check_work(where: str, work: float) -> None:
    if work > _MAX_WORK:
        raise ArtifactError(
            f"{where} would take {work:.2g} multiplications a window, at most {_MAX_WORK:.2g} "
            "are done"
        )
