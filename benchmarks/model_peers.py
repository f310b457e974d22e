"""Our models beside networks of their size that others published: latency and size only.

    python -m benchmarks.model_peers [FOLDER...] [--rounds 300] [--output FILE]

Wav2Small (72k parameters) and ResLSTM-SA-h64 (46.8k) are built from what their papers say of them
(`benchmarks/shared/peer_networks.py`), with random weights: nothing is said of how well they hear.
All are ONNX on onnxruntime, one thread, in turn, for 2 s of speech; exact, and rounded by
onnxruntime's own tool. Wav2Small takes samples and has its spectrum inside, so our whole decision
stands beside it; ResLSTM-SA takes rows of features, as our models alone do.

A FOLDER is an artifact or a folder of artifacts (default: the bundled ones). Exit status 0, or 2:
it could not be measured.
"""

from __future__ import annotations

from benchmarks.shared.threads import one_thread

# Before NumPy loads its BLAS.
if __name__ == "__main__":
    one_thread()

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pipeline import artifact_folders, open_all
from benchmarks.shared.command import at_least_one, tell
from benchmarks.shared.git_state import git_state
from benchmarks.shared.interleaved import (
    Bar,
    barred,
    in_turn,
    installed,
    ratio_lines,
    time_lines,
)
from edge.benchmark.machine import describe_machine
from edge.bundled import MODELS_DIR
from edge.errors import MissingDependencyError
from edge.runtimes.onnx import open_onnx

MEASURED_FILES = (
    *("edge", "benchmarks/model_peers.py", "benchmarks/pipeline.py"),
    "benchmarks/shared",
)
SEGMENT_S = 2.0
PACKAGES = ("onnxruntime", "onnx", "torch")
Method = tuple[str, Callable[[int], Any]]

MAIN, TINY = "claf-ser-int8-onnx", "claf-ser-tiny-onnx"
BARS = tuple(
    Bar(f"{title} / {ours}", over, under)
    for title, over, part in (
        ("Wav2Small, exact", "wav2small", "whole"),
        ("ResLSTM-SA-h64, exact", "reslstm", "model"),
        ("ResLSTM-SA-h64, rounded", "reslstm_rounded", "model"),
    )
    for ours, under in ((f"{name}, {part}", f"{name}:{part}") for name in (MAIN, TINY))
)


def peers() -> tuple[dict[str, Method], dict[str, dict[str, Any]]]:
    """What others published, opened, and how large it is."""
    try:
        import torch

        from benchmarks.shared import peer_networks
    except ImportError as error:
        raise MissingDependencyError(
            "torch is not installed, the peers are built with it: pip install torch onnx"
        ) from error
    torch.manual_seed(0)
    # ResLSTM-SA's rows: every 2048 samples of 48 kHz.
    n_rows = int(SEGMENT_S * 48_000) // 2048 + 1
    methods: dict[str, Method] = {}
    facts: dict[str, dict[str, Any]] = {}
    for name, title, network, shape in (
        ("wav2small", "Wav2Small", peer_networks.Wav2Small(), (1, int(SEGMENT_S * 16_000))),
        ("reslstm", "ResLSTM-SA-h64", peer_networks.ResLstm(), (1, n_rows, 46)),
    ):
        example = torch.randn(shape)
        exact = peer_networks.onnx_file(network, example)
        feeds = {"x": example.numpy()}
        for suffix, kind, content in (
            ("", "float32", exact),
            ("_rounded", "8 bits", peer_networks.rounded_onnx(exact)),
        ):
            runtime = open_onnx(content)

            def run(at: int, runtime: Any = runtime, feeds: Any = feeds) -> None:
                runtime.run(None, feeds)

            methods[f"{name}{suffix}"] = (f"{title}, {kind}", run)
            facts[f"{name}{suffix}"] = {
                "parameters": peer_networks.n_parameters(network),
                "model_bytes": len(content),
                "input": list(shape),
                "weights": "random",
            }
    return methods, facts


def ours(folders: Sequence[Path]) -> tuple[dict[str, Method], dict[str, Any], dict[str, str]]:
    """Our artifacts: the model alone on a window of rows, and the whole from samples."""
    opened, missing = open_all(artifact_folders(folders))
    rng = np.random.default_rng(0)
    methods: dict[str, Method] = {}
    facts: dict[str, Any] = {}
    for name, classifier in opened.items():
        manifest = classifier.artifact.manifest
        session = classifier.model.session()
        shape = (1, classifier.window_frames, manifest.inputs[0].shape[2])
        rows = rng.standard_normal(shape, np.float32)
        samples = 0.1 * rng.standard_normal(
            classifier.spec.n_samples(classifier.window_frames), np.float32
        )
        # Noise is no speech: without a gate every window is shown to the model.
        stream = classifier.stream(vad="off")

        def model(at: int, session: Any = session, rows: Any = rows) -> None:
            session.infer(rows, 0)

        def whole(at: int, stream: Any = stream, samples: Any = samples) -> None:
            stream.reset()
            stream.push(samples)

        title = f"ours, {name} ({classifier.model.name})"
        methods |= {
            f"{name}:model": (f"{title}, model alone", model),
            f"{name}:whole": (f"{title}, samples to decision", whole),
        }
        facts[name] = {
            "model_bytes": manifest.model_bytes,
            "model_sha256": manifest.model_sha256,
            "recipe": manifest.quantization.recipe,
            "input": list(shape),
        }
    return methods, facts, missing


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Everything that the result holds."""
    state = git_state(*MEASURED_FILES)
    our_methods, our_facts, missing = ours(args.folders or [MODELS_DIR])
    their_methods, their_facts = peers()
    times = in_turn({**our_methods, **their_methods}, args.rounds, args.seed, n_warm_up=5)
    rounds = range(args.rounds)
    return {
        "benchmark": "models of one size: latency and bytes, no accuracy",
        "command": "python -m benchmarks.model_peers "
        + ("FOLDER... " if args.folders else "")
        + f"--rounds {args.rounds} --seed {args.seed}",
        **state,
        "seed": args.seed,
        "rounds": args.rounds,
        "segment_s": SEGMENT_S,
        "machine": describe_machine(),
        "versions": installed(PACKAGES),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "models": {**our_facts, **their_facts},
        "not_measured": missing,
        "times_ms": {name: each.of(rounds) for name, each in times.items()},
        "ratios": barred(BARS, times, rounds),
    }


def table(result: dict[str, Any]) -> str:
    """Lay the result out for people."""
    lines = [
        f"{result['rounds']} rounds of {result['segment_s']:g} s; {result['machine']['cpu']}, one "
        f"thread, load {result['load_average'][0]}; the peers have random weights",
        *time_lines(result["times_ms"]),
        "",
        f"{'model':<24} {'parameters':>10} {'kB':>8}",
    ]
    for name, row in result["models"].items():
        lines.append(
            f"{name:<24} {row.get('parameters', ''):>10} {row['model_bytes'] / 1000:>8.1f}"
        )
    lines += [f"{name}: {why}" for name, why in result["not_measured"].items()]
    return "\n".join([*lines, "", *ratio_lines(result["ratios"])])


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="artifacts")
    parser.add_argument("--rounds", type=int, default=300, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the order (%(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the result here")
    args = parser.parse_args(argv)

    def measured() -> dict[str, Any]:
        at_least_one("--rounds", args.rounds)
        return measure(args)

    return tell(measured, table, args.output)


if __name__ == "__main__":
    sys.exit(main())
