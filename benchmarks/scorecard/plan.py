"""Recipes and their jobs as steps, in the order they run.

Each step is one command that a person could type; see :mod:`benchmarks.scorecard.steps`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.scorecard.recipes import JOBS, RECIPES, Measurement, Work
from benchmarks.scorecard.steps import Step
from edge.errors import ParameterError
from quantize.runs.temperature import calibration_path

__all__ = ["TYPED", "Places", "plan", "select"]


@dataclasses.dataclass(frozen=True)
class Places:
    """Folders that the commands name.

    Parameters
    ----------
    data, cache, runs : path
        Corpora, cached feature rows, and run folders (``RUNS/RECIPE/JOB``).
    n_workers : int, optional
        Processes of a measurement that compute features; the command's own choice if None.
    """

    data: Path
    cache: Path
    runs: Path
    n_workers: int | None = None

    def run(self, recipe: Work, job: str) -> Path:
        """Folder of one training."""
        return self.runs / recipe.name / job

    def report(self, recipe: Work, measurement: Measurement) -> Path:
        """File of one measurement's figures."""
        return self.runs / recipe.name / "reports" / f"{measurement.name}.json"

    def abstaining(self, recipe: Work) -> Path:
        """File of what a recipe's folds say of abstaining."""
        return self.runs / recipe.name / "reports" / "abstention.json"

    def log(self, recipe: Work, name: str) -> Path:
        """File of one step's output."""
        return self.runs / "logs" / recipe.name / f"{name}.log"


#: Places as a person types them, for the commands that the scorecard shows.
TYPED = Places(Path("CORPORA"), Path("cache"), Path("runs"))


def plan(places: Places, recipes: Iterable[Work] | None = None) -> list[Step]:
    """List all steps: recipe by recipe its trainings, temperatures and measurements."""
    steps: list[Step] = []
    for recipe in RECIPES.values() if recipes is None else recipes:
        steps += (_training(places, recipe, job) for job in recipe.jobs)
        if recipe.calibrated:
            steps.append(_calibration(places, recipe))
        steps += (_measurement(places, recipe, each) for each in recipe.measurements)
    return steps


def select(
    steps: Sequence[Step], recipes: Sequence[str] | None, jobs: Sequence[str] | None
) -> list[Step]:
    """Choose steps by recipe and job, and all that they need.

    Parameters
    ----------
    steps : sequence of Step
        As :func:`plan` gives them.
    recipes : sequence of str, optional
        Names of :data:`RECIPES`; all if None.
    jobs : sequence of str, optional
        Names of :data:`JOBS` or of their groups; all if None. A step is chosen when every
        job it is about is, and whatever makes its inputs comes along.

    Raises
    ------
    ParameterError
        If a name is not known, or nothing is left.
    """
    groups = list(dict.fromkeys(group for group, _ in JOBS.values()))
    _check_names("recipe", recipes or (), list(RECIPES))
    _check_names("job", jobs or (), [*groups, *(job for job in JOBS if job not in groups)])
    wanted = {job for job, (group, _) in JOBS.items() if jobs is None or {job, group} & set(jobs)}
    chosen = {
        step.name
        for step in steps
        if (recipes is None or step.recipe in recipes) and wanted.issuperset(step.jobs)
    }
    needed: set[Path] = set()
    # Backwards: what a step needs is made before it.
    for step in reversed(steps):
        if step.name in chosen or needed.intersection(step.outputs):
            chosen.add(step.name)
            needed.update(step.inputs)
    if not chosen:
        raise ParameterError(
            f"of {', '.join(recipes or RECIPES)} nothing is made for {', '.join(jobs or JOBS)}: "
            "name other recipes or jobs"
        )
    return [step for step in steps if step.name in chosen]


def _check_names(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise ParameterError(f"the {what} is {name!r}, one of {', '.join(known)} is wanted")


def _data(places: Places) -> list[str]:
    return ["--data", str(places.data), "--cache", str(places.cache)]


def _training(places: Places, recipe: Work, job: str) -> Step:
    folder = places.run(recipe, job)
    words = [recipe.command, *_data(places), "--out", str(folder), *JOBS[job][1]]
    if recipe.command == "train":
        words += ["--recipe", recipe.name]
    teachers = [places.run(RECIPES[name], job) for name in recipe.teachers]
    if teachers:
        words += ["--teachers", *map(str, teachers)]
    return Step(
        name=f"{recipe.name}/{job}",
        recipe=recipe.name,
        jobs=(job,),
        # One thread each: the matrices are small, and others train beside it.
        words=(*words, "--threads", "1", "--workers", "1"),
        inputs=tuple(folder / "checkpoint.safetensors" for folder in teachers),
        outputs=(folder / "checkpoint.safetensors",),
        log=places.log(recipe, job),
        side_by_side=True,
        # Written once all features are cached; until then others would compute the same.
        shares=folder / "config.json",
    )


def _calibration(places: Places, recipe: Work) -> Step:
    folds = recipe.group("speaker")
    also = recipe.group("all")
    folders = [places.run(recipe, job) for job in folds]
    report = places.abstaining(recipe)
    words = ["calibrate", *map(str, folders), *_data(places)]
    if also:
        words += ["--also", *(str(places.run(recipe, job)) for job in also)]
    words += ["--output", str(report)]
    return Step(
        name=f"{recipe.name}/calibrate",
        recipe=recipe.name,
        jobs=(*folds, *also),
        words=(*words, *_workers(places)),
        inputs=tuple(places.run(recipe, j) / "checkpoint.safetensors" for j in (*folds, *also)),
        outputs=(
            *(calibration_path(places.run(recipe, job)) for job in (*folds, *also)),
            report,
        ),
        log=places.log(recipe, "calibrate"),
    )


def _measurement(places: Places, recipe: Work, measurement: Measurement) -> Step:
    jobs = recipe.group(measurement.group)
    folders = [places.run(recipe, job) for job in jobs]
    report = places.report(recipe, measurement)
    words = ["evaluate", *map(str, folders), *_data(places), "--kind", measurement.kind]
    if measurement.protocol != "utterances":
        words += ["--protocol", measurement.protocol]
    inputs = [folder / "checkpoint.safetensors" for folder in folders]
    if recipe.calibrated and measurement.group == "speaker":
        inputs += [calibration_path(folder) for folder in folders]
    return Step(
        name=f"{recipe.name}/{measurement.name}",
        recipe=recipe.name,
        jobs=jobs,
        words=(*words, *_workers(places), "--output", str(report)),
        inputs=tuple(inputs),
        outputs=(report,),
        log=places.log(recipe, measurement.name),
    )


def _workers(places: Places) -> list[str]:
    return [] if places.n_workers is None else ["--workers", str(places.n_workers)]
