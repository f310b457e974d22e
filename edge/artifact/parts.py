"""The records a manifest is made of; each ``from_dict`` checks before it builds."""

from __future__ import annotations

import dataclasses

from edge.artifact.budgets import (
    MAX_LEVEL_DB,
    MAX_LOGIT,
    MAX_MEAN,
    MAX_PITCH_LOG,
    MAX_SIZE,
    MAX_STD,
    MAX_VOICE_S,
    MIN_STD,
    MIN_VOICE_S,
    check_reference,
)
from edge.artifact.checks import (
    build,
    finite,
    items,
    json_object,
    numbers,
    one_line,
    record,
    short,
    texts,
    whole,
)
from edge.errors import ArtifactError, ParameterError
from edge.features.spec import FeatureSpec
from edge.features.voice_reference import VoiceColumns, VoiceReference
from edge.models.base import Sizes
from edge.models.registry import ARCHITECTURES

__all__ = [
    "Normalisation",
    "Quantization",
    "Reference",
    "TensorSpec",
    "read_sizes",
    "read_tensors",
    "read_voice_reference",
]


def read_sizes(value: object) -> Sizes:
    """Check a manifest's ``architecture`` and build its sizes from plain JSON types.

    Raises
    ------
    ArtifactError
        If the architecture is not known, or no network has these sizes.
    """
    named = json_object("architecture", value, ("type",))["type"]
    if not isinstance(named, str) or named not in ARCHITECTURES:
        raise ArtifactError(
            f"architecture.type is {short(named)}, one of {', '.join(ARCHITECTURES)} is wanted"
        )
    kind = ARCHITECTURES[named].sizes
    fields = record("architecture", value, kind)
    for name in fields.keys() - {"type"}:
        whole(f"architecture.{name}", fields[name], 1, MAX_SIZE)
    sizes: Sizes = build(kind, fields)
    problem = sizes.problem()
    if problem is not None:
        raise ArtifactError(problem)
    return sizes


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """One input or output of the model; ``None`` in ``shape`` is any length."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str
    layout: str

    @classmethod
    def from_dict(cls, where: str, value: object) -> TensorSpec:
        """Check and build from plain JSON types."""
        fields = record(where, value, cls)
        for name in ("name", "dtype", "layout"):
            one_line(f"{where}.{name}", fields[name])
        shape = items(f"{where}.shape", fields["shape"])
        for size in shape:
            if size is not None:
                whole(f"{where}.shape", size, 1)
        return cls(fields["name"], tuple(shape), fields["dtype"], fields["layout"])


@dataclasses.dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of every feature over the training rows."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def from_dict(cls, value: object, n_features: int) -> Normalisation:
        """Check and build from plain JSON types."""
        fields = record("normalisation", value, cls)
        mean = numbers("normalisation.mean", fields["mean"], n_features)
        std = numbers("normalisation.std", fields["std"], n_features)
        furthest = max(mean, key=abs)
        if abs(furthest) > MAX_MEAN:
            raise ArtifactError(
                f"normalisation.mean holds {furthest:g}, {-MAX_MEAN:g} to {MAX_MEAN:g} is wanted"
            )
        for extreme in (min(std), max(std)):
            if not MIN_STD <= extreme <= MAX_STD:
                raise ArtifactError(
                    f"normalisation.std holds {extreme}, numbers from {MIN_STD:g} to {MAX_STD:g} "
                    "are wanted"
                )
        return cls(mean, std)


@dataclasses.dataclass(frozen=True)
class Quantization:
    """How the weights were stored; ``calibration_fingerprint`` is None without calibration."""

    recipe: str
    weight_bits: int
    granularity: str
    float_layers: tuple[str, ...]
    calibration_fingerprint: str | None

    @classmethod
    def from_dict(cls, value: object) -> Quantization:
        """Check and build from plain JSON types."""
        fields = record("quantization", value, cls)
        one_line("quantization.recipe", fields["recipe"])
        one_line("quantization.granularity", fields["granularity"])
        if whole("quantization.weight_bits", fields["weight_bits"], 1) > 32:
            raise ArtifactError(
                f"quantization.weight_bits is {fields['weight_bits']}, at most 32 is wanted"
            )
        if fields["calibration_fingerprint"] is not None:
            one_line("quantization.calibration_fingerprint", fields["calibration_fingerprint"])
        layers = texts("quantization.float_layers", fields["float_layers"])
        return cls(**{**fields, "float_layers": layers})


@dataclasses.dataclass(frozen=True)
class Reference:
    """An input with the logits it must give, replayed whenever a backend is opened.

    ``features`` are synthetic normalised rows, ``tolerance`` is the largest
    absolute difference of the posterior that is still the same model.
    """

    features: tuple[tuple[float, ...], ...]
    corpus: int = dataclasses.field(metadata={"key": "language"})
    logits: tuple[float, ...]
    tolerance: float

    @classmethod
    def from_dict(cls, value: object, architecture: Sizes) -> Reference:
        """Check and build from plain JSON types."""
        fields = record("reference", value, cls)
        rows = items("reference.features", fields["features"])
        if not rows:
            raise ArtifactError("reference.features is empty, at least one row is wanted")
        check_reference(architecture, len(rows))
        features = tuple(
            numbers("a row of reference.features", row, architecture.n_features) for row in rows
        )
        corpus = whole("reference.language", fields["language"], 0)
        if corpus >= architecture.n_corpora:
            raise ArtifactError(
                f"reference.language is {corpus}, less than {architecture.n_corpora} is wanted"
            )
        logits = numbers("reference.logits", fields["logits"], architecture.n_labels)
        largest = max(map(abs, logits))
        if largest > MAX_LOGIT:
            raise ArtifactError(
                f"reference.logits holds {largest:g}, at most {MAX_LOGIT:g} is wanted"
            )
        tolerance = finite("reference.tolerance", fields["tolerance"])
        if not 0 < tolerance < 1:
            raise ArtifactError(f"reference.tolerance is {tolerance}, between 0 and 1 is wanted")
        return cls(features, corpus, logits, tolerance)


def read_tensors(where: str, value: object, sizes: Sizes) -> tuple[TensorSpec, ...]:
    """Check a manifest's ``inputs`` or ``outputs``.

    Raises
    ------
    ArtifactError
        If a name, rank, type or layout is not the one that every backend relies on.
    """
    specs = tuple(
        TensorSpec.from_dict(f"{where}[{index}]", item)
        for index, item in enumerate(items(where, value))
    )
    integers, floats = ("int64", "int32"), ("float32",)
    forms: dict[str, tuple[int, tuple[str, ...], str, int | None]] = {
        "features": (3, floats, "batch,time,feature", sizes.n_features),
        "language": (1, integers, "batch", None),
        "logits": (2, floats, "batch,label", sizes.n_labels),
    }
    names = ARCHITECTURES[sizes.type].inputs if where == "inputs" else ("logits",)
    wanted = {name: forms[name] for name in names}
    if tuple(spec.name for spec in specs) != tuple(wanted):
        raise ArtifactError(
            f"{where} are named {short([spec.name for spec in specs])}, {list(wanted)} are wanted"
        )
    for spec in specs:
        rank, dtypes, layout, width = wanted[spec.name]
        fits = len(spec.shape) == rank and (width is None or spec.shape[-1] == width)
        if not fits or spec.dtype not in dtypes or spec.layout != layout:
            raise ArtifactError(
                f"{where} {spec.name!r} is {spec.dtype} {short(list(spec.shape))} {spec.layout!r}, "
                f"{' or '.join(dtypes)} of rank {rank}"
                + (f" ending in {width}" if width else "")
                + f" and layout {layout!r} is wanted"
            )
    return specs


def read_voice_reference(value: object, spec: FeatureSpec) -> VoiceReference:
    """Check a manifest's ``voice_reference`` and build it from plain JSON types.

    Raises
    ------
    ArtifactError
        If a number is missing, not finite or out of range, or the features lack what a voice's
        mean is taken of.
    """
    fields = record("voice_reference", value, VoiceReference)
    try:
        columns = VoiceColumns(spec)
    except ParameterError as error:
        raise ArtifactError(f"voice_reference cannot be used: {error}") from error
    where = "voice_reference.centre"
    centre = fields["centre"] = numbers(where, fields["centre"], spec.n_features)
    # What is a factor on the rows must stay a number.
    limits = {columns.rms: MAX_LEVEL_DB, columns.pitch: MAX_PITCH_LOG}
    for column, number in enumerate(centre):
        limit = limits.get(column, MAX_MEAN)
        if abs(number) > limit:
            raise ArtifactError(
                f"{where} holds {number:g} for {spec.feature_names[column]}, {-limit:g} to "
                f"{limit:g} is wanted"
            )
    for name in fields.keys() - {"centre"}:
        seconds = fields[name] = finite(f"voice_reference.{name}", fields[name])
        if not MIN_VOICE_S <= seconds <= MAX_VOICE_S:
            raise ArtifactError(
                f"voice_reference.{name} is {seconds:g}, {MIN_VOICE_S:g} to {MAX_VOICE_S:g} is "
                "wanted"
            )
    reference = build(VoiceReference, fields)
    if reference.least_s > reference.most_s:
        raise ArtifactError(
            f"voice_reference.least_s is {reference.least_s:g}, more than the {reference.most_s:g} "
            "of most_s: so much speech is never remembered"
        )
    return reference
