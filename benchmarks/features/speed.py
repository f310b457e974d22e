"""What the features cost beside librosa's and others', and how close they are.

    python -m benchmarks.features [--data CORPORA] [--segments 200] [--output FILE]

Segments are 2 s from the middle of clips drawn with a seed; without --data, speech-like signals
of our own. All methods run on every segment in one process on one thread, in an order drawn
anew for each; each call but the slowest follows an untimed one of the same method (the median
of those is in the JSON, too: `cold`). Only ratios of one run mean anything. Needs
``pip install "librosa==0.11.*"``; python_speech_features and opensmile where installed.
Exit code 0: all bars are met, 1: one is not, 2: it could not be measured.
"""

from __future__ import annotations

import os

# Before NumPy loads its BLAS.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
for _name in THREADS:
    os.environ[_name] = "1"

import argparse  # noqa: E402
import gc  # noqa: E402
import random  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Sequence  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

from benchmarks.features import memory, parity, report  # noqa: E402
from benchmarks.features import methods as timed  # noqa: E402
from benchmarks.features.parity_signals import contour, shape, shaped_noise, voice  # noqa: E402
from benchmarks.shared.command import at_least_one, tell  # noqa: E402
from benchmarks.shared.git_state import git_state  # noqa: E402
from benchmarks.shared.librosa_reference import reference, require_librosa  # noqa: E402
from edge import FeatureExtractor, FeatureSpec, ParameterError  # noqa: E402
from edge.benchmark.machine import describe_machine  # noqa: E402
from quantize.data.corpora import DOMAINS, load_corpora  # noqa: E402

SEGMENT_S = 2.0
MEASURED_FILES = (
    *parity.MEASURED_FILES,
    *(f"benchmarks/features/{part}.py" for part in ("speed", "memory", "methods", "report")),
)


