"""Where the floor of ``edge.stream.speech_gate`` comes from.

    python -m benchmarks.gate.quiet_levels CORPORA

prints, for every folder of CORPORA, the level that the loudest tenth of the frames of a
whole clip reach (what the gate looks at), and the same for the first 0.3 s of each clip,
which in RAVDESS is the silence before the speech.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from edge.audio.file import read_audio
from edge.audio.find import find_audio_files
from edge.features.spec import FeatureSpec
from edge.stream.speech_gate import SILENCE_DB, GateSettings

LEAD_FRAMES = 8


def loudest_tenth_db(frame_rms: np.ndarray) -> float:
    level = float(np.quantile(frame_rms, 1 - GateSettings().loudest_share))
    return 20 * np.log10(max(level, 10 ** (SILENCE_DB / 20)))


def frame_rms(path: Path, spec: FeatureSpec) -> np.ndarray:
    samples, sample_rate = read_audio(path)
    if sample_rate != spec.sample_rate:
        raise SystemExit(f"{path} has {sample_rate} Hz, {spec.sample_rate} is wanted")
    frames = np.lib.stride_tricks.sliding_window_view(samples, spec.win_length)
    return np.sqrt(np.mean(np.square(frames[:: spec.hop_length]), axis=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", type=Path)
    folder = parser.parse_args().corpora
    spec = FeatureSpec()
    percentiles = (0, 1, 5, 50, 95, 100)
    print(f"{'dBFS at percentile':<28}" + "".join(f"{p:>8}" for p in percentiles))
    for corpus in sorted(entry for entry in folder.iterdir() if entry.is_dir()):
        files = find_audio_files([corpus])
        levels = [frame_rms(file, spec) for file in files]
        for name, parts in (
            ("clip", levels),
            (f"first {spec.n_samples(LEAD_FRAMES) / spec.sample_rate:.2f} s",
             [level[:LEAD_FRAMES] for level in levels]),
        ):  # fmt: skip
            row = np.percentile([loudest_tenth_db(part) for part in parts], percentiles)
            title = f"{corpus.name} {name} ({len(files)})"
            print(f"{title:<28}" + "".join(f"{value:8.1f}" for value in row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
