"""Earlier runs that a training leans on: its teachers, and the one it starts from.

Both must be of the training's own split: a run that has heard clips which the new one is measured
on would tell of them.  The one it starts from must have its features as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.features.spec import FeatureSpec
from quantize.basics.errors import TrainingError
from quantize.data.splits import Split
from quantize.models.claf_ser import CLAFSER
from quantize.runs.run import Run, open_run

__all__ = ["leaned_on", "same_labels", "starting_run"]


def leaned_on(
    folder: Path,
    split: Split | None,
    spec: FeatureSpec | None,
    role: str,
    clips: Mapping[str, str] | None = None,
) -> Run:
    """Open a run to lean on.

    Parameters
    ----------
    folder : path
        Run folder.
    split : Split or None
        The new training's split; None: nothing is held out.
    spec : FeatureSpec or None
        The new training's features; None: the run may have others.
    role : str
        What the run is to it, for the message.
    clips : mapping, optional
        The new training's, see :func:`quantize.runs.clips.sides_digests`: names alone do not
        tell which recordings a run has heard.

    Raises
    ------
    EdgeSerError
        If the run cannot be used, is no CLAF-SER, has other features, or was trained on another
        split, or on other recordings under the names of one.
    """
    run = open_run(folder)
    if not isinstance(run.checkpoint.model, CLAFSER):
        raise TrainingError(
            f"the {role} {folder} holds the baseline, a {type(run.checkpoint.model).__name__}: a "
            "CLAF-SER is wanted, which edge-ser-quantize train makes"
        )
    found = run.split
    if (found.fingerprint if found else None) != (split.fingerprint if split else None):
        its_own, wanted = (side.id if side else "all" for side in (found, split))
        differ = (
            f"on the split {its_own}, this training's is {wanted}"
            if its_own != wanted
            else f"on other clips than this training's {wanted}"
        )
        raise TrainingError(
            f"the {role} {folder} was trained {differ}: the same one is wanted, or the model "
            "would be told of clips that it is measured on"
        )
    told = run.training.get("clips")
    if split and clips and isinstance(told, dict) and told.get("held out") != clips["held out"]:
        raise TrainingError(
            f"the {role} {folder} held out other recordings, or other labels, under the names of "
            "the clips that this training holds out, so it may have heard these: train it on the "
            "corpora that are here"
        )
    own = run.checkpoint.spec
    if spec is not None and own.fingerprint != spec.fingerprint:
        raise TrainingError(
            f"the {role} {folder} was trained on other features ({own.fingerprint[:12]}) than "
            f"this training's ({spec.fingerprint[:12]}): train it again"
        )
    return run


def same_labels(run: Run, labels: Sequence[str], role: str, whose: str = "this training") -> None:
    """Refuse a run that tells other labels apart, or the same in another order.

    Parameters
    ----------
    run : Run
    labels : sequence of str
        Those that are wanted.
    role : str
        What the run is, for the message.
    whose : str
        What has the labels that are wanted.

    Raises
    ------
    TrainingError
    """
    if run.labels != tuple(labels):
        raise TrainingError(
            f"the {role} {run.folder} tells apart {', '.join(run.labels)}, {whose} "
            f"{', '.join(labels)}: the same labels in the same order are wanted, as with "
            f"--labels {','.join(run.labels)}"
        )


def starting_run(
    folder: Path,
    split: Split | None,
    spec: FeatureSpec,
    config: object,
    labels: Sequence[str],
    domains: Sequence[str],
    clips: Mapping[str, str] | None = None,
) -> Run:
    """Open a run to start from; its model must have the sizes that ``config`` says.

    It must tell the same ``labels`` apart, and know the same corpora, ``domains``.

    Raises
    ------
    EdgeSerError
        As :func:`leaned_on`, or if the sizes, labels or corpora differ.
    """
    run = leaned_on(folder, split, spec, "start", clips)
    same_labels(run, labels, "start")
    known = run.checkpoint.domains
    if known != tuple(domains):
        raise TrainingError(
            f"the start {folder} was trained on the corpora {', '.join(known)}, this training has "
            f"{', '.join(domains)}: the same ones are wanted"
        )
    own = run.checkpoint.model.config
    if own != config:
        raise TrainingError(
            f"the start {folder} is a model with {own}, this training's has {config}: the same "
            "sizes are wanted"
        )
    return run
