"""How far the pitch can be trusted, next to librosa's yin and pyin and the paper's equations 4-5.

    python -m benchmarks.pitch [--data ROOT] [--output benchmarks/results/pitch.json]

Made recordings, whose pitch is known, are heard clean and in white noise. With --data (ROOT holds
the corpora, see ``edge-ser-quantize corpora ROOT``) speech is judged by Praat's autocorrelation
method, which hears it clean while the methods also hear it in noise. Exit code 0: our gross error
at 10 dB is no worse than librosa.yin's, 1: it is, 2: it could not be measured. Needs beside
edge-ser ``pip install "librosa==0.11.*"``, and with --data ``pip install praat-parselmouth``.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.features.parity import draw, samples_of
from benchmarks.pitch.compare import answer, compare, in_noise, judge, name_of, say, variants
from benchmarks.pitch.methods import NOTES, make_methods
from benchmarks.pitch.metrics import DEFINITIONS
from benchmarks.pitch.truth import PRAAT, Recording, praat_pitch, require_parselmouth, synthesise
from benchmarks.shared.git_state import git_state
from benchmarks.shared.librosa_reference import require_librosa
from edge import EdgeSerError, FeatureSpec, ParameterError
from quantize.basics.files import write_json
from quantize.data.corpora import DOMAINS, load_corpora

MEASURED_FILES = ("edge/features", "edge/arrays.py", "benchmarks/pitch")
SYNTHETIC_DB = (None, 20.0, 10.0, 5.0, 0.0)
SPEECH_DB = (None, 10.0)
BAR_DB = 10.0
SECONDS = 3.0
COLUMNS = (
    ("gross_all", "gross all", 100), ("gross", "gross", 100), ("fine_cents", "cents", 1),
    ("voicing_error", "voicing", 100), ("missed", "missed", 100),
    ("false_voiced", "false", 100), ("frame_error", "frame err", 100),
)  # fmt: skip


def speech(root: str, n_clips: int, spec: FeatureSpec, seed: int) -> tuple[list[Recording], Any]:
    """Draw clips and have Praat judge them."""
    clips, reports = load_corpora(root, DOMAINS)
    recordings, n_used = [], dict.fromkeys((report.corpus for report in reports), 0)
    for clip in draw(clips, n_clips, seed):
        samples = samples_of(clip, spec)
        if samples.size < spec.win_length:
            continue
        truth_hz = praat_pitch(samples, spec)
        # Noise is set against the level of the frames that Praat finds voiced.
        starts = np.flatnonzero(truth_hz > 0) * spec.hop_length
        voiced = samples[starts[:, None] + np.arange(spec.win_length)].astype(np.float64)
        if not voiced.size:
            continue
        recordings.append(Recording(samples, truth_hz, float(np.sqrt(np.mean(voiced**2)))))
        n_used[clip.corpus] += 1
    if not recordings:
        raise ParameterError("Praat finds no voice in any clip drawn, at least one is wanted")
    about = {
        report.corpus: {"n_clips": n_used[report.corpus], "gaps": list(report.gaps)}
        for report in reports
        if n_used[report.corpus]
    }
    return recordings, about


def bar(synthetic: dict[str, Any], real: dict[str, Any] | None) -> dict[str, Any]:
    """The project's bar on the made recordings; speech is said beside it."""

    def at_bar(part: dict[str, Any]) -> dict[str, Any]:
        condition = part["conditions"][name_of(BAR_DB)]
        return {
            "ours": condition["methods"]["ours"]["gross_all"],
            "librosa_yin": condition["methods"]["librosa.yin (0.1)"]["gross_all"],
            **condition["ours_minus_librosa_yin"],
        }

    figures = at_bar(synthetic)
    return {
        "what": f"gross_all at {name_of(BAR_DB)} on the made recordings, no worse than librosa.yin",
        **figures,
        "met": bool(figures["ours"] <= figures["librosa_yin"]),
        "speech": None if real is None else at_bar(real),
    }


def measure(args: argparse.Namespace, spec: FeatureSpec) -> dict[str, Any]:
    """All of it."""
    if args.data is not None:
        say("Praat listens")
        spoken, corpora = speech(args.data, args.clips, spec, args.seed)
    say("recordings are made")
    made = synthesise(spec, args.synthetic, SECONDS, args.seed)
    methods = make_methods(spec)
    heard = in_noise(made, SYNTHETIC_DB, args.seed)
    synthetic = {"seconds": SECONDS, **compare(heard, methods, args.seed)}
    changed = {"synthetic": variants(heard, spec)}
    real = None
    if args.data is not None:
        synthetic["praat"] = judge(made, spec)
        heard = in_noise(spoken, SPEECH_DB, args.seed)
        real = {"truth": PRAAT, "corpora": corpora, **compare(heard, methods, args.seed)}
        changed["real"] = variants(heard, spec)
    say("")
    return {
        "synthetic": synthetic,
        "real": real,
        "bar": bar(synthetic, real),
        "variants": {
            part: {"answer": answer(rows, spec), "rows": rows} for part, rows in changed.items()
        },
    }


