"""The report of a quantization: what it saved, and what was lost where."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edge.artifact import Artifact
from edge.errors import how_many
from edge.models.claf_ser.weights import fold_output
from quantize.basics.tables import aligned
from quantize.export.numpy import weights_of
from quantize.export.rounding.recipe import RoundingRecipe
from quantize.measure.rounding_loss.compare import Agreement
from quantize.measure.rounding_loss.gates import DIRECTIONS, GATES, gate_errors
from quantize.measure.rounding_loss.read_back import read_back, sqnr_db
from quantize.models.claf_ser import CLAFSER, stack_frames

__all__ = ["Report", "agreement_rows", "artifact_facts", "layer_report"]


@dataclasses.dataclass(frozen=True)
class Report:
    """Everything that ``edge-ser-quantize quantize`` says; each field is plain JSON types.

    Parameters
    ----------
    artifact : dict
        Recipe, size, path, hash, and what it was calibrated with.
    layers : list of dict
        ``layer``, ``n_weights``, ``sqnr_db``; None where nothing was lost.  Empty where the
        file is not taken apart.  In ONNX the attention's output is part of ``fc1``.
    gates : list of dict
        :class:`~quantize.measure.rounding_loss.gates.GateError`.
    segments : dict
        Where they come from, how many, and how far their posteriors moved.
    agreement : list of dict
        :class:`~quantize.measure.rounding_loss.compare.Agreement`.
    held : dict, optional
        Of ``--max-drop``: the limit, the clips it was chosen on, the steps, the recipe's file.
    """

    artifact: dict[str, Any]
    layers: list[dict[str, Any]]
    gates: list[dict[str, Any]]
    segments: dict[str, Any]
    agreement: list[dict[str, Any]]
    held: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The whole report as one object."""
        fields = dataclasses.asdict(self)
        if self.held is None:
            del fields["held"]
        return fields

    def lines(self) -> Iterator[str]:
        """The report as JSON Lines; ``what`` says what a line is about."""
        if self.held is not None:
            about = {key: value for key, value in self.held.items() if key != "steps"}
            yield _line("held", about)
            for each in self.held["steps"]:
                yield _line("step", each)
        yield _line("artifact", self.artifact)
        for what in ("layer", "gate"):
            for each in getattr(self, f"{what}s"):
                yield _line(what, each)
        yield _line("segments", self.segments)
        for each in self.agreement:
            yield _line("agreement", each)

    def text(self) -> str:
        """The report as aligned tables."""
        about = self.artifact
        parts = [
            f"{about['path']}  {about['recipe']}  {about['model_bytes'] / 1000:.1f} kB  "
            f"{100 * about['share_of_fp32']:.1f} % of float32  sha256 {about['sha256'][:12]}",
            f"{about['title']}; float layers: {', '.join(about['float_layers']) or 'none'}; "
            f"{about['granularity']}",
        ]
        if about["calibration"]:
            used = about["calibration"]
            parts.append(
                f"calibrated with {how_many(used['n_segments'], 'segment')} of {used['source']}, "
                f"fingerprint {used['fingerprint'][:12]}"
            )
        if self.layers:
            rows = [[e["layer"], str(e["n_weights"]), _decibels(e["sqnr_db"])] for e in self.layers]
            parts.append(_table(["layer", "weights", "SQNR dB"], rows))
            parts.append(
                "LSTM gates before their squashing: error in % of the float sums, after as many "
                "time steps\n" + self._gate_table()
            )
        else:
            parts.append(
                f"The weights of a {about['backend']} file are not taken apart: only its answers "
                "are compared."
            )
        seen = self.segments
        parts.append(
            f"{how_many(seen['n'], 'segment')} of {seen['source']}: posteriors move by at most "
            f"{seen['max_difference']:.4f}, {seen['mean_difference']:.4f} in the mean"
        )
        parts.append(self._agreement_table())
        return "\n\n".join(parts)

    def _gate_table(self) -> str:
        steps = sorted({e["step"] for e in self.gates})
        found = {(e["direction"], e["gate"], e["step"]): e["share"] for e in self.gates}
        rows = [
            [direction, gate, *(f"{100 * found[direction, gate, step]:.3f}" for step in steps)]
            for direction in DIRECTIONS
            for gate in GATES
        ]
        return _table(["direction", "gate", *map(str, steps)], rows, n_left=2)

    def _agreement_table(self) -> str:
        measured = any(e["accuracy"] is not None for e in self.agreement)
        header = ["", "of", self.agreement[0]["unit"], "same label %"]
        if measured:
            header += ["fp32 %", "accuracy %", "points"]
        rows = []
        for each in self.agreement:
            row = [each["group"], each["name"], str(each["n"]), f"{100 * each['agreement']:.2f}"]
            if measured:
                row += [
                    f"{100 * each['accuracy_fp32']:.2f}",
                    f"{100 * each['accuracy']:.2f}",
                    f"{100 * each['accuracy_delta']:+.2f}",
                ]
            rows.append(row)
        table = _table(header, rows, n_left=2)
        if not measured:
            table += "\nNo accuracy: nothing of these was held out and labelled by people."
        return table


