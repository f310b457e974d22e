"""Recipes and their jobs as steps, in the order they run.

Each step is one command that a person could type; see :mod:`benchmarks.scorecard.steps`.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.scorecard.recipes import ASKED_FOR, DEFAULTS, JOBS, RECIPES, Measurement, Work
from benchmarks.scorecard.step import Step
from edge.errors import ParameterError
from quantize.data.corpora import DOMAINS
from quantize.runs.files import RunFiles
from quantize.training.recipe import load_recipe

__all__ = ["Places", "plan", "select"]

#: Jobs that nothing but the paper's corpora is learnt from or given to, and those that hold
#: nothing out, for which every corpus is like any other.
_FOUR_ALONE, _UNDIVIDED = "german-to-english", "all"

#: About how long steps take, a training of a folder of rows being ten: what is long goes first.
_COSTS = {"train": 10.0, "baseline": 4.0, "calibrate": 1.0, "conditions": 8.0, "reference": 5.0}


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
    lessons : tuple of str
        Corpora of which all is learnt and nothing measured, of
        :data:`benchmarks.scorecard.recipes.LESSONS`.
    embeddings : tuple of path
        Files of a large model's vectors, which teach beside the labels.
    sounds : tuple of path
        Folders of everyday sounds, which are noise of augmented variants; of those that are kept
        from training, one of the conditions is made.
    """

    data: Path
    cache: Path
    runs: Path
    n_workers: int | None = None
    cluster: str | None = None
    lessons: tuple[str, ...] = ()
    embeddings: tuple[Path, ...] = ()
    sounds: tuple[Path, ...] = ()

    def typed(self) -> Places:
        """These places as a person types them, for the commands that the scorecard shows."""
        embeddings = tuple(Path("EMBEDDINGS") / path.name for path in self.embeddings)
        return Places(
            Path("CORPORA"),
            Path("cache"),
            Path("runs"),
            lessons=self.lessons,
            embeddings=embeddings,
            sounds=(Path("SOUNDS"),) if self.sounds else (),
        )

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

    @property
    def times(self) -> Path:
        """File that says how long each step took."""
        return self.runs / "logs" / "times.json"

    def log(self, recipe: Work, name: str) -> Path:
        """File of one step's output."""
        return self.runs / "logs" / recipe.name / f"{name}.log"


def plan(places: Places, recipes: Iterable[Work] | None = None) -> list[Step]:
    """List all steps: recipe by recipe its trainings, temperatures and measurements."""
    steps: list[Step] = []
    for recipe in RECIPES.values() if recipes is None else recipes:
        steps += (_training(places, recipe, job) for job in recipe.jobs)
        if recipe.calibrated:
            steps.append(_calibration(places, recipe))
        steps += (
            _measurement(places, recipe, each)
            for each in recipe.measurements
            if each.protocol != "reference" or _knows_references(recipe.name)
        )
    return steps


@functools.cache
def _knows_references(name: str) -> bool:
    return load_recipe(name).knows_references


@functools.cache
def _rows_of(name: str) -> str:
    """Whatever makes the rows that a recipe learns from, so that those alike are computed once."""
    recipe = load_recipe(name)
    made = (recipe.feature_spec().fingerprint, recipe.augment_settings().to_dict())
    return json.dumps([*made, recipe.n_variants])


