"""Segments that are scored by other processes, or on a cluster: the same bytes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from local_cluster import local_cluster

from edge.errors import ArtifactError
from quantize.measure import scoring
from quantize.measure.evaluate import artifact_runner, torch_runner
from quantize.measure.scoring import score_utterances
from quantize.runs.run import open_run


@pytest.fixture
def rows(monkeypatch):
    """Utterances of many lengths, and no batch too few to share."""
    monkeypatch.setattr(scoring, "_MANY", 1)
    monkeypatch.setattr(scoring, "_BATCH", 4)
    rng = np.random.default_rng(0)
    return [rng.normal(size=(int(n), 34)).astype("f4") for n in rng.integers(20, 90, 24)]


def posteriors(runner, rows, **more):
    runner = dataclasses.replace(runner, **more)
    languages = [i % 2 for i in range(len(rows))]
    return score_utterances(
        runner.infer, rows, languages, window_frames=runner.window_frames, **runner.scoring()
    )


def runner_of(runs, kind):
    run = open_run(runs / "f0")
    return torch_runner(run) if kind == "torch" else artifact_runner(run.artifact(kind))


@pytest.mark.parametrize("kind", ["torch", "numpy-int8"])
def test_processes_score_the_same(runs, rows, kind):
    runner = runner_of(runs, kind)
    assert np.array_equal(posteriors(runner, rows), posteriors(runner, rows, n_jobs=2))


def test_a_cluster_scores_the_same_with_a_worker_killed_half_way(runs, rows, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    runner = runner_of(runs, "onnx-fp32")
    wanted = posteriors(runner, rows)
    with local_cluster(tmp_path) as running:
        score, seen = scoring._posteriors, []

        def killing(*arguments):
            seen.append(1)
            if len(seen) == 3:
                running.workers[0].kill()
            return score(*arguments)

        monkeypatch.setattr(scoring, "_posteriors", killing)
        assert np.array_equal(wanted, posteriors(runner, rows, cluster=running.address))
        assert len(seen) > 6


def test_another_artifact_in_the_folder_is_refused(runs):
    import pickle

    runner = runner_of(runs, "numpy-int8")
    sent = pickle.loads(pickle.dumps(runner.infer))
    sent._sha256 = "0" * 64
    with pytest.raises(ArtifactError, match="was changed while it was measured"):
        sent(np.zeros((1, 61, 34), "f4"), 0)
