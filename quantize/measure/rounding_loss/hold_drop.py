"""A rounding recipe changed until the drop it causes is no larger than a person allows."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from edge.errors import ParameterError, how_many
from quantize.data.corpora import Clip
from quantize.data.features.segments import SegmentSet
from quantize.data.splits import common_labels
from quantize.export import Kind, export_artifact
from quantize.export.rounding.recipe import RoundingRecipe
from quantize.export.rounding.write import named_as_file
from quantize.measure.evaluate import Evaluation, Runner, artifact_runner, torch_runner
from quantize.measure.rounding_loss.compare import score_clips
from quantize.measure.rounding_loss.keep_float import (
    Rounded,
    Step,
    keep_until,
    may_keep,
    ranked,
    step_table,
    steps_of,
)
from quantize.measure.rounding_loss.speech import Speech
from quantize.runs.run import Run

__all__ = ["Held", "check_max_drop", "chosen_on", "hold_drop"]

#: So many clips are enough to tell which layer moves the posteriors most.
_N_RANKED = 200


@dataclasses.dataclass(frozen=True)
class Held:
    """What came of it.

    Parameters
    ----------
    recipe : RoundingRecipe or None
        With as few layers in float as hold the drop, and a name of its own; None: nothing does.
    max_drop : float
        Percentage points.
    steps : list of Step
        All that were measured.
    where : str
        The clips that it was chosen on, in words.
    """

    recipe: RoundingRecipe | None
    max_drop: float
    steps: list[Step]
    where: str

    def text(self) -> str:
        """The steps as a table below a line that says what they were measured on."""
        return (
            f"accuracy and UAR of {self.where}, at most {self.max_drop:g} points below float32:\n"
            + step_table(self.steps, self.max_drop)
        )

    def best(self) -> str:
        """Say how near the nearest step came, where none holds."""
        best = min(self.steps, key=lambda step: step.drop)
        if best.accuracy_drop is None:
            return (
                f"the drop of {self.max_drop:g} points cannot be held: every export was refused, "
                "because its answers are too far from torch's; round by a milder recipe"
            )
        kept = ", ".join(best.kept) or "no layer beyond the recipe's"
        return (
            f"the drop of {self.max_drop:g} points cannot be held: the best is {best.drop:.2f} "
            f"points with {kept} in float; allow more, or round by a milder recipe"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "max_drop": self.max_drop,
            "chosen_on": self.where,
            "steps": [
                {**step.to_dict(), "holds": step.holds(self.max_drop)} for step in self.steps
            ],
        }


def check_max_drop(max_drop: float) -> None:
    """Refuse what is no number of percentage points.

    Raises
    ------
    ParameterError
        If it is NaN, negative or above 100.
    """
    if not 0 <= max_drop <= 100:
        raise ParameterError(
            f"--max-drop is {max_drop:g}, a number of percentage points from 0 to 100 is wanted"
        )


def chosen_on(speech: Speech) -> tuple[Sequence[Clip], str]:
    """Clips that a recipe may be chosen on, and what they are.

    The validation side where the run holds out one, else the training side: what is chosen on a
    test side has no honest figure any more.

    Raises
    ------
    ParameterError
        If there are no clips.
    """
    split = speech.split
    if split is not None and split.is_validation:
        side, clips = "the validation side", speech.test
    else:
        side, clips = "the training side", speech.train
    if not clips:
        raise ParameterError(
            "--max-drop measures accuracy on labelled clips and there are none: name the corpora "
            "of the training with --data"
        )
    return clips, f"{how_many(len(clips), 'clip')} of {side}"


def hold_drop(
    recipe: RoundingRecipe,
    run: Run | None,
    speech: Speech,
    max_drop: float,
    calibration: SegmentSet | None,
) -> Held:
    """Keep layers in float, the worst first, until accuracy and UAR drop by no more.

    Parameters
    ----------
    recipe : RoundingRecipe
    run : Run or None
        What is rounded; None is refused: an artifact does not tell its clips.
    speech : Speech
        With corpora.
    max_drop : float
        Percentage points.
    calibration : SegmentSet or None
        For a recipe that calibrates.

    Raises
    ------
    EdgeSerError
        If there are no clips, or an export fails for another reason than its answers.
    """
    clips, where = chosen_on(speech)
    cache = speech.cache
    if run is None or cache is None:
        raise ParameterError("--max-drop needs a run folder and its corpora: name them with --data")
    few = clips[:: -(-len(clips) // _N_RANKED)]
    exact_runner = torch_runner(run)
    labels = _labels(speech, exact_runner)

    def answers(runner: Runner, chosen: Sequence[Clip]) -> Evaluation:
        return score_clips(runner, chosen, cache, speech.clips, labels, speech.n_workers)

    with tempfile.TemporaryDirectory() as scratch:

        def measure(changed: RoundingRecipe, to_rank: bool) -> Rounded:
            # One folder for all: an artifact is replaced at one stroke.
            artifact = export_artifact(
                Kind.of(changed),
                run.checkpoint.model,
                speech.facts,
                Path(scratch) / "artifact",
                calibration,
            )
            runner = artifact_runner(artifact.path)
            return Rounded(
                artifact.manifest.model_bytes, answers(runner, few if to_rank else clips)
            )

        def order() -> Iterator[str]:
            layers = may_keep(recipe)
            if layers:
                yield from ranked(recipe, layers, answers(exact_runner, few), measure)

        exact = answers(exact_runner, clips)
        found, steps = keep_until(max_drop, steps_of(recipe, order(), exact, measure))
    if found is None:
        return Held(None, max_drop, steps, where)
    held = recipe.changed(float_layers=found.kept)
    # It is no recipe of this package any more, even where nothing was changed.
    named = named_as_file(held, f"-max-drop-{max_drop:g}")
    return Held(named, max_drop, steps, where)


def _labels(speech: Speech, runner: Runner) -> Sequence[str]:
    """Classes that may be answered: all on the training side."""
    if speech.split is None or not speech.split.is_validation:
        return runner.labels
    return common_labels(speech.split, speech.clips, runner.labels)
