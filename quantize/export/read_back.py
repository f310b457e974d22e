"""An artifact with the weights as they were trained, read back to be rounded otherwise."""

from __future__ import annotations

from pathlib import Path

from edge.artifact import MANIFEST_FILE, read_artifact
from edge.errors import ParameterError
from edge.runtimes.numpy.weights import read_weights
from quantize.export.common import ExportFacts
from quantize.export.numpy import model_of
from quantize.models.claf_ser import CLAFSER
from quantize.models.sizes import claf_ser_sizes

__all__ = ["is_artifact", "read_float_artifact"]


def is_artifact(folder: Path) -> bool:
    """Tell an artifact from a run folder."""
    return (folder / MANIFEST_FILE).is_file()


def read_float_artifact(folder: Path, name: str | None = None) -> tuple[CLAFSER, ExportFacts]:
    """Read a float32 NumPy artifact; ``name`` is that of what comes of it.

    Raises
    ------
    ParameterError
        If the artifact is of another backend or its weights were rounded.
    EdgeSerError
        If it cannot be used.
    """
    artifact = read_artifact(folder)
    manifest = artifact.manifest
    if manifest.backend != "numpy" or manifest.quantization.weight_bits != 32:
        raise ParameterError(
            f"{folder} holds {manifest.quantization.recipe}, whose weights are not those of the "
            "training any more or cannot be read back: name the run folder, or an artifact of "
            "export --kind numpy-fp32"
        )
    weights = read_weights(artifact.read_model(), manifest.architecture)
    facts = ExportFacts(
        name=name or manifest.name,
        spec=manifest.feature_spec,
        labels=manifest.labels,
        domains=tuple(c for c in manifest.corpora if c != manifest.default_corpus),
        mean=manifest.mean,
        std=manifest.std,
        training=manifest.training,
        licence=manifest.licence,
        # Measured on the artifact that it was, not on the one that comes of it.
        accuracy=(),
        temperature=manifest.temperature,
        window_frames=manifest.window_frames,
        window_hop=manifest.window_hop,
        abstention=manifest.abstention,
        gate=manifest.gate,
        voice_reference=manifest.voice_reference,
    )
    sizes = claf_ser_sizes(manifest)
    return model_of(weights, sizes.n_heads, sizes.frame_stack), facts
