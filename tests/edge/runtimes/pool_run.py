"""A program that classifies in pools, forked and spawned; its argument: an artifact."""

from __future__ import annotations

import hashlib
import multiprocessing
import sys
import threading

import numpy as np

from edge.artifact import read_artifact
from edge.runtimes.base import Session
from edge.runtimes.open import open_model
from edge.stream.classifier import Classifier


def answer(classifier: Classifier, seed: int = 0) -> str:
    """Digest of every posterior of a clip."""
    from runtime_fakes import voice

    decisions = classifier.classify(voice(48_000, seed=seed), 16_000)
    text = repr([(d.label, list((d.posterior or {}).values())) for d in decisions])
    return hashlib.sha256(text.encode()).hexdigest()


inherited: Classifier
inherited_session: Session


def answer_inherited(seed: int) -> str:
    """Use the classifier that lay in memory as the process was forked."""
    return answer(inherited, seed)


def infer_inherited(seed: int) -> list[float]:
    """Use the session that had answered before the process was forked, twice."""
    width = inherited.artifact.manifest.architecture.n_features
    features = np.random.default_rng(seed).normal(size=(1, 61, width)).astype(np.float32)
    first, again = (inherited_session.infer(features, 0)[0].tolist() for _ in range(2))
    assert first == again
    return first


def main(path: str) -> None:
    """Compare the answers of pools, beside a thread that is busy, with this thread's."""
    global inherited, inherited_session  # noqa: PLW0603 - what a forked process finds
    artifact = read_artifact(path)
    classifier = inherited = Classifier(artifact, open_model(artifact))
    wanted = [answer(classifier, seed) for seed in range(3)]
    inherited_session = classifier.model.session()
    logits = [infer_inherited(seed) for seed in range(3)]
    stop = threading.Event()

    def keep_busy() -> None:
        while not stop.is_set():
            answer(classifier)

    # A model that is in use as the process is forked must not leave a lock behind.
    busy = threading.Thread(target=keep_busy)
    busy.start()
    work = [(classifier, seed) for seed in range(3)]
    with multiprocessing.get_context("spawn").Pool(1) as spawned:
        try:
            # Sent while it is in use; that one still imports what the others are done with.
            answers = spawned.starmap_async(answer, work)
            with multiprocessing.get_context("fork").Pool(1) as forked:
                assert forked.starmap_async(answer, work).get(90) == wanted, "fork"
                found = forked.map_async(answer_inherited, range(3)).get(90)
                assert found == wanted, "inherited"
                found = forked.map_async(infer_inherited, range(3)).get(90)
                assert found == logits, "inherited session"
        finally:
            stop.set()
            busy.join()
        assert answers.get(90) == wanted, "spawn"


if __name__ == "__main__":
    main(sys.argv[1])
