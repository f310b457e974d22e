"""What is quantized: a run's checkpoint, or an artifact with the weights as they were trained."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from edge.artifact import MANIFEST_FILE, read_artifact
from edge.errors import ParameterError
from edge.runtimes.numpy.weights import read_weights
from quantize.export.common import ExportFacts
from quantize.export.numpy import model_of
from quantize.models.claf_ser import CLAFSER
from quantize.models.sizes import claf_ser_sizes
from quantize.runs.export_facts import read_run

__all__ = ["Source", "read_source"]


@dataclasses.dataclass(frozen=True)
class Source:
    """A trained model with what its artifact's manifest says.

    ``run`` is the run folder that it comes from; None for an artifact, which tells no clips.
    """

    model: CLAFSER
    facts: ExportFacts
    run: Path | None


def read_source(path: Path, name: str | None = None) -> Source:
    """Read a run folder or a float32 NumPy artifact; ``name`` is the new artifact's.

    Raises
    ------
    ParameterError
        If the artifact is of another backend or its weights were rounded.
    EdgeSerError
        If the checkpoint or the artifact cannot be used.
    """
    if not (path / MANIFEST_FILE).is_file():
        model, facts = read_run(path, name=name or path.resolve().name)
        return Source(model, facts, path)
    artifact = read_artifact(path)
    manifest = artifact.manifest
    if manifest.backend != "numpy" or manifest.quantization.weight_bits != 32:
        raise ParameterError(
            f"{path} holds {manifest.quantization.recipe}, whose weights are not those of the "
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
    )
    sizes = claf_ser_sizes(manifest)
    return Source(model_of(weights, sizes.n_heads, sizes.frame_stack), facts, None)
