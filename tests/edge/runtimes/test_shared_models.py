"""A model may be shared, copied and sent away; a session may not: every runtime."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from artifact_fakes import rows
from model_kinds import KINDS, export_kind
from runtime_fakes import REPOSITORY, voice

from edge.artifact import Artifact
from edge.errors import ParameterError
from edge.runtimes.base import Model, Session
from edge.runtimes.open import open_model
from edge.stream.classifier import Classifier

UNKNOWN = 4


@pytest.fixture(scope="module", params=KINDS)
def artifact(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return export_kind(request.param, tmp_path_factory.mktemp("kinds"))


@pytest.fixture(scope="module")
def classifier(artifact: Artifact) -> Classifier:
    return Classifier(artifact, open_model(artifact))


@pytest.fixture(scope="module")
def model(classifier: Classifier) -> Model:
    return classifier.model


def posteriors(classifier: Classifier, seed: int = 0) -> np.ndarray:
    decisions = classifier.classify(voice(48_000, seed=seed), 16_000)
    found = [list(d.posterior.values()) for d in decisions if d.posterior]
    assert len(found) == len(decisions)
    return np.array(found)


def test_eight_threads_with_a_stream_each(classifier: Classifier) -> None:
    wanted = [posteriors(classifier, seed) for seed in range(8)]
    start = threading.Barrier(8)

    def work(seed: int) -> list[np.ndarray]:
        start.wait(10)
        return [posteriors(classifier, seed) for _ in range(4)]

    with ThreadPoolExecutor(8) as pool:
        for seed, found in enumerate(pool.map(work, range(8))):
            assert all(np.array_equal(each, wanted[seed]) for each in found)


def test_streams_side_by_side(classifier: Classifier) -> None:
    clips = [voice(48_000, seed=seed) for seed in range(3)]
    streams = [classifier.stream(smooth=False) for _ in clips]
    found: list[list[list[float]]] = [[] for _ in clips]
    for start in range(0, 48_000, 800):
        for stream, clip, kept in zip(streams, clips, found, strict=True):
            for decision in stream.push(clip[start : start + 800]):
                assert decision.posterior
                kept.append(list(decision.posterior.values()))
    for clip, kept in zip(clips, found, strict=True):
        alone = classifier.stream(smooth=False).push(clip)
        assert kept == [list(d.posterior.values()) for d in alone if d.posterior]


@pytest.mark.parametrize("way", ["deepcopy", "copy", "pickle"])
def test_copies_answer_alike(classifier: Classifier, way: str) -> None:
    wanted = posteriors(classifier)
    if way == "pickle":
        other = pickle.loads(pickle.dumps(classifier))
    else:
        other = getattr(copy, way)(classifier)
    assert other is not classifier
    for _ in range(2):
        assert np.array_equal(posteriors(other), wanted)
        assert np.array_equal(posteriors(classifier), wanted)


def test_pools_answer_alike(artifact: Artifact) -> None:
    """Forked and spawned, sent there and inherited."""
    paths = [str(REPOSITORY), str(REPOSITORY / "tests"), str(REPOSITORY / "tests" / "edge")]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("pool_run.py")), str(artifact.path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_a_session_is_not_copied(model: Model) -> None:
    session = model.session()
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(ParameterError, match="a session is the buffers of one use"):
            attempt(session)


def test_two_threads_in_one_session_are_refused(model: Model) -> None:
    session, features = model.session(), rows(1, 61)
    wanted = session.infer(features, UNKNOWN)
    start = threading.Barrier(4)
    refused = []

    def work(_: int) -> None:
        start.wait(10)
        for _ in range(60):
            try:
                assert np.array_equal(session.infer(features, UNKNOWN), wanted)
            except ParameterError as error:
                refused.append(str(error))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert all("two threads use one session" in sentence for sentence in refused)
    # Nobody inside any more.
    assert np.array_equal(session.infer(features, UNKNOWN), wanted)


def test_a_thread_inside_keeps_others_out(model: Model) -> None:
    session = model.session()
    with session._alone, pytest.raises(ParameterError, match="open one for each thread"):  # type: ignore[attr-defined]
        session.infer(rows(1, 5), UNKNOWN)


def test_weights_cannot_be_written_to(model: Model) -> None:
    network = getattr(model, "_network", None)
    if network is None:
        pytest.skip("the runtime holds them itself")
    for copied in (network, pickle.loads(pickle.dumps(network)), copy.deepcopy(network)):
        for name in network.__slots__[1:]:
            weights = getattr(copied, name)
            assert np.array_equal(weights, getattr(network, name))
            assert not weights.flags.writeable
            assert weights.ctypes.data % 64 == 0 or not weights.size


def test_sessions_share_nothing(model: Model) -> None:
    sessions: list[Session] = [model.session() for _ in range(3)]
    inputs = [rows(1, 61, seed) for seed in range(3)]
    wanted = [model.session().infer(each, UNKNOWN) for each in inputs]
    kept = [session.infer(each, UNKNOWN) for session, each in zip(sessions, inputs, strict=True)]
    for session in sessions:
        session.infer(rows(2, 30), 0)
    for found, right in zip(kept, wanted, strict=True):
        assert np.array_equal(found, right)
