"""The paper's pipeline against ours, a decision at a time: librosa and torch, or what we ship.

    python -m benchmarks.pipeline [FOLDER...] [--rounds 200] [--output FILE]

A FOLDER is an artifact or a folder of artifacts (default: the bundled ones); those whose runtime is
not installed are named and left out. Everything runs in one process on one thread, in turn, in an
order drawn anew for each round, on windows of the bundled dialogue in which somebody speaks:

- cold: a whole segment from nothing, to its decision, as the first one of a stream;
- steady: the hop from one decision to the next, in blocks of 32 ms as a microphone hands them over.
  librosa keeps nothing between two calls, so the other pipelines compute the whole segment again.

Needs ``pip install "librosa==0.11.*"`` beside the workstation's packages. Exit status 0: all bars
are met, 1: one is not, 2: it could not be measured.
"""

from __future__ import annotations

from benchmarks.shared.threads import one_thread

# Before NumPy loads its BLAS.
if __name__ == "__main__":
    one_thread()

import argparse
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
from benchmarks.shared.librosa_reference import require_librosa
from benchmarks.shared.paper_pipeline import librosa_rows, torch_model
from edge import MissingDependencyError, ParameterError
from edge.artifact import read_artifact
from edge.audio.file import read_audio
from edge.benchmark.machine import describe_machine
from edge.bundled import DEMO_CLIP, MODELS_DIR
from edge.stream.classifier import Classifier
from edge.stream.loading import load
from edge.stream.stream import Stream

MEASURED_FILES = ("edge", "benchmarks/pipeline.py", "benchmarks/shared", "quantize/models")
#: Milliseconds an utterance in the paper's table 9, on the authors' machine.
PAPER_MS = 130.0

PACKAGES = ("librosa", "torch", "onnxruntime", "ai-edge-litert", "scipy", "numba")
N_WARM_UP = 5
#: Sizes that a network in torch shares with an artifact's.
SIZES = ("hidden", "n_heads", "conv_channels", "conv_kernel", "classifier", "frame_stack")

Samples = NDArray[np.float32]
Method = tuple[str, Callable[[int], Any]]

#: The bundled model as most devices run it, the same for the small one, and the peers.
MAIN, TINY, NUMPY = "claf-ser-int8-onnx", "claf-ser-tiny-onnx", "claf-ser-int8"
PAPER, SAME_NETWORK, PAPER_PYIN = "librosa_torch", "librosa_torch_same", "librosa_pyin_torch"
BARS = (
    Bar("steady: librosa + torch / ours, onnx int8", PAPER, f"{MAIN}:steady", 15.0),
    Bar("steady: librosa + torch / ours, tiny onnx int8", PAPER, f"{TINY}:steady", 25.0),
    Bar("cold: librosa + torch / ours, onnx int8", PAPER, f"{MAIN}:cold", 8.0),
    Bar("steady: numpy int8 / onnx int8", f"{NUMPY}:steady", f"{MAIN}:steady", 3.0, False),
    Bar("cold: librosa + torch / ours, tiny onnx int8", PAPER, f"{TINY}:cold"),
    Bar("steady: the same, torch of our sizes", SAME_NETWORK, f"{MAIN}:steady"),
    Bar("cold: the same, torch of our sizes", SAME_NETWORK, f"{MAIN}:cold"),
    Bar("steady: librosa with pYIN + torch / ours, onnx int8", PAPER_PYIN, f"{MAIN}:steady"),
    Bar("cold: librosa with pYIN + torch / ours, onnx int8", PAPER_PYIN, f"{MAIN}:cold"),
)


def artifact_folders(given: Sequence[Path]) -> list[Path]:
    """Folders that hold a manifest: those that were given, or those right below them."""
    found = []
    for folder in given:
        inner = sorted(path.parent for path in folder.glob("*/manifest.json"))
        if (folder / "manifest.json").is_file():
            found.append(folder)
        elif inner:
            found += inner
        else:
            raise ParameterError(
                f"{folder} holds no artifact: a folder with a manifest.json, or one of such "
                "folders, is wanted"
            )
    return found


