"""How close the features are to librosa 0.11's on real speech.

    python -m benchmarks.features.parity --data ROOT [--output benchmarks/results/parity.json]

ROOT holds the corpora (see ``edge-ser-quantize corpora ROOT``). Clips are drawn with a seed,
evenly over the corpora; every frame of them counts. Exit code 0: all bars are met, 1: one is
not, 2: it could not be measured. Needs ``pip install "librosa==0.11.*"`` beside edge-ser.
"""

from __future__ import annotations

import argparse
import platform
import random
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

# The reference lives with the parity data of the tests, so that both are one definition.
from benchmarks.shared.command import at_least_one, tell
from benchmarks.shared.git_state import git_state
from benchmarks.shared.librosa_reference import arguments, reference, require_librosa
from edge import FeatureExtractor, FeatureSpec, ParameterError
from edge.audio.file import read_audio
from edge.audio.resample import resample
from quantize.data.corpora import DOMAINS, CorpusReport, load_corpora
from quantize.data.corpora.base import Clip

ROOT = Path(__file__).resolve().parents[2]

#: Columns, unit and the project's bar for the largest error.
GROUPS = {
    "mfcc": (slice(0, 13), "dB", 1e-2),
    "rms": (slice(14, 15), "", 1e-6),
    "chroma": (slice(15, 27), "", 1e-4),
    "spectral_contrast": (slice(27, 34), "dB", 1e-2),
}
PITCH = 13
PITCH_WITHIN, PITCH_SHARE = 0.005, 0.99
MEASURED_FILES = (
    *("edge/features", "edge/arrays.py", "benchmarks/shared"),
    *("benchmarks/features/parity.py", "benchmarks/features/parity_signals.py"),
)


def draw(clips: Sequence[Clip], n_clips: int, seed: int) -> list[Clip]:
    """Draw clips with a seed, the same number of each corpus (as far as it goes)."""
    rng = random.Random(seed)
    corpora = sorted({clip.corpus for clip in clips})
    chosen: list[Clip] = []
    for i, corpus in enumerate(corpora):
        pool = [clip for clip in clips if clip.corpus == corpus]
        share = n_clips * (i + 1) // len(corpora) - n_clips * i // len(corpora)
        chosen += sorted(rng.sample(pool, min(share, len(pool))), key=lambda clip: clip.clip_id)
    return chosen


def samples_of(clip: Clip, spec: FeatureSpec) -> np.ndarray:
    """Read a clip at the spec's rate."""
    samples, sample_rate = read_audio(clip.path)
    if sample_rate != spec.sample_rate:
        samples = resample(samples, sample_rate, spec.sample_rate)
    return samples


