"""What was measured later than an artifact was exported, put into its manifest."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from edge.artifact import Abstention, read_artifact, write_artifact
from quantize.basics.files import atomic_path
from quantize.export.model_card import model_card

__all__ = ["CARD_FILE", "put_abstention"]

CARD_FILE = "MODEL_CARD.md"


def put_abstention(folder: Path, abstention: Abstention) -> None:
    """Give an artifact another bar and another scale of the activation.

    Parameters
    ----------
    folder : path
        The artifact; its model card, if it has one, is written anew.
    abstention : Abstention

    Raises
    ------
    ArtifactError
        If there is no artifact, or it cannot be written; it is as it was then.
    """
    artifact = read_artifact(folder)
    manifest = dataclasses.replace(artifact.manifest, abstention=abstention)
    write_artifact(folder, manifest.to_dict(), artifact.read_model())
    card = folder / CARD_FILE
    if card.is_file():
        with atomic_path(card) as temporary:
            temporary.write_text(model_card(manifest), encoding="utf-8")