def select(
    steps: Sequence[Step], recipes: Sequence[str] | None, jobs: Sequence[str] | None
) -> list[Step]:
    """Choose steps by recipe and job, and all that they need.

    Parameters
    ----------
    steps : sequence of Step
        As :func:`plan` gives them.
    recipes : sequence of str, optional
        Names of :data:`RECIPES`; those that are no ablations if None.
    jobs : sequence of str, optional
        Names of :data:`JOBS` or of their groups; all but those of :data:`ASKED_FOR` and of the
        recipe's own if None. A step is chosen when every job it is about is, and whatever makes
        its inputs comes along.

    Raises
    ------
    ParameterError
        If a name is not known, or nothing is left.
    """
    groups = list(dict.fromkeys(group for group, _ in JOBS.values()))
    _check_names("recipe", recipes or (), list(RECIPES))
    _check_names("job", jobs or (), [*groups, *(job for job in JOBS if job not in groups)])
    wanted = {
        name: _wanted_jobs(set(groups) if jobs is None else set(jobs), RECIPES[name], jobs is None)
        for name in (DEFAULTS if recipes is None else recipes)
    }
    chosen = {
        step.name
        for step in steps
        if step.recipe in wanted and wanted[step.recipe].issuperset(step.jobs)
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


def _wanted_jobs(named: set[str], recipe: Work, is_default: bool) -> set[str]:
    if is_default:
        named = named.difference(ASKED_FOR, recipe.asked_for)
    return {job for job, (group, _) in JOBS.items() if {job, group} & named}


def _check_names(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise ParameterError(f"the {what} is {name!r}, one of {', '.join(known)} is wanted")


def _data(places: Places) -> list[str]:
    return ["--data", str(places.data), "--cache", str(places.cache)]


def _training(places: Places, recipe: Work, job: str) -> Step:
    folder = places.run(recipe, job)
    group, options = JOBS[job]
    is_taught = recipe.command == "train"
    lessons = places.lessons if is_taught and group != _FOUR_ALONE else ()
    embeddings = places.embeddings if is_taught else ()
    # The folder may hold further corpora, of which these figures are not.
    words = [recipe.command, *_data(places), "--corpora", *DOMAINS, *lessons]
    if lessons and group != _UNDIVIDED:
        words += ["--lessons", *lessons]
    words += ["--out", str(folder), *options]
    if is_taught:
        words += ["--recipe", recipe.name]
    what = [recipe.command, recipe.name, *options]
    if lessons:
        what += ["--lessons", *lessons]
    if is_taught and places.sounds:
        words += ["--sounds", *map(str, places.sounds)]
        what += ["--sounds"]
    teachers = [places.run(RECIPES[name], job) for name in recipe.teachers]
    if teachers:
        words += ["--teachers", *map(str, teachers)]
    if recipe.start is not None:
        words += ["--start", str(places.run(RECIPES[recipe.start], job))]
        what += ["--start"]
    if embeddings:
        words += ["--embeddings", *map(str, embeddings)]
    return Step(
        name=f"{recipe.name}/{job}",
        recipe=recipe.name,
        jobs=(job,),
        # One thread each: the matrices are small, and others train beside it. While the first one
        # computes rows, the others wait for them.
        words=(*words, "--threads", "1", "--no-pictures", *_workers(places)),
        inputs=(*(RunFiles(teacher).checkpoint for teacher in teachers), *embeddings),
        outputs=(RunFiles(folder).checkpoint,),
        log=places.log(recipe, job),
        what=tuple(what),
        cost=_COSTS[recipe.command],
        # Written once all features are cached; until then others would compute the same.
        shares=RunFiles(folder).config,
        shares_as=_rows_of(recipe.name) if is_taught else recipe.command,
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
        cost=_COSTS["calibrate"],
    )


def _measurement(places: Places, recipe: Work, measurement: Measurement) -> Step:
    jobs = recipe.group(measurement.group)
    folders = [places.run(recipe, job) for job in jobs]
    report = places.report(recipe, measurement)
    words = ["evaluate", *map(str, folders), *_data(places), "--kind", measurement.kind]
    words += ["--no-pictures"] if measurement.protocol == "utterances" else []
    if measurement.protocol != "utterances":
        words += ["--protocol", measurement.protocol]
    if measurement.protocol == "conditions" and places.sounds:
        words += ["--sounds", *map(str, places.sounds)]
    if measurement.corpora:
        words += ["--only-corpora", *measurement.corpora]
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
        what=("evaluate", *jobs, measurement.kind, measurement.protocol, *measurement.corpora),
        cost=_COSTS.get(measurement.protocol, 1.0),
        # Two would export the same artifacts.
        turn=f"{recipe.name} {measurement.group} {measurement.kind}",
    )


def _workers(places: Places) -> list[str]:
    words = [] if places.n_workers is None else ["--workers", str(places.n_workers)]
    return words + _cluster(places)


def _cluster(places: Places) -> list[str]:
    return [] if places.cluster is None else ["--cluster", places.cluster]
