"""A run folder that no training made: a model that came of another run's."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from quantize.basics.errors import TrainingError
from quantize.basics.files import write_json
from quantize.data.splits import write_split
from quantize.runs.begin import clear_away
from quantize.runs.checkpoint import save_checkpoint
from quantize.runs.files import RunFiles
from quantize.runs.lock import locked_for_training
from quantize.runs.own_settings import SETTINGS_DIGEST, settings_digest
from quantize.runs.run import Run

__all__ = ["write_derived_run"]


def write_derived_run(folder: Path, run: Run, model: Any, training: dict[str, Any]) -> None:
    """Write a model that was made of a run's as a run of the same split; weights come last.

    Parameters
    ----------
    folder : path
        Where it shall lie.
    run : Run
        What it was made of.
    model : torch.nn.Module
        In evaluation mode.
    training : dict
        How the run was trained and what was done to it since, under ``pruned``.

    Raises
    ------
    TrainingError
        If a training is at work in the folder or was interrupted there, or it takes no files or
        holds somebody else's that are called as a training's.
    """
    files, saved = RunFiles(folder), run.checkpoint
    config = {**run.config, "model": model.config.to_dict(), "pruned": training["pruned"]}
    training = {**training, SETTINGS_DIGEST: settings_digest(config)}
    checkpoint = dataclasses.replace(saved, model=model, training=training)
    with locked_for_training(files):
        if files.state.exists():
            raise TrainingError(
                f"{folder} holds a training that was interrupted: name another --out, or delete it"
            )
        clear_away(files)
        if run.split:
            write_split(run.split, files.split)
        write_json(files.config, config)
        save_checkpoint(files.checkpoint, checkpoint)
