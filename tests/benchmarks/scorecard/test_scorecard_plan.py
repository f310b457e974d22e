"""Recipes and jobs as commands, in an order in which each finds what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scorecard.plan import TYPED, Places, plan, select
from benchmarks.scorecard.recipes import JOBS, RECIPES
from edge.errors import ParameterError
from quantize.commands.main import build_parser
from quantize.data.splits.by_name import SPLITS
from quantize.export import KINDS
from quantize.training.recipe import load_recipe


def names(steps):
    return [step.name for step in steps]


def test_every_step_finds_what_it_needs():
    made: set[Path] = set()
    steps = plan(TYPED)
    for step in steps:
        assert made.issuperset(step.inputs), step.name
        assert not made.intersection(step.outputs), step.name
        made.update(step.outputs)
    assert len(set(names(steps))) == len(steps)
    assert len({step.log for step in steps}) == len(steps)


def test_thirteen_trainings_two_to_choose_by_and_one_for_devices():
    jobs = RECIPES["claf-ser-alone"].jobs
    assert len(jobs) == 13 + 2 + 1
    assert jobs[-1] == "all"
    assert set(JOBS) == set(jobs)
    # The four corpora of the scorecard do not come divided.
    divided = {*SPLITS, "validation", "all"} - {"given"}
    assert {group for group, _ in JOBS.values()} == divided


def test_commands_are_what_the_command_line_takes():
    parser = build_parser()
    for step in plan(Places(Path("D"), Path("C"), Path("R"), 2)):
        given = parser.parse_args(step.words)
        assert given.data == [Path("D")]
        assert given.cache == Path("C")
        if step.words[0] in ("train", "baseline"):
            group, _ = JOBS[step.jobs[0]]
            assert given.validation == (group == "validation")
            split = "speaker" if given.validation else group
            assert (given.split, given.threads, given.workers) == (split, 1, 1)
            assert step.outputs[0].parent == given.out
            assert getattr(given, "recipe", "baseline") == step.recipe
        elif step.words[0] == "evaluate":
            assert given.output == step.outputs[0]
            assert given.kind in ("torch", *KINDS)
            assert given.corpus == "unknown"
        else:
            *calibrations, report = step.outputs
            assert [*given.runs, *given.also] == [path.parent for path in calibrations]
            assert given.output == report


def test_strangers_are_measured_after_their_temperatures():
    steps = {step.name: step for step in plan(TYPED)}
    needs = steps["claf-ser/noise-speaker-numpy-int8"].inputs
    assert Path("runs/claf-ser/speaker-f4/calibration.json") in needs
    assert not any(path.name == "calibration.json" for path in steps["claf-ser/paper-torch"].inputs)
    assert "baseline/calibrate" not in steps


def test_only_a_training():
    chosen = select(plan(TYPED), ["no-grl"], ["speaker-f3"])
    assert names(chosen) == ["no-grl/speaker-f3"]


def test_only_a_group_brings_what_it_needs():
    chosen = names(select(plan(TYPED), ["claf-ser-alone"], ["speaker"]))
    # The temperatures of the folds and of the device's model are one command.
    assert chosen[:7] == [
        *(f"claf-ser-alone/speaker-f{fold}" for fold in range(5)),
        "claf-ser-alone/all",
        "claf-ser-alone/calibrate",
    ]
    assert len(chosen) == 7 + 1
    assert all("paper" not in name for name in chosen)


def test_a_student_brings_its_teachers_of_the_same_job():
    chosen = select(plan(TYPED), ["claf-ser"], ["paper-s1"])
    teachers = RECIPES["claf-ser"].teachers
    assert names(chosen) == [*(f"{name}/paper-s1" for name in teachers), "claf-ser/paper-s1"]
    at = chosen[-1].words.index("--teachers")
    named = chosen[-1].words[at + 1 : at + 1 + len(teachers)]
    assert [*named] == [f"runs/{name}/paper-s1" for name in teachers]
    assert [path.parent for path in chosen[-1].inputs] == [Path(name) for name in named]


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "baseline"])
def test_recipes_have_the_teachers_of_their_files(name):
    assert RECIPES[name].teachers == load_recipe(name).teachers
    missing = set(RECIPES[name].jobs) - set.intersection(
        set(JOBS), *(set(RECIPES[teacher].jobs) for teacher in RECIPES[name].teachers)
    )
    assert not missing


def test_all_is_everything():
    steps = plan(TYPED)
    assert select(steps, None, None) == steps


@pytest.mark.parametrize(
    ("recipes", "jobs", "sentence"),
    [
        (["claf"], None, "the recipe is 'claf', one of claf-ser-alone, teacher-plain"),
        (None, ["speaker-f5"], "the job is 'speaker-f5', one of paper, speaker"),
        (["baseline"], ["all"], "of baseline nothing is made for all"),
    ],
)
def test_refusals(recipes, jobs, sentence):
    with pytest.raises(ParameterError, match=sentence):
        select(plan(TYPED), recipes, jobs)
