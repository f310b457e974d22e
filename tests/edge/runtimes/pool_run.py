"""A program that classifies in a pool; its arguments: an artifact and how to start processes."""

from __future__ import annotations

import hashlib
import multiprocessing
import sys
import threading

import edge
from edge.stream.classifier import Classifier


def answer(classifier: Classifier, seed: int = 0) -> str:
    """Digest of every posterior of a clip."""
    from runtime_fakes import voice

    decisions = classifier.classify(voice(48_000, seed=seed), 16_000)
    text = repr([(d.label, list((d.posterior or {}).values())) for d in decisions])
    return hashlib.sha256(text.encode()).hexdigest()


inherited: Classifier


def answer_inherited(seed: int) -> str:
    """Use the classifier that lay in memory as the process was forked."""
    return answer(inherited, seed)


def main(artifact: str, backend: str, method: str) -> None:
    """Compare a pool's answers, and those of threads beside a pool, with this thread's."""
    global inherited  # noqa: PLW0603 - what a forked process finds
    classifier = inherited = edge.load(artifact, backend)
    wanted = [answer(classifier, seed) for seed in range(4)]
    stop = threading.Event()

    def keep_busy() -> None:
        while not stop.is_set():
            answer(classifier)

    # A model that is in use as the process is forked must not leave a lock behind.
    busy = threading.Thread(target=keep_busy)
    busy.start()
    try:
        with multiprocessing.get_context(method).Pool(2 if backend == "numpy" else 1) as pool:
            found = pool.starmap_async(answer, [(classifier, seed) for seed in range(4)]).get(60)
            if method == "fork":
                found += pool.map_async(answer_inherited, range(4)).get(60)
    finally:
        stop.set()
        busy.join()
    assert found in (wanted, wanted + wanted), (found, wanted)


if __name__ == "__main__":
    main(*sys.argv[1:])