def open_all(folders: Sequence[Path]) -> tuple[dict[str, Classifier], dict[str, str]]:
    """Open what can run here; and by name why the others cannot."""
    opened: dict[str, Classifier] = {}
    missing = {}
    for folder in folders:
        manifest = read_artifact(folder).manifest
        if manifest.name in opened or manifest.name in missing:
            raise ParameterError(f"two artifacts are called {manifest.name}, one is wanted")
        try:
            opened[manifest.name] = load(folder, manifest.backend)
        except MissingDependencyError as error:
            missing[manifest.name] = str(error)
    if not opened:
        raise ParameterError("none of the artifacts can run here: " + "; ".join(missing.values()))
    return opened, missing


class Ours:
    """One artifact: a stream for whole segments, and two that are both in the middle of speech."""

    def __init__(self, classifier: Classifier, clip: Samples) -> None:
        segment, hops = classifier.stream(), (classifier.stream(), classifier.stream())
        self._segment, self._hops = segment, itertools.cycle(hops)
        self._clip = clip
        self.n_segment = classifier.spec.n_samples(classifier.window_frames)
        self.n_hop = segment.window_hop * classifier.spec.hop_length
        #: By round, whether the window of the hop was shown to the model.
        self.judged: dict[int, bool] = {}
        for stream in hops:
            for block in blocks(stream, clip[: self.n_segment]):
                stream.push(block)

    def cold(self, place: int) -> None:
        """Decide on a segment from nothing."""
        self._segment.reset()
        self._segment.push(self._clip[place : place + self.n_segment])

    def steady(self, at: int, place: int) -> None:
        """Go on by a hop; every other call is of the other stream, which has heard the same."""
        stream = next(self._hops)
        decisions = []
        for block in blocks(stream, self._clip[place : place + self.n_hop]):
            decisions += stream.push(block)
        self.judged[at] = decisions[-1].posterior is not None


def blocks(stream: Stream, samples: Samples) -> Iterator[Samples]:
    """As a microphone hands them over, which is asked for as many as the stream waits for."""
    start = 0
    while start < samples.size:
        end = start + stream.n_wanted
        yield samples[start:end]
        start = end


