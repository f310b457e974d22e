"""Recipes and jobs as commands, in an order in which each finds what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.scorecard.given import embedding_files, lessons_in
from benchmarks.scorecard.plan import Places, plan, select
from benchmarks.scorecard.recipes import ABLATIONS, DEFAULTS, JOBS, RECIPES
from edge.errors import ParameterError
from quantize.commands.main import build_parser
from quantize.data.corpora import DOMAINS
from quantize.data.splits.by_name import SPLITS
from quantize.export import KINDS
from quantize.training.recipe import load_recipe

TYPED = Places(Path("CORPORA"), Path("cache"), Path("runs"))


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


RICH = Places(
    Path("D"),
    Path("C"),
    Path("R"),
    2,
    lessons=("emovo", "nemo"),
    embeddings=(Path("E/b.npz"), Path("E/a.csv")),
    sounds=(Path("S"),),
)


@pytest.mark.parametrize("places", [Places(Path("D"), Path("C"), Path("R"), 2), RICH])
def test_commands_are_what_the_command_line_takes(places):
    parser = build_parser()
    for step in plan(places):
        given = parser.parse_args(step.words)
        assert given.data == [Path("D")]
        assert given.cache == Path("C")
        assert given.workers == 2
        if step.words[0] in ("train", "baseline"):
            group, _ = JOBS[step.jobs[0]]
            assert given.validation == (group == "validation")
            split = "speaker" if given.validation else group
            assert (given.split, given.threads) == (split, 1)
            assert step.outputs[0].parent == given.out
            assert getattr(given, "recipe", "baseline") == step.recipe
        elif step.words[0] == "evaluate":
            assert given.output == step.outputs[0]
            assert given.kind in ("torch", *KINDS)
            assert given.corpus == "unknown"
            is_heard = given.protocol == "conditions"
            assert given.sounds == ([*places.sounds] if is_heard else [])
            assert given.only_corpora == (["ravdess"] if is_heard else [])
        else:
            *calibrations, report = step.outputs
            assert [*given.runs, *given.also] == [path.parent for path in calibrations]
            assert given.output == report


def test_whoever_is_taught_learns_all_there_is_beside_the_four():
    parser = build_parser()
    for step in plan(RICH):
        if step.words[0] not in ("train", "baseline"):
            continue
        given = parser.parse_args(step.words)
        group = JOBS[step.jobs[0]][0]
        is_taught, is_four = step.recipe != "baseline", group == "german-to-english"
        lessons = [*RICH.lessons] if is_taught and not is_four else []
        assert given.corpora == [*DOMAINS, *lessons]
        # Where nothing is held out there is nothing to keep them from.
        assert [*given.lessons] == (lessons if group != "all" else [])
        embeddings = getattr(given, "embeddings", [])
        assert [*embeddings] == ([*RICH.embeddings] if is_taught else [])
        assert ("--sounds" in step.words) == is_taught
        # Other vectors are another training, and so are other corpora.
        assert set(step.inputs).issuperset(embeddings)
        assert ("--lessons" in step.what) == bool(lessons)


def test_typed_commands_name_no_place_of_this_machine():
    step = next(s for s in plan(RICH.typed()) if s.name == "claf-ser-alone/speaker-f0")
    assert step.command == (
        "edge-ser-quantize train --data CORPORA --cache cache --corpora ravdess savee emo-db tess "
        "emovo nemo --lessons emovo nemo --out runs/claf-ser-alone/speaker-f0 --split speaker "
        "--fold 0 --recipe claf-ser-alone --sounds SOUNDS --embeddings EMBEDDINGS/b.npz "
        "EMBEDDINGS/a.csv --threads 1 --no-pictures"
    )


def test_trainings_of_the_same_rows_wait_for_who_computes_them():
    steps = {step.name: step for step in plan(TYPED)}
    first, other = steps["claf-ser-alone/speaker-f0"], steps["teacher-plain/paper-s1"]
    assert first.shares_as == other.shares_as
    assert first.shares != other.shares
    assert steps["baseline/paper-s0"].shares_as != first.shares_as
    # Two of one turn would export the same artifact at a time.
    turns = [
        steps[f"claf-ser/{name}"].turn
        for name in ("conditions-speaker-numpy-int8", "speaker-numpy-int8")
    ]
    assert turns[0] == turns[1] != steps["claf-ser/speaker-onnx-int8"].turn


def test_embeddings_are_files_or_folders_of_them(tmp_path):
    for name in ("b.npz", "a.csv", "README.md"):
        (tmp_path / name).write_text("")
    assert embedding_files([tmp_path / "b.npz", tmp_path]) == (
        tmp_path / "b.npz",
        tmp_path / "a.csv",
    )
    (tmp_path / "empty").mkdir()
    with pytest.raises(ParameterError, match="empty is a folder without NPZ or CSV files"):
        embedding_files([tmp_path / "empty"])
    with pytest.raises(ParameterError, match=r"no\.npz is not there"):
        embedding_files([tmp_path / "no.npz"])


def test_lessons_are_what_the_folder_holds(tmp_path):
    assert lessons_in(tmp_path / "nowhere") == lessons_in(tmp_path) == ()
    path = tmp_path / "nEMO" / "samples" / "EB0_anger_1.wav"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"RIFF")
    assert lessons_in(tmp_path) == ("nemo",)


def test_strangers_are_measured_after_their_temperatures():
    steps = {step.name: step for step in plan(TYPED)}
    needs = steps["claf-ser/conditions-speaker-numpy-int8"].inputs
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
    at = chosen[-1].words.index("--start")
    assert chosen[-1].words[at + 1] == "runs/claf-ser-alone/paper-s1"
    assert [path.parent for path in chosen[-1].inputs] == [Path(name) for name in named]


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "baseline"])
def test_recipes_have_the_teachers_of_their_files(name):
    assert RECIPES[name].teachers == load_recipe(name).teachers
    missing = set(RECIPES[name].jobs) - set.intersection(
        set(JOBS), *(set(RECIPES[teacher].jobs) for teacher in RECIPES[name].teachers)
    )
    assert not missing


def test_without_names_all_but_what_is_asked_for():
    steps = plan(TYPED)
    chosen = select(steps, None, None)
    assert {step.recipe for step in chosen} == set(DEFAULTS) == set(RECIPES) - set(ABLATIONS)
    jobs = {job for step in chosen for job in step.jobs}
    assert {JOBS[job][0] for job in jobs} == {"paper", "speaker", "leave-one-corpus-out", "all"}
    # People who are known beforehand have a recipe of their own.
    assert {step.recipe for step in chosen if "paper-s0" in step.jobs} == {"claf-ser-paper"}
    assert "claf-ser/paper-torch" in names(select(steps, None, ["paper"]))
    assert select(steps, [*RECIPES], [*JOBS]) == steps
    assert "no-grl/leave-one-corpus-out-torch" in names(select(steps, ["no-grl"], None))
    chosen = names(select(steps, None, ["validation"]))
    assert "claf-ser/validation-torch" in chosen
    assert "teacher-mixup/validation-torch" not in chosen


@pytest.mark.parametrize(
    ("recipes", "jobs", "sentence"),
    [
        (["claf"], None, "the recipe is 'claf', one of claf-ser-alone, claf-ser"),
        (None, ["speaker-f5"], "the job is 'speaker-f5', one of paper, speaker"),
        (["baseline"], ["all"], "of baseline nothing is made for all"),
    ],
)
def test_refusals(recipes, jobs, sentence):
    with pytest.raises(ParameterError, match=sentence):
        select(plan(TYPED), recipes, jobs)
