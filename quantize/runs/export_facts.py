"""A run folder's checkpoint and what its artifacts' manifests say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quantize.basics.errors import CheckpointError
from quantize.data.features.windows import window_of
from quantize.export.common import ExportFacts
from quantize.export.gate import read_default_gate, read_gate
from quantize.models.claf_ser import CLAFSER
from quantize.runs.checkpoint import load_checkpoint
from quantize.runs.temperature import read_calibration

__all__ = ["LICENCE", "read_run"]

#: The strictest of what the four corpora ask for.
LICENCE = (
    "CC BY-NC-SA 4.0; trained on RAVDESS (CC BY-NC-SA 4.0), TESS (CC BY-NC-ND 4.0), SAVEE and "
    "EMO-DB (research use): for research and other non-commercial use only"
)


def read_run(
    run: Path,
    *,
    name: str,
    accuracy: Sequence[dict[str, Any]] = (),
    scorecard_sha256: str | None = None,
    gate: Path | None = None,
) -> tuple[CLAFSER, ExportFacts]:
    """Read what an export of a run folder needs.

    ``scorecard_sha256`` is of the scorecard that the figures in ``accuracy`` come from.  ``gate``
    is a file of train-gate; None is the gate that comes along, where it is for these features.

    Raises
    ------
    EdgeSerError
        If the checkpoint cannot be used.
    """
    saved = load_checkpoint(run / "checkpoint.safetensors")
    if not isinstance(saved.model, CLAFSER):
        raise CheckpointError(
            f"{run} holds the baseline, which is there to compare with and runs on no device: "
            "export a run of train"
        )
    training = dict(saved.training)
    calibration = read_calibration(run)
    if calibration.chosen_on:
        training["calibrated_on"] = list(calibration.chosen_on)
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
        licence=LICENCE,
        accuracy=accuracy,
        temperature=calibration.temperature,
        window_frames=window_frames,
        window_hop=window_hop,
        abstention=calibration.abstention,
        gate=read_default_gate(saved.spec) if gate is None else read_gate(gate, saved.spec),
    )
    return saved.model, facts
