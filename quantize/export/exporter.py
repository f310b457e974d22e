"""One command for every kind of artifact, and the list of kinds."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.artifact import Artifact, Manifest, write_artifact
from edge.errors import BackendError, ParameterError
from edge.features.voice_reference import normalised
from edge.runtimes.base import Session, reference_difference
from edge.runtimes.registry import RUNTIMES
from quantize.data.features.segments import SegmentSet
from quantize.export.common import (
    ExportFacts,
    Floats,
    manifest_fields,
    reference_rows,
    torch_logits,
)
from quantize.export.numpy import numpy_model
from quantize.export.onnx.kind import onnx_model
from quantize.export.rounding.load import kind_recipes
from quantize.export.rounding.recipe import RoundingRecipe
from quantize.export.tflite.kind import tflite_model
from quantize.export.torchscript.kind import torchscript_model

if TYPE_CHECKING:
    from quantize.models.claf_ser import CLAFSER

__all__ = ["BUILDERS", "KINDS", "Kind", "export_artifact"]

# Rounding weights to int8 moves a posterior by 0.01, to int4 by 0.2; this is a broken export.
_BROKEN = {32: None, 16: 0.05, 8: 0.25, 4: 0.35}

#: A model, its recipe and normalised calibration rows, of a recipe that wants some, to bytes.
Builder = Callable[["CLAFSER", RoundingRecipe, "Floats | None"], bytes]

BUILDERS: dict[str, Builder] = {
    "numpy": numpy_model,
    "onnx": onnx_model,
    "tflite": tflite_model,
    "torchscript": torchscript_model,
}
"""Backend to what builds its model file; a recipe of that backend is then a kind of artifact."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """How one kind of artifact is built.

    ``recipe.tolerance`` is the largest difference of the reference's posterior that
    a device may see.  It is 1e-4 where float32 numbers are multiplied, also with
    int8 weights in NumPy, which are brought to float32 when loaded.  Where
    activations are rounded too it is wider: the float32 parts between them
    differ in the last bit from processor to processor, and a value that lies
    between two steps is then rounded the other way.
    """

    recipe: RoundingRecipe
    build: Builder

    @classmethod
    def of(cls, recipe: RoundingRecipe) -> Kind:
        """Look up the builder of a recipe.

        Raises
        ------
        ParameterError
            If nothing here builds for its backend.
        """
        if recipe.backend not in BUILDERS:
            raise ParameterError(
                f"recipe {recipe.name} is for {recipe.backend}, this edge-ser builds for "
                f"{', '.join(BUILDERS)}"
            )
        return cls(recipe, BUILDERS[recipe.backend])

    @property
    def model_file(self) -> str:
        """Name of the model file in the artifact's folder."""
        return RUNTIMES[self.recipe.backend].model_file

    def quantization(self, calibration: SegmentSet | None) -> dict[str, Any]:
        """Return the manifest's ``quantization``."""
        recipe = self.recipe
        return {
            "recipe": recipe.name,
            "weight_bits": recipe.weight_bits,
            "granularity": recipe.stored_granularity,
            "float_layers": list(recipe.float_layers),
            "calibration_fingerprint": calibration.fingerprint if calibration else None,
        }


KINDS: dict[str, Kind] = {recipe.kind: Kind.of(recipe) for recipe in kind_recipes()}
"""Every kind of artifact by name: one for each recipe of this package that needs no data."""


def export_artifact(
    kind: str | Kind,
    model: CLAFSER,
    facts: ExportFacts,
    directory: str | os.PathLike[str],
    calibration: SegmentSet | None = None,
) -> Artifact:
    """Export a trained model as a whole artifact folder.

    The finished model is run on its own runtime against torch before anything
    is written, and an artifact that is already there is replaced whole.

    Parameters
    ----------
    kind : str or Kind
        A key of :data:`KINDS`, or one of a recipe of your own.
    model : CLAFSER
        The trained model, on any device.
    facts : ExportFacts
        What the manifest says beyond the weights.
    directory : path
        Where the artifact shall lie.
    calibration : SegmentSet, optional
        For a recipe that calibrates.

    Raises
    ------
    ParameterError
        If the kind is unknown, a weight is not finite, a part was left out, the model
        does not fit ``facts``, or a recipe that calibrates has nothing to do it with.
    MissingDependencyError
        If the exporter or the runtime is not installed.
    BackendError
        If the exported model does not compute what torch does.
    ArtifactError
        If ``facts`` do not make a valid manifest or the folder cannot be written.
    """
    if isinstance(kind, str) and kind not in KINDS:
        raise ParameterError(f"kind is {kind!r}, one of {', '.join(KINDS)} is wanted")
    if model.config.without:
        raise ParameterError(
            f"the model was trained without {', '.join(model.config.without)}, to measure what "
            "that is worth: devices run a whole CLAF-SER; export a run of another recipe"
        )
    how = KINDS[kind] if isinstance(kind, str) else kind
    recipe = how.recipe
    _refuse_bad_weights(model)
    fields = manifest_fields(model, facts, recipe.backend)
    rows = reference_rows(model)
    language = model.config.unknown_language
    logits = torch_logits(model, rows[None], language)[0]
    seen = _calibration_rows(recipe, facts, calibration)
    content = how.build(model, recipe, seen)
    fields |= {
        "backend": recipe.backend,
        "model_file": how.model_file,
        "quantization": how.quantization(calibration if recipe.n_calibration else None),
        "reference": _reference(rows, language, logits, recipe.tolerance),
    }
    # The hash is not known yet and not needed to run the model.
    draft = Manifest.from_dict({**fields, "model_sha256": "0" * 64, "model_bytes": 1})
    session = RUNTIMES[recipe.backend].load(draft, content).session()
    _compare(session, draft, recipe)
    if recipe.weight_bits < 32:
        # What the device must reproduce is this artifact, not the model before rounding.
        logits = session.infer(rows[None], language)[0]
        fields["reference"] = _reference(rows, language, logits, recipe.tolerance)
    return write_artifact(directory, fields, content)


def _refuse_bad_weights(model: CLAFSER) -> None:
    for name, tensor in model.state_dict().items():
        if not bool(tensor.isfinite().all()):
            raise ParameterError(
                f"weight {name} of the model holds numbers that are not finite: its training "
                "diverged; choose another checkpoint"
            )


def _calibration_rows(
    recipe: RoundingRecipe, facts: ExportFacts, calibration: SegmentSet | None
) -> Floats | None:
    """Normalised rows to calibrate with, where the recipe wants any."""
    if not recipe.n_calibration:
        return None
    if not calibration:
        raise ParameterError(
            f"recipe {recipe.name} calibrates, and there are no segments to calibrate with: use "
            "edge-ser-quantize quantize, which picks or makes some"
        )
    mean, std = (np.asarray(values, dtype=np.float32) for values in (facts.mean, facts.std))
    return normalised(calibration.rows, mean, std, facts.n_columns)


def _compare(session: Session, draft: Manifest, recipe: RoundingRecipe) -> None:
    allowed = _BROKEN[recipe.weight_bits] or recipe.tolerance
    difference = reference_difference(session, draft)
    if difference > allowed:
        raise BackendError(
            f"the {recipe.kind} export gives a posterior {difference:.2g} away from torch, at most "
            f"{allowed:.2g} is allowed; nothing was written"
        )


def _reference(rows: Floats, language: int, logits: Floats, tolerance: float) -> dict[str, Any]:
    return {
        "features": [[float(str(value)) for value in row] for row in rows],
        "language": language,
        "logits": [float(str(value)) for value in np.asarray(logits, dtype=np.float32)],
        "tolerance": tolerance,
    }
