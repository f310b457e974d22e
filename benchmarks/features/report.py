"""Ratios against the bars, and the table that `benchmarks/features/speed.py` prints."""

from __future__ import annotations

from typing import Any

__all__ = ["ratios", "table"]

#: What is divided by what, the bar, and whether more is better. librosa's functions transform the
#: samples each for itself; whoever hands them one STFT asks for more, so that is held to it, too.
BARS = (
    ("librosa, same numbers", "librosa_same_by_feature", "ours", 5.0, True),
    ("librosa, same numbers, one STFT", "librosa_same", "ours", 5.0, True),
    ("same numbers, per decision", "librosa_same_by_feature", "ours_push", 15.0, True),
    ("same numbers, one STFT, per decision", "librosa_same", "ours_push", 15.0, True),
    ("librosa, defaults", "librosa_defaults", "ours", 12.0, True),
    ("librosa, defaults with pYIN", "librosa_pyin", "ours", 150.0, True),
    ("total to one bare rfft, float32", "ours", "rfft_float32", 5.0, False),
    ("total to one bare rfft, float64", "ours", "rfft_float64", 5.0, False),
    ("0.5 s more to the full 2 s", "ours_push", "ours", 0.35, False),
)


def ratios(times: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Medians against the bars of the issue."""
    found = []
    for title, over, under, bar, more in BARS:
        ratio = times[over]["p50"] / times[under]["p50"]
        found.append(
            {
                "what": title,
                "ratio": round(ratio, 3),
                "bar": bar,
                "at_least": more,
                "met": bool(ratio >= bar if more else ratio <= bar),
            }
        )
    return found


def table(result: dict[str, Any]) -> str:
    """Lay the result out for people."""
    say = {True: "met", False: "NOT MET"}
    lines = [
        f"{result['n_segments']} segments of {result['segment_s']:g} s ({result['signals']}); "
        f"seed {result['seed']}; {result['machine']['cpu']}, one thread",
        f"{'milliseconds':<36} {'p50':>9} {'p25':>9} {'p75':>9}",
    ]
    for row in result["times_ms"].values():
        lines.append(f"{row['title']:<36} {row['p50']:>9.3f} {row['p25']:>9.3f} {row['p75']:>9.3f}")
    lines += [f"{name} is not installed" for name in result["not_installed"]]
    lines += ["", f"{'ratio of medians':<36} {'':>9} {'bar':>9}"]
    for row in result["ratios"]:
        bar = f"{'>=' if row['at_least'] else '<='} {row['bar']:g}"
        lines.append(f"{row['what']:<36} {row['ratio']:>9.2f} {bar:>9}  {say[row['met']]}")
    lines += ["", f"{'error against librosa':<36} {'max':>9} {'p99.9':>9} {'bar':>9}"]
    for name, row in result["parity"]["features"].items():
        lines.append(
            f"{name:<36} {row['max']:>9.1e} {row['p99_9']:>9.1e} {row['bar']:>9.0e}  "
            f"{say[row['met']]:<8}{row['unit']}".rstrip()
        )
    pitch, memory = result["parity"]["pitch"], result["memory"]
    lines += [
        f"pitch within {100 * pitch['within']:g} % on {100 * pitch['agree']:.2f} % of "
        f"{pitch['n_librosa_voiced']} frames that librosa.yin finds voiced "
        f"(bar {100 * pitch['bar']:g} %)  {say[pitch['met']]}",
        "",
        f"{memory['n_pushes']} pushes of {memory['push_samples']} samples: each takes and gives "
        f"back {memory['transient_bytes']['min']} to {memory['transient_bytes']['max']} bytes; "
        f"all of them leave {memory['array_growth_bytes']:+d} bytes of arrays  "
        f"{say[memory['constant']]}",
    ]
    return "\n".join(lines)