def provenance(args: argparse.Namespace, spec: FeatureSpec) -> dict[str, Any]:
    """What the numbers depend on."""
    needed = ("librosa",) if args.data is None else ("librosa", "praat-parselmouth")
    data = "" if args.data is None else f" --data ROOT --clips {args.clips}"
    return {
        "benchmark": "errors of the pitch",
        "command": f"python -m benchmarks.pitch{data} --synthetic {args.synthetic} "
        f"--seed {args.seed}",
        **git_state(*MEASURED_FILES),
        "seed": args.seed,
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            **{package: version(package) for package in needed},
        },
        "machine": platform.machine(),
        "fingerprint": spec.fingerprint,
        "range_hz": [spec.pitch.fmin_hz, spec.pitch.fmax_hz],
        "frame": {
            "sample_rate": spec.sample_rate,
            "win_length": spec.win_length,
            "hop_length": spec.hop_length,
        },
        "definitions": DEFINITIONS,
        "methods": NOTES,
    }


def figure(value: float | None, scale: float) -> str:
    """One cell; a dash where nothing is defined."""
    return f"{'-':>10}" if value is None else f"{scale * value:>10.2f}"


def table(result: dict[str, Any]) -> str:
    """Lay the result out for people."""
    lines = []
    for part, truth in (("synthetic", "made recordings, pitch known"), ("real", "speech, Praat")):
        found = result[part]
        if found is None:
            lines.append("speech: skipped, name the folder of the corpora with --data")
            continue
        lines += [
            f"{truth}: {found['n_clips']} clips, {found['n_frames']} frames, "
            f"{found['n_voiced']} voiced; shares in %, seed {result['seed']}",
            f"{'':<9}{'method':<18}" + "".join(f"{head:>10}" for _, head, _ in COLUMNS),
        ]
        for condition, scored in found["conditions"].items():
            rows = dict(scored["methods"])
            if condition == "clean" and "praat" in found:
                rows["Praat (judge)"] = found["praat"]
            for name, row in rows.items():
                cells = "".join(figure(row[key], scale) for key, _, scale in COLUMNS)
                lines.append(f"{condition:<9}{name:<18}{cells}")
        lines.append("")
    for part, found in result["variants"].items():
        stands = found["answer"]
        best, default = stands["best"], stands["default"]
        lines.append(
            f"thresholds, {part}: {thresholds(default)} (the default) is "
            f"{stands['rank_of_default']} of {stands['n_variants']}, mean frame error "
            f"{100 * default['mean_frame_error']:.2f} %; the best, {thresholds(best)}, has "
            f"{100 * best['mean_frame_error']:.2f} %"
        )
    lines.append("")
    bar = result["bar"]
    low, high = bar["interval_95"]
    lines.append(
        f"bar: gross error at {name_of(BAR_DB)} {100 * bar['ours']:.2f} %, librosa.yin "
        f"{100 * bar['librosa_yin']:.2f} % (difference, 95 %: {100 * low:+.2f} to "
        f"{100 * high:+.2f})  {'met' if bar['met'] else 'NOT MET'}"
    )
    return "\n".join(lines)


def thresholds(row: dict[str, float]) -> str:
    """The three settings of a variant."""
    return f"trough {row['trough']:g}, margin {row['margin']:g}, voicing {row['voicing']:g}"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", metavar="ROOT", help="folder of the corpora")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the result here")
    parser.add_argument("--clips", type=int, default=100, help="of speech, to draw (%(default)s)")
    parser.add_argument("--synthetic", type=int, default=40, help="clips to make (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of everything drawn (%(default)s)")
    args = parser.parse_args(argv)
    spec = FeatureSpec()
    try:
        for option in ("clips", "synthetic"):
            if getattr(args, option) < 1:
                raise ParameterError(f"--{option} is {getattr(args, option)}, at least 1 is wanted")
        require_librosa()
        if args.data is not None:
            require_parselmouth()
        # Before the measurement: others may commit while it runs.
        result = provenance(args, spec)
        result |= measure(args, spec)
    except EdgeSerError as error:
        print(f"edge-ser: error: {error}", file=sys.stderr)
        return 2
    print(table(result))
    if args.output is not None:
        write_json(args.output, result)
    return 0 if result["bar"]["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
