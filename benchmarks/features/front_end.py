"""What the front end does to the labels of a model that was trained without.

    python -m benchmarks.features.front_end --data CORPORA [--clips 40]
        [--artifact claf-ser] [--seed 7]

Clips of every corpus are judged as they are, through the DC blocker, through high-passes, and with
an offset with and without the blocker.  A label is that of the mean posterior of a clip's segments;
clips that have an offset of their own are counted apart, because there a change is what is wanted.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import numpy as np

from edge import Classifier, EdgeSerError, ParameterError, load
from edge.audio.file import read_audio
from edge.audio.find import find_audio_files
from edge.features.front_end import DcBlocker, FrontEnd

#: A mean beyond this, -60 dB, is an offset.
OWN_OFFSET = 1e-3

Change = Callable[[np.ndarray, int], np.ndarray]


def moved(by: float) -> Change:
    """Add an offset."""
    return lambda samples, rate: samples + np.float32(by)


def high_passed(cutoff_hz: float, order: int) -> Change:
    """Filter as the front end of a model to come does."""
    return lambda samples, rate: FrontEnd(cutoff_hz, order).filter(rate).process(samples)


#: Title, whether the stream's blocker is there, and what is done to the clip.
WAYS: dict[str, tuple[bool, Change]] = {
    "blocker": (True, moved(0.0)),
    "offset 0.005": (False, moved(0.005)),
    "offset 0.005, blocker": (True, moved(0.005)),
    "offset 0.02": (False, moved(0.02)),
    "offset 0.02, blocker": (True, moved(0.02)),
    "half a step of 16 bits": (False, moved(0.5 / 32768)),
    "high-pass, 20 Hz, order 1": (False, high_passed(20, 1)),
    "high-pass, 60 Hz, order 1": (False, high_passed(60, 1)),
    "high-pass, 60 Hz, order 2": (False, high_passed(60, 2)),
}


def posterior(
    classifier: Classifier, samples: np.ndarray, rate: int, blocked: bool
) -> np.ndarray | None:
    """Mean over the segments with speech; None where there is none."""
    away = mock.patch.object(DcBlocker, "process_checked", lambda _, samples: samples)
    with nullcontext() if blocked else away:
        decisions = classifier.classify(samples, rate)
    said = [list(each.posterior.values()) for each in decisions if each.posterior]
    return np.mean(said, axis=0) if said else None


def measure(classifier: Classifier, paths: list[Path]) -> dict[str, dict[str, float]]:
    """How many labels every way changes, and by how much the posteriors move."""
    found: dict[str, dict[str, float]] = {}
    for path in paths:
        samples, rate = read_audio(path)
        before = posterior(classifier, samples, rate, blocked=False)
        own = bool(abs(float(samples.mean(dtype=np.float64))) > OWN_OFFSET)
        for title, (blocked, change) in WAYS.items():
            after = posterior(classifier, change(samples, rate), rate, blocked)
            if before is None or after is None:
                continue
            counts = found.setdefault(
                title, {"clips": 0, "changed": 0, "with_own_offset": 0, "of_these_changed": 0}
            )
            changed = int(before.argmax() != after.argmax())
            counts["clips"] += 1
            counts["changed"] += changed
            counts["with_own_offset"] += own
            counts["of_these_changed"] += own and changed
    return found


def main() -> int:
    """Print the counts, one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--data", type=Path, required=True, help="folder of corpora")
    parser.add_argument("--clips", type=int, default=40, help="clips of every corpus (40)")
    parser.add_argument("--artifact", default="claf-ser", help="artifact (claf-ser)")
    parser.add_argument("--seed", type=int, default=7, help="seed of the choice of clips (7)")
    args = parser.parse_args()
    try:
        chosen: list[Path] = []
        for corpus in sorted(entry for entry in args.data.iterdir() if entry.is_dir()):
            files = find_audio_files([corpus])
            chosen += random.Random(args.seed).sample(files, min(args.clips, len(files)))
        if not chosen:
            raise ParameterError(f"{args.data} holds no audio, a folder of corpora is wanted")
        for title, counts in measure(load(args.artifact, backend="numpy"), chosen).items():
            print(json.dumps({"way": title, **counts}))
    except (EdgeSerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