def layer_report(
    model: CLAFSER, artifact: Artifact, rows: NDArray[np.float32]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Compare an artifact's weights with the model's.

    Parameters
    ----------
    model : CLAFSER
    artifact : Artifact
    rows : float32 [shape=(n_segments, n_frames, n_features)]
        Normalised; what the LSTM runs over.

    Returns
    -------
    layers, gates : list of dict
        As :class:`Report` holds them; both empty where the file is not taken apart.
    """
    rounded = read_back(artifact)
    if rounded is None:
        return [], []
    weights = weights_of(model)
    if "attention.output.weight" not in rounded:
        fc1, _, language = fold_output(weights)
        weights |= {
            "fc1.weight": fc1.astype(np.float32),
            "language.weight": language.astype(np.float32),
        }
    layers = []
    for name, found in rounded.items():
        ratio = sqnr_db(weights[name], found)
        layers.append(
            {
                "layer": name.removesuffix(".weight"),
                "n_weights": int(weights[name].size),
                "sqnr_db": round(ratio, 2) if np.isfinite(ratio) else None,
            }
        )
    steps = stack_frames(torch.from_numpy(rows), model.config.frame_stack).numpy()
    return layers, [dataclasses.asdict(e) for e in gate_errors(weights, rounded, steps)]


def artifact_facts(
    artifact: Artifact,
    recipe: RoundingRecipe,
    calibration: dict[str, Any] | None,
    n_parameters: int,
) -> dict[str, Any]:
    """Give what a report says of the artifact itself; its keys do not change."""
    manifest = artifact.manifest
    return {
        "path": str(artifact.path),
        "recipe": recipe.name,
        "title": recipe.title,
        "backend": manifest.backend,
        "weight_bits": recipe.weight_bits,
        "granularity": manifest.quantization.granularity,
        "float_layers": list(manifest.quantization.float_layers),
        "calibration": calibration,
        "model_bytes": manifest.model_bytes,
        "share_of_fp32": manifest.model_bytes / (4 * n_parameters),
        "sha256": manifest.model_sha256,
    }


def agreement_rows(agreements: Sequence[Agreement]) -> list[dict[str, Any]]:
    """Agreements as a report holds them."""
    return [each.to_dict() for each in agreements]


def _line(what: str, fields: dict[str, Any]) -> str:
    return json.dumps({"what": what, **fields})


def _decibels(value: float | None) -> str:
    return "exact" if value is None else f"{value:.2f}"


def _table(header: list[str], rows: list[list[str]], n_left: int = 1) -> str:
    return "\n".join(aligned([header, *rows], n_left))
