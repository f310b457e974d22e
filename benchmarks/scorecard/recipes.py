"""What the scorecard is made of: jobs, measurements, and the recipes that have them."""

from __future__ import annotations

import dataclasses

__all__ = [
    "ABLATIONS",
    "ASKED_FOR",
    "DEFAULTS",
    "JOBS",
    "LESSONS",
    "RECIPES",
    "Measurement",
    "Work",
]

#: Corpora beside the paper's four, whose clips are all learnt from and none is measured.
LESSONS = ("emovo", "nemo")

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
    # Two folds of five: a recipe is chosen on other speakers than it is measured on.
    **{
        f"validation-f{f}": (
            "validation",
            ("--split", "speaker", "--fold", str(f), "--validation"),
        )
        for f in (0, 2)
    },
    "all": ("all", ("--split", "all")),
}

#: Groups of jobs that run only when they are named: choices, and a test that one corpus trains for.
ASKED_FOR = ("german-to-english", "validation")

_SPEAKER = tuple(job for job, (group, _) in JOBS.items() if group == "speaker")
_LEAVE_ONE_OUT = tuple(job for job, (group, _) in JOBS.items() if group == "leave-one-corpus-out")
_ACROSS = (*_LEAVE_ONE_OUT, "german-to-english")
_VALIDATION = tuple(job for job, (group, _) in JOBS.items() if group == "validation")
_PAPER = tuple(job for job, (group, _) in JOBS.items() if group == "paper")

#: The device's model in torch and in both of its runtimes.
_ALL_KINDS = ("torch", "numpy-int8", "onnx-int8")


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One report: a protocol of ``evaluate`` on all jobs of a group, in one runtime.

    Where ``corpora`` are named, clips of these alone are heard.
    """

    group: str
    kind: str = "torch"
    protocol: str = "utterances"
    corpora: tuple[str, ...] = ()

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
    is_ablation : bool
        Whether it shows what a part is worth: run only when it is named.
    asked_for : tuple of str
        Groups of its jobs that run only when they are named, beside :data:`ASKED_FOR`: where
        people are known beforehand, another recipe is the one to take.
    start : str, optional
        One of the teachers, whose run it begins with in place of chance.
    """

    name: str
    title: str
    jobs: tuple[str, ...]
    measurements: tuple[Measurement, ...]
    calibrated: bool = True
    command: str = "train"
    teachers: tuple[str, ...] = ()
    is_ablation: bool = False
    asked_for: tuple[str, ...] = ()
    start: str | None = None

    def group(self, name: str) -> tuple[str, ...]:
        """Jobs of one group."""
        return tuple(job for job in self.jobs if JOBS[job][0] == name)


_BOTH = (Measurement("paper"), Measurement("speaker"))
#: What recipes were chosen by.
_CHOICE = Measurement("validation")


def _ablation(name: str, title: str) -> Work:
    return Work(name, title, ("paper-s0", *_SPEAKER), _BOTH, is_ablation=True)


def _teacher(name: str, title: str) -> Work:
    jobs = (*_SPEAKER, *_PAPER, *_VALIDATION, "all")
    return Work(name, title, jobs, (*_BOTH, _CHOICE), is_ablation=True)


#: All recipes; the device's own comes after its teachers.  What is left out of CLAF-SER is left
#: out of the one that learns alone: teachers that have a part would pass on what it is worth.
RECIPES: dict[str, Work] = {
    recipe.name: recipe
    for recipe in (
        Work(
            "claf-ser-alone",
            "CLAF-SER, without other runs of itself",
            (*_SPEAKER, *_PAPER, *_ACROSS, *_VALIDATION, "all"),
            (
                *_BOTH,
                _CHOICE,
                *(
                    Measurement(g, k)
                    for g in ("leave-one-corpus-out", "german-to-english")
                    for k in ("torch", "numpy-int8")
                ),
            ),
            asked_for=("paper",),
        ),
        Work(
            "claf-ser",
            "CLAF-SER, taught by that one",
            (*_SPEAKER, *_PAPER, *_VALIDATION, "all"),
            (
                *(Measurement(g, k) for g in ("paper", "speaker") for k in _ALL_KINDS),
                _CHOICE,
                *(Measurement(g, "numpy-int8", "segments") for g in ("speaker", "paper")),
                # Of every clip there are two dozen kinds of rows to compute: on the largest of the
                # corpora with many speakers alone.
                Measurement("speaker", "numpy-int8", "conditions", ("ravdess",)),
                Measurement("speaker", "numpy-int8", "reference"),
            ),
            teachers=("claf-ser-alone",),
            asked_for=("paper",),
            start="claf-ser-alone",
        ),
        Work(
            "claf-ser-tiny",
            "the tiny student, taught by these two",
            (*_SPEAKER, *_PAPER, "all"),
            tuple(Measurement(g, k) for g in ("paper", "speaker") for k in _ALL_KINDS),
            teachers=("claf-ser", "claf-ser-alone"),
            asked_for=("paper",),
        ),
        Work(
            "claf-ser-paper",
            "alone, for people it has heard",
            _PAPER,
            (Measurement("paper"), Measurement("paper", "numpy-int8")),
            calibrated=False,
        ),
        _teacher("teacher-plain", "alone, without exchanged means"),
        _teacher("teacher-mixup", "alone, with mixup"),
        Work(
            "no-grl",
            "alone, without the adversary (GRL)",
            ("paper-s0", *_SPEAKER, *_ACROSS),
            tuple(
                Measurement(g)
                for g in ("paper", "speaker", "leave-one-corpus-out", "german-to-english")
            ),
            is_ablation=True,
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
            is_ablation=True,
        ),
    )
}

#: What runs where no recipe is named, and what only when it is.
DEFAULTS, ABLATIONS = (
    tuple(name for name, work in RECIPES.items() if work.is_ablation == is_ablation)
    for is_ablation in (False, True)
)
