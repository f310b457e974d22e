"""What a run folder keeps of its posterior: the temperature, who chose it, and of which weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from edge.arrays import as_number
from edge.artifact import Abstention
from edge.errors import ArtifactError
from quantize.basics.errors import TrainingError
from quantize.basics.files import write_json
from quantize.runs.files import RUN_DIGEST, read_json

__all__ = [
    "MAX_TEMPERATURE",
    "MIN_TEMPERATURE",
    "Tempering",
    "not_current",
    "read_tempering",
    "write_tempering",
]

#: Range that is searched; a fit that ends at either end says the model is broken.
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.2, 10.0


@dataclasses.dataclass(frozen=True)
class Tempering:
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


def write_tempering(path: Path, tempering: Tempering, n_utterances: int, run_digest: str) -> None:
    """Keep what was chosen, with the splits that chose it and the digest of the run it is for."""
    entry: dict[str, Any] = {
        "temperature": tempering.temperature,
        "chosen_on": list(tempering.chosen_on),
        "n_utterances": n_utterances,
        RUN_DIGEST: run_digest,
    }
    if tempering.abstention:
        entry["abstention"] = tempering.abstention.to_dict()
    write_json(path, entry)


def read_tempering(path: Path) -> tuple[Tempering, str | None]:
    """Read what :func:`write_tempering` wrote, and the digest of the run it was chosen for.

    Returns
    -------
    tempering : Tempering
        Temperature 1 where nothing was chosen.
    run_digest : str or None
        None where the file does not tell.

    Raises
    ------
    TrainingError
        If the file is something else.
    """
    if not path.is_file():
        return Tempering(), None
    try:
        entry = read_json(path)
        wanted = f"{MIN_TEMPERATURE} to {MAX_TEMPERATURE} is wanted"
        temperature = as_number(
            entry["temperature"], "the temperature", wanted, MIN_TEMPERATURE, MAX_TEMPERATURE
        )
        chosen_on = tuple(str(split) for split in entry["chosen_on"])
        # Folders of before this was chosen have none.
        found = entry.get("abstention")
        abstention = None if found is None else Abstention.from_dict(found)
        digest = entry.get(RUN_DIGEST)
        tempering = Tempering(temperature, chosen_on, abstention)
        return tempering, None if digest is None else str(digest)
    except (ValueError, KeyError, TypeError, AttributeError, TrainingError, ArtifactError) as error:
        raise TrainingError(
            f"{path} holds no temperature that edge-ser-quantize calibrate wrote ({error}): "
            "delete it, or calibrate again"
        ) from error


def not_current(path: Path, run_digest: str | None) -> str:
    """Say why what a file tells is not used: it is for another run, or does not tell for which."""
    why = (
        "does not tell for which weights it was chosen, as of an earlier version"
        if run_digest is None
        else "was chosen for other weights than the run beside it has now"
    )
    return f"{path} {why}: the temperature is 1 until edge-ser-quantize calibrate chooses again"