def push_in_pieces(
    extractor: FeatureExtractor, samples: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Rows of a clip streamed in blocks of 1 to 1500 samples."""
    extractor.reset()
    cuts = np.cumsum(rng.integers(1, 1501, samples.size // 300))
    return np.concatenate([extractor.push(block) for block in np.split(samples, cuts)])


def measure(chosen: Sequence[Clip], spec: FeatureSpec, seed: int) -> dict[str, Any]:
    """Compare every frame of the clips."""
    extractor, rng = FeatureExtractor(spec), np.random.default_rng(seed)
    ours, theirs, voiced, streamed = [], [], [], []
    # Tells a copy of cut utterances (EMO-DB at 2.0 s) from the complete corpus.
    longest_s: dict[str, float] = {}
    for i, clip in enumerate(chosen):
        samples = samples_of(clip, spec)
        if samples.size < spec.win_length:
            continue
        seconds = samples.size / spec.sample_rate
        longest_s[clip.corpus] = round(max(longest_s.get(clip.corpus, 0.0), seconds), 3)
        ours.append(extractor.extract(samples))
        streamed.append(push_in_pieces(extractor, samples, rng))
        rows, found = reference(samples, spec)
        theirs.append(rows)
        voiced.append(found)
        if sys.stderr.isatty():
            print(f"\r{i + 1}/{len(chosen)} clips", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if not ours:
        raise ParameterError("no clip drawn is as long as one frame, longer ones are wanted")
    ours_all, theirs_all = np.concatenate(ours), np.concatenate(theirs)
    return {
        "n_clips": len(ours),
        "n_frames": len(ours_all),
        "longest_clip_s": longest_s,
        "features": {
            name: {"unit": unit, **distribution(ours_all[:, columns] - theirs_all[:, columns], bar)}
            for name, (columns, unit, bar) in GROUPS.items()
        },
        "pitch": compare_pitch(ours_all[:, PITCH], theirs_all[:, PITCH], np.concatenate(voiced)),
        "streaming": compare_streaming(np.concatenate(streamed), ours_all),
    }


def distribution(difference: np.ndarray, bar: float) -> dict[str, Any]:
    """Largest and 99.9th percentile of the absolute error of all values."""
    error = np.abs(difference.astype(np.float64))
    return {
        "max": float(error.max()),
        "p99_9": float(np.percentile(error, 99.9)),
        "bar": bar,
        "met": bool(error.max() <= bar),
    }


def compare_pitch(ours: np.ndarray, theirs: np.ndarray, voiced: np.ndarray) -> dict[str, Any]:
    """Compare the pitch where librosa.yin found a trough below its threshold."""
    ours_voiced, theirs_voiced = ours[voiced].astype(np.float64), theirs[voiced].astype(np.float64)
    off = np.abs(ours_voiced - theirs_voiced) / theirs_voiced
    agree = float((off <= PITCH_WITHIN).mean()) if off.size else 0.0
    return {
        "n_librosa_voiced": int(voiced.sum()),
        "n_ours_voiced": int((ours > 0).sum()),
        "within": PITCH_WITHIN,
        "agree": agree,
        "ours_unvoiced": float((ours_voiced == 0).mean()) if off.size else 0.0,
        "bar": PITCH_SHARE,
        "met": agree >= PITCH_SHARE,
    }


def compare_streaming(streamed: np.ndarray, offline: np.ndarray) -> dict[str, Any]:
    """Compare push with extract, as it is and relative to max(1, |x|)."""
    error = np.abs(streamed.astype(np.float64) - offline)
    relative = error / np.maximum(1.0, np.abs(offline))
    bar = 1e-5
    return {
        "max": float(error.max()),
        "max_relative": float(relative.max()),
        "bar": bar,
        "met": bool(relative.max() <= bar),
    }


def provenance(
    args: argparse.Namespace, chosen: Sequence[Clip], reports: Sequence[CorpusReport]
) -> dict[str, Any]:
    """What the numbers depend on."""
    spec = FeatureSpec()
    counts = {report.corpus: sum(c.corpus == report.corpus for c in chosen) for report in reports}
    return {
        "benchmark": "parity of the features with librosa",
        "command": f"python -m benchmarks.features.parity --data ROOT --clips {args.clips} "
        f"--seed {args.seed}",
        **git_state(*MEASURED_FILES),
        "seed": args.seed,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "librosa": version("librosa"),
        },
        "machine": platform.machine(),
        "corpora": {
            report.corpus: {"n_clips": counts[report.corpus], "gaps": list(report.gaps)}
            for report in reports
            if counts[report.corpus]
        },
        "fingerprint": spec.fingerprint,
        "librosa_arguments": {
            name: {key: str(value) if value == np.inf else value for key, value in use.items()}
            for name, use in arguments(spec).items()
        },
        "librosa_patched": "spectral_contrast's power_to_db with top_db=None",
    }


def table(result: dict[str, Any]) -> str:
    """Lay the result out for people."""
    say = {True: "met", False: "NOT MET"}
    lines = [
        f"{result['n_clips']} clips, {result['n_frames']} frames; seed {result['seed']}",
        f"{'feature':<18} {'max':>9} {'p99.9':>9} {'bar':>8}",
    ]
    for name, row in result["features"].items():
        lines.append(
            f"{name:<18} {row['max']:>9.1e} {row['p99_9']:>9.1e} {row['bar']:>8.0e}  "
            f"{say[row['met']]:<8}{row['unit']}".rstrip()
        )
    pitch, streaming = result["pitch"], result["streaming"]
    lines += [
        f"{'pitch':<18} within {100 * pitch['within']:g} % on {100 * pitch['agree']:.2f} % of "
        f"{pitch['n_librosa_voiced']} frames that librosa.yin finds voiced "
        f"(bar {100 * pitch['bar']:g} %)  {say[pitch['met']]}",
        f"{'push vs extract':<18} {streaming['max']:.1e}, relative to max(1, |x|) "
        f"{streaming['max_relative']:.1e} (bar {streaming['bar']:.0e})  {say[streaming['met']]}",
    ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="ROOT", help="folder of the corpora")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the result here")
    parser.add_argument("--clips", type=int, default=200, help="clips to draw (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw (%(default)s)")
    args = parser.parse_args(argv)

    def measured() -> dict[str, Any]:
        at_least_one("--clips", args.clips)
        clips, reports = load_corpora(args.data, DOMAINS)
        require_librosa()
        chosen = draw(clips, args.clips, args.seed)
        result = provenance(args, chosen, reports) | measure(chosen, FeatureSpec(), args.seed)
        met = [*result["features"].values(), result["pitch"], result["streaming"]]
        return {**result, "met": all(part["met"] for part in met)}

    return tell(measured, table, args.output)


if __name__ == "__main__":
    sys.exit(main())
