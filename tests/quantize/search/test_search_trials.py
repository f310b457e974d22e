"""Trials: finished ones stay, stale ones are measured anew, failed ones are tried again."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
from run_commands import hold_nothing_out

from edge.errors import BackendError, MissingDependencyError
from quantize.basics.errors import TrainingError
from quantize.basics.timing import interleave
from quantize.data.corpora import load_corpora
from quantize.data.splits import read_split
from quantize.runs.checkpoint import load_checkpoint, save_checkpoint
from quantize.runs.run import Run, open_run
from quantize.runs.temperature import Tempering
from quantize.search import trials as module
from quantize.search.ground import Ground, chosen_on_test_side, open_runs
from quantize.search.trials import TORCH, measure_trial, plan, run_trials

LABELS = ("angry", "sad")
CLIPS = "c" * 64


class Fake:
    """Measures without a model, counts its calls, and may be told to fail."""

    def __init__(self, fails=None):
        self.names = []
        self.fails = fails or {}

    def __call__(self, trial, _ground, _out):
        self.names.append(trial.name)
        if trial.kind in self.fails:
            raise self.fails[trial.kind]
        return {"model_sha256": "0" * 64, "accuracy": 0.5}


@pytest.fixture
def source(runs):
    return open_runs([runs / "f0"])[0]


@pytest.fixture
def no_artifacts(monkeypatch):
    """Take an artifact for there when its trial says so: fakes write none."""

    class Found:
        class manifest:  # noqa: N801
            model_sha256 = "0" * 64

    monkeypatch.setattr(module, "read_artifact", lambda _: Found)
    monkeypatch.setattr(module, "why_old", lambda *_: None)


def run(trials, out, fake, **more):
    return run_trials(trials, None, out, measure=fake, **more)


@pytest.mark.usefixtures("no_artifacts")
def test_a_search_that_was_killed_goes_on_and_nothing_finished_is_measured_again(source, tmp_path):
    trials = plan([source], ["numpy-fp32", "numpy-int8", "onnx-int8"], LABELS, CLIPS)
    names = [trial.name for trial in trials]
    killed = Fake({"numpy-int8": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        run(trials, tmp_path, killed)
    assert killed.names == names[:3]
    written = sorted(path.name for path in (tmp_path / "trials").iterdir())
    assert written == sorted(f"{name}.json" for name in names[:2])
    before = {path: path.read_bytes() for path in (tmp_path / "trials").iterdir()}
    again = Fake()
    results = run(trials, tmp_path, again)
    assert again.names == names[2:]
    assert [result["name"] for result in results] == names
    assert all(path.read_bytes() == content for path, content in before.items())
    idle = Fake()
    assert run(trials, tmp_path, idle) == results
    assert idle.names == []


@pytest.mark.usefixtures("no_artifacts")
@pytest.mark.parametrize(
    "changes",
    [
        {"digest": "f" * 64},
        {"tempering": Tempering(3.0)},
        {"label_map": {"boredom": "neutral"}},
    ],
)
def test_what_a_trial_depends_on_makes_it_stale(source, tmp_path, changes):
    trials = plan([source], ["numpy-int8"], LABELS, CLIPS)
    run(trials, tmp_path, Fake())
    other = Run(source.folder)
    # As if the folder said so.
    vars(other).update(changes)
    changed = plan([other], ["numpy-int8"], LABELS, CLIPS)
    fake = Fake()
    run(changed, tmp_path, fake)
    assert fake.names == [trial.name for trial in trials]
    fake = Fake()
    run(plan([source], ["numpy-int8"], LABELS, "d" * 64), tmp_path, fake)
    assert len(fake.names) == 2
    other_labels, fake = plan([source], ["numpy-int8"], LABELS[:1], CLIPS), Fake()
    run(other_labels, tmp_path, fake)
    assert len(fake.names) == 2


@pytest.mark.usefixtures("no_artifacts")
def test_other_settings_of_a_kind_make_its_trials_stale(source, tmp_path, monkeypatch):
    trials = plan([source], ["numpy-int8", "onnx-int8"], LABELS, CLIPS)
    run(trials, tmp_path, Fake())
    # Whatever a kind is made of, a kind of other settings is another one.
    monkeypatch.setitem(module.KINDS, "numpy-int8", module.KINDS["numpy-fp32"])
    fake = Fake()
    run(trials, tmp_path, fake)
    assert fake.names == [trials[1].name]


@pytest.mark.usefixtures("no_artifacts")
def test_a_kept_figure_that_was_changed_is_measured_again(source, tmp_path):
    trials = plan([source], ["numpy-int8"], LABELS, CLIPS)
    first = run(trials, tmp_path, Fake())
    path = trials[1].file(tmp_path)
    content = json.loads(path.read_text())
    for key, value in {"accuracy": 0.99, "hidden": "many", "answers": None}.items():
        path.write_text(json.dumps({**content, key: value}))
        fake = Fake()
        (_, again) = run(trials, tmp_path, fake)
        assert fake.names == [trials[1].name]
        assert again["accuracy"] == first[1]["accuracy"]
    assert again["measured_at"].endswith("+00:00")
    assert again["machine"]


def test_other_audio_under_the_same_names_is_other_clips(data, runs, tmp_path):
    fold = open_run(runs / "f0")
    clips = fold.clips([data])
    copies = []
    for clip in clips:
        path = tmp_path / "copy" / clip.path.relative_to(data)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip.path, path)
        copies.append(dataclasses.replace(clip, path=path))
    before = Ground.of(fold, clips, runs / "cache", 1).clips_sha256
    assert Ground.of(fold, copies, tmp_path / "cache", 1).clips_sha256 == before
    (held, *_) = fold.held_out(copies)
    held.path.write_bytes(held.path.read_bytes()[:-2] + b"\x01\x02")
    assert Ground.of(fold, copies, tmp_path / "other", 1).clips_sha256 != before


@pytest.mark.usefixtures("no_artifacts")
@pytest.mark.parametrize("damage", ["", "{", "[]", '{"fingerprint": 1}'])
def test_a_damaged_file_is_a_trial_that_is_not_finished(source, tmp_path, damage):
    trials = plan([source], ["numpy-int8"], LABELS, CLIPS)
    run(trials, tmp_path, Fake())
    trials[1].file(tmp_path).write_text(damage)
    fake = Fake()
    run(trials, tmp_path, fake)
    assert fake.names == [trials[1].name]
    assert json.loads(trials[1].file(tmp_path).read_text())["status"] == "measured"


@pytest.mark.usefixtures("no_artifacts")
def test_a_trial_that_fails_is_recorded_and_tried_again(source, tmp_path, capsys):
    trials = plan([source], ["numpy-int8", "onnx-int8"], LABELS, CLIPS)
    results = run(trials, tmp_path, Fake({"numpy-int8": BackendError("it\ncannot be run")}))
    assert [result["status"] for result in results] == ["measured", "failed", "measured"]
    assert results[1]["error"] == "it cannot be run"
    assert json.loads(trials[1].file(tmp_path).read_text()) == results[1]
    assert "f0 as numpy-int8 failed: it cannot be run" in capsys.readouterr().err
    fake = Fake()
    assert run(trials, tmp_path, fake)[1]["status"] == "measured"
    assert fake.names == [trials[1].name]


def test_the_checkpoint_itself_must_be_measured(source, tmp_path):
    with pytest.raises(BackendError, match="no"):
        run(plan([source], [], LABELS, CLIPS), tmp_path, Fake({TORCH: BackendError("no")}))
    with pytest.raises(OSError, match="disk"):
        run(plan([source], [], LABELS, CLIPS), tmp_path, Fake({TORCH: OSError("disk")}))


@pytest.mark.usefixtures("no_artifacts")
def test_a_kind_without_its_runtime_is_left_out_where_it_was_not_asked_for(runs, tmp_path, capsys):
    shutil.copytree(runs / "f0", tmp_path / "other" / "f0")
    sources = open_runs([runs / "f0", tmp_path / "other" / "f0"])
    trials = plan(sources, ["onnx-int8", "numpy-int8"], LABELS, CLIPS)
    absent = MissingDependencyError("onnxruntime is not installed")
    fake = Fake({"onnx-int8": absent})
    results = run(trials, tmp_path, fake, leave_out_missing=True)
    assert {result["kind"] for result in results} == {TORCH, "numpy-int8"}
    # Once is enough.
    assert sum(name.endswith("onnx-int8") for name in fake.names) == 1
    assert capsys.readouterr().err.count("onnx-int8 is left out: onnxruntime is not") == 1
    results = run(trials, tmp_path, Fake({"onnx-int8": absent}))
    assert [r["status"] for r in results if r["kind"] == "onnx-int8"] == ["failed", "failed"]


def test_a_real_trial_and_an_artifact_that_went_away(data, runs, tmp_path):
    shutil.copytree(runs / "f0", tmp_path / "a" / "run")
    (source,) = open_runs([tmp_path / "a" / "run"])
    clips, _ = load_corpora(data)
    ground = Ground.of(source, clips, runs / "cache", 1)
    trials = plan([source], ["numpy-int8"], ground.labels, CLIPS)
    counted: list[str] = []

    def measure(trial, *more):
        counted.append(trial.kind)
        return measure_trial(trial, *more)

    torch, whole = run_trials(trials, ground, tmp_path / "out", measure=measure)
    figures = json.loads((runs / "f0" / "evaluation-torch-unknown.json").read_text())
    assert torch["accuracy"] == figures["accuracy"]
    assert {c: f["uar"] for c, f in torch["by_corpus"].items()} == {
        c: f["uar"] for c, f in figures["by_corpus"].items()
    }
    n_answers = [len(each["answers"].split()) for each in (torch, whole)]
    assert n_answers == [torch["n"], figures["n"]] == [figures["n"]] * 2
    artifact = trials[1].artifact(tmp_path / "out")
    sizes = {path.name: path.stat().st_size for path in artifact.iterdir()}
    assert whole["model_bytes"] == sizes["model.npz"]
    assert whole["folder_bytes"] == sum(sizes.values())
    run_trials(trials, ground, tmp_path / "out", measure=measure)
    assert counted == [TORCH, "numpy-int8"]
    # The file says that it was measured, but what was measured is not there to be copied.
    shutil.rmtree(artifact)
    run_trials(trials, ground, tmp_path / "out", measure=measure)
    assert counted[2:] == ["numpy-int8"]
    assert (artifact / "model.npz").is_file()
    # Another checkpoint in the same folder is another model.
    path = tmp_path / "a" / "run" / "checkpoint.safetensors"
    saved = load_checkpoint(path)
    saved.model.fc2.bias.data += 0.5
    save_checkpoint(path, saved)
    changed = plan(open_runs([path.parent]), ["numpy-int8"], ground.labels, CLIPS)
    found = run_trials(changed, ground, tmp_path / "out", measure=measure)
    assert counted[3:] == [TORCH, "numpy-int8"]
    assert found[1]["model_sha256"] != whole["model_sha256"]


def test_runs_of_another_split_or_of_one_name_are_refused(runs, tmp_path):
    with pytest.raises(TrainingError, match="cannot be compared, name runs of one split"):
        open_runs([runs / "f0", runs / "f1"])
    for folder in ("a", "b"):
        shutil.copytree(runs / "f0", tmp_path / folder / "recipe" / "f0")
    twins = [tmp_path / folder / "recipe" / "f0" for folder in ("a", "b")]
    with pytest.raises(TrainingError, match="are both called recipe/f0"):
        open_runs(twins)
    # One run named twice is one run.
    assert len(open_runs([twins[0], Path(f"{twins[0].parent}/../recipe/f0")])) == 1
    hold_nothing_out(twins[1])
    with pytest.raises(TrainingError, match="held nothing out"):
        open_runs([twins[1]])


def test_a_choice_on_a_test_side_is_told_and_one_on_a_validation_side_is_not(runs):
    split = read_split(runs / "f0" / "split.json")
    told = chosen_on_test_side(split)
    assert "the test side of speaker-5fold-s0-f0" in told
    assert "train --validation" in told
    part = dataclasses.replace(split, name=f"{split.name}/validation")
    assert chosen_on_test_side(part) is None


def test_models_take_turns_and_only_their_own_work_counts():
    order = []

    def busy(number):
        order.append(("busy", number))
        sum(range(20_000))

    seconds = interleave([busy, lambda number: order.append(("idle", number))], 9)
    assert seconds.shape == (2, 2, 9)
    assert (seconds >= 0).all()
    assert seconds[0, 0].sum() > 5 * seconds[0, 1].sum()
    # After the warm-up every one is called once a round, and who begins changes.
    counted = order[-18:]
    rounds = [counted[i : i + 2] for i in range(0, 18, 2)]
    assert [{number for _, number in each} for each in rounds] == [{i} for i in range(9)]
    assert {each[0][0] for each in rounds} == {"busy", "idle"}
