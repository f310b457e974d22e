"""Recipes and their jobs as steps, in the order they run.

Each step is one command that a person could type; see :mod:`benchmarks.scorecard.steps`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.scorecard.recipes import JOBS, RECIPES, Measurement, Work
from benchmarks.scorecard.steps import Step
from edge.errors import ParameterError
from quantize.basics.errors import TrainingError
from quantize.data.corpora import DOMAINS
from quantize.runs.compared import run_settings
from quantize.runs.files import RunFiles
from quantize.runs.run import Run
from quantize.training.recipe import load_recipe

__all__ = ["TYPED", "Places", "check_same_recipe", "plan", "recipe_settings", "select"]


@dataclasses.dataclass(frozen=True)
class Places:
    """Folders that the commands name.

    Parameters
    ----------
    data, cache, runs : path
        Corpora, cached feature rows, and run folders (``RUNS/RECIPE/JOB``).
    n_workers : int, optional
        Processes of a measurement that compute features; the command's own choice if None.
    cluster : str, optional
        Address of a cluster that computes features instead.
    """

    data: Path
    cache: Path
    runs: Path
    n_workers: int | None = None
    cluster: str | None = None

    def run(self, recipe: Work, job: str) -> Path:
        """Folder of one training."""
        return self.runs / recipe.name / job

    def report(self, recipe: Work, measurement: Measurement) -> Path:
        """File of one measurement's figures."""
        return self.runs / recipe.name / "reports" / f"{measurement.name}.json"

    def abstaining(self, recipe: Work) -> Path:
        """File of what a recipe's folds say of abstaining."""
        return self.runs / recipe.name / "reports" / "abstention.json"

    @property
    def ledger(self) -> Path:
        """File that says with what each step was done."""
        return self.runs / "logs" / "steps.jsonl"

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
    # The folder may hold further corpora, of which these figures are not.
    words = [recipe.command, *_data(places), "--corpora", *DOMAINS]
    words += ["--out", str(folder), *JOBS[job][1]]
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
        words=(*words, "--threads", "1", "--workers", "1", *_cluster(places)),
        inputs=tuple(RunFiles(folder).checkpoint for folder in teachers),
        outputs=(RunFiles(folder).checkpoint,),
        log=places.log(recipe, job),
        what=(recipe.command, recipe.name, *JOBS[job][1]),
        side_by_side=True,
        # Written once all features are cached; until then others would compute the same.
        shares=RunFiles(folder).config,
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
        inputs=tuple(RunFiles(places.run(recipe, j)).checkpoint for j in (*folds, *also)),
        outputs=(
            *(RunFiles(places.run(recipe, job)).temperature for job in (*folds, *also)),
            report,
        ),
        log=places.log(recipe, "calibrate"),
        what=("calibrate", *folds, "--also", *also),
    )


def _measurement(places: Places, recipe: Work, measurement: Measurement) -> Step:
    jobs = recipe.group(measurement.group)
    folders = [places.run(recipe, job) for job in jobs]
    report = places.report(recipe, measurement)
    words = ["evaluate", *map(str, folders), *_data(places), "--kind", measurement.kind]
    if measurement.protocol != "utterances":
        words += ["--protocol", measurement.protocol]
    inputs = [RunFiles(folder).checkpoint for folder in folders]
    if recipe.calibrated and measurement.group == "speaker":
        inputs += [RunFiles(folder).temperature for folder in folders]
    return Step(
        name=f"{recipe.name}/{measurement.name}",
        recipe=recipe.name,
        jobs=jobs,
        words=(*words, *_workers(places), "--output", str(report)),
        inputs=tuple(inputs),
        outputs=(report,),
        log=places.log(recipe, measurement.name),
        what=("evaluate", *jobs, measurement.kind, measurement.protocol),
    )


def _workers(places: Places) -> list[str]:
    words = [] if places.n_workers is None else ["--workers", str(places.n_workers)]
    return words + _cluster(places)


def _cluster(places: Places) -> list[str]:
    return [] if places.cluster is None else ["--cluster", places.cluster]


def check_same_recipe(places: Places, steps: Iterable[Step]) -> None:
    """Refuse run folders that another version of their recipe made.

    A training is done when its checkpoint is there; that its recipe has changed since cannot be
    told from the age of files.

    Raises
    ------
    TrainingError
        If a setting of a run is not what its recipe says now.
    """
    wanted: dict[str, dict[str, Any]] = {}
    for step in steps:
        recipe = RECIPES[step.recipe]
        if step.words[0] != "train":
            continue
        run = Run(places.run(recipe, step.jobs[0]))
        if not run.files.config.is_file():
            continue
        try:
            config = run_settings(run)
            if recipe.name not in wanted:
                wanted[recipe.name] = recipe_settings(recipe.name)
            difference = _difference(config, wanted[recipe.name])
        except (KeyError, TypeError) as error:
            raise TrainingError(
                f"{run.files.config} is not what training writes ({error!r}): move the "
                "folder away, and the same command trains it anew"
            ) from error
        if difference:
            name, own, now = difference
            raise TrainingError(
                f"{run.folder} was trained with {name} {own!r}, the recipe {recipe.name} has "
                f"{now!r}: move the folder away to train it anew, or name another --runs"
            )


def recipe_settings(name: str) -> dict[str, Any]:
    """All settings of a recipe as a run folder holds them."""
    recipe = load_recipe(name)
    training = recipe.train_settings().to_dict()
    # The job's, not the recipe's.
    del training["seed"]
    settings = {
        "model": recipe.config().to_dict(),
        "training": training,
        "batches": recipe.batch_settings().to_dict(),
        "augment": recipe.augment_settings().to_dict(),
        "run": {"n_variants": recipe.n_variants},
    }
    plain: dict[str, Any] = json.loads(json.dumps(settings))
    return plain


def _difference(
    config: Mapping[str, Any], wanted: Mapping[str, Mapping[str, Any]]
) -> tuple[str, Any, Any] | None:
    for table, settings in wanted.items():
        for name, now in settings.items():
            # A setting that is younger than the run was not there to be chosen.
            own = config[table].get(name, now)
            if own != now:
                return f"{table}.{name}", own, now
    return None
