"""What the folders of several runs say of their trainings, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge.artifact import MANIFEST_FILE
from quantize.basics.errors import TrainingError
from quantize.data.sound.augment import AugmentSettings
from quantize.export import KINDS
from quantize.runs.files import RUN_DIGEST, read_json
from quantize.runs.run import Run

__all__ = ["model_sizes", "run_settings", "shared_settings", "training_facts"]

# What runs of one recipe differ in by design.
_OF_THE_JOB = frozenset({"split", "split_fingerprint", "seed", "fold", "validation", "commit"})


def training_facts(run: Run) -> dict[str, Any]:
    """Split, commit, clips, epochs, seconds and number of parameters of one training.

    Raises
    ------
    EdgeSerError
        If the folder's files cannot be read.
    """
    training, history = run.training, read_json(run.files.history)
    try:
        return {
            "split": training["split"],
            "commit": training["commit"],
            "n_clips": training["n_clips"],
            "epochs": training["epochs"],
            "seconds": round(sum(entry["seconds"] for entry in history), 1),
            "n_parameters": run.header.n_parameters,
        }
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"{run.folder} is no run folder of edge-ser-quantize ({error!r}): delete it, and the "
            "same command trains it anew"
        ) from error


def shared_settings(runs: Sequence[Run]) -> tuple[dict[str, Any], list[str]]:
    """Settings of their trainings that all runs share, and the names of those that differ.

    Splits, seeds and commits are left out: runs of one recipe differ in them by design.
    """
    flat = [_flat(run_settings(run)) for run in runs]
    names = list(dict.fromkeys(name for each in flat for name in each))
    shared: dict[str, Any] = {}
    differing = []
    for name in names:
        # Every job has teachers, clips and a start of its own; the recipe names theirs.
        if name.rpartition(".")[2] in _OF_THE_JOB or name.startswith(
            ("teachers.", "start.", "clips.")
        ):
            continue
        values = [each.get(name) for each in flat]
        if all(value == values[0] for value in values):
            shared[name] = values[0]
        else:
            differing.append(name)
    return shared, differing


def run_settings(run: Run) -> dict[str, Any]:
    """All settings of a training, with those that were fixed when it ran.

    Raises
    ------
    TrainingError
        If they are not what training writes.
    """
    config = dict(run.config)
    # Until recipes could name their augmentation, every run that has variants had this, and what
    # came later did not happen to any.
    if config["run"].get("n_variants"):
        config["augment"] = {**AugmentSettings().to_dict(), **config.get("augment", {})}
    return config


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


def model_sizes(runs: Sequence[Run]) -> dict[str, int]:
    """Bytes of the model file of every kind of artifact that was exported, the largest."""
    sizes: dict[str, int] = {}
    for run in runs:
        for kind in KINDS:
            path = run.files.artifact(kind) / MANIFEST_FILE
            if not path.is_file():
                continue
            manifest = read_json(path)
            try:
                if manifest["training"].get(RUN_DIGEST) == run.digest:
                    sizes[kind] = max(sizes.get(kind, 0), int(manifest["model_bytes"]))
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise TrainingError(f"{path} is no manifest ({error!r}): delete it") from error
    return {kind: sizes[kind] for kind in KINDS if kind in sizes}
