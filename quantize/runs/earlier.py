"""Earlier runs that a training leans on: its teachers, and the one it starts from.

Both must be of the training's own split: a run that has heard clips which the new one is measured
on would tell of them.  The one it starts from must have its features as well.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

from edge.features.spec import FeatureSpec
from quantize.basics.errors import TrainingError
from quantize.data.splits import Split, read_split
from quantize.runs.checkpoint import Checkpoint, load_checkpoint

__all__ = ["EarlierRun", "earlier_run", "file_digest", "run_name", "same_labels", "starting_run"]


@dataclasses.dataclass(frozen=True)
class EarlierRun:
    """A trained run.

    Parameters
    ----------
    name : str
        Its folder and that one's parent: runs of one split are called alike, each in the folder
        of its recipe.
    digest : str
        SHA-256 of its checkpoint.
    checkpoint : Checkpoint
    """

    name: str
    digest: str
    checkpoint: Checkpoint


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def run_name(run: Path) -> str:
    """Its folder and that one's parent, see :class:`EarlierRun`."""
    resolved = run.resolve()
    return f"{resolved.parent.name}/{resolved.name}"


def earlier_run(run: Path, split: Split | None, spec: FeatureSpec | None, role: str) -> EarlierRun:
    """Load a run to lean on.

    Parameters
    ----------
    run : path
        Run folder.
    split : Split or None
        The new training's split; None: nothing is held out.
    spec : FeatureSpec or None
        The new training's features; None: the run may have others.
    role : str
        What the run is to it, for the message.

    Raises
    ------
    EdgeSerError
        If the checkpoint cannot be used, has other features, or was trained on another split.
    """
    path = run / "split.json"
    found = read_split(path) if path.is_file() else None
    if (found.fingerprint if found else None) != (split.fingerprint if split else None):
        raise TrainingError(
            f"the {role} {run} was trained on the split {found.id if found else 'all'}, this "
            f"training's is {split.id if split else 'all'}: the same one is wanted, or the model "
            "would be told of clips that it is measured on"
        )
    checkpoint = run / "checkpoint.safetensors"
    saved = load_checkpoint(checkpoint)
    if spec is not None and saved.spec.fingerprint != spec.fingerprint:
        raise TrainingError(
            f"the {role} {run} was trained on other features ({saved.spec.fingerprint[:12]}) than "
            f"this training's ({spec.fingerprint[:12]}): train it again"
        )
    return EarlierRun(run_name(run), file_digest(checkpoint), saved)


def same_labels(run: Path, saved: Checkpoint, labels: Sequence[str], role: str) -> None:
    """Refuse a run that tells other labels apart, or the same in another order.

    Raises
    ------
    TrainingError
    """
    if saved.labels != tuple(labels):
        raise TrainingError(
            f"the {role} {run} tells apart {', '.join(saved.labels)}, this training "
            f"{', '.join(labels)}: the same labels in the same order are wanted, as with "
            f"--labels {','.join(saved.labels)}"
        )


def starting_run(
    run: Path,
    split: Split | None,
    spec: FeatureSpec,
    config: object,
    labels: Sequence[str],
    domains: Sequence[str],
) -> EarlierRun:
    """Load a run to start from; its model must have the sizes that ``config`` says.

    It must tell the same ``labels`` apart, and know the same corpora, ``domains``.

    Raises
    ------
    EdgeSerError
        As :func:`earlier_run`, or if the sizes, labels or corpora differ.
    """
    earlier = earlier_run(run, split, spec, "start")
    same_labels(run, earlier.checkpoint, labels, "start")
    if earlier.checkpoint.domains != tuple(domains):
        raise TrainingError(
            f"the start {run} was trained on the corpora {', '.join(earlier.checkpoint.domains)}, "
            f"this training has {', '.join(domains)}: the same ones are wanted"
        )
    own = earlier.checkpoint.model.config
    if own != config:
        raise TrainingError(
            f"the start {run} is a model with {own}, this training's has {config}: the same sizes "
            "are wanted"
        )
    return earlier