def synthetic_segments(n_segments: int, n_samples: int, seed: int) -> list[np.ndarray]:
    """Draw speech-like signals: a voice over gliding vowels, fricatives, the hiss of a pause."""
    rng = np.random.default_rng(seed)
    segments = []
    for _ in range(n_segments):
        wave = 0.0008 * rng.standard_normal(n_samples)
        start = int(rng.integers(0, n_samples // 8))
        while n_samples - start > n_samples // 8:
            n = min(int(rng.integers(n_samples // 8, n_samples // 3)), n_samples - start)
            points = rng.uniform(85, 350) * rng.uniform(0.85, 1.15, 3)
            vowels = "".join(rng.choice(list("ieaou"), 2))
            spoken = voice(contour(points.tolist(), n), vowels, rng)
            if rng.random() < 0.25:
                spoken = 0.2 * shaped_noise(n, rng.uniform(2000, 5500), 1000, rng)
            wave[start : start + n] += rng.uniform(0.05, 0.6) * shape(spoken)
            start += n + int(rng.integers(0, n_samples // 16))
        segments.append(np.clip(wave, -1, 1).astype(np.float32))
    return segments


def corpus_segments(
    root: str, n_segments: int, n_samples: int, seed: int
) -> tuple[list[np.ndarray], dict[str, int]]:
    """The middle of clips that are long enough, in turn from every corpus."""
    clips, _ = load_corpora(root, DOMAINS)
    rng = random.Random(seed)
    pools = {
        corpus: rng.sample(pool, len(pool))
        for corpus in sorted({clip.corpus for clip in clips})
        for pool in [[clip for clip in clips if clip.corpus == corpus]]
    }
    spec, segments = FeatureSpec(), []
    counts = dict.fromkeys(pools, 0)
    while len(segments) < n_segments and any(pools.values()):
        for corpus, pool in pools.items():
            while pool and len(segments) < n_segments:
                samples = parity.samples_of(pool.pop(), spec)
                if samples.size >= n_samples:
                    start = (samples.size - n_samples) // 2
                    segments.append(samples[start : start + n_samples].copy())
                    counts[corpus] += 1
                    break
    return segments, counts


def time_all(
    segments: Sequence[np.ndarray], methods: Sequence[timed.Method], seed: int
) -> dict[str, dict[str, Any]]:
    """Interleave all methods over all segments; milliseconds."""
    rng = np.random.default_rng(seed)
    warm: dict[str, list[float]] = {method.name: [] for method in methods}
    cold: dict[str, list[float]] = {method.name: [] for method in methods}
    for method in methods:
        for segment in segments[:5]:
            method.call(segment)
    gc.collect()
    gc.disable()
    for i, segment in enumerate(segments):
        for at in rng.permutation(len(methods)):
            method = methods[at]
            for seconds in (cold, warm) if method.twice else (warm,):
                started_s = time.perf_counter()
                method.call(segment)
                seconds[method.name].append(time.perf_counter() - started_s)
        gc.collect()
        if sys.stderr.isatty():
            print(f"\r{i + 1}/{len(segments)} segments", end="", file=sys.stderr, flush=True)
    gc.enable()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    result = {}
    for method in methods:
        ms = 1000 * np.array(warm[method.name])
        names = ("p10", "p25", "p50", "p75", "p90")
        values = np.percentile(ms, (10, 25, 50, 75, 90)).round(4).tolist()
        result[method.name] = {
            "title": method.title,
            "n": ms.size,
            **dict(zip(names, values, strict=True)),
        }
        if cold[method.name]:
            result[method.name]["cold"] = round(1000 * float(np.median(cold[method.name])), 4)
    return result


def compare_rows(segments: Sequence[np.ndarray], spec: FeatureSpec) -> dict[str, Any]:
    """Errors against librosa with the comparison of benchmarks/features/parity.py."""
    extractor = FeatureExtractor(spec)
    ours = np.concatenate([extractor.extract(segment) for segment in segments])
    found = [reference(segment, spec) for segment in segments]
    theirs = np.concatenate([rows for rows, _ in found])
    voiced = np.concatenate([voiced for _, voiced in found])
    return {
        "n_frames": len(ours),
        "features": {
            name: {
                "unit": unit,
                **parity.distribution(ours[:, columns] - theirs[:, columns], bar),
            }
            for name, (columns, unit, bar) in parity.GROUPS.items()
        },
        "pitch": parity.compare_pitch(ours[:, parity.PITCH], theirs[:, parity.PITCH], voiced),
    }


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Everything that the result holds."""
    spec = FeatureSpec()
    n_samples = int(SEGMENT_S * spec.sample_rate)
    # git answers before anything is written.
    state = git_state(*MEASURED_FILES)
    if args.data is None:
        segments, signals = synthetic_segments(args.segments, n_samples, args.seed), "synthetic"
    else:
        segments, counts = corpus_segments(args.data, args.segments, n_samples, args.seed)
        signals = ", ".join(f"{corpus} {n}" for corpus, n in counts.items())
    if not segments:
        raise ParameterError(f"no clip lasts {SEGMENT_S:g} s, longer ones are wanted")
    times = time_all(segments, timed.methods(spec), args.seed)
    packages = ("librosa", "scipy", "numba", "python_speech_features", "opensmile")
    versions = {name: timed.installed(name) for name in packages}
    where = "" if args.data is None else " --data CORPORA"
    return {
        "benchmark": "speed and parity of the features",
        "command": f"python -m benchmarks.features{where} --segments {args.segments} "
        f"--seed {args.seed}",
        **state,
        "seed": args.seed,
        "n_segments": len(segments),
        "segment_s": SEGMENT_S,
        "signals": signals,
        "machine": describe_machine(),
        "versions": {name: found for name, found in versions.items() if found},
        "not_installed": [name for name, found in versions.items() if not found],
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "fingerprint": spec.fingerprint,
        "times_ms": times,
        "ratios": report.ratios(times),
        "parity": compare_rows(segments, spec),
        "memory": memory.trace_in_new_process(),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", metavar="CORPORA", help="folder of the corpora")
    parser.add_argument("--segments", type=int, default=200, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (%(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the result here")
    args = parser.parse_args(argv)
    # librosa pads a segment for its larger frames and says so; python_speech_features warns of
    # its own regular expressions.
    warnings.simplefilter("ignore")

    def measured() -> dict[str, Any]:
        at_least_one("--segments", args.segments)
        require_librosa()
        result = measure(args)
        parity = result["parity"]
        met = all(
            part["met"]
            for part in (*result["ratios"], *parity["features"].values(), parity["pitch"])
        )
        return {**result, "met": met and bool(result["memory"]["constant"])}

    return tell(measured, report.table, args.output)


if __name__ == "__main__":
    sys.exit(main())
