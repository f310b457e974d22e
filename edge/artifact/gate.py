"""The trained speech gate, as a manifest holds it: a small network on the feature rows.

It tells frame by frame whether somebody speaks.  What it hears of a row does not depend on the
level: the level over an adaptive floor, the shape of the spectrum, pitch, peaks, chroma.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.artifact.budgets import MAX_GATE_LAYER, MAX_GATE_MEMORIES, MAX_MEMORY_FRAMES
from edge.artifact.checks import finite, items, json_object, record, shallow, short, text, whole
from edge.errors import ArtifactError
from edge.features.spec import FeatureSpec

__all__ = ["GATE_TYPE", "N_MADE", "GateColumns", "TrainedGate"]

#: The one kind of network that there is.
GATE_TYPE = "conv-memory"

#: Numbers made of a row besides its cepstrum and contrast: level over the floor in dB,
#: voiced or not, pitch in Hz, mean and mean change of the chroma.
N_MADE = 5

_FAMILIES = ("mfcc", "pitch", "chroma", "spectral_contrast")
_N_LAYERS = 3
_LONGEST_S = 10.0


@dataclasses.dataclass(frozen=True, slots=True)
class GateColumns:
    """Where a feature row has what the gate looks at.

    Parameters
    ----------
    level, pitch : int
        Columns of the first cepstral coefficient and of the pitch in Hz.
    shape, chroma, contrast : slice
        The other cepstral coefficients, chroma, spectral contrast.
    level_scale : float
        Times the first coefficient, this is the mean level of the mel bands in dB.
    """

    level: int
    pitch: int
    shape: slice
    chroma: slice
    contrast: slice
    level_scale: float

    @property
    def n_inputs(self) -> int:
        """Numbers that the network takes a frame."""
        n_shape: int = self.shape.stop - self.shape.start
        n_contrast: int = self.contrast.stop - self.contrast.start
        return N_MADE + n_shape + n_contrast

    @classmethod
    def of(cls, spec: FeatureSpec) -> GateColumns:
        """Find the columns of a spec.

        Raises
        ------
        ArtifactError
            If it lacks a family that the gate needs.
        """
        missing = [name for name in _FAMILIES if name not in spec.order]
        if missing:
            raise ArtifactError(
                f"gate needs the features {', '.join(_FAMILIES)}, feature_spec is without "
                f"{', '.join(missing)}"
            )
        start, columns = 0, {}
        for family in spec.families:
            n_columns = len(family.feature_names)
            columns[family.NAME] = slice(start, start + n_columns)
            start += n_columns
        mfcc = columns["mfcc"]
        return cls(
            level=mfcc.start,
            pitch=columns["pitch"].start,
            shape=slice(mfcc.start + 1, mfcc.stop),
            chroma=columns["chroma"],
            contrast=columns["spectral_contrast"],
            level_scale=spec.mfcc.n_mels**-0.5,
        )


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class TrainedGate:
    """A trained gate: its sizes, its thresholds and its weights.

    Build it with :meth:`from_dict`, which checks; the constructor does not.

    Parameters
    ----------
    type : str
        :data:`GATE_TYPE`.
    feature_fingerprint : str
        Of the spec whose rows it was trained on.
    floor_rise_db : float
        What the adaptive floor rises from one frame to the next.
    kernel : int
        Frames that the first layer sees at once: this one and those before.
    widths : tuple of int
        Units of the three layers.
    memories : tuple of tuple of float
        Frames that each memory of the first layer, and of the second, lasts.
    open_above, close_below : float
        Probabilities at which a frame begins to be speech, and ends to be.
    least_speech_s : float
        Speech that a segment must hold.
    weights : str
        Float16, little endian, in base64: every array of :meth:`shapes` in its order.
    training : mapping
        Where it comes from.
    """

    type: str
    feature_fingerprint: str
    floor_rise_db: float
    kernel: int
    widths: tuple[int, ...]
    memories: tuple[tuple[float, ...], ...]
    open_above: float
    close_below: float
    least_speech_s: float
    weights: str
    # No hash, as it is no more than said.
    training: Mapping[str, Any] = dataclasses.field(hash=False)

    def __repr__(self) -> str:
        return f"<TrainedGate of {self.n_bytes} bytes, layers of {self.widths}>"

    @property
    def n_bytes(self) -> int:
        """Bytes of the weights."""
        return len(base64.b64decode(self.weights))

    def shapes(self, n_inputs: int) -> dict[str, tuple[int, ...]]:
        """Shapes of the arrays by name, in the order of the file."""
        first, second, third = self.widths
        n_first, n_second = (1 + len(memory) for memory in self.memories)
        return {
            "first": (self.kernel * n_inputs, first),
            "first_bias": (first,),
            "second": (n_first * first, second),
            "second_bias": (second,),
            "third": (n_second * second, third),
            "third_bias": (third,),
            "last": (third,),
            "last_bias": (1,),
        }

    def arrays(self, n_inputs: int) -> dict[str, NDArray[np.float32]]:
        """Unpack the weights.

        Raises
        ------
        ArtifactError
            If their number is not that of the sizes, or one is no finite number.
        """
        try:
            packed = base64.b64decode(self.weights, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ArtifactError(f"gate.weights are no base64: {error}") from error
        shapes = self.shapes(n_inputs)
        wanted = sum(math.prod(shape) for shape in shapes.values())
        if len(packed) != 2 * wanted:
            raise ArtifactError(
                f"gate.weights have {len(packed)} bytes, {2 * wanted} are wanted for its sizes"
            )
        numbers = np.frombuffer(packed, dtype="<f2").astype(np.float32)
        if not np.isfinite(numbers).all():
            raise ArtifactError("gate.weights hold NaN or infinity, finite numbers are wanted")
        arrays, at = {}, 0
        for name, shape in shapes.items():
            n_numbers = math.prod(shape)
            arrays[name] = numbers[at : at + n_numbers].reshape(shape)
            at += n_numbers
        return arrays

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, the inverse of :meth:`from_dict`."""
        fields: dict[str, Any] = {
            field.name: getattr(self, field.name) for field in dataclasses.fields(self)
        }
        fields["widths"] = list(self.widths)
        fields["memories"] = [list(memory) for memory in self.memories]
        fields["training"] = dict(self.training)
        return fields

    @classmethod
    def from_dict(cls, value: object, spec: FeatureSpec) -> TrainedGate:
        """Check and build from plain JSON types.

        Parameters
        ----------
        value : object
            The manifest's ``gate``.
        spec : FeatureSpec
            The manifest's.

        Raises
        ------
        ArtifactError
            If a key is unknown or missing, a value is none that can be used, or the gate was
            trained on other features.
        """
        fields = record("gate", value, cls)
        if text("gate.type", fields["type"]) != GATE_TYPE:
            raise ArtifactError(f"gate.type is {short(fields['type'])}, {GATE_TYPE!r} is wanted")
        fingerprint = text("gate.feature_fingerprint", fields["feature_fingerprint"])
        if fingerprint != spec.fingerprint:
            raise ArtifactError(
                f"gate.feature_fingerprint is {short(fingerprint)}, the model's features have "
                f"{spec.fingerprint!r}: the gate was trained on others"
            )
        fields["floor_rise_db"] = _within("floor_rise_db", fields, 0.0, 10.0)
        whole("gate.kernel", fields["kernel"], 1, MAX_GATE_MEMORIES)
        fields["widths"] = _layers("widths", fields["widths"], _N_LAYERS)
        for width in fields["widths"]:
            whole("an entry of gate.widths", width, 1, MAX_GATE_LAYER)
        fields["memories"] = tuple(
            _memory(memory) for memory in _layers("memories", fields["memories"], _N_LAYERS - 1)
        )
        least = math.ulp(0.0)
        fields["open_above"] = _within("open_above", fields, least, 1 - 1e-9)
        fields["close_below"] = _within("close_below", fields, least, fields["open_above"])
        fields["least_speech_s"] = _within("least_speech_s", fields, 0.0, _LONGEST_S)
        text("gate.weights", fields["weights"])
        shallow("gate.training", fields["training"])
        fields["training"] = json_object("gate.training", fields["training"])
        gate = cls(**fields)
        gate.arrays(GateColumns.of(spec).n_inputs)
        return gate


def _within(name: str, fields: Mapping[str, Any], low: float, high: float) -> float:
    number = finite(f"gate.{name}", fields[name])
    if not low <= number <= high:
        raise ArtifactError(f"gate.{name} is {number:g}, {low:g} to {high:g} is wanted")
    return number


def _layers(name: str, value: object, count: int) -> tuple[Any, ...]:
    found = items(f"gate.{name}", value)
    if len(found) != count:
        raise ArtifactError(f"gate.{name} has {len(found)} entries, {count} are wanted")
    return tuple(found)


def _memory(value: object) -> tuple[float, ...]:
    found: Sequence[object] = items("an entry of gate.memories", value)
    if len(found) > MAX_GATE_MEMORIES:
        raise ArtifactError(
            f"an entry of gate.memories has {len(found)} lengths, at most {MAX_GATE_MEMORIES} "
            "are wanted"
        )
    lengths = tuple(finite("a length in gate.memories", length) for length in found)
    for length in lengths:
        if not 1 <= length <= MAX_MEMORY_FRAMES:
            raise ArtifactError(
                f"a length in gate.memories is {length:g} frames, 1 to {MAX_MEMORY_FRAMES} is "
                "wanted"
            )
    return lengths
