"""What the scorecard is made of: recipes and their jobs as steps, in the order they run.

Each step is one command that a person could type; see :mod:`quantize.scorecard.steps`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

from edge.errors import ParameterError
from quantize.calibration import calibration_path
from quantize.scorecard.steps import Step

__all__ = ["JOBS", "RECIPES", "TYPED", "Measurement", "Places", "Work", "plan", "select"]

#: Options of ``train`` that make each job's split, by the job's name; its group is in front.
JOBS: dict[str, tuple[str, tuple[str, ...]]] = {
    **{f"paper-s{s}": ("paper", ("--split", "paper", "--seed", str(s))) for s in range(3)},
    **{f"speaker-f{f}": ("speaker", ("--split", "speaker", "--fold", str(f))) for f in range(5)},
    **{
        f"leave-one-corpus-out-f{f}": (
            "leave-one-corpus-out",
            ("--split", "leave-one-corpus-out", "--fold", str(f)),
        )
        for f in range(4)
    },
    "german-to-english": ("german-to-english", ("--split", "german-to-english")),
    "all": ("all", ("--split", "all")),
}

_SPEAKER = tuple(job for job, (group, _) in JOBS.items() if group == "speaker")
_LEAVE_ONE_OUT = tuple(job for job, (group, _) in JOBS.items() if group == "leave-one-corpus-out")
_ACROSS = (*_LEAVE_ONE_OUT, "german-to-english")
_PAPER = tuple(job for job, (group, _) in JOBS.items() if group == "paper")

#: The device's model in torch and in both of its runtimes.
_ALL_KINDS = ("torch", "numpy-int8", "onnx-int8")


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One report: a protocol of ``evaluate`` on all jobs of a group, in one runtime."""

    group: str
    kind: str = "torch"
    protocol: str = "utterances"

    @property
    def name(self) -> str:
        """Name of the report, unlike any other of its recipe."""
        front = "" if self.protocol == "utterances" else f"{self.protocol}-"
        return f"{front}{self.group}-{self.kind}"


@dataclasses.dataclass(frozen=True)
class Work:
    """A way to train, which jobs it is trained for and what is measured on them.

    Parameters
    ----------
    name : str
        What ``train --recipe`` takes.
    title : str
        For people.
    jobs : tuple of str
        Names of :data:`JOBS`.
    measurements : tuple of Measurement
    calibrated : bool
        Whether the speaker folds choose temperatures.
    command : str
        ``"train"``, or ``"baseline"``, which has one recipe alone.
    teachers : tuple of str
        Recipes whose run of the same job teaches it; they stand before it in :data:`RECIPES`.
    start : str, optional
        The one of them that it starts from.
    """

    name: str
    title: str
    jobs: tuple[str, ...]
    measurements: tuple[Measurement, ...]
    calibrated: bool = True
    command: str = "train"
    teachers: tuple[str, ...] = ()
    start: str | None = None

    def group(self, name: str) -> tuple[str, ...]:
        """Jobs of one group."""
        return tuple(job for job in self.jobs if JOBS[job][0] == name)


_BOTH = (Measurement("paper"), Measurement("speaker"))


def _ablation(name: str, title: str) -> Work:
    return Work(name, title, ("paper-s0", *_SPEAKER), _BOTH)


def _teacher(name: str, title: str, taught_by: tuple[str, ...] = ()) -> Work:
    return Work(name, title, (*_PAPER, *_SPEAKER, "all"), _BOTH, teachers=taught_by)


_FIRST_TEACHERS = ("claf-ser-alone", "teacher-plain", "teacher-mixup")


#: All recipes; the device's own comes after its teachers.  What is left out of CLAF-SER is left
#: out of the one that learns alone: teachers that have a part would pass on what it is worth.
RECIPES: dict[str, Work] = {
    recipe.name: recipe
    for recipe in (
        Work(
            "claf-ser-alone",
            "CLAF-SER, from the labels alone",
            (*_PAPER, *_SPEAKER, *_ACROSS, "all"),
            (
                *_BOTH,
                *(
                    Measurement(g, k)
                    for g in ("leave-one-corpus-out", "german-to-english")
                    for k in ("torch", "numpy-int8")
                ),
            ),
        ),
        _teacher("teacher-plain", "alone, without exchanged means"),
        _teacher("teacher-mixup", "alone, with mixup"),
        _teacher("teacher-taught", "taught by these three", _FIRST_TEACHERS),
        Work(
            "claf-ser",
            "CLAF-SER, the last one taught on by these four",
            (*_PAPER, *_SPEAKER, "all"),
            (
                *(Measurement(g, k) for g in ("paper", "speaker") for k in _ALL_KINDS),
                *(Measurement(g, "numpy-int8", "segments") for g in ("speaker", "paper")),
                Measurement("speaker", "numpy-int8", "noise"),
            ),
            teachers=(*_FIRST_TEACHERS, "teacher-taught"),
            start="teacher-taught",
        ),
        Work(
            "no-grl",
            "alone, without the adversary (GRL)",
            ("paper-s0", *_SPEAKER, *_ACROSS),
            tuple(
                Measurement(g)
                for g in ("paper", "speaker", "leave-one-corpus-out", "german-to-english")
            ),
        ),
        _ablation("no-attention", "alone, without attention"),
        _ablation("no-phonetic", "alone, without the phonetic branch"),
        _ablation("no-language", "alone, without the language embedding"),
        Work(
            "baseline",
            "the paper's SimpleRNN",
            (*_PAPER, *_SPEAKER),
            _BOTH,
            calibrated=False,
            command="baseline",
        ),
    )
}


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
    if recipe.start:
        words += ["--start", str(places.run(RECIPES[recipe.start], job))]
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
    words = ["calibrate", *map(str, folders), *_data(places)]
    if also:
        words += ["--also", *(str(places.run(recipe, job)) for job in also)]
    return Step(
        name=f"{recipe.name}/calibrate",
        recipe=recipe.name,
        jobs=(*folds, *also),
        words=(*words, *_workers(places)),
        inputs=tuple(places.run(recipe, j) / "checkpoint.safetensors" for j in (*folds, *also)),
        outputs=tuple(calibration_path(places.run(recipe, j)) for j in (*folds, *also)),
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
        words=(*words, *_workers(places), "--json", str(report)),
        inputs=tuple(inputs),
        outputs=(report,),
        log=places.log(recipe, measurement.name),
    )


def _workers(places: Places) -> list[str]:
    return [] if places.n_workers is None else ["--workers", str(places.n_workers)]
