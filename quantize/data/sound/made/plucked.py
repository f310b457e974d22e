"""Music of another making than what the gate is trained on: plucked strings and FM.

Only measured on, never trained on, so that what is measured is not how well the generator
of the training's music was learnt.
"""

from __future__ import annotations

import numpy as np

from quantize.data.sound.made.noises import Samples

__all__ = ["plucked"]

_PROGRESSIONS = ((0, 7, 9, 5), (0, 5, 7, 0), (9, 5, 0, 7), (2, 7, 0, 0), (0, 8, 10, 0))
_THIRDS = {0: 4, 7: 4, 5: 4, 9: 3, 2: 3, 8: 4, 10: 4}


def _string(rng: np.random.Generator, hz: float, n_samples: int, sample_rate: int) -> Samples:
    """Karplus and Strong: a burst of noise that runs round and grows dull."""
    period = max(2, round(sample_rate / hz))
    damping = rng.uniform(0.98, 0.999)
    loop = rng.uniform(-1, 1, period)
    out = np.empty((n_samples // period + 1) * period)
    for start in range(0, out.size, period):
        out[start : start + period] = loop
        loop = damping * 0.5 * (loop + np.roll(loop, 1))
    return out[:n_samples]


def _fm(rng: np.random.Generator, hz: float, n_samples: int, sample_rate: int) -> Samples:
    time_s = np.arange(n_samples) / sample_rate
    ratio = rng.choice([1.0, 1.41, 2.0, 3.0, 3.5])
    depth = rng.uniform(0.5, 6) * np.exp(-time_s / rng.uniform(0.1, 1.5))
    out = np.sin(2 * np.pi * hz * time_s + depth * np.sin(2 * np.pi * ratio * hz * time_s))
    decay: Samples = out * np.exp(-time_s / rng.uniform(0.2, 2)) * np.minimum(time_s / 0.005, 1)
    return decay


def plucked(rng: np.random.Generator, n_samples: int, sample_rate: int) -> Samples:
    """A progression of chords picked on strings or FM voices, a bass, at times a tune over it."""
    make = _string if rng.random() < 0.5 else _fm
    key = int(rng.integers(40, 54))
    beat = int(sample_rate * 60 / rng.uniform(60, 170))
    progression = _PROGRESSIONS[int(rng.integers(len(_PROGRESSIONS)))]
    has_tune = rng.random() < 0.6
    out = np.zeros(n_samples)

    def play(note: float, start: int, beats: float, gain: float) -> None:
        length = min(int(beats * beat * 1.5), n_samples - start)
        if length > 32:
            hz = 440 * 2 ** ((note - 69) / 12)
            out[start : start + length] += gain * make(rng, hz, length, sample_rate)

    for bar in range(n_samples // (4 * beat) + 1):
        root = progression[bar % len(progression)]
        steps = (0, _THIRDS[root], 7, 12)
        begin = bar * 4 * beat
        play(key - 12 + root, begin, 4, 0.8)
        for eighth in range(8):
            start = begin + eighth * beat // 2
            play(key + root + steps[int(rng.integers(4))], start, 1, 0.5)
            if has_tune and eighth % 2 == 0 and rng.random() < 0.8:
                play(key + 12 + root + steps[int(rng.integers(4))], start, 1, 0.7)
    return out
