"""Same weights, every backend: largest posterior difference, agreement, latency.

    python benchmarks/backends.py --data CORPORA --run runs/paper-s0 --json FILE

Segments are 2 s windows of held-out clips, spread over the corpora by a seed.  Torch
fp32 is the reference.  All backends run interleaved in one process, one thread each;
latencies are medians of single segments and only their ratios mean anything.
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402
import torch  # noqa: E402

from edge.decision import softmax  # noqa: E402
from edge.errors import EdgeSerError  # noqa: E402
from quantize.cli_export import export_run  # noqa: E402
from quantize.corpora import DOMAINS, Clip, load_corpora  # noqa: E402
from quantize.dataset import FeatureCache  # noqa: E402
from quantize.evaluate import artifact_runner, held_out, torch_runner  # noqa: E402
from quantize.export import KINDS  # noqa: E402
from quantize.files import write_json  # noqa: E402
from quantize.runs import commit  # noqa: E402
from quantize.scoring import WINDOW_FRAMES, WINDOW_HOP, segment_bounds  # noqa: E402


def segments(
    clips: list[Clip], chosen: list[Clip], cache: FeatureCache, n_segments: int, seed: int
) -> tuple[np.ndarray, list[str]]:
    """Whole windows of the chosen clips, not normalised, and their corpora."""
    rows = cache.load(clips, 0)
    rng = np.random.default_rng(seed)
    by_corpus: dict[str, list[np.ndarray]] = {}
    for clip in chosen:
        for first, end in segment_bounds(len(rows[clip.clip_id]), WINDOW_FRAMES, WINDOW_HOP):
            if end - first == WINDOW_FRAMES:
                by_corpus.setdefault(clip.corpus, []).append(rows[clip.clip_id][first:end])
    # In turn, so that a small corpus gives all it has and the others make up for it.
    queues = {c: list(rng.permutation(len(by_corpus[c]))) for c in sorted(by_corpus)}
    windows, names = [], []
    while len(windows) < n_segments and any(queues.values()):
        for corpus, queue in queues.items():
            if queue and len(windows) < n_segments:
                windows.append(by_corpus[corpus][queue.pop()])
                names.append(corpus)
    return np.stack(windows), names


def compare(run: Path, windows: np.ndarray) -> list[dict[str, Any]]:
    """One row a backend, torch fp32 first."""
    torch.set_num_threads(1)
    unknown = len(DOMAINS)
    runners = {"torch fp32": torch_runner(run)}
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for kind in KINDS:
            artifact = export_run(run, kind, Path(scratch) / kind)
            sizes[kind] = artifact.manifest.model_bytes
            runners[kind] = artifact_runner(Path(scratch) / kind)
    logits: dict[str, list[np.ndarray]] = {name: [] for name in runners}
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    for window in windows:
        for name, runner in runners.items():
            rows = ((window - runner.mean) / runner.std).astype(np.float32)[None]
            started_s = time.perf_counter()
            logits[name].append(np.asarray(runner.infer(rows, unknown))[0])
            seconds[name].append(time.perf_counter() - started_s)
    reference = softmax(np.stack(logits["torch fp32"]))
    results = []
    for name in runners:
        posterior = softmax(np.stack(logits[name]))
        same = posterior.argmax(axis=1) == reference.argmax(axis=1)
        results.append(
            {
                "backend": name,
                "model_bytes": sizes.get(name),
                "max_difference": float(np.abs(posterior - reference).max()),
                "agreement": float(same.mean()),
                "median_ms": 1000 * float(np.median(seconds[name])),
            }
        )
    return results


def main() -> int:
    """Print the table; 0 when the bar is met, 1 when it is not, 2 for bad input."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="CORPORA")
    parser.add_argument("--run", type=Path, required=True, metavar="RUN")
    parser.add_argument("--cache", type=Path, default=Path("cache"), metavar="DIR")
    parser.add_argument("--segments", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    try:
        clips, _ = load_corpora(arguments.data)
        split, chosen = held_out(arguments.run, clips)
        cache = FeatureCache(arguments.cache)
        windows, names = segments(clips, chosen, cache, arguments.segments, arguments.seed)
        results = compare(arguments.run, windows)
    except EdgeSerError as error:
        print(f"backends.py: error: {error}", file=sys.stderr)
        return 2
    base_ms = results[0]["median_ms"]
    print(f"{len(windows)} segments of {split.id}, {len(set(names))} corpora, one thread")
    print("backend       size kB  max |p - torch|  same label  median ms  of torch's")
    for row in results:
        size = f"{row['model_bytes'] / 1000:.1f}" if row["model_bytes"] else "-"
        print(
            f"{row['backend']:<12}  {size:>7}  {row['max_difference']:>15.1e}  "
            f"{100 * row['agreement']:>8.1f} %  {row['median_ms']:>9.2f}  "
            f"{row['median_ms'] / base_ms:>10.2f}"
        )
    met = all(
        row["max_difference"] <= 1e-4 if "fp32" in row["backend"] else row["agreement"] >= 0.99
        for row in results
    )
    print(f"bar (fp32 within 1e-4, int8 same label on 99 %): {'met' if met else 'NOT met'}")
    if arguments.json:
        about = {
            "split": split.id,
            "n_segments": len(windows),
            "seed": arguments.seed,
            "commit": commit(),
            "met": met,
            "backends": results,
        }
        write_json(arguments.json, about)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
