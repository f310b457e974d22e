"""Write ``features.npz``: signals of our own and librosa's features of them.

    python -m benchmarks.features.parity_signals            # needs librosa 0.11

Tests read the file alone.  Everything that the numbers depend on is recorded in its
``provenance``: versions, seed, the spec and the arguments of every librosa call.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared.librosa_reference import arguments, reference, require_librosa
from edge import EdgeSerError, FeatureSpec

SEED = 20
RATE = 16_000
OUTPUT = Path(__file__).resolve().parents[2] / "tests" / "parity" / "features.npz"

Signal = NDArray[np.float64]

#: First three formants in Hz of some vowels (adult male, after Peterson & Barney 1952).
VOWELS_HZ = {
    "i": (270, 2290, 3010),
    "e": (530, 1840, 2480),
    "a": (730, 1090, 2440),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
FORMANT_WIDTHS_HZ = (80, 110, 160)


def contour(points: Sequence[float], n_samples: int) -> Signal:
    """Smooth curve through evenly spaced points."""
    at = np.linspace(0, len(points) - 1, n_samples)
    bent = np.floor(at) + (1 - np.cos(np.pi * (at % 1))) / 2
    return np.interp(bent, np.arange(len(points)), points)


def wander(n_samples: int, rate_hz: float, rng: np.random.Generator) -> Signal:
    """Slow noise of standard deviation 1 or so."""
    n_points = max(2, int(n_samples / RATE * rate_hz) + 2)
    return contour(rng.standard_normal(n_points).tolist(), n_samples)


def voice(
    f0_hz: Signal, vowels: str, rng: np.random.Generator, *, jitter: float = 0.005, size: float = 1
) -> Signal:
    """Harmonics under gliding formants, with jitter, shimmer and a little breath."""
    n = f0_hz.size
    f0_hz = f0_hz * (1 + jitter * wander(n, 60, rng))
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE
    formants = [
        contour([size * VOWELS_HZ[v][i] for v in vowels + vowels[-1]], n)[:, None] for i in range(3)
    ]
    k = np.arange(1, int(7600 / f0_hz.min()) + 1)
    harmonics_hz = k * f0_hz[:, None]
    envelope = np.zeros_like(harmonics_hz)
    for level, centre, width in zip((1.0, 0.5, 0.25), formants, FORMANT_WIDTHS_HZ, strict=True):
        envelope += level / np.hypot(1, (harmonics_hz - centre) / width)
    envelope *= (harmonics_hz < 7600) * (300 / (300 + harmonics_hz))
    wave = np.einsum("tk,tk->t", envelope, np.sin(phase[:, None] * k))
    wave *= 1 + 0.06 * wander(n, 80, rng)
    wave /= np.abs(wave).max()
    return wave + 0.004 * shaped_noise(n, 2500, 1500, rng)


def shaped_noise(n: int, centre_hz: float, width_hz: float, rng: np.random.Generator) -> Signal:
    """Gaussian noise around a centre frequency, peak 1: a fricative."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    bins_hz = np.fft.rfftfreq(n, 1 / RATE)
    wave = np.fft.irfft(spectrum * np.exp(-0.5 * ((bins_hz - centre_hz) / width_hz) ** 2), n)
    return wave / np.abs(wave).max()


def shape(wave: Signal, attack_s: float = 0.02, release_s: float = 0.06) -> Signal:
    """Fade in and out."""
    t = np.arange(wave.size) / RATE
    return wave * np.clip(t / attack_s, 0, 1) * np.clip((t[-1] - t) / release_s, 0, 1)


def silence(seconds: float) -> Signal:
    return np.zeros(int(seconds * RATE))


def samples_in(seconds: float) -> int:
    return int(seconds * RATE)