def methods_of(
    opened: dict[str, Classifier], clip: Samples
) -> tuple[dict[str, Method], dict[str, Ours]]:
    """Everything that is timed, and our streams."""
    ours = {name: Ours(classifier, clip) for name, classifier in opened.items()}
    first, classifier = next(iter(ours.values())), next(iter(opened.values()))
    if any(
        (each.n_segment, each.n_hop) != (first.n_segment, first.n_hop) for each in ours.values()
    ):
        raise ParameterError("the artifacts have segments of several lengths, one is wanted")
    n_segment, n_hop = first.n_segment, first.n_hop
    # The end of a hop is where the segment of its decision ends.
    n_places = (clip.size - n_segment) // n_hop

    def place(at: int) -> int:
        return n_hop * (at % n_places)

    def one(name: str, title: str) -> dict[str, Method]:
        each = ours[name]
        return {
            f"{name}:cold": (f"{title}, cold", lambda at: each.cold(place(at))),
            f"{name}:steady": (
                f"{title}, steady", lambda at: each.steady(at, place(at) + n_segment),
            ),
        }  # fmt: skip

    methods: dict[str, Method] = {}
    for name, model in opened.items():
        methods |= one(name, f"ours, {name} ({model.model.name})")
    sizes = opened.get(MAIN, classifier).artifact.manifest.architecture
    same = {key: int(getattr(sizes, key)) for key in SIZES if hasattr(sizes, key)}
    for name, title, pitch, network in (
        (PAPER, "librosa (YIN) + torch fp32", "yin", torch_model()),
        (SAME_NETWORK, "librosa (YIN) + torch fp32 of our sizes", "yin", torch_model(same)),
        (PAPER_PYIN, "librosa (pYIN) + torch fp32", "pyin", torch_model()),
    ):
        rows = librosa_rows(classifier.spec, pitch)

        def call(at: int, rows: Any = rows, network: Any = network) -> None:
            network(rows(clip[place(at) : place(at) + n_segment]))

        methods[name] = (title, call)
    return methods, ours


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Everything that the result holds."""
    state = git_state(*MEASURED_FILES)
    opened, missing = open_all(artifact_folders(args.folders or [MODELS_DIR]))
    classifier = next(iter(opened.values()))
    clip, sample_rate = read_audio(DEMO_CLIP)
    if sample_rate != classifier.spec.sample_rate:
        raise ParameterError(f"the bundled clip is at {sample_rate} Hz, the model's rate is wanted")
    methods, ours = methods_of(opened, clip)
    times = in_turn(methods, args.rounds, args.seed, seldom={PAPER_PYIN: 10}, n_warm_up=N_WARM_UP)
    # A window without speech is not shown to a model: what is left out costs nothing.
    counted = [at for at in range(args.rounds) if all(each.judged[at] for each in ours.values())]
    if not counted:
        raise ParameterError("no window held speech: more --rounds are wanted")
    times_ms = {name: each.of(counted) for name, each in times.items()}
    first = next(iter(ours.values()))
    return {
        "benchmark": "the paper's pipeline against ours",
        "command": "python -m benchmarks.pipeline "
        + ("FOLDER... " if args.folders else "")
        + f"--rounds {args.rounds} --seed {args.seed}",
        **state,
        "seed": args.seed,
        "rounds": args.rounds,
        "warm_up": N_WARM_UP,
        "rounds_with_speech": len(counted),
        "segment_s": first.n_segment / classifier.spec.sample_rate,
        "hop_s": first.n_hop / classifier.spec.sample_rate,
        "machine": describe_machine(),
        "versions": installed(PACKAGES),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "artifacts": {
            name: {
                "backend": each.model.name,
                "recipe": each.artifact.manifest.quantization.recipe,
                "model_bytes": each.artifact.manifest.model_bytes,
                "model_sha256": each.artifact.manifest.model_sha256,
            }
            for name, each in opened.items()
        },
        "not_measured": missing,
        "times_ms": times_ms,
        "ratios": barred(BARS, times, counted),
        "paper_ms": PAPER_MS,
        "paper_on_another_machine": {
            part: round(PAPER_MS / times_ms[f"{MAIN}:{part}"]["p50"], 1)
            for part in ("cold", "steady")
            if f"{MAIN}:{part}" in times_ms
        },
    }


def table(result: dict[str, Any]) -> str:
    """Lay the result out for people."""
    lines = [
        f"{result['rounds_with_speech']} rounds of {result['segment_s']:g} s, hop "
        f"{result['hop_s']:g} s; {result['machine']['cpu']}, one thread, load "
        f"{result['load_average'][0]}",
        *time_lines(result["times_ms"]),
    ]
    lines += [f"{name}: {why}" for name, why in result["not_measured"].items()]
    lines += ["", *ratio_lines(result["ratios"]), ""]
    for name, value in result["paper_on_another_machine"].items():
        lines.append(
            f"the paper's {result['paper_ms']:g} ms are {value:g} of ours ({name}): another "
            "machine, no measurement"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="artifacts")
    parser.add_argument("--rounds", type=int, default=200, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the order (%(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the result here")
    args = parser.parse_args(argv)

    def measured() -> dict[str, Any]:
        at_least_one("--rounds", args.rounds)
        require_librosa()
        result = measure(args)
        return {**result, "met": all(row["met"] is not False for row in result["ratios"])}

    return tell(measured, table, args.output)


if __name__ == "__main__":
    sys.exit(main())
