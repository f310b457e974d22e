"""Every method in every condition, and our own with other thresholds."""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.pitch.methods import Method, always, pitch_column
from benchmarks.pitch.metrics import Answer, gross_difference, score
from benchmarks.pitch.truth import Recording, add_noise, praat_pitch
from edge import FeatureSpec

__all__ = ["answer", "compare", "in_noise", "judge", "name_of", "say", "variants"]

TROUGHS = (0.05, 0.1, 0.2)
MARGINS = (0.0, 0.02, 0.03, 0.05)
VOICINGS = (0.3, 0.4, 0.5, 0.6)


def name_of(snr_db: float | None) -> str:
    """Name a condition."""
    return "clean" if snr_db is None else f"{snr_db:g} dB"


def say(text: str) -> None:
    """Tell a waiting person where it is."""
    if sys.stderr.isatty():
        print(f"\r{text:<60}", end="", file=sys.stderr, flush=True)


def in_noise(
    recordings: Sequence[Recording], conditions: Sequence[float | None], seed: int
) -> dict[str, list[Recording]]:
    """Every recording in every condition."""
    return {
        name_of(snr_db): [add_noise(r, snr_db, seed + i) for i, r in enumerate(recordings)]
        for snr_db in conditions
    }


def compare(
    heard: Mapping[str, Sequence[Recording]], methods: Mapping[str, Method], seed: int
) -> dict[str, Any]:
    """Score every method in every condition."""
    conditions: dict[str, Any] = {}
    for condition, recordings in heard.items():
        truth_hz = [r.truth_hz for r in recordings]
        answers: dict[str, list[Answer]] = {}
        for name, method in methods.items():
            say(f"{condition}: {name}")
            answers[name] = [method(r.samples) for r in recordings]
        conditions[condition] = {
            "methods": {name: score(truth_hz, found) for name, found in answers.items()},
            "ours_minus_librosa_yin": gross_difference(
                truth_hz, answers["ours"], answers["librosa.yin (0.1)"], seed
            ),
        }
    truth = np.concatenate([r.truth_hz for r in next(iter(heard.values()))])
    return {
        "n_clips": len(next(iter(heard.values()))),
        "n_frames": int(truth.size),
        "n_voiced": int((truth > 0).sum()),
        "conditions": conditions,
    }


def judge(recordings: Sequence[Recording], spec: FeatureSpec) -> dict[str, Any]:
    """Praat on the made recordings: how good the judge of the speech is itself."""
    tracks = [praat_pitch(r.samples, spec) for r in recordings]
    figures = score([r.truth_hz for r in recordings], [Answer(t, t > 0) for t in tracks])
    # It gives no pitch where it finds none.
    return figures | dict.fromkeys(("gross_all", "too_low", "too_high"))


def variants(heard: Mapping[str, Sequence[Recording]], spec: FeatureSpec) -> list[dict[str, Any]]:
    """Our own method with other thresholds and margins."""
    rows = []
    for trough, margin in itertools.product(TROUGHS, MARGINS):
        at_trough = dataclasses.replace(
            spec, pitch_trough_threshold=trough, pitch_trough_margin=margin
        )
        guess = pitch_column(always(at_trough))
        guesses = {name: [guess(r.samples) for r in of] for name, of in heard.items()}
        for voicing in VOICINGS:
            say(f"trough {trough:g}, margin {margin:g}, voicing {voicing:g}")
            decide = pitch_column(dataclasses.replace(at_trough, pitch_voicing_threshold=voicing))
            figures = {
                condition: score(
                    [r.truth_hz for r in of],
                    [
                        Answer(guessed, decide(r.samples) > 0)
                        for guessed, r in zip(guesses[condition], of, strict=True)
                    ],
                )
                for condition, of in heard.items()
            }
            rows.append(
                {"trough": trough, "margin": margin, "voicing": voicing, "conditions": figures}
            )
    return rows


def answer(rows: Sequence[Mapping[str, Any]], spec: FeatureSpec) -> dict[str, Any]:
    """Where the default stands among the variants, by frame error."""
    conditions = list(rows[0]["conditions"])

    def mean(row: Mapping[str, Any], figure: str) -> float:
        return float(np.mean([row["conditions"][c][figure] for c in conditions]))

    def short(row: Mapping[str, Any]) -> dict[str, float]:
        return {
            "trough": row["trough"],
            "margin": row["margin"],
            "voicing": row["voicing"],
            **{f"mean_{figure}": mean(row, figure) for figure in ("frame_error", "gross_all")},
        }

    default = next(
        row
        for row in rows
        if (row["trough"], row["margin"], row["voicing"])
        == (
            spec.pitch.trough_threshold,
            spec.pitch.trough_margin,
            spec.pitch.voicing_threshold,
        )
    )
    order = sorted(rows, key=lambda row: mean(row, "frame_error"))
    return {
        "default": short(default),
        "rank_of_default": order.index(default) + 1,
        "n_variants": len(rows),
        "best": short(order[0]),
        "best_by_condition": {
            c: {
                key: row[key] if key in row else row["conditions"][c][key]
                for key in ("trough", "margin", "voicing", "frame_error", "gross_all")
            }
            for c in conditions
            for row in [min(rows, key=lambda r: r["conditions"][c]["frame_error"])]
        },
    }
