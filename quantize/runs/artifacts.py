"""Artifacts of a run: what their manifests say, and whether one that lies there is current."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import edge.files
from edge.artifact import MANIFEST_FILE, Artifact, Manifest, Quantization, read_artifact
from edge.errors import ArtifactError
from quantize.basics.errors import CheckpointError
from quantize.basics.progress import progress_note
from quantize.data.features.windows import window_of
from quantize.export import KINDS, export_artifact
from quantize.export.common import ExportFacts
from quantize.export.gate import read_default_gate, read_gate
from quantize.export.licence import OWN_LICENCE, licence_of
from quantize.models.claf_ser import CLAFSER
from quantize.runs.files import RUN_DIGEST

if TYPE_CHECKING:
    # It asks us for its artifacts.
    from quantize.runs.run import Run

__all__ = ["current_artifact", "export_facts", "export_run", "why_old"]


def export_facts(
    run: Run,
    *,
    name: str,
    accuracy: Sequence[dict[str, Any]] = (),
    scorecard_sha256: str | None = None,
    gate: Path | None = None,
    licence: str | None = None,
) -> tuple[CLAFSER, ExportFacts]:
    """The model of a run and what its artifacts' manifests say.

    ``scorecard_sha256`` is of the scorecard that the figures in ``accuracy`` come from.  ``gate``
    is a file of train-gate; None is the gate that comes along, where it is for these features.
    ``licence`` is what a person says of recordings of their own.

    Raises
    ------
    EdgeSerError
        If the checkpoint cannot be used.
    """
    saved = run.checkpoint
    if not isinstance(saved.model, CLAFSER):
        raise CheckpointError(
            f"{run.folder} holds the baseline, which is there to compare with and runs on no "
            "device: export a run of train"
        )
    tempering = run.tempering
    training = {**saved.training, RUN_DIGEST: run.digest}
    if licence:
        training[OWN_LICENCE] = licence
    if tempering.chosen_on:
        training["calibrated_on"] = list(tempering.chosen_on)
    if scorecard_sha256:
        training["scorecard_sha256"] = scorecard_sha256
    window_frames, window_hop = window_of(saved.spec)
    facts = ExportFacts(
        name=name,
        spec=saved.spec,
        labels=saved.labels,
        domains=saved.domains,
        mean=saved.mean,
        std=saved.std,
        training=training,
        licence=licence_of(training),
        accuracy=accuracy,
        temperature=tempering.temperature,
        voice_reference=saved.voice_reference,
        window_frames=window_frames,
        window_hop=window_hop,
        abstention=tempering.abstention,
        gate=read_default_gate(saved.spec) if gate is None else read_gate(gate, saved.spec),
    )
    return saved.model, facts


def export_run(
    run: Run,
    kind: str,
    out: Path,
    *,
    name: str | None = None,
    accuracy: Sequence[dict[str, Any]] = (),
    scorecard_sha256: str | None = None,
    gate: Path | None = None,
    licence: str | None = None,
) -> Artifact:
    """Export a run as one kind of artifact.

    ``scorecard_sha256`` is of the scorecard that the figures in ``accuracy`` come from, ``gate``
    a file of train-gate, ``licence`` what a person says of recordings of their own.

    Raises
    ------
    EdgeSerError
        If the checkpoint, the gate or a figure cannot be used, or the export went wrong.
    """
    model, facts = export_facts(
        run,
        name=name or f"claf-ser-{kind}",
        accuracy=accuracy,
        scorecard_sha256=scorecard_sha256,
        gate=gate,
        licence=licence,
    )
    return export_artifact(kind, model, facts, out)


def current_artifact(run: Run, kind: str) -> Path:
    """Folder of a run's artifact of a kind, exported anew unless the one there is current.

    It lies in the run, or, where that takes no files, in a folder that goes with this process.

    Raises
    ------
    EdgeSerError
        If the run cannot be exported as that kind.
    """
    folder = run.files.artifact(kind)
    if (folder / MANIFEST_FILE).exists():
        try:
            reason = why_old(run, kind, read_artifact(folder).manifest)
        except ArtifactError as error:
            reason = f"it cannot be read ({error})"
        if reason is None:
            return folder
        progress_note(f"edge-ser-quantize: {folder} is exported again: {reason}")
    if not _takes_files(folder.parent):
        folder = Path(tempfile.mkdtemp(prefix="edge-ser-artifact-")) / kind
        atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
    export_run(run, kind, folder)
    return folder


def why_old(run: Run, kind: str, manifest: Manifest) -> str | None:
    """Why an artifact is not what exporting the run would give now; None where it is."""
    if manifest.training.get(RUN_DIGEST) != run.digest:
        return "it is of other weights than the run's"
    if manifest.quantization != Quantization.from_dict(KINDS[kind].quantization(None)):
        return "it was rounded by another recipe"
    tempering = run.tempering
    if (manifest.temperature, manifest.abstention) != (tempering.temperature, tempering.abstention):
        return "the run has another temperature, or other bars, now"
    if manifest.gate != read_default_gate(manifest.feature_spec):
        return "it has another speech gate"
    return None


def _takes_files(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = edge.files.temporary_sibling(folder / "probe")
        edge.files.create(probe)
        probe.unlink()
    except OSError:
        return False
    return True
