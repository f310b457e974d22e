"""Parity of artifacts: what is compared, what is beyond tolerance, and the command."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from edge.features.spec import FeatureSpec
from quantize.commands.main import main
from quantize.data.corpora import DOMAINS, LABELS
from quantize.data.features.segments import SegmentSet, generated_segments
from quantize.measure.evaluate import Runner, torch_runner
from quantize.measure.verify import Candidate, compare_artifacts, read_candidate
from quantize.runs.artifacts import export_run
from quantize.runs.checkpoint import load_checkpoint, save_checkpoint
from quantize.runs.run import open_run

KINDS = ("numpy-fp32", "numpy-int8", "onnx-int8")


def runner(infer, temperature: float = 1.0) -> Runner:
    ones = np.ones(34, dtype=np.float32)
    of = (0 * ones, ones, temperature, 20, 5, None, LABELS, DOMAINS)
    return Runner("fake", infer, FeatureSpec(), *of)


def candidate(infer, **changes) -> Candidate:
    whole = Candidate(Path("fake"), runner(infer), 1234, "fake_wi8", 1e-4, 0.99)
    return dataclasses.replace(whole, **changes)


def exact(rows, language):
    assert language == 4
    return rows[:, :, :8].mean(axis=1)


@pytest.fixture
def segments() -> SegmentSet:
    rows = np.random.default_rng(0).standard_normal((40, 20, 34)).astype(np.float32)
    return SegmentSet(rows, ("c",) * 40, ("c/s",) * 40, ("calm",) * 40)


def test_the_same_model_has_no_difference(segments):
    torch, same = compare_artifacts(runner(exact), [candidate(exact)], segments)
    assert (torch.name, torch.model_bytes, torch.agreement) == ("torch", None, 1.0)
    assert (same.max_difference, same.order_difference, same.agreement) == (0.0, 0.0, 1.0)
    assert same.failures == ()
    assert same.median_ms > 0
    assert same.speedup == pytest.approx(torch.median_ms / same.median_ms)


def test_a_difference_beyond_the_tolerance_fails(segments):
    def off(rows, language):
        return exact(rows, language) + np.eye(8)[2] * 0.01

    _, found = compare_artifacts(runner(exact), [candidate(off)], segments)
    assert 1e-4 < found.max_difference < 0.01
    assert "at most 0.0001 is allowed" in found.failures[0]
    wide = candidate(off, max_difference=0.01, min_agreement=0.9)
    _, allowed = compare_artifacts(runner(exact), [wide], segments)
    assert allowed.failures == ()


def test_other_labels_fail(segments):
    def other(rows, language):
        return exact(rows, language)[:, ::-1]

    wide = candidate(other, max_difference=1.0)
    _, found = compare_artifacts(runner(exact), [wide], segments)
    assert found.agreement < 0.5
    assert [f for f in found.failures if "near ties, together at least 99.0 % are wanted" in f]


def test_a_state_that_leaks_fails(segments):
    state = np.zeros(8)

    def leaky(rows, language):
        state[:] = 0.9 * state + exact(rows, language)[0]
        return exact(rows, language) + 0.01 * state

    wide = candidate(leaky, max_difference=1.0, min_agreement=0.1)
    _, found = compare_artifacts(runner(exact), [wide], segments)
    assert found.order_difference > 1e-4
    assert "carries a state from one to the next" in found.failures[0]


def tied(difference: float):
    """A certain model that holds two labels for as likely as each other in half of the segments."""

    def infer(rows, language):
        logits = 20.0 * exact(rows, language)
        torn = rows.mean(axis=(1, 2)) > 0
        logits[torn, 0] = logits[torn].max(axis=1) + 9.0
        logits[torn, 1] = logits[torn, 0] + difference
        return logits

    return infer


def test_another_label_of_a_near_tie_is_no_failure(segments):
    wide = candidate(tied(-1e-3), max_difference=0.01)
    _, found = compare_artifacts(runner(tied(1e-3)), [wide], segments)
    assert 0.2 < found.agreement < 0.8
    assert found.agreement + found.n_near_ties / len(segments) == 1.0
    assert found.failures == ()
    # What is a near tie for one kind is too far apart for another.
    _, found = compare_artifacts(runner(tied(1e-3)), [candidate(tied(-1e-3))], segments)
    assert found.n_near_ties == 0
    assert len(found.failures) == 2


def test_another_label_that_is_further_off_is_no_near_tie(segments):
    wide = candidate(tied(-0.9), max_difference=1.0)
    _, found = compare_artifacts(runner(tied(0.9)), [wide], segments)
    assert found.n_near_ties == 0
    assert "of the labels are torch's and 0.0 % near ties" in found.failures[0]


def test_a_recipes_tolerance_is_less_where_torchs_posteriors_move_less(segments):
    def certain(rows, language):
        return 60.0 * exact(rows, language)

    given, scaled = (candidate(exact, scales=scales) for scales in (False, True))
    _, one, other = compare_artifacts(runner(exact), [given, scaled], segments)
    assert one.allowed_difference == 1e-4
    assert 0.0 < other.allowed_difference < 2e-5
    _, found = compare_artifacts(runner(certain), [candidate(certain, scales=True)], segments)
    assert 7e-5 < found.allowed_difference < 1e-4


def test_no_number_fails(segments):
    def broken(rows, language):
        return np.full((len(rows), 8), np.nan)

    _, found = compare_artifacts(runner(exact), [candidate(broken)], segments)
    assert found.max_difference == 1.0
    assert len(found.failures) >= 2


@pytest.fixture(scope="module")
def spoken() -> SegmentSet:
    return generated_segments(24)


def louder(weights: dict[str, torch.Tensor]) -> None:
    weights["fc2.weight"] *= 1.3


def softer(weights: dict[str, torch.Tensor]) -> None:
    weights["lstm.weight_ih_l0"] *= 0.25


def labels_swapped(weights: dict[str, torch.Tensor]) -> None:
    for name in ("fc2.weight", "fc2.bias"):
        weights[name] = weights[name][[1, 0, 3, 2, 5, 4, 7, 6]]


def channels_shifted(weights: dict[str, torch.Tensor]) -> None:
    weights["lstm.weight_ih_l0"] = weights["lstm.weight_ih_l0"].roll(1, dims=0)


def features_shifted(weights: dict[str, torch.Tensor]) -> None:
    weights["lstm.weight_ih_l0"] = weights["lstm.weight_ih_l0"].roll(1, dims=1)


@pytest.mark.parametrize("kind", ["numpy-int8", "numpy-int4"])
@pytest.mark.parametrize(
    "broken", [louder, softer, labels_swapped, channels_shifted, features_shifted]
)
def test_a_broken_artifact_of_a_hardly_trained_model_fails(runs, tmp_path, kind, broken, spoken):
    """Two epochs leave posteriors so alike that the bare figure would allow nearly anything."""
    saved = load_checkpoint(runs / "f0" / "checkpoint.safetensors")
    weights = {name: tensor.clone() for name, tensor in saved.model.state_dict().items()}
    broken(weights)
    saved.model.load_state_dict(weights)
    run = tmp_path / "broken"
    shutil.copytree(runs / "f0", run)
    save_checkpoint(run / "checkpoint.safetensors", saved)
    reference = torch_runner(open_run(runs / "f0"))
    export_run(open_run(run), kind, tmp_path / kind)
    _, found = compare_artifacts(reference, [read_candidate(tmp_path / kind, reference)], spoken)
    assert found.failures, found


def test_a_whole_artifact_of_a_hardly_trained_model_passes(exported, spoken):
    reference = torch_runner(open_run(exported))
    export_run(open_run(exported), "numpy-int4", exported / "int4")
    kinds = [exported / "int4", *(exported / "artifacts" / kind for kind in KINDS)]
    found = compare_artifacts(reference, [read_candidate(k, reference) for k in kinds], spoken)
    assert [parity.failures for parity in found] == [()] * (1 + len(kinds))


def test_posteriors_are_compared_at_the_artifacts_temperature(segments):
    def off(rows, language):
        return exact(rows, language) + np.eye(8)[2]

    sharp, flat = (
        dataclasses.replace(candidate(off), runner=runner(off, temperature=t)) for t in (1.0, 4.0)
    )
    _, one, other = compare_artifacts(runner(exact), [sharp, flat], segments)
    assert other.max_difference < 0.5 * one.max_difference


@pytest.fixture(scope="module")
def exported(runs, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("verified") / "f0"
    shutil.copytree(runs / "f0", run)
    for kind in KINDS:
        export_run(open_run(run), kind, run / "artifacts" / kind)
    return run


def verify(run: Path, *more: str, kinds=KINDS) -> list[str]:
    artifacts = [str(run / "artifacts" / kind) for kind in kinds]
    return ["verify", *artifacts, "--segments", "24", *more]


def test_the_command_compares_what_lies_in_a_run(exported, capsys):
    assert main(verify(exported)) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split()[0] for line in lines] == ["artifact", "torch", *KINDS]
    assert all(line.endswith("ok") for line in lines[1:])
    assert "24 segments of synthetic" in err


def test_json_has_an_object_a_line(exported, capsys):
    assert main(verify(exported, "--json")) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in rows] == ["torch", *KINDS]
    assert set(rows[0]) == {
        "name",
        "recipe",
        "model_bytes",
        "max_difference",
        "mean_difference",
        "allowed_difference",
        "agreement",
        "n_near_ties",
        "order_difference",
        "median_ms",
        "p90_ms",
        "speedup",
        "failures",
    }


def test_segments_of_the_corpora_are_the_held_out_ones(data, runs, exported, capsys):
    more = ["--data", str(data), "--cache", str(runs / "cache")]
    # Of two corpora alone the split's test side is not complete.
    assert main(verify(exported, *more, "--corpora", "ravdess", "savee")) == 2
    assert "names clips that are not here" in capsys.readouterr().err
    # Synthetic clips are shorter than the window of 2 s: short utterances, as a device hears them.
    assert main(verify(exported, *more)) == 0
    said = capsys.readouterr().err
    assert "no clip has the 61 frames of a window" in said
    assert "segments of ravdess, savee" in said


def test_beyond_the_tolerance_the_status_is_1(exported, capsys):
    code = main(verify(exported, "--max-difference", "1e-9", kinds=("numpy-int8",)))
    assert code == 1
    out, err = capsys.readouterr()
    assert "FAILS" in out
    assert "numpy-int8: a posterior is" in err


def test_artifacts_of_another_run_are_refused(runs, exported, capsys):
    assert main(verify(exported, "--run", str(runs / "f1"))) == 2
    assert "was not exported from this run" in capsys.readouterr().err


def test_a_run_must_be_found(exported, tmp_path, capsys):
    shutil.copytree(exported / "artifacts" / "numpy-int8", tmp_path / "lost")
    assert main(["verify", str(tmp_path / "lost")]) == 2
    assert "name that one with --run" in capsys.readouterr().err
    assert main(["verify", str(tmp_path / "lost"), "--run", str(exported), "--segments", "5"]) == 0
