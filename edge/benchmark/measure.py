"""How fast a model is on this device, and how much memory it takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import edge
from edge.benchmark.machine import describe_machine
from edge.benchmark.peak_memory import peak_rss_mb
from edge.bundled import DEMO_CLIP
from edge.errors import EdgeSerError, ParameterError
from edge.files import atomic_path
from edge.runtimes.probe import can_try
from edge.stream.classifier import Classifier
from edge.stream.decision import Decision
from edge.stream.stream import Stream

__all__ = ["format_report", "measure", "write_report"]

#: What an audio callback hands over; a hop is pushed in pieces of it, as when listening.
_BLOCK_SAMPLES = 512

#: Decisions of each kind before the clock counts: caches, buffers, clock speed.
_N_WARM_UP = 5

#: A p95 needs this many runs to mean anything, however short the duration.
_N_LEAST = 20

_N_COLD_STARTS = 5

_COLD_START = """
import json, sys, time
times = [time.perf_counter()]
import numpy, edge.stream.loading, edge.artifact, edge.runtimes.open
times.append(time.perf_counter())
artifact = edge.artifact.read_artifact(sys.argv[1])
model = edge.runtimes.open.open_model(artifact)
classifier = edge.stream.classifier.Classifier(artifact, model)
times.append(time.perf_counter())
samples = numpy.sin(numpy.arange(classifier.spec.n_samples(classifier.window_frames)) * 0.05)
classifier.classify(0.1 * samples, classifier.spec.sample_rate)
times.append(time.perf_counter())
from edge.benchmark.peak_memory import peak_rss_mb
parts = [1000 * (b - a) for a, b in zip(times, times[1:])]
print(json.dumps([*parts, peak_rss_mb()]))
"""


def measure(classifier: Classifier, duration_s: float = 10.0) -> dict[str, Any]:
    """Measure a model on this device.

    Parameters
    ----------
    classifier : Classifier
    duration_s : float
        Seconds of measuring, shared by segments and hops; at least 20 runs of each
        are made however short it is.  Cold starts come on top.

    Returns
    -------
    dict
        Plain JSON types.  ``segment``: a whole feature window from nothing, as for a
        first decision.  ``hop``: the work from one decision to the next in blocks of
        512 samples, as when listening; ``latency_ms`` is the part of it after the
        last block.  Times are wall time on an idle or busy machine alike:
        ``machine.load_average`` tells which it was.

    Raises
    ------
    ParameterError
        If the duration is not above 0.
    EdgeSerError
        If a cold start fails.
    """
    if not duration_s > 0:
        raise ParameterError(f"duration_s is {duration_s}, above 0 s is wanted")
    load_average = [round(load, 2) for load in os.getloadavg()]
    spec, manifest = classifier.spec, classifier.artifact.manifest
    samples, clip = _clip(classifier)
    segment, hop = classifier.stream(), classifier.stream()
    n_segment = spec.n_samples(segment.window_frames)
    n_hop = hop.window_hop * spec.hop_length
    # Both walk through the clip: silence and speech do not cost the same.
    places = range(0, samples.size - n_segment + 1, n_hop)
    for block in _blocks(samples[:n_segment]):
        hop.push(block)
    segments: list[tuple[float, Decision]] = []
    hops: list[tuple[float, Decision]] = []
    n_runs = 0
    started_s = time.perf_counter()
    while n_runs < _N_WARM_UP + _N_LEAST or time.perf_counter() - started_s < duration_s:
        if n_runs == _N_WARM_UP:
            segments.clear()
            hops.clear()
            started_s = time.perf_counter()
        place = places[n_runs % len(places)]
        segment.reset()
        segments.append(_timed(segment, [samples[place : place + n_segment]]))
        next_place = (place + n_segment) % (samples.size - n_hop)
        hops.append(_timed(hop, _blocks(samples[next_place : next_place + n_hop])))
        n_runs += 1
    hop_s = n_hop / spec.sample_rate
    latency_ms = _percentiles([decision.timing.latency_ms for _, decision in hops])
    hop_times = {**_stages(hops), "latency_ms": latency_ms}
    return {
        "type": "benchmark",
        "edge_ser": edge.__version__,
        "artifact": {
            "name": manifest.name,
            "backend": classifier.model.name,
            "recipe": manifest.quantization.recipe,
            "model_bytes": manifest.model_bytes,
            "model_sha256": manifest.model_sha256,
        },
        "segment": {
            "audio_s": n_segment / spec.sample_rate,
            "frames": segment.window_frames,
            **_stages(segments),
        },
        "hop": {"audio_s": hop_s, "frames": hop.window_hop, **hop_times},
        "real_time_factor": float(np.mean([whole_ms for whole_ms, _ in hops])) / 1000 / hop_s,
        "peak_rss_mb": round(peak_rss_mb(), 1),
        "cold_start": _cold_start(classifier),
        "method": {
            "runs": len(hops),
            "warm_up": _N_WARM_UP,
            "duration_s": duration_s,
            "block_samples": _BLOCK_SAMPLES,
            "clip": clip,
        },
        "machine": {**describe_machine(), "load_average": load_average},
    }


def _timed(stream: Stream, blocks: Sequence[NDArray[np.float32]]) -> tuple[float, Decision]:
    """Milliseconds for blocks that complete one window, and its decision."""
    started_s = time.perf_counter()
    decisions: list[Decision] = []
    for block in blocks:
        decisions += stream.push(block)
    elapsed_ms = 1000 * (time.perf_counter() - started_s)
    (decision,) = decisions
    return elapsed_ms, decision


def _stages(runs: Sequence[tuple[float, Decision]]) -> dict[str, Any]:
    return {
        "features_ms": _percentiles([decision.timing.features_ms for _, decision in runs]),
        "model_ms": _percentiles([decision.timing.model_ms for _, decision in runs]),
        "whole_ms": _percentiles([whole_ms for whole_ms, _ in runs]),
    }


def _percentiles(times_ms: Sequence[float]) -> dict[str, float]:
    p50, p95, p99 = np.percentile(times_ms, (50, 95, 99))
    values = {"min": min(times_ms), "mean": np.mean(times_ms), "p50": p50, "p95": p95, "p99": p99}
    return {name: round(float(value), 4) for name, value in values.items()}


def _blocks(samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    return [samples[i : i + _BLOCK_SAMPLES] for i in range(0, samples.size, _BLOCK_SAMPLES)]


def _clip(classifier: Classifier) -> tuple[NDArray[np.float32], str]:
    """Something like speech, at least two segments long, and what it is."""
    from edge.audio.file import read_audio

    spec = classifier.spec
    n_least = 2 * spec.n_samples(classifier.window_frames)
    if DEMO_CLIP.is_file():
        samples, sample_rate = read_audio(DEMO_CLIP)
        if sample_rate == spec.sample_rate and samples.size >= n_least:
            return samples, "bundled dialogue"
    t_s = np.arange(max(n_least, 10 * spec.sample_rate)) / spec.sample_rate
    phase = 2 * np.pi * 140 * (t_s + 0.05 * np.sin(2 * np.pi * 0.7 * t_s))
    voice = np.sum([np.sin(k * phase) / k for k in range(1, 13)], axis=0)
    noise = np.random.default_rng(0).normal(0, 0.01, t_s.size)
    syllables = np.clip(np.sin(2 * np.pi * 2.1 * t_s) + 0.4, 0, 1)
    return (0.15 * voice * syllables + noise).astype(np.float32), "harmonic complex"


def _cold_start(classifier: Classifier) -> dict[str, Any] | None:
    """From a new process to its first decision; the files are in the system's cache.

    None in a frozen application, whose executable is no Python: it would start itself.
    """
    if not can_try():
        return None
    command = [
        sys.executable, "-c", _COLD_START, str(classifier.artifact.path.resolve()),
    ]  # fmt: skip
    paths = [str(Path(edge.__file__).resolve().parent.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    rows = []
    for _ in range(_N_COLD_STARTS):
        started_s = time.perf_counter()
        child = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        total_ms = 1000 * (time.perf_counter() - started_s)
        if child.returncode:
            raise EdgeSerError(
                f"a cold start failed with exit code {child.returncode}: "
                f"{child.stderr.strip().splitlines()[-1:] or 'it said nothing'}"
            )
        rows.append([total_ms, *json.loads(child.stdout)])
    # The run in the middle as a whole, so that its parts add up.
    total_ms, import_ms, load_ms, first_ms, rss_mb = sorted(rows)[len(rows) // 2]
    return {
        "runs": _N_COLD_STARTS,
        "total_ms": round(total_ms, 1),
        "import_ms": round(import_ms, 1),
        "load_ms": round(load_ms, 1),
        "first_decision_ms": round(first_ms, 1),
        "peak_rss_mb": round(rss_mb, 1),
    }


def format_report(report: dict[str, Any]) -> str:
    """Lay a report out as a table for a person."""
    artifact, cold, machine = report["artifact"], report["cold_start"], report["machine"]
    lines = [
        f"{artifact['name']} on {artifact['backend']}, {artifact['recipe']}, "
        f"{artifact['model_bytes'] / 1000:.0f} kB, SHA-256 {artifact['model_sha256'][:12]}",
        f"{machine['board'] or machine['cpu'] or machine['architecture']}, "
        f"{machine['usable_cpus']} CPUs, load {machine['load_average'][0]}, "
        f"Python {machine['python']}, NumPy {machine['numpy']}",
        "",
        f"{'milliseconds':<28} {'p50':>8} {'p95':>8} {'p99':>8}",
    ]
    for name, title in (("segment", "segment"), ("hop", "hop")):
        heading = f"{report[name]['audio_s']:.3f} s {title}"
        for key, stage in report[name].items():
            if isinstance(stage, dict):
                cells = " ".join(f"{stage[p]:8.2f}" for p in ("p50", "p95", "p99"))
                lines.append(f"{heading:<17} {key.removesuffix('_ms'):<10} {cells}")
                heading = ""
    lines += [
        "",
        f"real-time factor  {report['real_time_factor']:.4f} (mean work for a hop)",
        f"peak memory       {report['peak_rss_mb']:.0f} MB here"
        + (f", {cold['peak_rss_mb']:.0f} MB for a first decision alone" if cold else ""),
    ]
    if cold:
        lines.append(
            f"cold start        {cold['total_ms']:.0f} ms: import {cold['import_ms']:.0f}, "
            f"load {cold['load_ms']:.0f}, first decision {cold['first_decision_ms']:.0f}, "
            "the rest is Python"
        )
    lines += [
        f"runs              {report['method']['runs']} of each after "
        f"{report['method']['warm_up']} to warm up, on the {report['method']['clip']}",
    ]
    return "\n".join(lines)


def write_report(path: str | os.PathLike[str], report: dict[str, Any]) -> None:
    """Write a report as JSON, whole or not at all.

    Raises
    ------
    ParameterError
        If the file cannot be written.
    """
    try:
        with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=2, allow_nan=False)
            file.write("\n")
    except OSError as error:
        raise ParameterError(f"{path} cannot be written: {error.strerror}") from error
