"""What each step towards faster features bought, where the time goes now, and where it ends.

    python -m benchmarks.features.steps [--repeats 1000] [--output FILE]

Steps: before and after on the same data, in turns, the medians; both must give the same numbers.
Profile: the stages of one 2 s extract (61 frames) and of one push of 0.5 s more (16 frames).
Floor: the kernels that nothing can replace, a copy for each pass over the data and a start for each
other call of NumPy, see `floor.py`. A speech-like signal of our own; one thread. Only
ratios of one run mean anything: a step alone finds its data in the caches, which it may not
between the others. Needs edge-ser alone. Exit code 0: measured, 2: it could not be.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# First: it sets NumPy's BLAS to one thread.
from benchmarks.features import speed as features
from benchmarks.features.floor import floor
from benchmarks.features.pairs import FFT_IN_SINGLE, spectrum_pairs
from benchmarks.features.pairs_power import feature_pairs
from benchmarks.features.profile import HOP_FRAMES, medians_us, profile
from benchmarks.shared.command import at_least_one, tell
from benchmarks.shared.git_state import git_state
from edge import FeatureSpec, ParameterError
from edge.benchmark.machine import describe_machine
from edge.features.row_maker import RowMaker

MEASURED_FILES = (
    *("edge/features", "edge/arrays.py", "benchmarks/features/speed.py", "benchmarks/shared"),
    *(f"benchmarks/features/{part}.py" for part in ("steps", "pairs", "pairs_power")),
    *(f"benchmarks/features/{part}.py" for part in ("profile", "floor")),
)
#: Pairs that NumPy 1.26 cannot do.
ONLY_IN_2 = {"single": "inverse transform in complex64: NumPy 1.26 has none, left out"}


def measure_steps(spec: FeatureSpec, samples: Any, repeats: int) -> list[dict[str, Any]]:
    """Time both ways of every pair, for all frames and for those of a push."""
    steps: dict[str, dict[str, Any]] = {}
    for n_frames in (spec.n_frames(samples.size), HOP_FRAMES):
        maker, part = RowMaker(spec), samples[: spec.n_samples(n_frames)]
        pairs = [
            *spectrum_pairs(spec, maker.spectrum, part, n_frames),
            *feature_pairs(spec, maker, part, n_frames),
        ]
        for pair in pairs:
            if not pair.agree():
                raise ParameterError(
                    f"{pair.title}: the two ways differ by more than {pair.tolerance:g} of the "
                    f"largest number over {n_frames} frames, the same numbers are wanted"
                )
            times = medians_us({"before": pair.before, "after": pair.after}, repeats)
            step = steps.setdefault(
                pair.name, {"step": pair.name, "title": pair.title, "tolerance": pair.tolerance}
            )
            step[f"frames_{n_frames}"] = {
                **{f"{name}_us": round(us, 2) for name, us in times.items()},
                "ratio": round(times["before"] / times["after"], 2),
            }
    return list(steps.values())


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Everything that the result holds."""
    spec = FeatureSpec()
    # git answers before anything is written.
    state = git_state(*MEASURED_FILES)
    n_samples = int(features.SEGMENT_S * spec.sample_rate)
    samples = features.synthetic_segments(1, n_samples, args.seed)[0]
    return {
        "benchmark": "what each step of the features bought",
        "command": f"python -m benchmarks.features.steps --repeats {args.repeats} "
        f"--seed {args.seed}",
        **state,
        "seed": args.seed,
        "repeats": args.repeats,
        "machine": describe_machine(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "fingerprint": spec.fingerprint,
        "notes": [] if FFT_IN_SINGLE else list(ONLY_IN_2.values()),
        "steps": measure_steps(spec, samples, args.repeats),
        "profile": profile(spec, samples, args.repeats),
        "floor": floor(spec, samples, args.repeats),
    }


def steps_table(steps: Sequence[dict[str, Any]]) -> list[str]:
    """Lay the pairs out, microseconds."""
    sizes = [key for key in steps[0] if key.startswith("frames_")]
    wide = max(len(step["title"]) for step in steps)
    heads = "".join(
        f"  {key.split('_')[1] + ' frames':>10} {'after':>8} {'ratio':>6}" for key in sizes
    )
    lines = [f"{'microseconds: before / after':<{wide}}{heads}"]
    for step in steps:
        row = "".join(
            f"  {step[key]['before_us']:>10.1f} {step[key]['after_us']:>8.1f}"
            f" {step[key]['ratio']:>6.2f}"
            for key in sizes
        )
        lines.append(f"{step['title']:<{wide}}{row}")
    return lines


def profile_table(found: dict[str, Any]) -> list[str]:
    """Lay the stages out, those of a push beside those of an extract."""
    push = {stage["stage"]: stage for stage in found["push"]["stages"]}
    lines = [f"{'microseconds by stage':<32} {'extract':>9} {'share':>7} {'push':>9} {'share':>7}"]
    for stage in found["extract"]["stages"]:
        other = push[stage["stage"]]
        lines.append(
            f"{stage['stage']:<32} {stage['us']:>9.1f} {stage['share']:>7.1%} "
            f"{other['us']:>9.1f} {other['share']:>7.1%}"
        )
    for title, key in (("all stages", "stages_total_us"), ("without the clocks", "total_us")):
        lines.append(
            f"{title:<32} {found['extract'][key]:>9.1f} {'':>7} {found['push'][key]:>9.1f}"
        )
    return lines


def floor_table(found: dict[str, Any]) -> list[str]:
    """Lay the floor out."""
    bare = found["bare_rfft_us"]
    lines = [f"one bare rfft of all frames, float64: {bare:.1f} microseconds"]
    for title in ("extract", "push"):
        row = found[title]
        others = row["n_other_calls"]
        what = {
            "kernels": "kernels alone",
            "passes": f"{row['n_passes']} passes as copies, {row['passes_bytes'] / 1e6:.1f} MB",
            "calls": f"{sum(others.values())} other calls, {others['cut']} only cut; on nothing",
            "floor": "floor: all three",
            "measured": f"measured, {row['n_calls']} calls of NumPy",
        }
        head = f"{title}, {row['n_frames']} frames"
        lines += ["", f"{head:<48} {'us':>9} {'bare rffts':>11} {'of extract':>11}"]
        for name, text in what.items():
            lines.append(
                f"{text:<48} {row['us'][name]:>9.1f} {row['of_bare_rfft'][name]:>11.2f} "
                f"{row['of_extract'][name]:>11.3f}"
            )
    ratios = ", ".join(f"{name} {ratio:.3f}" for name, ratio in found["push_to_extract"].items())
    return [*lines, "", f"push to extract: {ratios}"]


def table(result: dict[str, Any]) -> str:
    """Lay the result out for people."""
    return "\n".join(
        (
            f"medians of {result['repeats']}; {result['machine']['cpu']}, one thread",
            *result["notes"],
            *("", *steps_table(result["steps"])),
            *("", *profile_table(result["profile"])),
            *("", *floor_table(result["floor"])),
        )
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=1000, help="of a call (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the signal (%(default)s)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the result here")
    args = parser.parse_args(argv)

    def measured() -> dict[str, Any]:
        at_least_one("--repeats", args.repeats)
        return measure(args)

    return tell(measured, table, args.output)


if __name__ == "__main__":
    sys.exit(main())
