"""Command lines of tiny trainings and their measurement."""

from __future__ import annotations

import json
from pathlib import Path


def train(data: Path, cache: Path, out: Path, *more: str, pictures: bool = False) -> list[str]:
    return [
        "train",
        "--data",
        str(data),
        "--cache",
        str(cache),
        "--out",
        str(out),
        "--epochs",
        "2",
        "--variants",
        "1",
        "--workers",
        "1",
        "--hidden",
        "16",
        # Most of the time of so small a training.
        *(() if pictures else ("--no-pictures",)),
        *more,
    ]


def evaluate(data: Path, runs: Path, *more: str, pictures: bool = False) -> list[str]:
    return [
        "evaluate",
        "--data",
        str(data),
        "--cache",
        str(runs / "cache"),
        "--workers",
        "1",
        *(() if pictures else ("--no-pictures",)),
        *more,
    ]


def hold_nothing_out(folder: Path) -> None:
    """Make a run folder one of ``--split all``, of whatever split it was."""
    from quantize.runs.checkpoint import load_checkpoint, save_checkpoint
    from quantize.runs.own_settings import SETTINGS_DIGEST, settings_digest

    path = folder / "checkpoint.safetensors"
    saved = load_checkpoint(path)
    saved.training.pop("split_fingerprint", None)
    saved.training["split"] = "all"
    config = json.loads((folder / "config.json").read_text())
    config["run"]["split"] = "all"
    saved.training[SETTINGS_DIGEST] = settings_digest(config)
    save_checkpoint(path, saved)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "split.json").unlink()
