"""What a run folder says about its training, read without torch."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from quantize.basics.errors import TrainingError
from quantize.data.sound.augment import AugmentSettings
from quantize.export import KINDS
from quantize.runs.temperature import read_calibration

__all__ = ["model_sizes", "run_config", "run_facts", "shared_settings", "temperatures"]

# What runs of one recipe differ in by design.
_OF_THE_JOB = frozenset({"split", "seed", "fold", "validation", "commit"})


def run_facts(folder: Path) -> dict[str, Any]:
    """Split, commit, clips, epochs, seconds and number of parameters of one training.

    Raises
    ------
    TrainingError
        If the folder's files cannot be read.
    """
    header = _header(folder / "checkpoint.safetensors")
    history = _json(folder / "history.json")
    try:
        training = json.loads(header.pop("__metadata__")["training"])
        return {
            "split": training["split"],
            "commit": training["commit"],
            "n_clips": training["n_clips"],
            "epochs": training["epochs"],
            "seconds": round(sum(entry["seconds"] for entry in history), 1),
            "n_parameters": sum(
                math.prod(tensor["shape"])
                for name, tensor in header.items()
                if not name.startswith("normalisation.")
            ),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"{folder} is no run folder of edge-ser-quantize ({error!r}): delete it, and the "
            "same command trains it anew"
        ) from error


def shared_settings(folders: Sequence[Path]) -> tuple[dict[str, Any], list[str]]:
    """Settings of ``config.json`` that all runs share, and the names of those that differ.

    Splits, seeds and commits are left out: runs of one recipe differ in them by design.
    """
    flat = [_flat(run_config(folder)) for folder in folders]
    names = list(dict.fromkeys(name for each in flat for name in each))
    shared: dict[str, Any] = {}
    differing = []
    for name in names:
        # Every job has teachers and a start of its own; the recipe names theirs.
        if name.rpartition(".")[2] in _OF_THE_JOB or name.startswith(("teachers.", "start.")):
            continue
        values = [each.get(name) for each in flat]
        if all(value == values[0] for value in values):
            shared[name] = values[0]
        else:
            differing.append(name)
    return shared, differing


def run_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of a run folder.

    Raises
    ------
    TrainingError
        If it is not what training writes.
    """
    path = folder / "config.json"
    config: Any = _json(path)
    try:
        # Until recipes could name their augmentation, every run that has variants had this.
        if config["run"].get("n_variants"):
            config.setdefault("augment", dataclasses.asdict(AugmentSettings()))
        return dict(config)
    except (KeyError, TypeError, AttributeError) as error:
        raise TrainingError(
            f"{path} is not what training writes ({error!r}): move the folder away, and the same "
            "command trains it anew"
        ) from error


def _flat(content: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(content, dict):
        return {prefix: content}
    return {
        name: value
        for key, part in content.items()
        # The features are told by their fingerprint.
        if key != "feature_spec"
        for name, value in _flat(part, f"{prefix}.{key}" if prefix else key).items()
    }


def model_sizes(folders: Sequence[Path]) -> dict[str, int]:
    """Bytes of the model file of every kind of artifact that was exported, the largest."""
    sizes: dict[str, int] = {}
    for folder in folders:
        for kind in KINDS:
            path = folder / "artifacts" / kind / "manifest.json"
            if path.is_file():
                sizes[kind] = max(sizes.get(kind, 0), int(_json(path)["model_bytes"]))
    return {kind: sizes[kind] for kind in KINDS if kind in sizes}


def temperatures(folder: Path) -> float | None:
    """Temperature of a run; None where none was chosen."""
    calibration = read_calibration(folder)
    return calibration.temperature if calibration.chosen_on else None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read ({error}): train the run anew") from error


def _header(path: Path) -> dict[str, Any]:
    """Header of a safetensors file: names and shapes, without the tensors."""
    try:
        with open(path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            # The format's own limit.
            if size > 100_000_000:
                raise ValueError(f"its header would have {size} bytes")
            header: dict[str, Any] = json.loads(file.read(size))
            return header
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} is no safetensors file ({error}): train it anew") from error