def signals() -> dict[str, Signal]:
    """All test signals, in [-1, 1]."""
    rng = np.random.default_rng(SEED)
    n = samples_in
    t = np.arange(n(0.5)) / RATE
    vibrato = 1 + 0.02 * np.sin(2 * np.pi * 5.5 * np.arange(n(1.1)) / RATE)
    clicks = np.zeros(n(0.4))
    clicks[[700, 2000, 2001, 5119, 5120]] = (0.9, 0.5, -0.5, -0.7, 0.3)
    sweep_hz = 60 * (6000 / 60) ** (np.arange(n(0.6)) / n(0.6))
    return {
        # A calm low voice: vowels, a fricative, a pause with the hiss of a microphone.
        "low_voice": np.concatenate(
            [
                0.3 * shape(voice(contour([128, 136, 124, 104], n(0.9)), "aeo", rng)),
                0.05 * shape(shaped_noise(n(0.15), 5200, 900, rng)),
                0.25 * shape(voice(contour([104, 112, 92, 78], n(0.6)), "uia", rng)),
                0.0008 * rng.standard_normal(n(0.25)),
            ]
        ),
        # An excited high voice: wide intonation, vibrato, close to full scale.
        "high_voice": np.concatenate(
            [
                0.9 * shape(voice(contour([230, 330, 260], n(0.9)), "ia", rng, size=1.17)),
                0.2 * shape(shaped_noise(n(0.1), 3500, 1200, rng)),
                0.8
                * shape(voice(contour([360, 300, 240], n(1.1)) * vibrato, "aou", rng, size=1.17)),
            ]
        ),
        "child_voice": 0.4
        * shape(voice(contour([290, 330, 420, 350], n(1.0)), "eoi", rng, size=1.35)),
        # Vocal fry at the low end of the pitch range, then driven into clipping.
        "creak_and_clipping": np.concatenate(
            [
                0.2 * shape(voice(contour([82, 70, 68], n(0.4)), "a", rng, jitter=0.02)),
                np.clip(3 * shape(voice(contour([150, 190], n(0.4)), "e", rng)), -1, 1),
            ]
        ),
        "whisper": 0.1
        * shape(shaped_noise(n(0.3), 1500, 900, rng) * (1 + 0.5 * wander(n(0.3), 8, rng))),
        # Digital silence, clicks, the last bit, an offset.
        "silence_and_clicks": np.concatenate(
            [silence(0.15), clicks, rng.integers(-1, 2, n(0.2)) / 32768, np.full(n(0.1), 0.01)]
        ),
        "sweep": 0.5 * np.sin(2 * np.pi * np.cumsum(sweep_hz) / RATE),
        "chord_in_noise": 0.2
        * (
            np.sin(2 * np.pi * 261.63 * t)
            + np.sin(2 * np.pi * 329.63 * t)
            + np.sin(2 * np.pi * 392 * t)
        )
        + 0.002 * rng.standard_normal(t.size),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=OUTPUT, help="default: beside this script")
    args = parser.parse_args(argv)

    try:
        require_librosa()
    except EdgeSerError as error:
        print(f"edge-ser: error: {error}", file=sys.stderr)
        return 2
    import librosa
    import scipy

    spec = FeatureSpec()
    names, arrays = [], {}
    for name, wave in signals().items():
        # Stored as 16-bit and read back before anything is computed: what is stored is exact.
        stored = np.round(np.clip(wave, -1, 32767 / 32768) * 32768).astype(np.int16)
        features, voiced = reference(stored.astype(np.float32) / np.float32(32768), spec)
        names.append(name)
        arrays |= {
            f"{name}.samples": stored,
            f"{name}.features": features,
            f"{name}.voiced": voiced,
        }
    provenance = {
        "script": "benchmarks/features/parity_signals.py",
        "seed": SEED,
        "signals": names,
        "samples": "16-bit, divided by 32768",
        "versions": {
            "python": platform.python_version(),
            "librosa": librosa.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
        "arguments": arguments(spec),
        "patched": "librosa.feature.spectral.power_to_db with top_db=None: spectral_contrast "
        "offers no argument for it and would look at the loudest frame of the clip",
        "voiced": "frames in which librosa.yin found a trough below trough_threshold",
        "feature_spec": spec.to_dict(),
        "fingerprint": spec.fingerprint,
    }
    # "inf" for the norm: JSON knows no infinity.
    text = json.dumps(provenance, indent=1, default=str).replace("Infinity", '"inf"')
    partial = args.output.with_name(args.output.name + ".partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, provenance=np.array(text), **arrays)
    os.replace(partial, args.output)
    n_samples = sum(arrays[f"{name}.samples"].size for name in names)
    n_voiced = sum(int(arrays[f"{name}.voiced"].sum()) for name in names)
    print(
        f"{args.output.name}: {len(names)} signals, {n_samples / RATE:.1f} s, {n_voiced} voiced "
        f"frames, {args.output.stat().st_size} bytes"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
