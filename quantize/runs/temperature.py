"""What a run folder keeps of its posterior: the temperature, and who chose it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from edge.arrays import as_number
from edge.artifact import Abstention
from edge.errors import ArtifactError
from quantize.basics.errors import TrainingError
from quantize.basics.files import write_json

__all__ = [
    "MAX_TEMPERATURE",
    "MIN_TEMPERATURE",
    "Calibration",
    "calibration_path",
    "read_calibration",
    "write_calibration",
]

#: Range that is searched; a fit that ends at either end says the model is broken.
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.2, 10.0


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What a run folder knows of its posterior.

    Parameters
    ----------
    temperature : float
    chosen_on : tuple of str
        Ids of the splits whose held-out speakers chose it; none where none did.
    abstention : Abstention, optional
        When its artifacts had better say nothing, by the same speakers.
    """

    temperature: float = 1.0
    chosen_on: tuple[str, ...] = ()
    abstention: Abstention | None = None


def calibration_path(run: Path) -> Path:
    """Where a run folder keeps its temperature."""
    return run / "calibration.json"


def write_calibration(run: Path, calibration: Calibration, n_utterances: int) -> None:
    """Keep a run's calibration beside its checkpoint, with the splits that chose it."""
    entry: dict[str, Any] = {
        "temperature": calibration.temperature,
        "chosen_on": list(calibration.chosen_on),
        "n_utterances": n_utterances,
    }
    if calibration.abstention:
        entry["abstention"] = calibration.abstention.to_dict()
    write_json(calibration_path(run), entry)


def read_calibration(run: Path) -> Calibration:
    """Read what :func:`write_calibration` wrote; temperature 1 where nothing was chosen.

    Raises
    ------
    TrainingError
        If the folder's file is something else.
    """
    path = calibration_path(run)
    if not path.is_file():
        return Calibration()
    try:
        entry: Any = json.loads(path.read_text(encoding="utf-8"))
        wanted = f"{MIN_TEMPERATURE} to {MAX_TEMPERATURE} is wanted"
        temperature = as_number(
            entry["temperature"], "the temperature", wanted, MIN_TEMPERATURE, MAX_TEMPERATURE
        )
        chosen_on = tuple(str(split) for split in entry["chosen_on"])
        # Folders of before this was chosen have none.
        found = entry.get("abstention")
        abstention = None if found is None else Abstention.from_dict(found)
        return Calibration(temperature, chosen_on, abstention)
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        ArtifactError,
    ) as error:
        raise TrainingError(
            f"{path} holds no temperature that edge-ser-quantize calibrate wrote ({error}): "
            "delete it, or calibrate again"
        ) from error
