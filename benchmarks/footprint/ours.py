"""Start, decide once, go on for a while: our package. Run by the environment's own Python."""

from __future__ import annotations

import json
import sys
import time
import wave

import numpy as np

import edge_ser


def main() -> None:
    clip, backend, n_more = sys.argv[1], sys.argv[2], int(sys.argv[3])
    # The model that the package brings: one from elsewhere is tried in a process of its own first.
    classifier = edge_ser.load(backend=backend)
    with wave.open(clip) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / np.float32(32768)
    label = classifier.classify(samples, classifier.spec.sample_rate)[0].label
    at = {"at_s": time.monotonic(), "cpu_s": time.process_time()}
    stream = classifier.stream()
    for _ in range(n_more):
        stream.push(samples)
    print(json.dumps({**at, "label": label, **memory_mb()}))


def memory_mb() -> dict[str, float]:
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        lines = dict(line.split(":", 1) for line in status if ":" in line)
    return {key: int(lines[key].split()[0]) * 1024 / 1e6 for key in ("VmRSS", "VmHWM")}


if __name__ == "__main__":
    main()
